"""Decoded objects as Polars columns, without a dictionary per object.

A struct's attributes become the columns of the same names, by their annotated types: `int`,
`bool` and `str`, structs, lists of those, and `dict` as a map of texts. `Any` is text too. Raw
text and attributes that begin with `_` are no columns: something else is made of them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from operator import attrgetter
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import msgspec
import polars as pl

DataType = pl.DataType | type[pl.DataType]

_LEAVES: dict[Any, DataType] = {int: pl.Int64, bool: pl.Boolean, str: pl.String, Any: pl.String}
_TEXTS = pl.Map(pl.String, pl.String)


def frame_of(rows: Sequence[msgspec.Struct], shape: type[msgspec.Struct]) -> pl.DataFrame:
    """One row per object.

    Args:
        rows: Objects of that type.
        shape: Its attributes are the columns.
    """
    return pl.DataFrame([column.series(rows) for column in columns_of(shape)])


def schema_of(shape: type[msgspec.Struct]) -> pl.Schema:
    """Names and types of the columns a struct type becomes."""
    return pl.Schema({column.name: column.dtype for column in columns_of(shape)})


@dataclass(frozen=True, slots=True)
class ObjectColumn:
    """An attribute as a column.

    Attributes:
        name: Of the attribute and the column.
        dtype: Of the column.
        value: Attribute of an object.
        inner: Type of the objects in the attribute, in itself or in a list; None: no objects.
    """

    name: str
    dtype: DataType
    value: Callable[[Any], Any]
    inner: type[msgspec.Struct] | None

    def series(self, rows: Iterable[msgspec.Struct]) -> pl.Series:
        """The attribute of every object."""
        values = list(map(self.value, rows))
        if self.inner is None:
            return pl.Series(self.name, values, dtype=self.dtype)
        if isinstance(self.dtype, pl.List):
            return _lists(self.name, values, self.dtype, self.inner)
        return structs(self.name, values, self.inner)


def structs(name: str, values: Sequence[Any | None], shape: type[msgspec.Struct]) -> pl.Series:
    """Objects of one type as a struct column; None is null."""
    try:
        return frame_of(values, shape).to_struct(name)  # pyright: ignore[reportArgumentType] - None is caught
    except AttributeError:
        present = [value for value in values if value is not None]
    rows_of_present = iter(range(len(present)))
    rows = [None if value is None else next(rows_of_present) for value in values]
    return picked(frame_of(present, shape).to_struct(name), rows)


def picked(values: pl.Series, rows: Sequence[int | None]) -> pl.Series:
    """The values at those rows; null at None."""
    if values.is_empty():
        return pl.repeat(None, len(rows), dtype=values.dtype, eager=True).alias(values.name)
    return values.gather(pl.Series(rows, dtype=pl.UInt32))


@cache
def columns_of(shape: type[msgspec.Struct]) -> tuple[ObjectColumn, ...]:
    """The columns a struct type becomes, in order."""
    return tuple(
        _column(field.name, field.type)
        for field in msgspec.structs.fields(shape)
        if field.type is not msgspec.Raw and not field.name.startswith("_")
    )


def _lists(
    name: str,
    values: Sequence[list[Any] | None],
    dtype: DataType,
    shape: type[msgspec.Struct],
) -> pl.Series:
    flat = structs(name, list(chain.from_iterable(v for v in values if v is not None)), shape)
    lists: list[pl.Series | None] = []
    begin = 0
    for value in values:
        lists.append(None if value is None else flat.slice(begin, len(value)))
        begin += len(value or ())
    return pl.Series(name, lists, dtype=dtype)


def _column(name: str, annotation: Any) -> ObjectColumn:  # noqa: ANN401 - any annotation
    kind = _without_null(annotation)
    inner: type[msgspec.Struct] | None = None
    if get_origin(kind) is list:
        element = _column(name, get_args(kind)[0])
        dtype, inner = pl.List(element.dtype), element.inner
    elif get_origin(kind) is dict:
        dtype = _TEXTS
    elif kind in _LEAVES:
        dtype = _LEAVES[kind]
    else:
        dtype, inner = pl.Struct(schema_of(kind)), kind
    return ObjectColumn(name, dtype, attrgetter(name), inner)


def _without_null(annotation: Any) -> Any:  # noqa: ANN401 - any annotation
    """The type in `Annotated[T, ...] | None`."""
    if get_origin(annotation) is Annotated:
        return _without_null(get_args(annotation)[0])
    if NoneType in get_args(annotation):
        [kind] = (each for each in get_args(annotation) if each is not NoneType)
        return _without_null(kind)
    return annotation
