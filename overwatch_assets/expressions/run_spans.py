"""Job runs and states of clusters in the form in which shares of costs are computed of them."""

import polars as pl

from overwatch_assets.expressions.cost_sums import SUMMED
from overwatch_assets.expressions.durations import stop_ms
from overwatch_assets.expressions.job_run_details import SQL_WAREHOUSE
from overwatch_assets.module import Window

START_MS = pl.col("task_runtime").struct.field("startEpochMS")
END_MS = pl.col("task_runtime").struct.field("endEpochMS")


def lasting(runs: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    """Runs from their start to their end or, while open, the day's; null if they never started."""
    until_ms = pl.when("is_open").then(window.until_ms).otherwise(END_MS)
    return runs.with_columns(
        _run_since_ms=START_MS, _run_until_ms=pl.max_horizontal(START_MS, until_ms)
    )


def on_clusters(runs: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    """What of runs decides which states they meet; a warehouse's id is no cluster's."""
    run_on_one = runs.filter(pl.col("cluster_type").ne_missing(SQL_WAREHOUSE))
    return lasting(run_on_one, window).select(
        "run_id", "cluster_id", "cluster_type", "_run_since_ms", "_run_until_ms"
    )


def cluster_states(clusterstatefact_gold: pl.LazyFrame) -> pl.LazyFrame:
    """States with their half-open times; the end that is stored is the next start less 1 ms."""
    return clusterstatefact_gold.select(
        "cluster_id",
        "state",
        *SUMMED,
        "worker_potential_core_H",
        "dbu_rate",
        cluster_tags="custom_tags",
        driver_node_type_id=_node_type("driver_node_type_id", "driverSpecs"),
        node_type_id=_node_type("node_type_id", "workerSpecs"),
        state_reason="cost_reason",
        _state_since_ms="unixTimeMS_state_start",
        _state_until_ms=stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open")),
    )


def _node_type(told: str, specs: str) -> pl.Expr:
    return pl.coalesce(told, pl.col(specs).struct.field("API_Name"))
