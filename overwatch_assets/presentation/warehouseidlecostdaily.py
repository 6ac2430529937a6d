"""What SQL warehouses cost while no query used them, as consumers query it."""

from collections.abc import Mapping

import polars as pl

from overwatch_assets.expressions import query_costs_sql
from overwatch_assets.expressions.cost_days import COST_REASON, DATE
from overwatch_assets.expressions.query_costs import (
    idle_days,
)
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, RUN_COLUMNS, Column
from overwatch_assets.sql_dialect import Dialect
from overwatch_assets.view import DerivedView

SHOWN_AS = {
    "query_total_dbus": "query_dbus",
    "query_total_dbu_cost": "query_cost",
    "idle_total_dbus": "idle_dbus",
    "idle_total_dbu_cost": "idle_cost",
    "total_dbu_cost": "total_cost",
}
"""Amounts of warehouses by day -> what the view calls them."""


def warehouse_idle_cost_daily(
    sql_query_history_gold: pl.LazyFrame, warehousestatefact_gold: pl.LazyFrame, *, zone: str
) -> pl.LazyFrame:
    """A row per warehouse and day on which it had a state."""
    days = idle_days(sql_query_history_gold, warehousestatefact_gold, zone)
    return days.rename(SHOWN_AS)


def _sql(dialect: Dialect) -> Mapping[str, str]:
    named = "organization_id, workspace_name, date, warehouse_id, warehouse_name"
    told = ", ".join(f"{amount} as {name}" for amount, name in SHOWN_AS.items())
    shown = f"select {named}, total_dbus, {told}, cost_reason, is_open from idle_days"  # noqa: S608 - names of columns
    return {**query_costs_sql.idle_days(dialect), "shown": shown}


VIEW = DerivedView(
    name="warehouseIdleCostDaily",
    columns=(
        ORGANIZATION_ID,
        RUN_COLUMNS[-1],
        DATE,
        Column("warehouse_id", pl.String, "SQL warehouse."),
        Column("warehouse_name", pl.String, "Its name on the day."),
        Column("total_cost", pl.Float64, "USD for DBUs: all that the warehouse cost on the day."),
        Column("total_dbus", pl.Float64, "DBUs: all that the warehouse used on the day."),
        Column("query_cost", pl.Float64, "USD for DBUs: what queries bear of it."),
        Column("query_dbus", pl.Float64, "DBUs: what queries bear of it."),
        Column("idle_cost", pl.Float64, "USD for DBUs: what no query bears."),
        Column("idle_dbus", pl.Float64, "DBUs: what no query bears."),
        COST_REASON,
        IS_OPEN,
    ),
    rows=warehouse_idle_cost_daily,
    sql=_sql,
    doc=(
        "One row per SQL warehouse and calendar day. idle_cost is total_cost less query_cost: paid "
        "for while no query was executed. A day of which a part is unknown is null as a whole."
    ),
)
