"""What a cluster cost on a day: its states, prices, runs, and the events that told of them."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from overwatch_assets.config import Config
from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.durations import stop_ms
from overwatch_assets.module import Window
from overwatch_assets.operations.explain.evidence import (
    Evidence,
    evidence_of,
    instant,
    nothing_known,
)
from overwatch_assets.operations.explain.explained import Explained

STATES = "clusterstatefact_gold"
AMOUNTS = (
    "driver_compute_cost",
    "worker_compute_cost",
    "driver_dbu_cost",
    "worker_dbu_cost",
    "total_cost",
    "total_dbus",
)


def explain_cluster(
    config: Config, cluster_id: str, day: date, workspaces: Sequence[str] = ()
) -> list[Explained]:
    """What the states of a cluster cost between two midnights of the configured time zone.

    Args:
        config: The deployment.
        cluster_id: The cluster.
        day: The day; a state that began before or goes on has the part that lies in the day.
        workspaces: Ids or names; none: all.

    Raises:
        ConfigError: No state of the cluster on the day is known.
    """
    evidence = evidence_of(config, workspaces)
    window = config.window_of(day)
    told = [_explained(each, cluster_id, day, window) for each in evidence]
    if found := [each for each in told if each is not None]:
        return found
    raise nothing_known(f"cluster {cluster_id} on {day}", STATES, evidence)


def _explained(evidence: Evidence, cluster_id: str, day: date, window: Window) -> Explained | None:
    states = _states(evidence, cluster_id, window)
    if states.is_empty():
        return None
    runs = _runs(evidence, cluster_id, window)
    node_types = states.select(
        pl.concat_list("driver", "workers_are").explode().drop_nulls().unique()
    )
    since_ms = min(window.since_ms, states["_since_ms"].item(0))
    names: list[str] = states["cluster_name"].drop_nulls().to_list()
    named = names[-1] if names else "name unknown"
    return Explained(
        headline=f"Cluster {cluster_id} ({named}) of {evidence.title} on {day}",
        figures={
            "cost, USD": _sum_or_none(states["total_cost"]),
            "DBUs": _sum_or_none(states["total_dbus"]),
            "hours": states["hours"].sum(),
            "unknown": ", ".join(states["why_unknown"].drop_nulls().unique().sort()) or "nothing",
        },
        parts={
            "Its states, each with the part that lies in the day": states.drop(
                "_since_ms", "cluster_name"
            ),
            "Prices in force when the first of them began": evidence.prices(
                node_types.to_series().to_list(),
                states["sku"].drop_nulls().unique().to_list(),
                _date_of(since_ms),
            ),
            "Job runs on it": runs,
            "What the cluster told": _events(evidence, cluster_id, since_ms, window.until_ms),
            "Who asked for what": evidence.requests([cluster_id], since_ms, window.until_ms),
        },
    )


def _states(evidence: Evidence, cluster_id: str, window: Window) -> pl.DataFrame:
    """The cluster's states in the window, with the part of each amount that lies in it."""
    since, until = pl.col("_since_ms"), pl.col("_until_ms")
    inside_ms = pl.min_horizontal(until, window.until_ms) - pl.max_horizontal(
        since, window.since_ms
    )
    part = quotient(inside_ms, until - since)
    price = pl.col("driverSpecs").struct.field("Compute_Contract_Price")
    return (
        evidence.rows(STATES)
        .filter(pl.col("cluster_id") == cluster_id)
        .with_columns(
            _since_ms="unixTimeMS_state_start",
            _until_ms=stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open")),
        )
        .filter(since < window.until_ms, until > window.since_ms)
        .sort("_since_ms", "seq")
        .select(
            "_since_ms",
            "cluster_name",
            "state",
            instant(since).alias("since"),
            instant(until).alias("until"),
            quotient(inside_ms, 3_600_000).alias("hours"),
            pl.col("current_num_workers").alias("workers"),
            pl.col("target_num_workers").alias("wanted"),
            "cloud_billable",
            "databricks_billable",
            pl.col("driver_node_type_id").alias("driver"),
            price.alias("driver_usd_h"),
            pl.col("node_type_id").alias("workers_are"),
            pl.col("workerSpecs").struct.field("Compute_Contract_Price").alias("worker_usd_h"),
            "sku",
            "dbu_rate",
            "photon_multiplier",
            *((pl.col(name) * part).alias(name) for name in AMOUNTS),
            pl.col("cost_reason").alias("why_unknown"),
            "end_imputed",
            "is_open",
            "partition_date",
        )
        .collect()
    )


def _runs(evidence: Evidence, cluster_id: str, window: Window) -> pl.DataFrame:
    """Job runs that lay in the window."""
    time = pl.col("task_runtime").struct
    since_ms, end_ms = time.field("startEpochMS"), time.field("endEpochMS")
    return (
        evidence.rows("jobruncostpotentialfact_gold")
        .filter(
            pl.col("cluster_id") == cluster_id,
            since_ms < window.until_ms,
            end_ms.is_null() | (end_ms > window.since_ms),
        )
        .sort(since_ms, "run_id")
        .select(
            "run_id",
            "job_id",
            "job_name",
            "task_key",
            instant(since_ms).alias("since"),
            instant(end_ms).alias("until"),
            "terminal_state",
            "weighted_cluster_share",
            pl.col("total_cost").alias("total_cost_of_all_its_days"),
        )
        .collect()
    )


def _events(evidence: Evidence, cluster_id: str, since_ms: int, until_ms: int) -> pl.DataFrame:
    details = pl.col("details").struct
    return (
        evidence.rows("cluster_events_bronze")
        .filter(
            pl.col("cluster_id") == cluster_id,
            pl.col("timestamp").is_between(since_ms, until_ms, "left"),
        )
        .sort("timestamp", "type")
        .select(
            instant(pl.col("timestamp")).alias("at"),
            "type",
            details.field("current_num_workers").alias("workers"),
            details.field("target_num_workers").alias("wanted"),
            details.field("user").alias("by"),
            details.field("cause"),
            details.field("reason").struct.field("code").alias("reason"),
            "partition_date",
        )
        .collect()
    )


def _sum_or_none(amounts: pl.Series) -> float | None:
    """The sum; None where a part is unknown."""
    return None if amounts.null_count() else float(amounts.sum())


def _date_of(epoch_ms: int) -> date:
    return pl.select(pl.from_epoch(pl.lit(epoch_ms), time_unit="ms").dt.date()).item()
