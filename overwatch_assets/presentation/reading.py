"""A consumer view as a Polars frame: the open-rows rule, and a table as it stood at a day's end.

A view shows the closed rows of all days and, of each workspace, the open rows of its newest
day. A workspace whose newest day holds no rows has nothing open: every row that was open the
day before would be there, open or closed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, PARTITION_DATE, Grain, Table
from overwatch_assets.presentation.calendar_days import calendar_days, per_day
from overwatch_assets.view import DAY_COLUMNS, DerivedView, View

ORG = ORGANIZATION_ID.name
DAY = PARTITION_DATE.name
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Reach:
    """Which rows of a table a reader sees.

    Attributes:
        workspaces: Only these; None: all.
        as_of: The table as it stood at the end of that day; None: as it stands.
        retired: Last days of workspaces that are no more; what was open then is not shown.
        timezone: Zone whose midnights divide calendar days.
    """

    workspaces: Collection[str] | None = None
    as_of: date | None = None
    retired: Mapping[str, date] | None = None
    timezone: ZoneInfo = UTC


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


def days_of(store: DeltaStore, table: Table, reach: Reach) -> pl.DataFrame:
    """The calendar days that a table's intervals may touch.

    An interval was open on the day that it began, or ended on it, so the first of them began on
    the first day that holds rows; none ends more than a day after the last.
    """
    days: list[date] = store.partitions(table, missing_ok=True)[DAY].to_list()
    if not days:
        return calendar_days(date.max, date.min, reach.timezone)
    return calendar_days(min(days), max(days) + timedelta(days=1), reach.timezone)


def view_rows(store: DeltaStore, view: View, table: Table, reach: Reach) -> pl.LazyFrame:
    """A view's rows and columns."""
    rows, columns = rows_of(store, table, reach), shown_columns(view, table)
    if view.per_day is None:
        return rows.select(columns)
    days = per_day(rows, days_of(store, table, reach), view.per_day)
    return days.select(*columns, *(column.name for column in DAY_COLUMNS))


def derived_rows(
    store: DeltaStore, view: DerivedView, tables: Mapping[str, Table], reach: Reach
) -> pl.LazyFrame:
    """A derived view's rows and columns."""
    shown = {name: rows_of(store, tables[name], reach) for name in view.tables}
    return view.made_of(shown, reach.timezone.key)
