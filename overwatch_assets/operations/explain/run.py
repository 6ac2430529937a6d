"""What a job run cost: the states of its cluster, its share of each, and the requests for it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from overwatch_assets.config import Config
from overwatch_assets.expressions.cost_shares import share_of_state
from overwatch_assets.gold.jobruncostpotentialfact_gold import shares
from overwatch_assets.operations.explain.evidence import (
    Evidence,
    evidence_of,
    instant,
    nothing_known,
    utc,
)
from overwatch_assets.operations.explain.explained import Explained

RUNS = "jobruncostpotentialfact_gold"
BORNE = ("driver_compute_cost", "worker_compute_cost", "driver_dbu_cost", "worker_dbu_cost")
ASKED_BEFORE_MS = 7 * 24 * 3_600_000
"""How long before its start a run may have been asked for: it may wait in a queue."""


def explain_run(config: Config, run_id: int, workspaces: Sequence[str] = ()) -> list[Explained]:
    """What a run bears of its cluster's states; of a job's run each of its runs of tasks.

    Args:
        config: The deployment.
        run_id: A run, of a task or of a job.
        workspaces: Ids or names; none: all.

    Raises:
        ConfigError: No such run is known.
    """
    evidence = evidence_of(config, workspaces)
    found = [told for each in evidence for told in _explained(each, run_id)]
    if found:
        return found
    raise nothing_known(f"run {run_id}", RUNS, evidence)


def _explained(evidence: Evidence, run_id: int) -> list[Explained]:
    is_asked = (pl.col("run_id") == run_id) | (pl.col("job_run_id") == run_id)
    time = pl.col("task_runtime").struct
    rows = (
        evidence.rows(RUNS)
        .filter(is_asked)
        .sort("startEpochMS", "run_id")
        .with_columns(since_ms=time.field("startEpochMS"), until_ms=time.field("endEpochMS"))
        .collect()
    )
    return [_of_run(evidence, row) for row in rows.iter_rows(named=True)]


def _of_run(evidence: Evidence, row: Mapping[str, Any]) -> Explained:
    day: date = row["partition_date"]
    since_ms: int | None = row["since_ms"]
    until_ms: int | None = row["until_ms"]
    window = evidence.deployment.config.window_of(day)
    ids = {str(row[name]) for name in ("run_id", "job_run_id", "task_run_id") if row[name]}
    requested_ms = (since_ms or row["startEpochMS"] or window.since_ms) - ASKED_BEFORE_MS
    states = _states(evidence, row["run_id"], row["cluster_id"], day)
    return Explained(
        headline=(
            f"Run {row['run_id']} of job {row['job_id']} ({row['job_name']}), task "
            f"{row['task_key'] or 'none'}, in {evidence.title}"
        ),
        figures={
            "cost, USD": row["total_cost"],
            "machines, USD": row["total_compute_cost"],
            "DBUs, USD": row["total_dbu_cost"],
            "DBUs": row["total_dbus"],
            "why unknown": row["cost_reason"] or "nothing is",
            "since": utc(since_ms),
            "until": utc(until_ms) if until_ms else "still running",
            "ended": row["terminal_state"] or "not yet",
            "end told by": "no event: it is imputed" if row["end_imputed"] else "events",
            "cluster": row["cluster_id"],
            "by": row["submitted_by"],
        },
        parts={
            "States of its cluster, and what it bears of each": states,
            "Requests that name it": evidence.requests(sorted(ids), requested_ms, window.until_ms),
        },
    )


def _states(evidence: Evidence, run_id: int, cluster_id: str | None, day: date) -> pl.DataFrame:
    """The states that the run met, as the day that its row lies in knew them."""
    of_cluster = pl.col("cluster_id") == pl.lit(cluster_id, pl.String)
    runs = evidence.rows("jobrun_gold", day).filter(of_cluster)
    states = evidence.rows("clusterstatefact_gold", day).filter(of_cluster)
    window = evidence.deployment.config.window_of(day)
    own = runs.filter(pl.col("run_id") == run_id)
    share = share_of_state()
    costs = {name: pl.col(name) * share for name in BORNE}
    total = pl.sum_horizontal(*BORNE, ignore_nulls=False)
    return (
        shares(own, states, runs, window)
        .sort("_state_since_ms", "_piece_since_ms")
        .select(
            "state",
            instant(pl.col("_state_since_ms")).alias("state_since"),
            instant(pl.col("_state_until_ms")).alias("state_until"),
            instant(pl.col("_piece_since_ms")).alias("borne_since"),
            instant(pl.col("_piece_until_ms")).alias("borne_until"),
            pl.col("_overlapping_runs").alias("other_runs"),
            share.alias("share_of_state"),
            total.alias("state_cost"),
            *(cost.alias(name) for name, cost in costs.items()),
            (total * share).alias("cost"),
            pl.col("state_reason").alias("why_unknown"),
        )
        .collect()
    )
