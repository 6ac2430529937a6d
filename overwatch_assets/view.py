"""What a consumer view declares: its name and its columns over one gold table.

Here belongs the declaration. How closed and open rows are chosen is in `presentation/`; the three
ways to read a view are in `views.py`, `operations/query.py` and `operations/publishing.py`.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from overwatch_assets.module import Column
from overwatch_assets.sql_dialect import Dialect

DAY = Column(
    "date", pl.Date, "Calendar day in the configured time zone that the row's amounts are of."
)
SHARE = Column(
    "share_of_state",
    pl.Float64,
    "Part of the state that lies in the day, 0 to 1; the days of a state add up to 1.",
)
_ZONE = "zone"
DAY_COLUMNS = (DAY, SHARE)
"""What a view of calendar days shows besides its table's columns."""


@dataclass(frozen=True, slots=True)
class PerDay:
    """How a view spreads the intervals of its table over the calendar days that they touch.

    Attributes:
        start: Column of the first ms, epoch.
        end: Column of the last ms, epoch; of an open interval of the first ms after it.
        amounts: Columns of which each day has its share, by the time the interval lies in it.
    """

    start: str
    end: str
    amounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A consumer view: a column list over a gold table, or over the days of its intervals.

    Attributes:
        name: As users query it, in Overwatch's spelling.
        table: Table read.
        columns: Columns shown, in order. `is_open` and `partition_date` follow by themselves.
        doc: One row per what, and what surprises.
        per_day: One row per calendar day that a row of the table touches; None: the rows.
        in_etl: It stands beside the tables, in the schema `etl`, because not everybody who
            queries the consumer views should see it.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    doc: str
    per_day: PerDay | None = None
    in_etl: bool = False


@dataclass(frozen=True, slots=True)
class DerivedView:
    """A consumer view that is computed from tables, a row of which is no row of theirs.

    Attributes:
        name: As users query it.
        columns: What is shown, in order.
        rows: From tables, which its positional parameters name, to the view's rows. Of every
            table it is given what a view of it shows, of all workspaces; as `zone` the IANA name
            of the time zone that divides days, if it asks for that.
        doc: One row per what, and what surprises.
        sql: The same in SQL: steps of a query, name -> select, the last of which has the view's
            rows. They read the tables' shown rows by the tables' names, and `calendar`. None: it
            is not written in SQL, so only what computes it here can show it.
    """

    name: str
    columns: tuple[Column, ...]
    rows: Callable[..., pl.LazyFrame]
    doc: str
    sql: Callable[[Dialect], Mapping[str, str]] | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables it is computed from."""
        return tuple(name for name in self._parameters if name != _ZONE)

    def made_of(self, tables: Mapping[str, pl.LazyFrame], zone: str) -> pl.LazyFrame:
        """The view's rows and columns."""
        asked = {_ZONE: zone} if _ZONE in self._parameters else {}
        return self.rows(**tables, **asked).select(column.name for column in self.columns)

    @property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.rows).parameters
