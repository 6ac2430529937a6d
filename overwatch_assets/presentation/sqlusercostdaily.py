"""What users' SQL queries cost by day, as consumers query it."""

from collections.abc import Mapping

import polars as pl

from overwatch_assets.expressions import query_costs_sql
from overwatch_assets.expressions.cost_days import COST_REASON, DATE
from overwatch_assets.expressions.cost_sums import known_sum, reasons_of
from overwatch_assets.expressions.query_costs import (
    AMOUNT_COLUMNS,
    AMOUNTS,
    WORK,
    idle_days,
    query_days,
)
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, RUN_COLUMNS, Column
from overwatch_assets.sql_dialect import Dialect
from overwatch_assets.view import DerivedView

USER_DAY = ("organization_id", "date", "warehouse_id", "user_name", "spent_on")
QUERIES, IDLE = "queries", "idle"


def sql_user_cost_daily(
    sql_query_history_gold: pl.LazyFrame, warehousestatefact_gold: pl.LazyFrame, *, zone: str
) -> pl.LazyFrame:
    """A row per user, warehouse and day, and a row per warehouse and day for what is idle."""
    of_users = query_days(sql_query_history_gold, warehousestatefact_gold, zone).with_columns(
        spent_on=pl.lit(QUERIES), queries=pl.col("has_started").cast(pl.Int64)
    )
    nothing = {name: pl.lit(0.0) for name in WORK}
    idle = idle_days(sql_query_history_gold, warehousestatefact_gold, zone).with_columns(
        *(pl.col(f"idle_{name}").alias(name) for name in AMOUNTS),
        user_name=pl.lit(None, pl.String),
        spent_on=pl.lit(IDLE),
        queries=pl.lit(0, pl.Int64),
        **nothing,
    )
    shown = (*USER_DAY, "workspace_name", "queries", *WORK, *AMOUNTS, "cost_reason", "is_open")
    is_unknown = pl.any_horizontal(pl.col(name).is_null() for name in AMOUNTS)
    return (
        pl.concat([of_users.select(shown), idle.select(shown)])
        .with_columns(_is_unknown=is_unknown)
        .sort(*USER_DAY, *AMOUNTS, *WORK)
        .group_by(USER_DAY, maintain_order=True)
        .agg(
            pl.col("workspace_name").max(),
            pl.col("queries").sum(),
            *(known_sum(pl.col(name)) for name in (*WORK, *AMOUNTS)),
            unknown_rows=pl.col("_is_unknown").sum().cast(pl.Int64),
            cost_reason=reasons_of(pl.col("cost_reason")),
            is_open=pl.col("is_open").any(),
        )
    )


def _sql(dialect: Dialect) -> Mapping[str, str]:
    both = "organization_id, workspace_name, date, warehouse_id, cost_reason, is_open"
    of_users, idle = ", ".join(AMOUNTS), ", ".join(f"idle_{name}" for name in AMOUNTS)
    by = ", ".join(USER_DAY)
    summed = ", ".join(f"sum({name}) as {name}" for name in (*WORK, *AMOUNTS))
    is_unknown = " or ".join(f"{name} is null" for name in AMOUNTS)
    return {
        **query_costs_sql.query_days(dialect),
        **query_costs_sql.idle_days(dialect),
        "spent": f"select {both}, user_name, {QUERIES!r} as spent_on, "  # noqa: S608 - names of columns
        f"cast(has_started as int) as queries, {', '.join(WORK)}, {of_users} from query_days "
        f"union all select {both}, null, {IDLE!r}, 0, 0, 0, {idle} from idle_days",
        "shown": f"select {by}, max(workspace_name) as workspace_name, "  # noqa: S608 - the same
        f"cast(sum(queries) as bigint) as queries, {summed}, "
        f"cast(sum(case when {is_unknown} then 1 else 0 end) as bigint) as unknown_rows, "
        f"{dialect.reasons('cost_reason')} as cost_reason, bool_or(is_open) as is_open "
        f"from spent group by {by}",
    }


VIEW = DerivedView(
    name="sqlUserCostDaily",
    columns=(
        ORGANIZATION_ID,
        RUN_COLUMNS[-1],
        DATE,
        Column("warehouse_id", pl.String, "SQL warehouse; null: not told."),
        Column("user_name", pl.String, "User who sent the queries; null: not known, or idle."),
        Column(
            "spent_on",
            pl.String,
            "queries: what the user's queries bear; idle: what no query bears, without a user.",
        ),
        Column("queries", pl.Int64, "Queries received on the day."),
        Column("busy_S", pl.Float64, "Seconds on the day in which they were executed, summed."),
        Column("core_hours", pl.Float64, "Hours of all their tasks, over all cores."),
        *AMOUNT_COLUMNS,
        Column(
            "unknown_rows",
            pl.Int64,
            "Queries beneath of which the cost is not known: so many are missing in the sums.",
        ),
        COST_REASON,
        IS_OPEN,
    ),
    rows=sql_user_cost_daily,
    sql=_sql,
    doc=(
        "One row per user, SQL warehouse and calendar day, and one for what no query bears. "
        "Together they are what warehouses cost, as far as it is known."
    ),
)
