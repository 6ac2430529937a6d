"""A derived view's SQL over frames, run by DuckDB, and whether two ways give the same rows."""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

from overwatch_assets.presentation.calendar_days import calendar_sql
from overwatch_assets.sql_dialect import DUCKDB
from overwatch_assets.view import DerivedView

FIRST, LAST = date(2024, 1, 1), date(2025, 12, 31)


def by_sql(view: DerivedView, tables: Mapping[str, pl.LazyFrame], zone: str) -> pl.DataFrame:
    """What the view's SQL makes of the tables' shown rows."""
    assert view.sql is not None
    steps = dict(view.sql(DUCKDB))
    calendar = calendar_sql(FIRST, LAST, ZoneInfo(zone), DUCKDB)
    named = ", ".join(
        f"{name} as ({query})" for name, query in {"calendar": calendar, **steps}.items()
    )
    columns = DUCKDB.listed([column.name for column in view.columns])
    with duckdb.connect(":memory:") as connection:
        for name in view.tables:
            connection.register(name, tables[name].collect().rechunk())
        query = f"with {named} select {columns} from {list(steps)[-1]}"  # noqa: S608 - names
        return connection.sql(query).pl()


def assert_same_rows(rows: pl.DataFrame, others: pl.DataFrame) -> None:
    """The same rows in any order; sums may differ by the order in which they were made."""
    assert_frame_equal(
        rows.sort(pl.all()),
        others.sort(pl.all()),
        rel_tol=1e-9,
        abs_tol=1e-9,
    )
