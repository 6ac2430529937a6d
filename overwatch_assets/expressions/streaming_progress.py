"""Progress of a streaming query's micro-batch, from the JSON text that Spark logs.

What a source, sink or state store reports has a shape of its own, so these parts stay JSON.
"""

import json
from collections.abc import Mapping
from typing import cast

import msgspec
import polars as pl

EVENT_TIME = pl.Struct(dict.fromkeys(("avg", "max", "min", "watermark"), pl.String))
STREAMING_METRICS = pl.Struct(
    {
        "batchDuration": pl.Int64,
        "batchId": pl.Int64,
        "durationMs": pl.String,
        "eventTime": EVENT_TIME,
        "id": pl.String,
        "name": pl.String,
        "runId": pl.String,
        "sink": pl.String,
        "sources": pl.String,
        "stateOperators": pl.String,
        "timestamp": pl.String,
        "numInputRows": pl.Int64,
        "inputRowsPerSecond": pl.Float64,
        "processedRowsPerSecond": pl.Float64,
        "metrics": pl.String,
        "observedMetrics": pl.String,
    }
)
"""A micro-batch's progress; a field is null where the text has none, or none of its type."""

INT64 = range(-(2**63), 2**63)


def streaming_metrics(progress: pl.Expr) -> pl.Expr:
    """`STREAMING_METRICS` of progress texts; null where the text is no JSON object."""
    return progress.map_batches(_decoded, return_dtype=STREAMING_METRICS, is_elementwise=True)


def _decoded(texts: pl.Series) -> pl.Series:
    rows = [None if text is None else _metrics(text) for text in texts]
    return pl.Series(texts.name, rows, dtype=STREAMING_METRICS)


def _metrics(text: str) -> dict[str, object] | None:
    try:
        told = msgspec.json.decode(text, type=dict[str, object])
        return {field.name: _field(told, field) for field in STREAMING_METRICS.fields}
    except (msgspec.DecodeError, RecursionError):
        return None


def _field(told: Mapping[str, object], field: pl.Field) -> object:
    value = told.get(field.name)
    if field.name == "eventTime":
        times = cast("dict[str, object]", value if isinstance(value, dict) else {})
        return {each.name: _text(times.get(each.name)) for each in EVENT_TIME.fields}
    if field.name == "stateOperators" and value == []:
        return None
    return _of_type(value, field.dtype)


def _of_type(value: object, dtype: object) -> object:
    match value:
        case _ if dtype == pl.String:
            return _text(value)
        case bool():
            return None
        case int() if value in INT64:
            return float(value) if dtype == pl.Float64 else value
        case float() if dtype == pl.Float64:
            return value
        case _:
            return None


def _text(value: object) -> str | None:
    """Text as it is, anything else as JSON with its keys in order."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
