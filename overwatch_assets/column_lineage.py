"""Which columns of a table are plain copies of an input's, read from the plan of its transform.

Only modules that read nothing but the same day of one table are looked at: their rows are the
input's, some left out. What the plan does not show to be a copy is not called one.
"""

import json
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import polars as pl
from polars.exceptions import ComputeError

from overwatch_assets.module import Day, Module, Table, Transform, Window

Plan = Mapping[str, Any]
Copies = Mapping[str, str]
"""Column -> the input's column that it is a copy of."""

_WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
_SAME_VALUES = ("Filter", "Sort", "Slice", "Distinct", "Cache")
"""Steps after which every column holds what it held, in some of the rows."""


def input_of(module: Module) -> str | None:
    """The only table that a module reads; None: it reads several, or more than the same day."""
    match [*module.reads.items()]:
        case [(parameter, Day())]:
            return module.table_of(parameter)
        case _:
            return None


def copied_columns(module: Module, tables: Mapping[str, Table]) -> Copies:
    """Columns of a module that are plain copies of its only input's; none where it has several.

    Args:
        module: The module.
        tables: Tables by name; of an input that is not among them nothing is told.
    """
    read = tables.get(input_of(module) or "")
    if read is None:
        return {}
    copies = _copies_of(module.transform, read)
    declared = (column.name for column in module.table.stored_columns)
    return {column: copies[column] for column in declared if column in copies}


@cache
def _copies_of(transform: Transform, read: Table) -> Copies:
    """Of a transform; kept, because a code location is assembled for every run."""
    try:
        plan = _plan_of(transform(pl.LazyFrame(schema=read.schema), window=_WINDOW))
    except ComputeError:
        return {}  # A function of Python's is in it, which no plan shows.
    return _copies(plan)


def _plan_of(rows: pl.LazyFrame) -> Plan:
    with warnings.catch_warnings():
        # The format may change between versions of Polars; its version is pinned.
        warnings.simplefilter("ignore", UserWarning)
        return json.loads(rows.serialize(format="json"))


def _copies(plan: Plan) -> dict[str, str]:
    [(step, told)] = plan.items()
    match step:
        case "DataFrameScan":
            return {name: name for name in told["schema"]["fields"]}
        case "Select":
            return _selected(told["expr"], _copies(told["input"]))
        case "HStack":
            return _added(told["exprs"], _copies(told["input"]))
        case _ if step in _SAME_VALUES:
            return _copies(told["input"])
        case _:
            return {}


def _selected(expressions: list[Any], known: dict[str, str]) -> dict[str, str]:
    """Columns after a select. One that is not understood may hold any other column, as it is."""
    copies: dict[str, str] = {}
    for expression in expressions:
        match expression:
            case {"Column": str(name)} if name in known:
                copies[name] = known[name]
            case {"Alias": [{"Column": str(source)}, str(name)]} if source in known:
                copies[name] = known[source]
            case {"Selector": {"Difference": ["Wildcard", _]}}:
                copies |= known
            case _:
                pass
    return copies


def _added(expressions: list[Any], known: dict[str, str]) -> dict[str, str]:
    """Columns after others were put beside them, or in their place."""
    copies = dict(known)
    for expression in expressions:
        match expression:
            case {"Column": str()}:
                pass
            case {"Alias": [{"Column": str(source)}, str(name)]} if source in known:
                copies[name] = known[source]
            case {"Alias": [_, str(name)]}:
                copies.pop(name, None)
            case _:
                return {}  # Which columns it makes can't be told.
    return copies
