"""What every view and column means, for the documentation and for Dagster's pages.

`python -m overwatch_assets.data_dictionary docs` writes `docs/data_dictionary.md`. A test holds it
to the declarations it is made of. Units and meanings of null are those that the columns' texts
and names say.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from overwatch_assets.column_lineage import copied_columns, input_of
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, PARTITION_DATE, RUN_COLUMNS, Column
from overwatch_assets.presentation.ddl import columns_of
from overwatch_assets.registry import DERIVED_VIEWS, MODULES, TABLES, VIEWS
from overwatch_assets.sql_dialect import DATABRICKS
from overwatch_assets.view import DAY_COLUMNS, DerivedView, View

PAGE = "data_dictionary.md"
SHOWN_FIELDS = 6
NEVER = "never"

_BY_NAME = {table.name: table for table in TABLES}
_MODULES = {module.table.name: module for module in MODULES}
_OF_EVERY_TABLE = {
    each.name: each for each in (ORGANIZATION_ID, IS_OPEN, PARTITION_DATE, *RUN_COLUMNS)
}

_UNITS_SAID = (
    ("epoch ms", r"\bepoch ms\b"),
    ("DBU per hour", r"\bDBUs? (per|an) hour\b"),
)
"""Unit -> how a column's text says it."""

_UNITS_NAMED = (
    ("USD per DBU", r"^dbu_rate$|^contract_price$"),
    ("USD per hour", r"_Contract_Price$|_Cost_Hourly$"),
    ("DBU per hour", r"^Hourly_DBUs$"),
    ("epoch ms", r"unixTimeMS|EpochMS$|EpochMillis$|_at_ms$|_unixTimeMS|_time_ms$"),
    ("ms", r"MS$|_ms$|_millis$"),
    ("core hours", r"core_H$|^core_hours$"),
    ("s", r"_S$|_s$|_seconds$"),
    ("h", r"_H$"),
    ("min", r"_minutes$|_mins$"),
    ("DBU", r"dbus$"),
    ("USD", r"_cost$"),
    ("GB", r"_GB$"),
    ("MB", r"_mb$"),
    ("bytes", r"_bytes$"),
    ("cores", r"^vCPUs$|_cores$"),
)
"""Unit -> how a column's name says it, where its text does not; the first that fits."""

_NULL = re.compile(r"(?:^|[;,.:] )(?:is |are )?[Nn]ull\b[:,]? ?(?P<when>[^.;]*)")
"""What a column's text says that null means."""


@dataclass(frozen=True, slots=True)
class Described:
    """What is told of a column.

    Attributes:
        name: As users query it.
        type: In Databricks' SQL.
        unit: Blank: it has none.
        null: What null means; `never`: it is never null; blank: its source did not tell it.
        meaning: What it is.
        source: Columns it is a copy of, from the last to the first, or what it is computed from.
    """

    name: str
    type: str
    unit: str
    null: str
    meaning: str
    source: str


def described_view(view: View | DerivedView) -> tuple[Described, ...]:
    """A view's columns, in order."""
    if isinstance(view, DerivedView):
        source = f"computed from {', '.join(f'`{name}`' for name in view.tables)}"
        return tuple(_described(each, source) for each in view.columns)
    table = _BY_NAME[view.table]
    keys = {ORGANIZATION_ID.name, *table.keys, PARTITION_DATE.name}
    return tuple(
        _described(each, _source_of(view, each.name), is_key=each.name in keys)
        for each in columns_of(view, table)
    )


def unit_of(column: Column) -> str:
    """A column's unit, as its text or its name says; blank: it has none."""
    if not column.dtype.is_numeric():
        return ""
    said = [unit for unit, text in _UNITS_SAID if re.search(text, column.doc, re.IGNORECASE)]
    named = [unit for unit, name in _UNITS_NAMED if re.search(name, column.name)]
    return next(iter([*said, *named]), "")


def null_meaning(column: Column) -> str:
    """What a column's text says that null means; blank: nothing."""
    found = _NULL.search(column.doc)
    return found["when"].strip() if found else ""


def page() -> str:
    """The data dictionary, in Markdown."""
    views = sorted((*VIEWS, *DERIVED_VIEWS), key=_name)
    return "\n".join([*_head(), *(line for view in views for line in _section(view))])


def write_dictionary(docs: Path) -> None:
    """Write the page into the documentation's folder."""
    (docs / PAGE).write_text(page(), encoding="utf-8")


def _described(column: Column, source: str, *, is_key: bool = False) -> Described:
    return Described(
        name=column.name,
        type=_type_of(column.dtype),
        unit=unit_of(column),
        null=null_meaning(column) or (NEVER if is_key or column.name == IS_OPEN.name else ""),
        meaning=column.doc,
        source=source,
    )


def _source_of(view: View, column: str) -> str:
    if view.per_day and column in {each.name for each in DAY_COLUMNS}:
        return "the calendar of the configured time zone"
    if column in _OF_EVERY_TABLE:
        return "every table"
    source = f"`{view.table}.{column}`"
    if view.per_day and column in view.per_day.amounts:
        source = f"`share_of_state` of {source}"
    module = _MODULES.get(view.table)
    read = module and input_of(module)
    copied = copied_columns(module, _BY_NAME).get(column) if module else None
    return f"{source}, `{read}.{copied}`" if copied else source


def _type_of(dtype: object) -> str:
    match dtype:
        case pl.List():
            return f"array<{_type_of(dtype.inner)}>"
        case pl.Struct() if len(dtype.fields) > SHOWN_FIELDS:
            return f"struct of {len(dtype.fields)} fields"
        case _:
            return DATABRICKS.type_of(dtype).replace("`", "")


def _head() -> Sequence[str]:
    return (
        "# Data dictionary",
        "",
        "Every view and its columns, made from the declarations by",
        "`python -m overwatch_assets.data_dictionary docs`. `overwatch views --json` tells the",
        "same to machines, and Dagster shows it on the page of each view.",
        "[querying.md](querying.md) tells how to query them.",
        "",
        "- **Null**: what it means. *never*: the column is always there. Nothing said: what the",
        "  row is made of did not tell it.",
        "- **From**: the column that a view shows, then the one that it is a plain copy of. Where",
        "  only the first stands, the table computes it.",
        "- `is_open`: what the row tells had not ended when its day did. `partition_date`: the day",
        "  that decided the row; filter by it.",
        "- Instants are in UTC. Days are UTC's where nothing else is said.",
        "",
    )


def _section(view: View | DerivedView) -> Iterator[str]:
    yield f"## {view.name}"
    yield ""
    yield view.doc
    if isinstance(view, View) and view.in_etl:
        yield "It is in the schema `etl`."
    yield ""
    yield "| column | type | unit | null | meaning | from |"
    yield "|---|---|---|---|---|---|"
    for each in described_view(view):
        cells = (f"`{each.name}`", each.type, each.unit, each.null, each.meaning, each.source)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _name(view: View | DerivedView) -> str:
    return view.name.lower()


if __name__ == "__main__":
    write_dictionary(Path(sys.argv[1]))
