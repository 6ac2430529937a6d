"""What the costs of job runs keep: `jobruncostpotentialfact_gold`."""

import polars as pl

from overwatch_assets.expressions.cost_days import state_days
from overwatch_assets.expressions.cost_sums import SUMMED, all_or_null, with_totals
from overwatch_assets.expressions.durations import date_of
from overwatch_assets.expressions.rules import (
    agree,
    any_null,
    costs_unknown,
    keeps_rows,
    remedy,
    within,
)
from overwatch_assets.expressions.run_spans import START_MS, cluster_states, lasting
from overwatch_assets.expressions.spark_owners import STAGE, owned_stages, owned_tasks
from overwatch_assets.module import HOLDS, Rule, Window

NEVER_STARTED, NO_CLUSTER, ON_WAREHOUSE = ("never_started", "no_cluster", "sql_warehouse")
"""Why a run has no cost here that could be known."""

SHARED_POTENTIAL = "shared_worker_potential_core_H"

OF_NO_RUN = ("no_run", "other_run", "after_run")
"""Why an owned task is of no run of the day: its Spark job is no run's, its run ended on another
day or is not known, it started after its run's end."""


def _run_start(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.select(START_MS)


def _by_day(rows: pl.LazyFrame) -> pl.LazyFrame:
    """What runs cost on each of their days."""
    return (
        rows.select("run_id", "cluster_id", "daily_costs")
        .explode("daily_costs")
        .drop_nulls("daily_costs")
        .unnest("daily_costs")
    )


def _sums(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Runs whose totals are the sums of their parts, and whose amounts are those of their days."""
    amounts = (*SUMMED, SHARED_POTENTIAL)
    days = (
        _by_day(rows)
        .group_by("run_id")
        .agg(all_or_null(pl.col(name)).alias(f"_days_{name}") for name in amounts)
    )
    parts = rows.select("run_id", *SUMMED).pipe(with_totals).drop(SUMMED)
    totals = [name for name in parts.collect_schema() if name != "run_id"]
    of_parts = parts.rename({name: f"_parts_{name}" for name in totals})
    is_negative = pl.any_horizontal(pl.col(name) < 0 for name in amounts)
    usd = [f"_days_{name}" for name in SUMMED[:4]]
    return (
        rows.join(days, on="run_id", how="left")
        .join(of_parts, on="run_id")
        .select(
            "run_id",
            "total_cost",
            cost_of_parts="_parts_total_cost",
            cost_of_days=pl.sum_horizontal(usd, ignore_nulls=False),
            **{
                HOLDS: pl.all_horizontal(
                    *(agree(pl.col(name), pl.col(f"_parts_{name}")) for name in totals),
                    *(agree(pl.col(name), pl.col(f"_days_{name}")) for name in amounts),
                    any_null(amounts) == pl.col("cost_reason").is_not_null(),
                )
                & ~is_negative.fill_null(value=False)
            },
        )
    )


def _idle(
    rows: pl.LazyFrame,
    earlier: pl.LazyFrame,
    clusterstatefact_gold: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Clusters by day, with what runs bear together and what the cluster cost.

    Runs are those of the day and those that ended before it, as far back as all states are known.
    """
    first = _run_start(rows).min().select(_first=date_of(pl.col("startEpochMS"), window.zone))
    clusters = rows.select("cluster_id").unique()
    before = (
        _by_day(earlier.join(clusters, on="cluster_id", how="semi"))
        .join(first, how="cross")
        .filter(pl.col("date") >= pl.col("_first"))
        .drop("_first")
    )
    cluster_day = ["cluster_id", "date"]
    runs = (
        pl.concat([_by_day(rows), before])
        .group_by(cluster_day)
        .agg(pl.col(name).sum().alias(f"_runs_{name}") for name in SUMMED)
    )
    met = clusterstatefact_gold.join(clusters, on="cluster_id", how="semi")
    states = (
        state_days(met, window.zone)
        .group_by(cluster_day)
        .agg(*(all_or_null(pl.col(name)) for name in SUMMED), _states=pl.len())
    )
    cost = pl.sum_horizontal(SUMMED[:4], ignore_nulls=False)
    runs_cost = pl.sum_horizontal([f"_runs_{name}" for name in SUMMED[:4]], ignore_nulls=False)
    known = pl.when(cost.is_not_null())
    return (
        runs.join(states, on=cluster_day, how="left")
        .with_columns(
            cluster_cost=cost,
            runs_cost=known.then(runs_cost),
            idle_cost=cost - runs_cost,
            cluster_dbus="total_dbus",
            runs_dbus="_runs_total_dbus",
        )
        .select(
            *cluster_day,
            "cluster_cost",
            "runs_cost",
            "idle_cost",
            "cluster_dbus",
            "runs_dbus",
            pl.all_horizontal(
                within(
                    pl.col(f"_runs_{name}"),
                    pl.when(pl.col("_states").is_null()).then(0.0).otherwise(name),
                )
                for name in SUMMED
            ).alias(HOLDS),
        )
    )


def _repeated(rows: pl.LazyFrame, clusterstatefact_gold: pl.LazyFrame) -> pl.LazyFrame:
    """Runs that met states, and whether what they say of their cluster is what a state says."""
    said = ["cluster_id", "cluster_tags", "driver_node_type_id", "node_type_id"]
    states = cluster_states(clusterstatefact_gold)
    rates = states.group_by("cluster_id").agg(
        _lowest=pl.col("dbu_rate").min(), _highest=pl.col("dbu_rate").max()
    )
    rate = pl.col("dbu_rate")
    is_rated = within(pl.col("_lowest"), rate) & within(rate, pl.col("_highest"))
    return (
        rows.filter(pl.col("run_cluster_states") > 0)
        .select("run_id", *said, "dbu_rate")
        .join(
            states.select(*said, _is_said=pl.lit(value=True)).unique(),
            on=said,
            how="left",
            nulls_equal=True,
        )
        .join(rates, on="cluster_id", how="left")
        .select(
            "run_id",
            "cluster_id",
            runs=pl.lit(1, pl.Int64),
            runs_repeating=(pl.col("_is_said").fill_null(value=False) & is_rated).cast(pl.Int64),
        )
        .with_columns((pl.col("runs") == pl.col("runs_repeating")).alias(HOLDS))
    )


def _tasks_kept(
    rows: pl.LazyFrame,
    sparkjob_gold: pl.LazyFrame,
    sparktask_gold: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Runs with the time of their Spark tasks, and a row for the tasks of none of them, by reason.

    A stage has one owner at a time, so each task counts once; what has none is the rest.
    """
    until = pl.col("_owned_until_ms")
    owners = (
        owned_stages(
            sparkjob_gold.select(
                *("spark_context_id", "job_id", "stage_ids", "unixTimeMS", "job_runtime"),
                _job=pl.col("db_job_id").cast(pl.Int64, strict=False),
                run_id=pl.col("db_id_in_job").cast(pl.Int64, strict=False),
            )
        )
        .filter(until.is_null() | (until > pl.col("_owned_since_ms")))
        .select(*STAGE, "_job", "run_id", "_owned_since_ms", "_owned_until_ms")
    )
    tasks = sparktask_gold.filter(~pl.col("is_open"), ~pl.col("end_imputed")).select(
        *STAGE, "unixTimeMS", _ms=pl.col("task_runtime").struct.field("runTimeMS")
    )
    ends = lasting(rows, window).select(
        "run_id", _job="job_id", _run_until="_run_until_ms", _is_of_day=pl.lit(value=True)
    )
    reason = (
        pl.when(pl.col("run_id").is_null() | pl.col("_job").is_null())
        .then(pl.lit("no_run"))
        .when(pl.col("_is_of_day").is_null())
        .then(pl.lit("other_run"))
        .when(pl.col("unixTimeMS") >= pl.col("_run_until"))
        .then(pl.lit("after_run"))
    )
    owned = (
        owned_tasks(tasks, owners)
        .join(ends, on=["run_id", "_job"], how="left")
        .group_by("run_id", _reason=reason)
        .agg(_ms=pl.col("_ms").sum())
    )
    of_runs = (
        rows.select("run_id", run_ms=pl.col("spark_task_runtimeMS").fill_null(0))
        .join(owned.filter(pl.col("_reason").is_null()), on="run_id", how="left")
        .select("run_id", "run_ms", task_ms=pl.col("_ms").fill_null(0))
        .with_columns((pl.col("run_ms") == pl.col("task_ms")).alias(HOLDS))
    )
    of_none = {
        f"{why}_ms": pl.col("_ms").filter(pl.col("_reason") == why).sum() for why in OF_NO_RUN
    }
    rest = (
        owned.select(
            _owned=pl.col("_ms").sum(),
            _of_runs=pl.col("_ms").filter(pl.col("_reason").is_null()).sum(),
            **of_none,
        )
        .join(tasks.select(_all=pl.col("_ms").sum()), how="cross")
        .join(_owned_twice(owners), how="cross")
        .with_columns(no_job_ms=pl.col("_all") - pl.col("_owned"))
        .select(
            pl.lit(None, pl.Int64).alias("run_id"),
            *of_none,
            "no_job_ms",
            "stages_owned_twice",
            task_ms=pl.col("_all") - pl.col("_of_runs"),
            **{HOLDS: (pl.col("no_job_ms") >= 0) & (pl.col("stages_owned_twice") == 0)},
        )
    )
    return pl.concat([of_runs, rest], how="diagonal")


def _owned_twice(owners: pl.LazyFrame) -> pl.LazyFrame:
    """How many owners a stage has beside another one."""
    before = pl.col("_owned_until_ms").shift(1).over(STAGE)
    is_second = pl.col("_owned_since_ms").shift(1).over(STAGE).is_not_null()
    is_beside = before.fill_null(pl.Int64.max()) > pl.col("_owned_since_ms")
    return owners.sort(*STAGE, "_owned_since_ms").select(
        stages_owned_twice=(is_second & is_beside).sum().cast(pl.Int64)
    )


def _incomplete(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Why costs of runs are not known that should be, with the runs."""
    has_none = pl.col("cost_reason").is_in([NEVER_STARTED, NO_CLUSTER, ON_WAREHOUSE])
    return costs_unknown(rows.filter(~has_none), ["cost_reason"], DBU=pl.col("total_dbus").sum())


STATES = "clusterstatefact_gold"
RUN_MS = pl.col("task_runtime").struct.field("runTimeMS")

RULES = (
    keeps_rows(
        "jobrun_gold",
        by={"run_id": pl.col("run_id")},
        sums={"run_ms": (RUN_MS, RUN_MS)},
    ),
    Rule(
        name="costs_are_sums",
        doc="totals are the sums of their parts, a run's days are all of it, null has a reason",
        compared=_sums,
        by=("run_id",),
        remedy=remedy("jobrun_gold", STATES),
    ),
    Rule(
        name="idle_is_not_negative",
        doc="what runs bear of a cluster's day and what is idle are what it cost; idle is never "
        "below zero",
        compared=_idle,
        by=("cluster_id", "date"),
        remedy=remedy("jobrun_gold", STATES),
        earlier=_run_start,
    ),
    Rule(
        name="shares_repeat_states",
        doc="tags, node types and rate of a run are those of its cluster's states",
        compared=_repeated,
        by=("run_id", "cluster_id"),
        remedy=remedy(STATES),
    ),
    Rule(
        name="task_time_is_kept",
        doc="the time of Spark tasks is that of runs and that of none, by reason",
        compared=_tasks_kept,
        by=("run_id",),
        remedy=remedy("sparkjob_gold", "sparktask_gold"),
    ),
    Rule(
        name="costs_are_known",
        doc="every run on a cluster has a known cost",
        compared=_incomplete,
        by=("cost_reason",),
        remedy="See prices_are_known of clusterstatefact_gold, and docs/costs.md for the reasons.",
        is_warning=True,
    ),
)
