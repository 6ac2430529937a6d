"""What the costs of states of SQL warehouses keep: `warehousestatefact_gold`."""

import polars as pl

from overwatch_assets.expressions.rules import (
    agree,
    costs_unknown,
    keeps_rows,
    null_where_lacking,
    remedy,
)
from overwatch_assets.expressions.state_costs import (
    STATE_MS,
    WAREHOUSE_AMOUNTS,
    WAREHOUSE_STATE,
    amount,
)
from overwatch_assets.module import HOLDS, Rule

LACKING = ("cost_reason", "cluster_size", "sku")
"""What tells which price is not known."""


def _products(rows: pl.LazyFrame) -> pl.LazyFrame:
    """States whose DBUs are those of their clusters and time, and whose cost is at the rate."""
    is_billed = pl.col("databricks_billable") & (pl.col("current_num_clusters") > 0)
    dbus = amount(
        is_billed,
        pl.col("hourly_dbus") * pl.col("current_num_clusters") * pl.col("uptime_in_state_H"),
    )
    cost = amount(dbus.ne_missing(0.0), dbus * pl.col("dbu_rate"))
    is_negative = pl.any_horizontal(pl.col(name) < 0 for name in WAREHOUSE_AMOUNTS)
    return rows.select(
        *WAREHOUSE_STATE,
        "total_dbu_cost",
        cost_by_prices=cost,
        **{
            HOLDS: agree(pl.col("driver_dbus"), dbus)
            & agree(pl.col("total_dbu_cost"), cost)
            & ~is_negative.fill_null(value=False)
        },
    )


def _unknown(rows: pl.LazyFrame) -> pl.LazyFrame:
    """States whose amounts are null exactly where a figure is not known that they need."""
    is_billed = pl.col("databricks_billable") & (pl.col("current_num_clusters") > 0)
    has_no_dbus = is_billed & pl.col("hourly_dbus").is_null()
    no_rate = (pl.col("driver_dbus") != 0).fill_null(value=False) & pl.col("dbu_rate").is_null()
    lacking = {"driver_dbus": has_no_dbus, "total_dbu_cost": has_no_dbus | no_rate}
    return null_where_lacking(rows, WAREHOUSE_STATE, lacking)


def _incomplete(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Sizes and skus that no price list knows, with the states that lack them."""
    return costs_unknown(rows, LACKING, hours=pl.col("uptime_in_state_H").sum())


RULES = (
    keeps_rows(
        "warehouse_state_detail_silver",
        by={"warehouse_id": pl.col("warehouse_id")},
        sums={"state_ms": (STATE_MS, STATE_MS)},
    ),
    Rule(
        name="costs_are_products",
        doc="DBUs are those of all clusters and the time, their cost is at the rate, nothing is "
        "less than 0",
        compared=_products,
        by=WAREHOUSE_STATE,
        remedy=remedy("warehouse_state_detail_silver"),
    ),
    Rule(
        name="unknown_is_null",
        doc="DBUs and cost are null, with a reason, exactly where a size or price is not known",
        compared=_unknown,
        by=WAREHOUSE_STATE,
        remedy=remedy("warehouse_state_detail_silver"),
    ),
    Rule(
        name="prices_are_known",
        doc="every size and sku in use has a price",
        compared=_incomplete,
        by=LACKING,
        remedy="Add what is named to your price files and load the days again: docs/prices.md.",
        is_warning=True,
    ),
)
