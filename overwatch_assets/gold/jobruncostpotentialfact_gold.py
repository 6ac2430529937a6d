"""What job runs cost: one row per task run, with its part of its cluster's cost and capacity.

A row lies on the day its run ended (`jobrun_gold`), or is open on the days before, with what the
run had cost by then. Every run has a row: one without a cluster of its own, or whose cluster's
states are not known, has null costs and says why in `cost_reason`.

Runs on a cluster at the same time share each moment of it evenly (`expressions/cost_shares.py`).
The time that no run used is nobody's: views tell it as idle. Amounts are not rounded, so that
runs and idle time add up to what the cluster cost.
"""

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.cost_days import NO_STATES, UNKNOWN_COST, state_days
from overwatch_assets.expressions.cost_shares import (
    OF_STATE,
    PARTS,
    day_pieces,
    run_states,
    share_of_state,
    shared,
)
from overwatch_assets.expressions.cost_sums import (
    SUMMED,
    all_or_null,
    reasons_of,
    with_totals,
)
from overwatch_assets.expressions.durations import RUN_TIME, date_of, stop_ms
from overwatch_assets.expressions.job_structs import submitter
from overwatch_assets.expressions.rules import (
    agree,
    any_null,
    keeps_rows,
    remedy,
    within,
)
from overwatch_assets.expressions.spark_owners import STAGE, owned_stages, owned_tasks
from overwatch_assets.module import (
    HOLDS,
    PARTITION_DATE,
    Column,
    Day,
    Grain,
    Overlap,
    Rule,
    Scope,
    Window,
    module,
)

HOUR_MS = 60 * 60 * 1000

WAREHOUSE = "sqlWarehouse"
"""Kind of a cluster that is a SQL warehouse: its id names no cluster."""

AUTOMATED = ("new", "job_cluster")
"""Kinds of clusters that are made for a job."""

NEVER_STARTED, NO_CLUSTER, ON_WAREHOUSE = ("never_started", "no_cluster", "sql_warehouse")
START_UNKNOWN = "start_unknown"
HAVE_STARTED = ("Succeeded", "TimedOut")
"""How only runs end that had started, whether or not an event told of it."""

SHARED_POTENTIAL = "shared_worker_potential_core_H"

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

START_MS = pl.col("task_runtime").struct.field("startEpochMS")
END_MS = pl.col("task_runtime").struct.field("endEpochMS")


def _lasting(runs: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    """Runs from their start to their end or, while open, the day's; null if they never started."""
    until_ms = pl.when("is_open").then(window.until_ms).otherwise(END_MS)
    return runs.with_columns(
        _run_since_ms=START_MS, _run_until_ms=pl.max_horizontal(START_MS, until_ms)
    )


def _spans(runs: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    """What of runs decides which states they meet; a warehouse's id is no cluster's."""
    on_clusters = runs.filter(pl.col("cluster_type").ne_missing(WAREHOUSE))
    return _lasting(on_clusters, window).select(
        "run_id", "cluster_id", "cluster_type", "_run_since_ms", "_run_until_ms"
    )


def _states(clusterstatefact_gold: pl.LazyFrame) -> pl.LazyFrame:
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


def _earliest_start(jobrun_gold: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    return _lasting(jobrun_gold, window).select("_run_since_ms")


def _earliest_state(
    jobrun_gold: pl.LazyFrame, clusterstatefact_gold: pl.LazyFrame, window: Window
) -> pl.LazyFrame:
    """Where the states begin that the day's runs met: since then others may have met them."""
    met = run_states(_spans(jobrun_gold, window), _states(clusterstatefact_gold))
    return met.select("_state_since_ms")


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
    states = _states(clusterstatefact_gold)
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
    ends = _lasting(rows, window).select(
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


OF_NO_RUN = ("no_run", "other_run", "after_run")
"""Why an owned task is of no run of the day: its Spark job is no run's, its run ended on another
day or is not known, it started after its run's end."""


def _incomplete(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Why costs of runs are not known that should be, with the runs."""
    return (
        rows.drop_nulls("cost_reason")
        .filter(~pl.col("cost_reason").is_in([NEVER_STARTED, NO_CLUSTER, ON_WAREHOUSE]))
        .group_by("cost_reason")
        .agg(rows=pl.len().cast(pl.Int64), DBU=pl.col("total_dbus").sum())
        .with_columns(pl.lit(value=False).alias(HOLDS))
    )


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
    now, or open. So a closed row's shares are final (time_model.md, 3.6).

    Args:
        jobrun_gold: The day's runs, open and closed; each gives one row.
        clusterstatefact_gold: Closed states since the earliest start, and the day's open ones.
        co_runs: Closed runs since the earliest of these states, and the day's open ones.
        sparkjob_gold: Spark jobs since the earliest start; empty where no log is read.
        sparktask_gold: Their tasks.
        window: The day; what is open ends, for now, at its end.
    """
    runs = _lasting(jobrun_gold, window)
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
    states = _states(clusterstatefact_gold)
    met = run_states(_spans(runs, window), states)
    shared_states = states.join(met, on=["cluster_id", "_state_since_ms"], how="semi")
    pieces = shared(day_pieces(run_states(_spans(co_runs, window), shared_states), window.zone))
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
    has_cluster = pl.col("cluster_id").is_not_null() & pl.col("cluster_type").ne_missing(WAREHOUSE)
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
        .when(pl.col("cluster_type") == WAREHOUSE)
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
