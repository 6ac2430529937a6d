"""Literal frames for tests: rows that name only the columns in play."""

import importlib
from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from overwatch_assets.module import Grain, Module, Table

Row = Mapping[str, object]


def table(name: str, *rows: Row) -> pl.LazyFrame:
    """A frame of a table with its stored columns; columns and struct fields unnamed are null.

    Raises:
        KeyError: A row names a column that the table doesn't have.
    """
    schema = declared(name).schema
    for row in rows:
        if unknown := sorted(row.keys() - schema.keys()):
            message = f"{name} has no columns {unknown}"
            raise KeyError(message)
    return pl.LazyFrame(list(rows), schema=schema)


def declared(name: str) -> Table:
    """A table as its file declares it."""
    layer = name.rpartition("_")[2]
    found = importlib.import_module(f"overwatch_assets.{layer}.{name}")
    module = getattr(found, name, None)
    if isinstance(module, Module):
        return module.table
    return Table(name=name, columns=found.COLUMNS, keys=(), grain=Grain.EVENT, doc="")


def utc(text: str) -> datetime:
    """An instant from ISO text, taken as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ms(text: str) -> int:
    """Epoch milliseconds of an instant in ISO text, taken as UTC."""
    return round(utc(text).timestamp() * 1000)
