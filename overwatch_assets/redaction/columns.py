"""Columns as they are stored: every text in them, however deeply nested, replaced where it must be.

Different values are looked at once, and only those that look as if they had to change.
"""

from collections.abc import Sequence
from typing import cast

import polars as pl

from overwatch_assets.module import Content
from overwatch_assets.redaction.json_entries import content_of
from overwatch_assets.redaction.texts import NO_TEXT, Texts

_ROW, _VALUE = "row", "value"


def may_change(dtype: pl.DataType, content: Content | None) -> bool:
    """Whether a column has texts or hashes that may have to change."""
    match dtype:
        case pl.String():
            return True
        case pl.Struct():
            return any(may_change(_made(each.dtype), None) for each in dtype.fields)
        case pl.List():
            return may_change(_made(dtype.inner), content)
        case pl.Map():
            return may_change(_made(dtype.key), None) or may_change(_made(dtype.value), None)
        case _:
            return content is Content.FINGERPRINT


def redacted(values: pl.Series, content: Content | None, texts: Texts) -> pl.Series:
    """A column as it is stored; the very same where nothing has to change."""
    match values.dtype:
        case pl.String():
            return _texts(values, content, texts)
        case pl.Struct():
            return _structs(values, texts)
        case pl.List():
            return _lists(values, content, texts)
        case pl.Map():
            return _maps(values, texts)
        case _ if content is Content.FINGERPRINT:
            return texts.pseudonyms.of_hashes(values)
        case _:
            return values


def _texts(values: pl.Series, content: Content | None, texts: Texts) -> pl.Series:
    hint = texts.hint(content)
    if hint is None:
        return values
    suspected = values.str.contains(hint).fill_null(value=False) if hint else values.is_not_null()
    if not suspected.any():
        return values
    found = values.filter(suspected)
    distinct = found.unique()
    stored = pl.Series([texts.stored(each, content) for each in distinct], dtype=pl.String)
    if stored.equals(distinct, null_equal=True):
        return values
    return values.clone().scatter(suspected.arg_true(), found.replace(distinct, stored))


def _structs(values: pl.Series, texts: Texts) -> pl.Series:
    fields = values.struct.unnest().get_columns()
    stored = [redacted(each, content_of(each.name), texts) for each in fields]
    if _unchanged(fields, stored):
        return values
    struct = pl.when(pl.lit(values.is_not_null())).then(pl.struct(stored))
    return pl.select(struct.alias(values.name)).to_series()


def _lists(values: pl.Series, content: Content | None, texts: Texts) -> pl.Series:
    elements = values.explode(empty_as_null=False, keep_nulls=False)
    stored = redacted(elements, content, texts)
    return values if stored is elements else _listed(values, stored)


def _maps(values: pl.Series, texts: Texts) -> pl.Series:
    entries = values.map.entries()
    pairs = entries.explode(empty_as_null=False, keep_nulls=False)
    key, value = pairs.struct.unnest().get_columns()
    keys = redacted(key, None, texts)
    stored = _values_by_key(key, value, texts)
    if _unchanged((key, value), (keys, stored)):
        return values
    kept = keys.fill_null(NO_TEXT) if keys.dtype == pl.String else keys
    struct = pl.DataFrame([kept.alias(key.name), stored.alias(value.name)]).to_struct(pairs.name)
    return _listed(entries, struct).cast(values.dtype)


def _values_by_key(keys: pl.Series, values: pl.Series, texts: Texts) -> pl.Series:
    """A map's values; what those hold whose key is a name of SQL or command text is known by it."""
    stored = redacted(values, None, texts)
    if keys.dtype != pl.String or values.dtype != pl.String:
        return stored
    contents = {name: found for name in keys.unique() if (found := content_of(name))}
    for content in set(contents.values()):
        named = [name for name, each in contents.items() if each is content]
        of_content = keys.is_in(named)
        whole = redacted(values.filter(of_content), content, texts)
        stored = stored.clone().scatter(of_content.arg_true(), whole)
    return stored


def _listed(lists: pl.Series, elements: pl.Series) -> pl.Series:
    """Lists as long as others, of other elements."""
    lengths = lists.list.len()
    rows = pl.DataFrame({_ROW: pl.int_range(len(lists), eager=True), "length": lengths})
    of_element = rows.select(pl.col(_ROW).repeat_by(pl.col("length").fill_null(0))).to_series()
    grouped = (
        pl.DataFrame(
            [
                of_element.explode(empty_as_null=False, keep_nulls=False).alias(_ROW),
                elements.alias(_VALUE),
            ]
        )
        .rechunk()
        .group_by(_ROW, maintain_order=True)
        .agg(_VALUE)
    )
    empty = pl.Series([[]], dtype=lists.dtype)
    return (
        rows.join(grouped, on=_ROW, how="left", maintain_order="left")
        .select(
            pl.when(pl.col("length") == 0)
            .then(pl.lit(empty).first())
            .otherwise(_VALUE)
            .alias(lists.name)
        )
        .to_series()
        .rechunk()
    )


def _unchanged(before: Sequence[pl.Series], after: Sequence[pl.Series]) -> bool:
    return all(each is other for each, other in zip(before, after, strict=True))


def _made(dtype: object) -> pl.DataType:
    return cast("pl.DataType", dtype() if isinstance(dtype, type) else dtype)
