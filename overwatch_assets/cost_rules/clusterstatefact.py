"""What the costs of states of clusters keep: `clusterstatefact_gold`."""

import polars as pl

from overwatch_assets.expressions.cluster_definitions import is_driver_only
from overwatch_assets.expressions.cost_sums import SUMMED
from overwatch_assets.expressions.rules import (
    agree,
    costs_unknown,
    keeps_rows,
    null_where_lacking,
    remedy,
)
from overwatch_assets.expressions.state_costs import (
    CLUSTER_AMOUNTS,
    CLUSTER_STATE,
    STATE_MS,
    amount,
    dbu_cost,
)
from overwatch_assets.module import HOLDS, Rule

LACKING = ("cost_reason", "driver_node_type_id", "node_type_id", "sku")
"""What tells which price is not known."""


def _sums(rows: pl.LazyFrame) -> pl.LazyFrame:
    """States whose totals are the sums of their parts, which are quantities by prices."""
    compute_driver, dbu_driver, compute_worker, dbu_worker = map(pl.col, SUMMED[:4])
    dbus = {role: dbu_cost(f"{role}_dbus") for role in ("driver", "worker")}
    price, hours = "Compute_Contract_Price", pl.col("uptime_in_state_H")
    runs, wanted = pl.col("cloud_billable"), pl.col("target_num_workers")
    has_workers = ~is_driver_only(pl.col("custom_tags"), pl.col("cluster_type")) & (wanted != 0)
    by_price = {
        "driver": amount(runs, pl.col("driverSpecs").struct.field(price) * hours),
        "worker": amount(
            runs & has_workers, wanted * pl.col("workerSpecs").struct.field(price) * hours
        ),
    }
    sums = {
        "driver_compute_cost": by_price["driver"],
        "worker_compute_cost": by_price["worker"],
        "total_compute_cost": compute_driver + compute_worker,
        "total_DBU_cost": dbu_driver + dbu_worker,
        "total_driver_cost": compute_driver + dbu_driver,
        "total_worker_cost": compute_worker + dbu_worker,
        "total_cost": compute_driver + dbu_driver + compute_worker + dbu_worker,
        "total_dbus": pl.col("driver_dbus") + pl.col("worker_dbus"),
        "driver_dbu_cost": dbus["driver"],
        "worker_dbu_cost": dbus["worker"],
    }
    uses_dbus = pl.col("databricks_billable") | (pl.col("total_dbus") == 0)
    is_negative = pl.any_horizontal(pl.col(name) < 0 for name in CLUSTER_AMOUNTS)
    return rows.select(
        *CLUSTER_STATE,
        "total_cost",
        cost_of_parts=sums["total_cost"],
        cost_by_prices=by_price["driver"] + by_price["worker"] + dbus["driver"] + dbus["worker"],
        **{
            HOLDS: pl.all_horizontal(agree(pl.col(name), each) for name, each in sums.items())
            & uses_dbus.fill_null(value=False)
            & ~is_negative.fill_null(value=False)
        },
    )


def _unknown(rows: pl.LazyFrame) -> pl.LazyFrame:
    """States whose amounts are null exactly where a figure is not known that they need."""
    driver, worker = pl.col("driverSpecs").struct, pl.col("workerSpecs").struct
    single = is_driver_only(pl.col("custom_tags"), pl.col("cluster_type"))
    runs, is_billed = pl.col("cloud_billable"), pl.col("databricks_billable")
    no_rate = pl.col("dbu_rate").is_null()
    wanted, current = pl.col("target_num_workers") != 0, pl.col("current_num_workers") != 0
    price, dbus = "Compute_Contract_Price", "Hourly_DBUs"
    lacking = {
        "driver_compute_cost": runs & driver.field(price).is_null(),
        "worker_compute_cost": runs & ~single & wanted & worker.field(price).is_null(),
        "driver_dbus": is_billed & driver.field(dbus).is_null(),
        "worker_dbus": is_billed & ~single & current & worker.field(dbus).is_null(),
        "driver_dbu_cost": pl.col("driver_dbus").ne_missing(0.0)
        & (no_rate | pl.col("driver_dbus").is_null()),
        "worker_dbu_cost": pl.col("worker_dbus").ne_missing(0.0)
        & (no_rate | pl.col("worker_dbus").is_null()),
    }
    return null_where_lacking(rows, CLUSTER_STATE, lacking)


def _incomplete(rows: pl.LazyFrame) -> pl.LazyFrame:
    """What no price list knows, with the states that lack it."""
    dbus, hours = pl.col("total_dbus").sum(), pl.col("uptime_in_state_H").sum()
    return costs_unknown(rows, LACKING, DBU=dbus, hours=hours)


RULES = (
    keeps_rows(
        "cluster_state_detail_silver",
        by={"cluster_id": pl.col("cluster_id")},
        sums={"state_ms": (STATE_MS, STATE_MS)},
    ),
    Rule(
        name="costs_are_sums",
        doc="a cost is quantity by price, a total the sum of its parts, nothing is less than 0",
        compared=_sums,
        by=CLUSTER_STATE,
        remedy=remedy("cluster_state_detail_silver"),
    ),
    Rule(
        name="unknown_is_null",
        doc="a cost is null, with a reason, exactly where a price or node type is not known",
        compared=_unknown,
        by=CLUSTER_STATE,
        remedy=remedy("cluster_state_detail_silver"),
    ),
    Rule(
        name="prices_are_known",
        doc="every node type and sku in use has a price",
        compared=_incomplete,
        by=LACKING,
        remedy="Add what is named to your price files and load the days again: docs/prices.md.",
        is_warning=True,
    ),
)
