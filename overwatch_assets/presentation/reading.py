"""A consumer view as a Polars frame: the open-rows rule, and a table as it stood at a day's end.

A view shows the closed rows of all days and, of each workspace, the open rows of its newest
day. A workspace whose newest day holds no rows has nothing open: every row that was open the
day before would be there, open or closed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, PARTITION_DATE, Grain, Table
from overwatch_assets.view import View

ORG = ORGANIZATION_ID.name
DAY = PARTITION_DATE.name


@dataclass(frozen=True, slots=True)
class Reach:
    """Which rows of a table a reader sees.

    Attributes:
        workspaces: Only these; None: all.
        as_of: The table as it stood at the end of that day; None: as it stands.
        retired: Last days of workspaces that are no more; what was open then is not shown.
    """

    workspaces: Collection[str] | None = None
    as_of: date | None = None
    retired: Mapping[str, date] | None = None


def shown_columns(view: View, table: Table) -> tuple[str, ...]:
    """The view's columns, then those that every view shows."""
    always = (IS_OPEN.name, DAY) if table.grain is Grain.INTERVAL else (DAY,)
    return (*view.columns, *(name for name in always if name not in view.columns))


def newest_days(store: DeltaStore, table: Table, reach: Reach) -> dict[str, date]:
    """Each workspace's newest day that holds rows, read from the log and not from the rows."""
    partitions = store.partitions(table, missing_ok=True)
    if reach.as_of is not None:
        partitions = partitions.filter(pl.col(DAY) <= reach.as_of)
    newest = partitions.group_by(ORG).agg(pl.col(DAY).max())
    return dict(newest.iter_rows())


def open_days(store: DeltaStore, table: Table, reach: Reach) -> dict[str, date]:
    """Of each workspace the day whose open rows are shown.

    With `as_of`, the open rows of that day itself: when it holds none, none were open.
    """
    newest = newest_days(store, table, reach)
    if reach.as_of is not None:
        newest = {org: day for org, day in newest.items() if day == reach.as_of}
    retired = reach.retired or {}
    return {org: day for org, day in newest.items() if day < retired.get(org, date.max)}


def rows_of(store: DeltaStore, table: Table, reach: Reach) -> pl.LazyFrame:
    """Rows of a table as a view shows them, all columns."""
    rows = store.scan(table, missing_ok=True)
    if reach.workspaces is not None:
        rows = rows.filter(pl.col(ORG).is_in(list(reach.workspaces)))
    if reach.as_of is not None:
        rows = rows.filter(pl.col(DAY) <= reach.as_of)
    if table.grain is Grain.VERSION:
        return rows.filter(~pl.col(IS_OPEN.name))
    if table.grain is not Grain.INTERVAL:
        return rows
    shown = ~pl.col(IS_OPEN.name)
    for org, day in open_days(store, table, reach).items():
        shown |= (pl.col(ORG) == org) & (pl.col(DAY) == day)
    return rows.filter(shown)


def view_rows(store: DeltaStore, view: View, table: Table, reach: Reach) -> pl.LazyFrame:
    """A view's rows and columns."""
    return rows_of(store, table, reach).select(shown_columns(view, table))
