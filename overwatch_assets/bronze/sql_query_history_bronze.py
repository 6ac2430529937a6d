"""SQL queries as the API showed them when their day was asked for: one row per query and day.

A query stands in the partition of the day it started in, and again in that of each later day on
which it had not ended before the day began. What it is told to be is what was known when the
day was asked for, which may be more than was known on the day: a query that ended three days
later can be seen ended in the partition of its first day.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.union import union_by_key
from overwatch_assets.expressions.query_columns import QUERY_COLUMNS
from overwatch_assets.module import (
    PARTITION_DATE,
    Column,
    FromSource,
    Grain,
    Scope,
    Stored,
    Window,
    module,
)

KEYS = ("warehouse_id", "query_id", "query_start_time_ms")

FINAL_STATUSES = ("CANCELED", "FAILED", "FINISHED")

COLUMNS = (
    Column("organization_id", pl.String, "Workspace that was asked."),
    *QUERY_COLUMNS,
)


@module(
    module_id=1014,
    name="Bronze_SQLQueryHistory",
    scope=Scope.DBSQL,
    grain=Grain.OBSERVATION,
    columns=COLUMNS,
    keys=KEYS,
    reads={"queries": FromSource("sql_query_history"), "stored": Stored()},
    rejected=REJECTED,
    decided_by=PARTITION_DATE.name,
    builds_on_day_before=True,
    asked_at_once=True,
)
def sql_query_history_bronze(
    queries: pl.LazyFrame,
    stored: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - the source knows which queries are of the day
) -> pl.LazyFrame:
    """Unite the day's queries with those stored, one per key.

    Of several answers about one query the final one wins over the one of a running query, then
    the one with the later end, then the greatest content: whichever was asked for first, the
    same row stays.

    Args:
        queries: Queries of the day, metrics beside the other columns: repeated, in any order.
        stored: Rows that the day holds already; the API forgets after 30 days, the table never.
        window: The day.
    """
    names = [column.name for column in COLUMNS if column.name != "organization_id"]
    end_ms = pl.coalesce("query_end_time_ms", "execution_end_time_ms")
    is_final = pl.col("is_final").fill_null(
        pl.col("status").is_in(FINAL_STATUSES) & end_ms.is_not_null()
    )
    return union_by_key(
        queries.select(names),
        stored.select(names),
        keys=sql_query_history_bronze.table.key_columns,
        content=names,
        origin=pl.lit(""),
        first=[is_final, end_ms],
    )
