"""What SQL queries cost by day, as consumers query it."""

import polars as pl

from overwatch_assets.expressions import query_costs_sql
from overwatch_assets.expressions.cost_days import COST_REASON, DATE
from overwatch_assets.expressions.query_columns import shared
from overwatch_assets.expressions.query_costs import (
    AMOUNT_COLUMNS,
    WORK_COLUMNS,
    query_days,
)
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, PARTITION_DATE, RUN_COLUMNS, Column
from overwatch_assets.view import DerivedView


def sql_query_cost_daily(
    sql_query_history_gold: pl.LazyFrame, warehousestatefact_gold: pl.LazyFrame, *, zone: str
) -> pl.LazyFrame:
    """A row per query and day."""
    return query_days(sql_query_history_gold, warehousestatefact_gold, zone)


VIEW = DerivedView(
    name="sqlQueryCostDaily",
    columns=(
        ORGANIZATION_ID,
        RUN_COLUMNS[-1],
        DATE,
        *shared("warehouse_id", "query_id", "query_start_time_ms", "user_name"),
        *shared("executed_as_user_name", "statement_type", "status"),
        *WORK_COLUMNS,
        *AMOUNT_COLUMNS,
        COST_REASON,
        Column("has_started", pl.Boolean, "It is the day the query was received on."),
        IS_OPEN,
        PARTITION_DATE,
    ),
    rows=sql_query_cost_daily,
    sql=query_costs_sql.query_days,
    doc=(
        "One row per SQL query and calendar day on which it was received or executed, with its "
        "share of what its warehouse cost while it was executed. Joins to sqlQueryHistory by "
        "warehouse_id, query_id and query_start_time_ms."
    ),
)
