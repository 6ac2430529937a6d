"""Nested values as canonical JSON text, and texts back as maps.

Audit events hold a map as JSON text with sorted keys, leaves as text and no nulls; captures hold
it as a value. Written alike, they can stand in one column.
"""

import json
from functools import lru_cache
from typing import cast

import polars as pl

TEXTS = pl.Map(pl.String, pl.String)


def json_text(value: pl.Expr) -> pl.Expr:
    """A map, struct or list as the audit log writes it; null when nothing is in it."""
    return value.map_batches(_written, return_dtype=pl.String)


def texts_in(text: pl.Expr) -> pl.Expr:
    """The entries of a JSON object; null for other texts. Nested values stay JSON text."""
    return text.map_batches(_read, return_dtype=TEXTS)


def _written(values: pl.Series) -> pl.Series:
    texts = [_text(_without_nulls(value)) for value in values.to_list()]
    return pl.Series(values.name, texts, dtype=pl.String)


def _read(texts: pl.Series) -> pl.Series:
    return pl.Series(texts.name, [_entries(text) for text in texts.to_list()], dtype=TEXTS)


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        found = {
            key: _without_nulls(each)
            for key, each in cast("dict[str, object]", value).items()
            if each is not None
        }
        return {key: each for key, each in found.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in cast("list[object]", value)]
    return _leaf(value)


def _leaf(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _text(value: object) -> str | None:
    """None for nothing, an empty map and an empty list: the request says as little."""
    if not value:
        return None
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@lru_cache(maxsize=1024)
def _entries(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    entries = cast("dict[str, object]", found)
    return {key: _entry(each) for key, each in entries.items() if each is not None}


def _entry(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
