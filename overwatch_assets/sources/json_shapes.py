"""JSON objects in the columns that a table declares; no type is ever guessed from a value.

What fits stays, what doesn't becomes null and is counted, field by field: a bad field never
costs a good one. Fields at the top that no column has are kept as JSON text. Secrets are struck
out, by the name of their key and by their shape.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import msgspec
import polars as pl

from overwatch_assets.sources.canonical_json import (
    REDACTED,
    TooDeep,
    compact_text,
    is_secret_key,
    scalar_text,
    without_secret_entries,
    without_secrets,
)
from overwatch_assets.sources.secret_texts import texts_struck_out

EXTRA = "_extra"
"""Column of the fields that no other column has."""

_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,30}(?:\.0*)?\s*")
_BOUNDS: Mapping[type[pl.DataType], tuple[int, int]] = {
    pl.Int32: (-(2**31), 2**31 - 1),
    pl.Int64: (-(2**63), 2**63 - 1),
}
_TRUTH = {"true": True, "false": False}

_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode

Lost = Counter[str]
_Convert = Callable[[object, Lost], object]
"""From a value that is not null to one of the declared type; null is counted as lost."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """Objects as rows, in their order.

    Attributes:
        rows: The declared columns.
        lost: Values that did not fit, by field; `a.b` is field b of struct (or list) a.
    """

    rows: pl.DataFrame
    lost: Mapping[str, int]


@dataclass(frozen=True)
class Shaper:
    """Shapes JSON objects to a schema; what it does with each field is worked out once.

    Attributes:
        schema: The columns: texts, whole numbers, floats, booleans, lists, structs, maps of text.
            A column `_extra` takes the fields that no column has.
    """

    schema: pl.Schema

    def __post_init__(self) -> None:
        """Work out the conversions.

        Raises:
            TypeError: A column has a type that JSON has no value for.
        """
        _ = self._converters

    def shape(self, objects: Iterable[Mapping[str, object]]) -> Shaped:
        """The objects as rows."""
        lost: Lost = Counter()
        columns: dict[str, list[object]] = {name: [] for name in self.schema}
        fields = [(name, convert, columns[name]) for name, convert in self._converters]
        extra = columns.get(EXTRA)
        for each in objects:
            get = each.get
            for name, convert, column in fields:
                value = get(name)
                column.append(None if value is None else convert(value, lost))
            if extra is not None:
                extra.append(self._extra(each, lost))
        rows = [_column(name, dtype, columns[name]) for name, dtype in self.schema.items()]
        return Shaped(pl.DataFrame(rows), dict(sorted(lost.items())))

    @cached_property
    def _converters(self) -> Sequence[tuple[str, _Convert]]:
        return [
            (name, _converter(_made(dtype), name))
            for name, dtype in self.schema.items()
            if name != EXTRA
        ]

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.schema) - {EXTRA}

    def _extra(self, each: Mapping[str, object], lost: Lost) -> str | None:
        """The fields that no column has, as JSON text with sorted keys; None: there are none."""
        if each.keys() <= self._known:
            return None
        kept = {
            name: value
            for name, value in each.items()
            if value is not None and name not in self._known
        }
        texts: list[str] = []
        for name in sorted(kept):
            secret = is_secret_key(name)
            text = _encode(REDACTED).decode() if secret else json_text(kept[name])
            if text is None:
                lost[f"{EXTRA}.{_clean(name)}"] += 1
                continue
            texts.append(f"{_encode(_clean(name)).decode()}:{text}")
        return f"{{{','.join(texts)}}}" if texts else None


def _column(name: str, dtype: pl.DataType, values: list[object]) -> pl.Series:
    """Values of the declared type as a column, without the secrets that show in their text.

    Nested values go through JSON text: Polars reads it a hundred times as fast as Python objects.
    """
    if not dtype.is_nested():
        column = pl.Series(name, values, dtype=dtype)
        return texts_struck_out(column) if dtype == pl.String else column
    lines = [None if value is None else _encode(value).decode() for value in values]
    texts = texts_struck_out(pl.Series(name, lines, dtype=pl.String))
    return texts.str.json_decode(dtype)


def _converter(dtype: pl.DataType, at: str) -> _Convert:
    """What makes a value of a type from the JSON value of a field."""
    match dtype:
        case pl.String():
            convert = _texts(at)
        case pl.Int64() | pl.Int32():
            convert = _integers(at, *_BOUNDS[type(dtype)])
        case pl.Float64():
            convert = _floats(at)
        case pl.Boolean():
            convert = _booleans(at)
        case pl.List():
            convert = _lists(at, _converter(_made(dtype.inner), at))
        case pl.Struct():
            fields = [(each.name, _made(each.dtype)) for each in dtype.fields]
            convert = _structs(at, [(n, _converter(inner, f"{at}.{n}")) for n, inner in fields])
        case pl.Map() if _made(dtype.key) == _made(dtype.value) == pl.String():
            convert = _maps(at)
        case _:
            message = f"{at}: JSON has no value for a column of type {dtype}"
            raise TypeError(message)
    return convert


def _texts(at: str) -> _Convert:
    def convert(value: object, lost: Lost) -> object:
        text = _text(value) if isinstance(value, str) else scalar_text(value)
        if text is None:
            lost[at] += 1
        return text

    return convert


def _integers(at: str, least: int, most: int) -> _Convert:
    def convert(value: object, lost: Lost) -> object:
        number = _whole(value)
        if number is not None and least <= number <= most:
            return number
        lost[at] += 1
        return None

    return convert


def _floats(at: str) -> _Convert:
    def convert(value: object, lost: Lost) -> object:
        number = _real(value)
        if number is None:
            lost[at] += 1
        return number

    return convert


def _booleans(at: str) -> _Convert:
    def convert(value: object, lost: Lost) -> object:
        if isinstance(value, bool):
            return value
        truth = _TRUTH.get(value.strip().lower()) if isinstance(value, str) else None
        if isinstance(value, int) and value in (0, 1):
            truth = value == 1
        if truth is None:
            lost[at] += 1
        return truth

    return convert


def _lists(at: str, element: _Convert) -> _Convert:
    def convert(value: object, lost: Lost) -> object:
        if isinstance(value, list):
            return [
                None if each is None else element(each, lost)
                for each in cast("list[object]", value)
            ]
        lost[at] += 1
        return None

    return convert


def _structs(at: str, fields: Sequence[tuple[str, _Convert]]) -> _Convert:
    def convert(value: object, lost: Lost) -> object:
        if not isinstance(value, dict):
            lost[at] += 1
            return None
        get = cast("dict[str, object]", value).get
        return {
            name: convert_field(inner, lost)
            for name, convert_field in fields
            if (inner := get(name)) is not None
        }

    return convert


def _maps(at: str) -> _Convert:
    def convert(value: object, lost: Lost) -> object:
        entries = _entries(value)
        if entries is None:
            lost[at] += 1
            return None
        texts: dict[str, str] = {}
        for key, inner in sorted(entries.items()):
            if inner is None:
                continue
            text = REDACTED if is_secret_key(key) else _entry_text(inner)
            if text is None:
                lost[at] += 1
            else:
                texts[_clean(key)] = text
        return texts

    return convert


def _entries(value: object) -> Mapping[str, object] | None:
    """An object's entries, also where they are written as a list of keys and values."""
    if isinstance(value, dict):
        return cast("dict[str, object]", value)
    if not isinstance(value, list):
        return None
    entries: dict[str, object] = {}
    for each in cast("list[object]", value):
        entry = cast("dict[str, object]", each) if isinstance(each, dict) else {}
        key = entry.get("key")
        if not isinstance(key, str):
            return None
        entries[key] = entry.get("value")
    return entries


def _entry_text(value: object) -> str | None:
    if isinstance(value, str):
        return _text(value)
    scalar = scalar_text(value)
    return json_text(value) if scalar is None else scalar


def _text(value: str) -> str | None:
    """A text as it is; where it holds JSON, without the values of secret-like keys."""
    text = _clean(value)
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return compact_text(text)
    except TooDeep:
        return without_secrets(text)


def json_text(value: object) -> str | None:
    """A value as compact JSON text with sorted keys; None: it is nested too deeply."""
    try:
        kept = without_secret_entries(value)
    except (TooDeep, RecursionError):
        return None
    try:
        return _encode_sorted(kept).decode()
    except UnicodeEncodeError:
        return json.dumps(kept, sort_keys=True, separators=(",", ":"))


def _whole(value: object) -> int | None:
    """A whole number from a number or its text; fractions are none."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value.partition(".")[0])
    return None


def _real(value: object) -> float | None:
    """A finite float from a number or its text."""
    if not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _clean(text: str) -> str:
    """The text without halves of surrogate pairs, which no file can hold."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _made(dtype: object) -> pl.DataType:
    return cast("pl.DataType", dtype() if isinstance(dtype, type) else dtype)
