"""Tags of clusters and jobs, from the JSON text in which tables hold them."""

import json
from typing import cast

import msgspec
import polars as pl

TAGS = pl.List(pl.Struct({"tag_key": pl.String, "tag_value": pl.String}))


def tags_of(text: pl.Expr) -> pl.Expr:
    """Keys and values of a JSON object, in the order of the keys; null where it is none.

    Values that are no text are shown as JSON; a null value is none.
    """
    return text.map_batches(_decoded, return_dtype=TAGS, is_elementwise=True)


def _decoded(texts: pl.Series) -> pl.Series:
    rows = [None if text is None else _tags(text) for text in texts]
    return pl.Series(texts.name, rows, dtype=TAGS)


def _tags(text: str) -> list[dict[str, str]] | None:
    try:
        told = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    tags = cast("dict[str, object]", told)
    return [
        {"tag_key": key, "tag_value": _text(value)}
        for key, value in sorted(tags.items())
        if value is not None
    ]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
