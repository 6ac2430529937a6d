"""What job runs cost: one row per task run, with its part of its cluster's cost and capacity.

A row lies on the day its run ended (`jobrun_gold`), or is open on the days before, with what the
run had cost by then. Every run has a row: one without a cluster of its own, or whose cluster's
states are not known, has null costs and says why in `cost_reason`.

Runs on a cluster at the same time share each moment of it evenly (`expressions/cost_shares.py`).
The time that no run used is nobody's: views tell it as idle. Amounts are not rounded, so that
runs and idle time add up to what the cluster cost.
"""

import polars as pl

from overwatch_assets.cost_rules.jobruncostpotentialfact import (
    NEVER_STARTED,
    NO_CLUSTER,
    ON_WAREHOUSE,
    RULES,
    SHARED_POTENTIAL,
)
from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.cost_days import NO_STATES, UNKNOWN_COST
from overwatch_assets.expressions.cost_shares import (
    OF_STATE,
    PARTS,
    day_pieces,
    run_states,
    share_of_state,
    shared,
)
from overwatch_assets.expressions.cost_sums import SUMMED, all_or_null, reasons_of, with_totals
from overwatch_assets.expressions.durations import HOUR_MS, RUN_TIME, date_of
from overwatch_assets.expressions.job_run_details import SQL_WAREHOUSE
from overwatch_assets.expressions.job_structs import submitter
from overwatch_assets.expressions.run_spans import START_MS, cluster_states, lasting, on_clusters
from overwatch_assets.expressions.spark_owners import STAGE, owned_stages, owned_tasks
from overwatch_assets.module import (
    PARTITION_DATE,
    Column,
    Day,
    Grain,
    Overlap,
    Scope,
    Window,
    module,
)

AUTOMATED = ("new", "job_cluster")
"""Kinds of clusters that are made for a job."""

START_UNKNOWN = "start_unknown"
HAVE_STARTED = ("Succeeded", "TimedOut")
"""How only runs end that had started, whether or not an event told of it."""

DAILY_COSTS = pl.List(
    pl.Struct(
        {
            "date": pl.Date,
            **dict.fromkeys((*SUMMED, SHARED_POTENTIAL), pl.Float64),
            "cost_reason": pl.String,
        }
    )
)

COLUMNS = (
    Column("job_id", pl.Int64, "Job; null where nothing names it."),
    Column("job_name", pl.String, "Name of the job when the run started; null where unknown."),
    Column("run_id", pl.Int64, "Run: the task's, or the job's where it has no tasks."),
    Column("job_run_id", pl.Int64, "Run of the job; its runs of tasks have it in common."),
    Column("task_run_id", pl.Int64, "Run of the task."),
    Column("task_key", pl.String, "Task within the job; null for jobs without tasks."),
    Column("repair_id", pl.Int64, "Repair that ran the task again; null: none."),
    Column("run_name", pl.String, "Name of the run."),
    Column("startEpochMS", pl.Int64, "Start, epoch ms; of a run that never started its request."),
    Column("cluster_id", pl.String, "Cluster, or SQL warehouse; null for serverless and DLT."),
    Column("cluster_name", pl.String, "Name of the cluster, else of its definition or the task."),
    Column(
        "cluster_type",
        pl.String,
        "`automated`: made for the job; else, and while nothing tells, `interactive`.",
    ),
    Column("cluster_tags", pl.String, "Custom tags of the cluster in its last state, JSON."),
    Column("driver_node_type_id", pl.String, "Node type of the driver in that state."),
    Column("node_type_id", pl.String, "Node type of the workers then; null for a single node."),
    Column(
        "dbu_rate",
        pl.Float64,
        "USD per DBU in the last state; where it changed, the DBUs' cost by their number.",
    ),
    Column("multitask_parent_run_id", pl.Int64, "Run of the job, for tasks of multi-task jobs."),
    Column("parent_run_id", pl.Int64, "Run that called this one by dbutils.notebook.run."),
    Column("task_runtime", RUN_TIME, "Start to end; the end is null while the run is open."),
    Column("task_execution_runtime", RUN_TIME, "The same: no launch of the task is published."),
    Column("terminal_state", pl.String, "Succeeded, Failed, Cancelled, ...; null while open."),
    Column("job_trigger_type", pl.String, "What set it off: cron, manual, repair, ..."),
    Column("task_type", pl.String, "Kind of the task; null where unknown."),
    Column("created_by", pl.String, "User who made the job."),
    Column("last_edited_by", pl.String, "User who changed the job last."),
    Column(
        "submitted_by",
        pl.String,
        "User who asked for the run, else who it runs as, else who made the job.",
    ),
    Column("openRun", pl.Boolean, "The run had not ended when the day did."),
    Column(
        "running_days",
        pl.List(pl.Date),
        "Days (UTC) from the start to the end, or to the day's end while open; null: it never "
        "started.",
    ),
    Column(
        "avg_cluster_share",
        pl.Float64,
        "Mean over the cluster's states of the share that the run had while it ran, 4 digits.",
    ),
    Column("weighted_cluster_share", pl.Float64, "The same, weighted by time; not rounded."),
    Column(
        "avg_overlapping_runs",
        pl.Float64,
        "Mean over the cluster's states of the number of other runs at the time, 2 digits.",
    ),
    Column("max_overlapping_runs", pl.Int64, "The largest of these numbers."),
    Column("run_cluster_states", pl.Int64, "States of the cluster that the run met."),
    Column(
        "uncovered_S",
        pl.Float64,
        "Seconds of the run in which no state of its cluster is known: they cost nothing here.",
    ),
    Column(
        "worker_potential_core_H",
        pl.Float64,
        "Core hours that the cluster's workers could give Spark while it ran, shared or not.",
    ),
    Column(SHARED_POTENTIAL, pl.Float64, "The run's share of these core hours."),
    Column("driver_compute_cost", pl.Float64, "USD for the driver's machine, the run's share."),
    Column("driver_dbu_cost", pl.Float64, "USD for the driver's DBUs, the run's share."),
    Column("worker_compute_cost", pl.Float64, "USD for the workers' machines, the run's share."),
    Column("worker_dbu_cost", pl.Float64, "USD for the workers' DBUs, the run's share."),
    Column("total_driver_cost", pl.Float64, "Driver: machine and DBUs, USD."),
    Column("total_worker_cost", pl.Float64, "Workers: machines and DBUs, USD."),
    Column("total_compute_cost", pl.Float64, "Machines of driver and workers, USD."),
    Column("total_dbu_cost", pl.Float64, "DBUs of driver and workers, USD."),
    Column("total_cost", pl.Float64, "Machines and DBUs, USD; null where a part is unknown."),
    Column("total_dbus", pl.Float64, "DBUs, the run's share."),
    Column(
        "cost_reason",
        pl.String,
        "Why a cost is null: never_started, start_unknown, no_cluster (serverless, DLT), "
        "sql_warehouse, no_cluster_states, or what is unknown of the cluster. Null where all is "
        "known.",
    ),
    Column(
        "daily_costs",
        DAILY_COSTS,
        "The costs, DBUs and shared core hours by day in the configured time zone, which add up "
        "to the row's, and why one is null.",
    ),
    Column("spark_task_runtimeMS", pl.Int64, "Time of its Spark tasks, ms; null: none is known."),
    Column("spark_task_runtime_H", pl.Float64, "The same in hours, 4 digits."),
    Column(
        "job_run_cluster_util",
        pl.Float64,
        "Task hours by worker_potential_core_H, 4 digits: of the whole cluster, also where it "
        "was shared. Null without either.",
    ),
    Column("end_imputed", pl.Boolean, "No event told the run's end. False while open."),
)


def _earliest_start(jobrun_gold: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    return lasting(jobrun_gold, window).select("_run_since_ms")


def _earliest_state(
    jobrun_gold: pl.LazyFrame, clusterstatefact_gold: pl.LazyFrame, window: Window
) -> pl.LazyFrame:
    """Where the states begin that the day's runs met: since then others may have met them."""
    met = run_states(on_clusters(jobrun_gold, window), cluster_states(clusterstatefact_gold))
    return met.select("_state_since_ms")


@module(
    module_id=3015,
    name="Gold_jobRunCostPotentialFact",
    scope=Scope.JOBS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=("run_id",),
    reads={
        "jobrun_gold": Day(),
        "clusterstatefact_gold": Overlap(since=_earliest_start),
        "co_runs": Overlap(table="jobrun_gold", since=_earliest_state),
        "sparkjob_gold": Overlap(since=_earliest_start, soft=True),
        "sparktask_gold": Overlap(since=_earliest_start, soft=True),
    },
    decided_by=PARTITION_DATE.name,
    provisional=(
        "job_name",
        "run_name",
        "cluster_name",
        "cluster_type",
        "submitted_by",
        "cluster_tags",
        "driver_node_type_id",
        "node_type_id",
        "dbu_rate",
        "task_runtime",
        "task_execution_runtime",
        "terminal_state",
        "openRun",
        "running_days",
        "avg_cluster_share",
        "weighted_cluster_share",
        "avg_overlapping_runs",
        "max_overlapping_runs",
        "run_cluster_states",
        "uncovered_S",
        "worker_potential_core_H",
        SHARED_POTENTIAL,
        *SUMMED,
        "total_driver_cost",
        "total_worker_cost",
        "total_compute_cost",
        "total_dbu_cost",
        "total_cost",
        "cost_reason",
        "daily_costs",
        "spark_task_runtimeMS",
        "spark_task_runtime_H",
        "job_run_cluster_util",
        "end_imputed",
    ),
    rules=RULES,
)
def jobruncostpotentialfact_gold(
    jobrun_gold: pl.LazyFrame,
    clusterstatefact_gold: pl.LazyFrame,
    co_runs: pl.LazyFrame,
    sparkjob_gold: pl.LazyFrame,
    sparktask_gold: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Find the states that the day's runs met, share them with all runs there, and add up.

    Whoever overlaps a run that ended today had started before that end, and is known: closed by
    now, or open. So a closed row's shares are final.

    Args:
        jobrun_gold: The day's runs, open and closed; each gives one row.
        clusterstatefact_gold: Closed states since the earliest start, and the day's open ones.
        co_runs: Closed runs since the earliest of these states, and the day's open ones.
        sparkjob_gold: Spark jobs since the earliest start; empty where no log is read.
        sparktask_gold: Their tasks.
        window: The day; what is open ends, for now, at its end.
    """
    runs = lasting(jobrun_gold, window)
    own = shares(jobrun_gold, clusterstatefact_gold, co_runs, window)
    return (
        runs.join(_costs(own), on="run_id", how="left")
        .join(_over_states(own), on="run_id", how="left")
        .join(_task_times(runs, sparkjob_gold, sparktask_gold), on="run_id", how="left")
        .pipe(with_totals)
        .with_columns(
            spark_task_runtime_H=quotient(pl.col("spark_task_runtimeMS"), HOUR_MS).round(4),
        )
        .with_columns(
            submitted_by=pl.coalesce(submitter(), "run_as_user_name", "created_by"),
            cluster_type=_kind(),
            dbu_rate=_dbu_rate(),
            openRun="is_open",
            running_days=_running_days(),
            run_cluster_states=pl.col("run_cluster_states").fill_null(0),
            uncovered_S=_uncovered_s(),
            cost_reason=_reason(),
            job_run_cluster_util=_utilisation(),
        )
        .select(*(column.name for column in COLUMNS), "is_open", PARTITION_DATE.name)
    )


def shares(
    runs: pl.LazyFrame, clusterstatefact_gold: pl.LazyFrame, co_runs: pl.LazyFrame, window: Window
) -> pl.LazyFrame:
    """What runs bear of the states they met: `shared` pieces with the states' columns.

    Args:
        runs: Of `jobrun_gold`; open ones end, for now, at the window's end.
        clusterstatefact_gold: The states they may have met.
        co_runs: All runs that may have met one of these, they themselves included.
        window: The day.
    """
    states = cluster_states(clusterstatefact_gold)
    met = run_states(on_clusters(runs, window), states)
    shared_states = states.join(met, on=["cluster_id", "_state_since_ms"], how="semi")
    pieces = shared(
        day_pieces(run_states(on_clusters(co_runs, window), shared_states), window.zone)
    )
    return pieces.join(runs, on="run_id", how="semi")


def _kind() -> pl.Expr:
    is_automated = pl.col("cluster_type").is_in(AUTOMATED)
    return pl.when(is_automated).then(pl.lit("automated")).otherwise(pl.lit("interactive"))


def _dbu_rate() -> pl.Expr:
    dbus = pl.col("total_dbus")
    changed = pl.col("_lowest_rate") != pl.col("_highest_rate")
    is_mixed = changed & (dbus > 0)
    return pl.when(is_mixed).then(quotient(pl.col("total_dbu_cost"), dbus)).otherwise("_last_rate")


def _running_days() -> pl.Expr:
    """Days up to that of the end; the window of an open run ends before its end."""
    last_ms = pl.col("_run_until_ms") - pl.col("is_open").cast(pl.Int64)
    days = pl.date_ranges(date_of(pl.col("_run_since_ms")), date_of(last_ms))
    return pl.when(START_MS.is_not_null()).then(days)


def _uncovered_s() -> pl.Expr:
    run_ms = pl.col("_run_until_ms") - pl.col("_run_since_ms")
    uncovered_ms = run_ms - pl.col("_covered_ms").fill_null(0)
    has_cluster = pl.col("cluster_id").is_not_null() & pl.col("cluster_type").ne_missing(
        SQL_WAREHOUSE
    )
    return pl.when(has_cluster).then(quotient(uncovered_ms, 1000))


def _utilisation() -> pl.Expr:
    potential = pl.col("worker_potential_core_H")
    used = quotient(pl.col("spark_task_runtime_H"), potential)
    return pl.when(potential > 0).then(used.round(4))


def _reason() -> pl.Expr:
    """Why a cost is null: what keeps the run from having any, else what its states lack."""
    return (
        pl.when(START_MS.is_null() & pl.col("terminal_state").is_in(HAVE_STARTED))
        .then(pl.lit(START_UNKNOWN))
        .when(START_MS.is_null())
        .then(pl.lit(NEVER_STARTED))
        .when(pl.col("cluster_id").is_null())
        .then(pl.lit(NO_CLUSTER))
        .when(pl.col("cluster_type") == SQL_WAREHOUSE)
        .then(pl.lit(ON_WAREHOUSE))
        .when(pl.col("run_cluster_states").is_null())
        .then(pl.lit(NO_STATES))
        .otherwise("_state_reasons")
    )


def _costs(pieces: pl.LazyFrame) -> pl.LazyFrame:
    """Amounts per run: of each day as a list, and added up."""
    share = share_of_state()
    borne = pl.col("_parts") > 0
    amounts = {name: pl.col(name) for name in SUMMED}
    amounts[SHARED_POTENTIAL] = pl.col("worker_potential_core_H")
    lacking = pl.any_horizontal(each.is_null() for each in amounts.values())
    reason = pl.coalesce("state_reason", pl.lit(UNKNOWN_COST))
    of_day = (
        pieces.select(
            "run_id",
            "_day",
            "_state_since_ms",
            _reason=pl.when(borne & lacking).then(reason),
            **{
                name: pl.when(borne).then(amount * share).otherwise(0.0)
                for name, amount in amounts.items()
            },
        )
        .sort("run_id", "_day", "_state_since_ms")
        .group_by("run_id", "_day", maintain_order=True)
        .agg(
            pl.col("_reason"),
            *(all_or_null(pl.col(name)) for name in amounts),
            cost_reason=reasons_of(pl.col("_reason")),
        )
    )
    per_day = pl.struct(pl.col("_day").alias("date"), *amounts, "cost_reason")
    return of_day.group_by("run_id", maintain_order=True).agg(
        *(all_or_null(pl.col(name)) for name in amounts),
        daily_costs=per_day,
        _state_reasons=reasons_of(pl.col("_reason").explode()),
    )


def _over_states(pieces: pl.LazyFrame) -> pl.LazyFrame:
    """Per run what is counted by its states: shares, overlaps, potential, and the last state."""
    length = pl.col("_until_ms") - pl.col("_since_ms")
    state_ms = pl.col("_state_until_ms") - pl.col("_state_since_ms")
    own_ms = pl.col("_until_ms") - pl.max_horizontal("_since_ms", "_run_since_ms")
    whole = (
        pieces.with_columns(pl.col("_parts").sum().over("run_id", OF_STATE))
        .unique(["run_id", OF_STATE])
        .sort("run_id", "_state_since_ms")
        .with_columns(
            _share=_part_of(pl.col("_parts"), length * PARTS),
            _potential=pl.col("worker_potential_core_H") * quotient(length, state_ms),
        )
    )
    return whole.group_by("run_id", maintain_order=True).agg(
        pl.col("cluster_tags", "driver_node_type_id", "node_type_id").last(),
        avg_cluster_share=pl.col("_share").mean().round(4),
        weighted_cluster_share=_part_of(pl.col("_parts").sum(), (length * PARTS).sum()),
        avg_overlapping_runs=pl.col("_overlapping_runs").mean().round(2),
        max_overlapping_runs=pl.col("_overlapping_runs").max(),
        run_cluster_states=pl.len().cast(pl.Int64),
        worker_potential_core_H=all_or_null(pl.col("_potential")),
        _last_rate=pl.col("dbu_rate").last(),
        _lowest_rate=pl.col("dbu_rate").min(),
        _highest_rate=pl.col("dbu_rate").max(),
        _covered_ms=own_ms.sum(),
    )


def _part_of(parts: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """A share of time; of no time at all it is the whole."""
    return pl.when(whole > 0).then(quotient(parts, whole)).otherwise(1.0)


def _task_times(
    runs: pl.LazyFrame, sparkjob_gold: pl.LazyFrame, sparktask_gold: pl.LazyFrame
) -> pl.LazyFrame:
    """Per run the time of its Spark tasks that started before it ended.

    Tasks whose end no event told count for nothing: their time is not known.
    """
    of_run = ["_db_job_id", "run_id"]
    jobs = sparkjob_gold.select(
        "spark_context_id",
        "job_id",
        "stage_ids",
        "unixTimeMS",
        "job_runtime",
        _db_job_id=pl.col("db_job_id").cast(pl.Int64, strict=False),
        run_id=pl.col("db_id_in_job").cast(pl.Int64, strict=False),
    )
    ends = runs.select("run_id", "_run_until_ms", _db_job_id="job_id")
    stages = owned_stages(jobs).join(ends, on=of_run)
    tasks = sparktask_gold.filter(~pl.col("is_open"), ~pl.col("end_imputed")).select(
        *STAGE, "unixTimeMS", _task_ms=pl.col("task_runtime").struct.field("runTimeMS")
    )
    named = (*STAGE, "run_id", "_run_until_ms", "_owned_since_ms", "_owned_until_ms")
    return (
        owned_tasks(tasks, stages.select(named))
        .filter(pl.col("unixTimeMS") < pl.col("_run_until_ms"))
        .group_by("run_id")
        .agg(spark_task_runtimeMS=pl.col("_task_ms").sum())
    )
