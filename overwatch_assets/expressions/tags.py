"""Tags of clusters, jobs and warehouses, from the JSON text in which tables hold them."""

import json
from typing import cast

import msgspec
import polars as pl

from overwatch_assets.expressions.json_texts import TEXTS

TAGS = pl.List(pl.Struct({"tag_key": pl.String, "tag_value": pl.String}))


def tags_of(text: pl.Expr) -> pl.Expr:
    """Keys and values of a JSON object, in the order of the keys; null where it is none.

    Values that are no text are shown as JSON; a null value is none.
    """
    return text.map_batches(_decoded, return_dtype=TAGS, is_elementwise=True)


def warehouse_tags(text: pl.Expr) -> pl.Expr:
    """Tags of a warehouse as a request gives them, `{"custom_tags":[{"key":..,"value":..}]}`.

    An object of keys and values is taken as well; null for other texts. A tag without a key is
    none, one without a value has an empty one.
    """
    return text.map_batches(_flat, return_dtype=TEXTS, is_elementwise=True)


def _flat(texts: pl.Series) -> pl.Series:
    return pl.Series(texts.name, [_pairs(text) for text in texts], dtype=TEXTS)


def _pairs(text: str | None) -> dict[str, str] | None:
    told = None if text is None else _object_in(text)
    if told is None:
        return None
    listed = told.get("custom_tags")
    if not isinstance(listed, list):
        return {key: _text(value) for key, value in told.items() if value is not None}
    tags = [
        cast("dict[str, object]", tag)
        for tag in cast("list[object]", listed)
        if isinstance(tag, dict)
    ]
    return {
        _text(tag["key"]): _text(tag.get("value") or "")
        for tag in tags
        if tag.get("key") is not None
    }


def _decoded(texts: pl.Series) -> pl.Series:
    rows = [None if text is None else _tags(text) for text in texts]
    return pl.Series(texts.name, rows, dtype=TAGS)


def _tags(text: str) -> list[dict[str, str]] | None:
    tags = _object_in(text)
    if tags is None:
        return None
    return [
        {"tag_key": key, "tag_value": _text(value)}
        for key, value in sorted(tags.items())
        if value is not None
    ]


def _object_in(text: str) -> dict[str, object] | None:
    try:
        told = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return cast("dict[str, object]", told) if isinstance(told, dict) else None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
