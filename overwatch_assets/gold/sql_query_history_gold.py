"""SQL queries: one row per query of a warehouse, with its times and metrics.

A row lies on the day the query ended (`sql_query_history_silver`), or is open on the days before.
A query is named by `warehouse_id`, `query_id` and its start.
"""

import polars as pl

from overwatch_assets.expressions.query_columns import (
    DOCUMENTED,
    ENDINGS,
    QUERY_COLUMNS,
    UNTIL_ENDED,
    shared,
)
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.module import PARTITION_DATE, Day, Grain, Scope, Window, module

QUERY = ("warehouse_id", "query_id", "query_start_time_ms")
COLUMNS = (
    *shared(*DOCUMENTED),
    *(column for column in QUERY_COLUMNS if column.name not in DOCUMENTED),
    *ENDINGS,
)


@module(
    module_id=3017,
    name="Gold_Sql_QueryHistory",
    scope=Scope.DBSQL,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=QUERY,
    reads={"sql_query_history_silver": Day()},
    decided_by=PARTITION_DATE.name,
    provisional=UNTIL_ENDED,
    rules=(
        keeps_rows(
            "sql_query_history_silver",
            by={"warehouse_id": pl.col("warehouse_id")},
            sums={"task_ms": (pl.col("task_total_time_ms"), pl.col("task_total_time_ms"))},
        ),
    ),
)
def sql_query_history_gold(
    sql_query_history_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Copy silver's queries, row by row."""
    return sql_query_history_silver.select(
        *(column.name for column in COLUMNS), "is_open", PARTITION_DATE.name
    )
