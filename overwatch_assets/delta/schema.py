"""A declared schema as Delta stores it, and frames made to fit it.

delta-rs stores 5.7 as 5 in a long column without a word, so every type is compared here
first, field by field. Only what loses nothing is converted: columns in another order, a
column of nulls only, an integer in a wider integer column.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, cast

import polars as pl
from arro3.core import Table as ArrowTable
from deltalake import Field, Schema

from overwatch_assets.errors import SchemaMismatch
from overwatch_assets.module import ORGANIZATION_ID, PARTITION_DATE, Table

PARTITION_COLUMNS = (ORGANIZATION_ID.name, PARTITION_DATE.name)
_UPGRADE = "declare it as stored, or rewrite the table with the stored rows converted"
_INTEGER_BITS: Mapping[type[pl.DataType], int] = {
    pl.Int8: 8,
    pl.Int16: 16,
    pl.Int32: 32,
    pl.Int64: 64,
    pl.UInt8: 9,
    pl.UInt16: 17,
    pl.UInt32: 33,
}
"""Bits that a signed integer needs to hold every value of the type."""


def delta_schema(table: Table) -> Schema:
    """The declared columns as Delta types, their docs as comments.

    Raises:
        SchemaMismatch: Delta has no type that keeps a declared column as it is.
    """
    fields = [_delta_field(table, name, dtype) for name, dtype in table.schema.items()]
    docs = {column.name: column.doc for column in table.stored_columns}
    return Schema(
        [
            Field(each.name, each.type, nullable=True, metadata={"comment": docs[each.name]})
            for each in fields
        ]
    )


def polars_schema(stored: Schema) -> pl.Schema:
    """A stored schema as Polars reads it."""
    return _polars_schema(stored.to_json())


@lru_cache(maxsize=256)
def _polars_schema(stored: str) -> pl.Schema:
    """Of a schema as text: every look at a table asks for the same ones."""
    return pl.Schema(cast("Mapping[str, pl.DataType]", Schema.from_json(stored)))


def additions(table: Table, stored: pl.Schema) -> tuple[str, ...]:
    """Declared columns that the table doesn't store yet, or not all fields of.

    Raises:
        SchemaMismatch: A stored column is declared otherwise, or no longer.
    """
    differences = list(_differences(pl.Struct(stored), pl.Struct(table.schema)))
    wrong = [
        f"{'.'.join(path)} is stored as {_shown(old)} and declared as {_shown(new)}"
        for path, old, new in differences
        if old is not None
    ]
    if wrong:
        raise SchemaMismatch(f"table {table.name}: {'; '.join(wrong)}: {_UPGRADE}")
    return tuple(dict.fromkeys(path[0] for path, _, _ in differences))


def extended_fields(declared: Schema, stored: Schema, names: Collection[str]) -> list[Field]:
    """Declared fields by name; those that are stored keep their comment, which can't change."""
    metadata = {each.name: each.metadata for each in stored.fields}
    return [
        Field(each.name, each.type, nullable=True, metadata=metadata.get(each.name, each.metadata))
        for each in declared.fields
        if each.name in names
    ]


def fitted(table: Table, frame: pl.LazyFrame) -> pl.LazyFrame:
    """The frame with the columns of a data file: declared ones without the partition's.

    Raises:
        SchemaMismatch: A column is unknown, missing or of a type that would lose something.
    """
    declared = {
        name: dtype for name, dtype in table.schema.items() if name not in PARTITION_COLUMNS
    }
    offered = frame.collect_schema()
    wrong = [
        _complaint(path, given, wanted)
        for path, given, wanted in _differences(pl.Struct(offered), pl.Struct(declared))
        if given is None or wanted is None or not _is_kept(given, wanted)
    ]
    if wrong:
        raise SchemaMismatch(f"table {table.name}: {'; '.join(wrong)}; nothing was written")
    return frame.select(
        pl.col(name) if offered[name] == dtype else pl.col(name).cast(dtype)
        for name, dtype in declared.items()
    )


_Path = tuple[str, ...]
_Difference = tuple[_Path, pl.DataType | None, pl.DataType | None]


def _differences(left: pl.DataType, right: pl.DataType, at: _Path = ()) -> Iterator[_Difference]:
    """Where two types differ, at the innermost field; None: one side lacks it."""
    match left, right:
        case pl.Struct(), pl.Struct():
            ours, theirs = _fields(left), _fields(right)
            for name in (*ours, *(each for each in theirs if each not in ours)):
                if name in ours and name in theirs:
                    yield from _differences(ours[name], theirs[name], (*at, name))
                else:
                    yield (*at, name), ours.get(name), theirs.get(name)
        case pl.List(), pl.List():
            yield from _differences(_made(left.inner), _made(right.inner), (*at, "element"))
        case pl.Map(), pl.Map():
            yield from _differences(_made(left.key), _made(right.key), (*at, "key"))
            yield from _differences(_made(left.value), _made(right.value), (*at, "value"))
        case _:
            if left != right:
                yield at, left, right


def _fields(struct: pl.Struct) -> dict[str, pl.DataType]:
    return {each.name: _made(each.dtype) for each in struct.fields}


def _made(dtype: pl.DataType | type[pl.DataType] | object) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else cast("pl.DataType", dtype)


def _is_kept(given: pl.DataType, wanted: pl.DataType) -> bool:
    """Whether every value of one type is a value of the other."""
    if isinstance(given, pl.Null):
        return True
    bits, room = (_INTEGER_BITS.get(type(each)) for each in (given, wanted))
    return wanted.is_signed_integer() and bits is not None and room is not None and bits <= room


def _complaint(at: _Path, given: pl.DataType | None, wanted: pl.DataType | None) -> str:
    path = ".".join(at)
    if wanted is None:
        return f"{path} is not declared"
    if given is None:
        return f"{path} ({_shown(wanted)}) is missing"
    return f"{path} is declared as {_shown(wanted)} but given as {_shown(given)}"


def _shown(dtype: pl.DataType | None) -> str:
    return "nothing" if dtype is None else str(dtype)


def _delta_field(table: Table, name: str, dtype: pl.DataType) -> Field:
    unfit = f"table {table.name}: {name} is declared as {dtype}, which Delta can't store as it is"
    remedy = "declare a type that Delta has"
    try:
        found = _delta_type(dtype)
    except Exception:  # noqa: BLE001 - each layer raises errors of its own for an unknown type
        raise SchemaMismatch(f"{unfit}; {remedy}") from None
    back = polars_schema(Schema([Field(name, found)]))
    if back != {name: dtype}:
        raise SchemaMismatch(f"{unfit}, only as {back[name]}; {remedy}")
    return Field(name, found)


@cache
def _delta_type(dtype: pl.DataType) -> Any:  # noqa: ANN401 - delta-rs has no common base of them
    """The same type in Delta; tables have few types and many columns."""
    empty = pl.DataFrame(schema={"": dtype})
    return _only(Schema.from_arrow(ArrowTable.from_arrow(empty).schema).fields).type


def _only(fields: Sequence[Field]) -> Field:
    [field] = fields
    return field
