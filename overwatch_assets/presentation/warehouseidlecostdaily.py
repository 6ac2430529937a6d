"""What SQL warehouses cost while no query used them, as consumers query it."""

import polars as pl

from overwatch_assets.expressions.query_costs import COST_REASON, DATE, idle_days
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, RUN_COLUMNS, Column
from overwatch_assets.view import DerivedView


def warehouse_idle_cost_daily(
    sql_query_history_gold: pl.LazyFrame, warehousestatefact_gold: pl.LazyFrame, *, zone: str
) -> pl.LazyFrame:
    """A row per warehouse and day on which it had a state."""
    days = idle_days(sql_query_history_gold, warehousestatefact_gold, zone)
    return days.rename(
        {
            "query_total_dbus": "query_dbus",
            "query_total_dbu_cost": "query_cost",
            "idle_total_dbus": "idle_dbus",
            "idle_total_dbu_cost": "idle_cost",
            "total_dbu_cost": "total_cost",
        }
    )


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
    doc=(
        "One row per SQL warehouse and calendar day. idle_cost is total_cost less query_cost: paid "
        "for while no query was executed. A day of which a part is unknown is null as a whole."
    ),
)
