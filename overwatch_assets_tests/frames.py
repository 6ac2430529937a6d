"""Literal frames for tests: rows that name only the columns in play."""

import importlib
from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from overwatch_assets.module import Module, Table

Row = Mapping[str, object]

SIDE_TABLES = ("_processedfiles", "_rejected", "_fetches")
"""Ends of the names of bronze's tables without a module of their own."""


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
    """A table as its file declares it, with a module or as a side table.

    Raises:
        KeyError: The file declares no table of that name.
    """
    layer = "bronze" if name.endswith(SIDE_TABLES) else name.rpartition("_")[2]
    found = importlib.import_module(f"overwatch_assets.{layer}.{name}")
    for each in vars(found).values():
        table = each.table if isinstance(each, Module) else each
        if isinstance(table, Table) and table.name == name:
            return table
    message = f"{found.__name__} declares no table {name}"
    raise KeyError(message)


def utc(text: str) -> datetime:
    """An instant from ISO text, taken as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ms(text: str) -> int:
    """Epoch milliseconds of an instant in ISO text, taken as UTC."""
    return round(utc(text).timestamp() * 1000)
