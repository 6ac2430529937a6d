"""Runs of jobs: one row per run of a task, from its start to its end; `row_kind` is `run`.

A job without task structure has one run, whose `runId` is the `jobRunId`. A run lies on the day of
its first terminal event and is open on the days before. Cancels count up to that event. A run whose
end is not told ends when its job run did, an hour after that is known, else it is `Lost` a year
after its start; either way `end_imputed` is true. A run that never started is a row of the day that
said so, with `TaskRunTime` without a start: it occupied nothing.

Rows of the kind `job_run` hold what is known of a job's run while more of its tasks may follow:
who asked for it, which repairs were asked for. They are no runs, and no view shows them. They close
with the job run's own end, or a week after its last event.
"""

import polars as pl

from overwatch_assets.expressions import audit
from overwatch_assets.expressions.databricks_structs import (
    LIBRARIES,
    NEW_CLUSTER,
    SCHEDULE,
    TEXTS,
)
from overwatch_assets.expressions.durations import DAY_MS, HOUR_MS, RUN_TIME, run_time
from overwatch_assets.expressions.job_requests import (
    REQUESTS,
    joined_repairs,
    merged_requests,
    repairs_of,
    requests_of,
)
from overwatch_assets.expressions.job_run_details import (
    DETAILS,
    PLACE,
    detailed,
    is_incomplete,
    known_definition,
    placed,
    version_text,
)
from overwatch_assets.expressions.job_run_events import (
    AT,
    CANCEL,
    ENDS,
    FAMILY,
    REPAIR,
    REQUEST_COLUMNS,
    START,
    ends_in,
    repairs_in,
    requests_in,
    run_events,
    starts_in,
)
from overwatch_assets.expressions.job_structs import (
    MANUAL_OVERRIDE_PARAMS,
    REPAIR_DETAILS,
    REQUEST_DETAILS,
    SUBMIT_RUN_DETAILS,
    TASK_DETAIL,
    TASK_DETAIL_LEGACY,
    TIME_DETAILS,
)
from overwatch_assets.expressions.rules import remedy
from overwatch_assets.expressions.versions_at import version_at
from overwatch_assets.module import (
    DECIDED_MS,
    HOLDS,
    LEFT_OUT,
    AsOf,
    Carried,
    Column,
    Day,
    Grain,
    History,
    Rule,
    Scope,
    Window,
    module,
)

GRACE_MS = HOUR_MS
"""How long the end of a job's run waits for those of its tasks' runs."""

LOST_MS = 365 * DAY_MS
"""How long after its start a run counts as running when nothing more is heard of it."""

SILENCE_MS = 7 * DAY_MS
"""How long after its last event a job's run may have further tasks."""

RUN, JOB_RUN = "run", "job_run"
CANCELLED, LOST = "Cancelled", "Lost"

CARRY = pl.Struct(
    {
        "startRequestId": pl.String,
        "definition": pl.String,
        "cancellation": pl.String,
        "repairs": pl.String,
        "cluster_name": pl.String,
        "jobRunEndMS": pl.Int64,
        "jobRunTerminalState": pl.String,
        "lastEventMS": pl.Int64,
        "hasTaskRuns": pl.Boolean,
    }
)
"""What the next day needs of an open row beside its columns."""

COLUMNS = (
    Column("runId", pl.Int64, "Run of the task, or of a job without tasks."),
    Column("row_kind", pl.String, "run; job_run for what is known of a job's run meanwhile."),
    Column(
        "jobRunSinceMS",
        pl.Int64,
        "Of job_run rows the event they began with, epoch ms; null in rows of runs.",
    ),
    Column("jobId", pl.Int64, "Job; null where nothing names it."),
    Column("jobRunId", pl.Int64, "Run of the job; its runs of tasks have it in common."),
    Column("taskRunId", pl.Int64, "Run of the task; null in job_run rows."),
    Column("taskKey", pl.String, "Task; null for jobs without tasks."),
    Column("taskDependencies", pl.List(pl.String), "Tasks that it waited for; null: not told."),
    Column("multitaskParentRunId", pl.Int64, "Run of the job, for tasks; null: it is itself one."),
    Column("parentRunId", pl.Int64, "Run that called this one by dbutils.notebook.run."),
    Column("idInJob", pl.Int64, "The taskRunId."),
    Column("jobName", pl.String, "Name of the job at the start, else of the submitted run."),
    Column("tags", TEXTS, "Tags of the job at the start; null: none, or no job."),
    Column(
        "TaskRunTime",
        RUN_TIME,
        "Start to end, in epoch ms and UTC, and the time between in ms, s, min and h. The end and "
        "the time are null while open, the start and the time of a run that never started.",
    ),
    Column("TaskExecutionRunTime", RUN_TIME, "The same: no launch of the task is published."),
    Column(
        "startEpochMS",
        pl.Int64,
        "Start, epoch ms; of a run that never started its request, else its end.",
    ),
    Column(
        "clusterType",
        pl.String,
        "new, job_cluster, existing or sqlWarehouse; null: not told (DLT, serverless).",
    ),
    Column("clusterId", pl.String, "Cluster, or SQL warehouse; null: none, or not told."),
    Column("cluster_name", pl.String, "Name of the cluster, else of its definition or the task."),
    Column("existing_cluster_id", pl.String, "Cluster that a submitted run asked for."),
    Column("job_cluster_key", pl.String, "Definition of the cluster that its task shares."),
    Column("job_cluster", NEW_CLUSTER, "That definition; null: the task shares none."),
    Column("new_cluster", NEW_CLUSTER, "Definition of a cluster of its own; null: none."),
    Column("libraries", LIBRARIES, "Libraries of the task."),
    Column("max_retries", pl.Int64, "How often a failed task is tried again; null: not said."),
    Column("min_retry_interval_millis", pl.Int64, "Milliseconds before it is; null: not said."),
    Column("retry_on_timeout", pl.Boolean, "Whether a task that timed out is tried again."),
    Column("task_detail", TASK_DETAIL, "What the task does; null: it is not known."),
    Column("task_detail_legacy", TASK_DETAIL_LEGACY, "Work of a job without tasks; null: none."),
    Column("taskType", pl.String, "Kind of the task, such as notebook; null: not told."),
    Column("terminalState", pl.String, "Succeeded, Failed, Cancelled, Lost, ...; null while open."),
    Column("jobTriggerType", pl.String, "What set it off: cron, manual, repair and others."),
    Column("schedule", SCHEDULE, "Schedule of the job at the start; null: none."),
    Column("max_concurrent_runs", pl.Int64, "Of the job at the start; null: not said."),
    Column("timeout_seconds", pl.Int64, "Of the job at the start; 0 or null: none."),
    Column("run_as_user_name", pl.String, "Who the job ran as, where that is told."),
    Column("created_by", pl.String, "Who made the job."),
    Column("last_edited_by", pl.String, "Who had changed the job last."),
    Column("run_name", pl.String, "Name of a submitted run, else the task's key."),
    Column("workflow_context", pl.String, "Notebook workflow that asked for it, JSON; null: none."),
    Column("manual_override_params", MANUAL_OVERRIDE_PARAMS, "Parameters given for it alone."),
    Column("submitRun_details", SUBMIT_RUN_DETAILS, "Definition that a submitted run brought."),
    Column("repairId", pl.Int64, "Repair that ran the task again; null: none."),
    Column("repair_details", REPAIR_DETAILS, "Requests for that repair; null: none is known."),
    Column(
        "timeDetails",
        TIME_DETAILS,
        "Epoch ms of request, start, cancel and end as events tell them, and the request's "
        "timeout; cancel and end are null while open.",
    ),
    Column("requestDetails", REQUEST_DETAILS, "The requests and answers of these events."),
    Column(
        "end_imputed",
        pl.Boolean,
        "No event told the run's end: it is that of the job's run, or the run is Lost. False "
        "while open.",
    ),
    Column("submission", pl.String, "The request for the run as JSON text; null: none is known."),
    Column(
        "carry",
        CARRY,
        "What the next day needs to go on: definition, cancel, repairs, the end of the job's run. "
        "Null in closed rows.",
    ),
)
KEYS = ("runId", "row_kind", "jobRunSinceMS")
TOLD = (
    "jobId",
    "taskKey",
    "multitaskParentRunId",
    "parentRunId",
    "repairId",
    "clusterType",
    "taskType",
    "jobTriggerType",
)
"""What a start tells, or else the end."""

_PAST = ("runId", FAMILY, "row_kind", "submission")


def _families_with_tasks(events: pl.LazyFrame, carried: pl.LazyFrame) -> pl.LazyFrame:
    """Job runs that have runs of tasks, as far as the day and what was carried tell."""
    has_task_runs = pl.col("carry").struct.field("hasTaskRuns")
    of_day = events.filter(pl.col("multitaskParentRunId").is_not_null())
    before = carried.filter(has_task_runs | (pl.col("runId") != pl.col(FAMILY)))
    return pl.concat([of_day.select(FAMILY), before.select(FAMILY)]).unique()


def _unknown_families(audit_log_bronze: pl.LazyFrame, carried: pl.LazyFrame) -> pl.LazyFrame:
    """Job runs of the day's events of which the past may know more than what was carried.

    Starts and repairs of job runs that were not carried, and ends of runs that were not open.
    """
    events = run_events(audit_log_bronze)
    asked = requests_in(events).select(FAMILY)
    starts = starts_in(events)
    open_runs = carried.filter(pl.col("row_kind") == RUN).select("runId")
    opening = (
        pl.concat([starts.select(FAMILY), repairs_in(events).select(FAMILY)])
        .join(carried, on=FAMILY, how="anti")
        .join(asked, on=FAMILY, how="anti")
    )
    ends = (
        ends_in(events)
        .join(open_runs, on="runId", how="anti")
        .join(starts, on="runId", how="anti")
        .join(_families_with_tasks(events, carried), left_on="runId", right_on=FAMILY, how="anti")
    )
    return pl.concat([opening, ends.select(FAMILY)]).unique()


def _started(audit_log_bronze: pl.LazyFrame) -> pl.LazyFrame:
    return starts_in(run_events(audit_log_bronze)).select("runId")


def _runs_kept(
    rows: pl.LazyFrame, not_stored: pl.LazyFrame, audit_log_bronze: pl.LazyFrame
) -> pl.LazyFrame:
    """Runs of which the day's events tell a start or an end, and what became of them."""
    is_told = (pl.col("serviceName") == "jobs") & pl.col("actionName").is_in([START, *ENDS])
    told = audit.parameters("runId").struct.field("runId").cast(pl.Int64, strict=False)
    kept = rows.filter(pl.col("row_kind") == RUN).select("runId", runs=pl.lit(1, pl.Int64))
    counted = not_stored.group_by("runId").agg(events_counted=pl.len().cast(pl.Int64))
    return (
        audit_log_bronze.filter(is_told)
        .select(runId=told)
        .drop_nulls()
        .group_by("runId")
        .agg(events=pl.len().cast(pl.Int64))
        .join(kept, on="runId", how="left")
        .join(counted, on="runId", how="left")
        .with_columns(pl.col("runs", "events_counted").fill_null(0))
        .with_columns(((pl.col("runs") == 1) | (pl.col("events_counted") > 0)).alias(HOLDS))
    )


RULES = (
    Rule(
        name="events_make_runs",
        doc="a run that an event tells of has a row, or the event is counted",
        compared=_runs_kept,
        by=("runId",),
        remedy=remedy("audit_log_bronze"),
    ),
)


@module(
    module_id=2011,
    name="Silver_JobsRuns",
    scope=Scope.JOBS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=KEYS,
    reads={
        "audit_log_bronze": Day(),
        "job_status_silver": AsOf(),
        "cluster_spec_silver": AsOf(),
        "carried": Carried(),
        "families_before": History(wanted=_unknown_families, columns=_PAST),
        "closed_yesterday": History(wanted=_started, columns=("runId", "row_kind"), days=1),
    },
    provisional=(
        "jobName",
        "TaskRunTime",
        "TaskExecutionRunTime",
        "cluster_name",
        "terminalState",
        "run_name",
        "submitRun_details",
        "manual_override_params",
        "repair_details",
        "timeDetails",
        "requestDetails",
        "end_imputed",
        "submission",
        "carry",
    ),
    rules=RULES,
)
def jobrun_silver(  # noqa: PLR0917 - every input is a parameter
    audit_log_bronze: pl.LazyFrame,
    job_status_silver: pl.LazyFrame,
    cluster_spec_silver: pl.LazyFrame,
    carried: pl.LazyFrame,
    families_before: pl.LazyFrame,
    closed_yesterday: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Pair the day's starts and ends with each other and with the runs still open.

    Args:
        audit_log_bronze: The day's events, in any order.
        job_status_silver: What jobs were, up to the end of the day.
        cluster_spec_silver: What clusters were, likewise.
        carried: Runs and job runs open when the day began.
        families_before: Closed rows of job runs that the day names and that were not carried.
        closed_yesterday: Rows of runs that started today, closed the day before: an event late by
            its own clock.
        window: The day.
    """
    # What several steps use is computed once: Polars 2.1 finds common parts of a plan only where
    # no step of it is Python.
    events = run_events(audit_log_bronze).cache()
    before = families_before.cache()
    is_run = pl.col("row_kind") == RUN
    past = pl.concat([before.select("runId", "row_kind"), closed_yesterday])
    over = past.filter(is_run).select("runId")
    siblings = before.filter(is_run & (pl.col("runId") != pl.col(FAMILY))).select(FAMILY)
    with_tasks = pl.concat([_families_with_tasks(events, carried), siblings]).unique().cache()
    families = _told_of_families(events, carried, before).cache()
    known = _known_runs(events, carried, over, with_tasks).cache()
    told = _with_what_is_told(known, families, events).cache()
    runs = _ended(_with_definitions(told, job_status_silver), window).cache()
    rows = _run_rows(_with_cluster_names(_placed(runs).cache(), cluster_spec_silver))
    family_rows = _family_rows(
        events, carried, families=families, with_tasks=with_tasks, runs=runs, window=window
    )
    named = [column.name for column in COLUMNS]
    counted = _left_out(events, runs)
    return pl.concat(
        [rows.select(*named, "is_open", DECIDED_MS), family_rows, counted], how="diagonal"
    )


def _known_runs(
    events: pl.LazyFrame, carried: pl.LazyFrame, over: pl.LazyFrame, with_tasks: pl.LazyFrame
) -> pl.LazyFrame:
    """Runs that were open, that started, and that ended without a start; the first end of each.

    An end without a start that is the job run's own, of one that has runs of tasks, is no run.
    """
    before = carried.filter(pl.col("row_kind") == RUN).select(
        "runId",
        FAMILY,
        "clusterId",
        "taskDependencies",
        "submission",
        *TOLD,
        pl.col("TaskRunTime").struct.field("startEpochMS").alias("startTime"),
        pl.col("carry").struct.unnest(),
        _is_carried=pl.lit(value=True),
    )
    started = (
        starts_in(events)
        .join(before, on="runId", how="anti")
        .join(over, on="runId", how="anti")
        .select(
            "runId",
            FAMILY,
            "clusterId",
            "jobId",
            "taskKey",
            "multitaskParentRunId",
            "parentRunId",
            "repairId",
            "jobTriggerType",
            clusterType="jobClusterType",
            taskType="jobTaskType",
            _dependencies="taskDependencies",
            startTime=AT,
            startRequestId="requestId",
        )
    )
    first_ends = ends_in(events).unique("runId", keep="first", maintain_order=True)
    began = pl.concat([before, started], how="diagonal")
    never_started = (
        first_ends.join(began, on="runId", how="anti")
        .join(over, on="runId", how="anti")
        .join(with_tasks, left_on="runId", right_on=FAMILY, how="anti")
        .select("runId", FAMILY)
    )
    ends = first_ends.select(
        "runId",
        pl.col("jobId", "taskKey", "multitaskParentRunId", "parentRunId", "repairId").name.suffix(
            "_end"
        ),
        _dependencies_end="taskDependencies",
        clusterType_end="jobClusterType",
        taskType_end="jobTaskType",
        jobTriggerType_end="jobTriggerType",
        completionTime=AT,
        completionState="jobTerminalState",
        completionRequestId="requestId",
        completionResponse="response",
    )
    return (
        pl.concat([began, never_started], how="diagonal")
        .join(ends, on="runId", how="left")
        .with_columns(
            *(pl.coalesce(name, f"{name}_end").alias(name) for name in TOLD),
            _dependencies=pl.coalesce("_dependencies", "_dependencies_end"),
        )
    )


def _told_of_families(
    events: pl.LazyFrame, carried: pl.LazyFrame, families_before: pl.LazyFrame
) -> pl.LazyFrame:
    """Per job run the request for it and its repairs, from all that tells of them."""
    requested = requests_in(events).select(REQUEST_COLUMNS)
    requests = requested.map_batches(
        requests_of, schema={FAMILY: pl.Int64, "submission": pl.String}
    )
    repaired = (
        repairs_in(events)
        .with_columns(repairId="_repair_made")
        .select("repairId", *REQUEST_COLUMNS)
    )
    repairs = repaired.map_batches(repairs_of, schema={FAMILY: pl.Int64, "repairs": pl.String})
    kept = [pl.col("carry").struct.field(name) for name in ("repairs", "cancellation")]
    is_family = pl.col("row_kind") == JOB_RUN
    told = [
        carried.filter(is_family).select(FAMILY, "submission", *kept),
        carried.filter(~is_family).sort("runId").select(FAMILY, "submission"),
        requests,
        repairs,
        families_before.sort(_PAST, nulls_last=True).select(FAMILY, "submission"),
    ]
    return (
        pl.concat(told, how="diagonal")
        .group_by(FAMILY, maintain_order=True)
        .agg("submission", "repairs", pl.col("cancellation").drop_nulls().first())
        .with_columns(
            submission=merged_requests(pl.col("submission")),
            repairs=joined_repairs(pl.col("repairs")),
        )
    )


def _with_what_is_told(
    runs: pl.LazyFrame, families: pl.LazyFrame, events: pl.LazyFrame
) -> pl.LazyFrame:
    """Runs with the request for them, the cancel, repairs, and the end of the job's run."""
    own_end = ends_in(events).filter(pl.col("runId") == pl.col(FAMILY))
    job_ends = own_end.select(
        FAMILY,
        jobRunEndMS_of_day=AT,
        jobRunTerminalState_of_day="jobTerminalState",
        _order=pl.int_range(pl.len()),
    )
    is_later = pl.col("jobRunEndMS_of_day") >= pl.col("startTime")
    after_start = (
        runs.filter(pl.col("runId") != pl.col(FAMILY))
        .select("runId", FAMILY, "startTime")
        .join(job_ends, on=FAMILY)
        .filter(is_later)
        .sort("_order")
        .unique("runId", keep="first", maintain_order=True)
        .drop(FAMILY, "startTime", "_order")
    )
    told = families.select(
        FAMILY, pl.col("submission", "repairs", "cancellation").name.suffix("_told")
    )
    is_whole = pl.col("runId") == pl.col(FAMILY)
    is_unended = pl.col("jobRunEndMS").is_null()
    return (
        runs.join(told, on=FAMILY, how="left")
        .join(_cancels(events), on="runId", how="left")
        .join(after_start, on="runId", how="left")
        .with_columns(
            submission=merged_requests(pl.concat_list("submission", "submission_told")),
            repairs=pl.when(pl.col("repairId").is_not_null()).then(
                pl.coalesce("repairs", "repairs_told")
            ),
            cancellation=pl.coalesce(
                "cancellation", pl.when(is_whole).then("cancellation_told"), "cancellation_of_day"
            ),
            jobRunEndMS=pl.coalesce("jobRunEndMS", "jobRunEndMS_of_day"),
            jobRunTerminalState=pl.when(is_unended)
            .then("jobRunTerminalState_of_day")
            .otherwise("jobRunTerminalState"),
        )
        .with_columns(**_requested_columns())
        .with_columns(
            jobId=pl.coalesce("jobId", "_asked_job"),
            startEpochMS=pl.coalesce("startTime", "submissionTime", "completionTime"),
            jobTriggerType=pl.coalesce(
                pl.when("_is_carried").then("jobTriggerType"),
                "_trigger",
                "jobTriggerType",
                "_by_hand",
            ),
        )
    )


def _requested_columns() -> dict[str, pl.Expr]:
    """What the request's text tells, as far as other columns depend on it."""

    def told(name: str) -> pl.Expr:
        return pl.col("submission").str.json_path_match(f"$.{name}")

    return {
        "submissionTime": told("submissionTime").cast(pl.Int64),
        "_asked_job": told("jobId").cast(pl.Int64),
        "_timeout": told("timeout_seconds").cast(pl.Int64, strict=False),
        "_trigger": told("jobTriggerType"),
        "_by_hand": pl.when(told("isRunNow").is_not_null()).then(pl.lit("manual")),
    }


def _cancels(events: pl.LazyFrame) -> pl.LazyFrame:
    """The first granted cancel of each run, as text."""
    asked = events.filter((pl.col("actionName") == CANCEL) & pl.col("_is_granted"))
    return asked.unique("run_id", keep="first", maintain_order=True).select(
        runId="run_id",
        cancellation_of_day=pl.struct(
            cancellationTime=AT,
            cancellationRequestId="requestId",
            cancellationResponse="response",
            cancellationSessionId="sessionId",
            cancellationSourceIP="sourceIPAddress",
            cancelledUserAgent="userAgent",
            cancelledBy="email",
        ).struct.json_encode(),
    )


def _with_definitions(runs: pl.LazyFrame, job_status_silver: pl.LazyFrame) -> pl.LazyFrame:
    """Runs with what their job was when they started; what lacks is looked up again each day."""
    lacking = runs.filter(is_incomplete(pl.col("definition")))
    found = version_at(
        lacking.select("runId", "jobId", "startEpochMS"),
        job_status_silver.select("jobId", AT, "seq", version_text().alias("_found")),
        entity="jobId",
        at="startEpochMS",
    )
    return runs.join(found, on="runId", how="left").with_columns(
        definition=known_definition(pl.col("definition"), pl.col("_found"))
    )


def _ended(runs: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    """Runs with their end and the instant that decided it, both null while they are open.

    The first of these ends a run: its own terminal event; an hour after its job's run has ended;
    a year after its start.
    """
    until_ms = pl.lit(window.until_ms, pl.Int64)
    grace_ms = pl.col("jobRunEndMS") + GRACE_MS
    lost_ms = pl.col("startTime") + LOST_MS
    first_ms = pl.min_horizontal("completionTime", grace_ms, lost_ms)
    is_told = pl.col("completionTime").is_not_null() & (pl.col("completionTime") == first_ms)
    is_lost = ~is_told & (first_ms == lost_ms)
    is_closed = (first_ms < until_ms).fill_null(value=False)
    end_ms = (
        pl.when(is_told).then("completionTime").when(is_lost).then(lost_ms).otherwise("jobRunEndMS")
    )
    cancelled_ms = pl.col("cancellation").str.json_path_match("$.cancellationTime").cast(pl.Int64)
    state = pl.when(is_told).then("completionState").otherwise("jobRunTerminalState")
    return (
        runs.with_columns(
            pl.when(is_closed).then(first_ms).alias(DECIDED_MS),
            endMS=pl.when(is_closed).then(end_ms),
            end_imputed=is_closed & ~is_told,
            _is_told=is_closed & is_told,
            _is_lost=is_closed & is_lost,
            _state=state,
            is_open=~is_closed,
        )
        .with_columns(
            _is_cancelled=(cancelled_ms <= pl.col("endMS")).fill_null(value=False),
            _cancelled_ms=cancelled_ms,
        )
        .with_columns(
            terminalState=pl.when("_is_lost")
            .then(pl.lit(LOST))
            .when("_is_cancelled")
            .then(pl.lit(CANCELLED))
            .when(~pl.col("is_open"))
            .then("_state")
        )
    )


def _placed(runs: pl.LazyFrame) -> pl.LazyFrame:
    """Runs with their task, the kind of cluster and the cluster."""
    started = runs.with_columns(has_started=pl.col("startTime").is_not_null())
    return started.map_batches(placed, schema={**started.collect_schema(), **PLACE})


def _with_cluster_names(runs: pl.LazyFrame, cluster_spec_silver: pl.LazyFrame) -> pl.LazyFrame:
    """Runs with the name that their cluster had when they started, as far as it is known."""
    lacking = runs.filter(pl.col("cluster_name").is_null())
    versions = cluster_spec_silver.filter(pl.col("cluster_name").is_not_null())
    found = version_at(
        lacking.select("runId", "clusterId", "startEpochMS"),
        versions.select(AT, "seq", clusterId="cluster_id", _found_name="cluster_name"),
        entity="clusterId",
        at="startEpochMS",
    )
    return runs.join(found, on="runId", how="left").with_columns(
        cluster_name=pl.coalesce("cluster_name", "_found_name")
    )


def _run_rows(runs: pl.LazyFrame) -> pl.LazyFrame:
    """The declared columns of runs."""
    shown = runs.with_columns(
        _cancellation=pl.col("cancellation"),
        cancellation=pl.when("_is_cancelled").then("cancellation"),
        completionRequestId=pl.when("_is_told").then("completionRequestId"),
        completionResponse=pl.when("_is_told").then("completionResponse"),
    )
    with_details = shown.map_batches(detailed, schema={**shown.collect_schema(), **DETAILS})
    lasted = run_time(pl.col("startTime"), pl.col("endMS"))
    return with_details.with_columns(
        row_kind=pl.lit(RUN),
        jobRunSinceMS=pl.lit(None, pl.Int64),
        taskRunId="runId",
        idInJob="runId",
        TaskRunTime=lasted,
        TaskExecutionRunTime=lasted,
        cluster_name=pl.coalesce("cluster_name", "job_cluster_key", "taskKey"),
        timeDetails=pl.struct(
            "startTime",
            "submissionTime",
            pl.when("_is_cancelled").then("_cancelled_ms").alias("cancellationTime"),
            pl.when("_is_told").then("completionTime").alias("completionTime"),
            pl.col("_timeout").alias("timeout_seconds"),
        ),
        carry=pl.when("is_open").then(
            _carry(cancellation="_cancellation", lastEventMS=None, hasTaskRuns=None)
        ),
    )


def _carry(**other: str | None) -> pl.Expr:
    """`CARRY` of columns of its names, but for those that are told."""
    return pl.struct(
        (
            pl.lit(None, each.dtype)
            if (name := other.get(each.name, each.name)) is None
            else pl.col(name)
        ).alias(each.name)
        for each in CARRY.fields
    )


def _family_rows(
    events: pl.LazyFrame,
    carried: pl.LazyFrame,
    *,
    families: pl.LazyFrame,
    with_tasks: pl.LazyFrame,
    runs: pl.LazyFrame,
    window: Window,
) -> pl.LazyFrame:
    """Job runs that may have further tasks, and those carried that no longer may.

    A job run without tasks needs no row once it has started: its run knows it all.
    """
    is_own_end = pl.col("actionName").is_in(ENDS) & (pl.col("runId") == pl.col(FAMILY))
    is_opening = (
        pl.col("actionName").is_in(REQUESTS)
        | ((pl.col("actionName") == START) & (pl.col("runId") != pl.col(FAMILY)))
        | ((pl.col("actionName") == REPAIR) & pl.col("_is_granted"))
    )
    is_start = (pl.col("actionName") == START) & (pl.col("runId") == pl.col(FAMILY))
    of_day = events.group_by(FAMILY).agg(
        _opened_ms=pl.col(AT).filter(is_opening).min(),
        _active_ms=pl.col(AT).filter(is_opening).max(),
        _own_end_ms=pl.col(AT).filter(is_own_end).max(),
        _started_ms=pl.col(AT).filter(is_start).min(),
        _last_ms=pl.col(AT).max(),
        _job_of_day=pl.col("jobId").drop_nulls().first(),
    )
    before = carried.filter(pl.col("row_kind") == JOB_RUN).select(
        FAMILY,
        "jobRunSinceMS",
        pl.col("jobId").alias("_job_before"),
        pl.col("carry").struct.field("lastEventMS"),
        _is_carried=pl.lit(value=True),
    )
    of_runs = runs.group_by(FAMILY).agg(
        _has_open=pl.col("is_open").any(),
        _closed_ms=pl.col(DECIDED_MS).max(),
        _is_run=(pl.col("runId") == pl.col(FAMILY)).any(),
    )
    is_marked = with_tasks.select(FAMILY, hasTaskRuns=pl.lit(value=True))
    ended_ms = pl.when((pl.col("_own_end_ms") >= pl.col("_active_ms")).fill_null(value=True)).then(
        "_own_end_ms"
    )
    silent_ms = pl.when(~pl.col("_has_open").fill_null(value=False)).then(
        pl.max_horizontal(pl.max_horizontal("lastEventMS", "_last_ms") + SILENCE_MS, "_closed_ms")
    )
    is_silent = silent_ms < window.until_ms
    closed_ms = pl.min_horizontal(ended_ms, "_started_ms", pl.when(is_silent).then(silent_ms))
    is_new = pl.col("_is_carried").is_null()
    told = ("submission", "repairs", "cancellation")
    return (
        before.join(of_day, on=FAMILY, how="full", coalesce=True)
        .filter(~is_new | pl.col("_opened_ms").is_not_null())
        .join(of_runs, on=FAMILY, how="left")
        .join(families.select(FAMILY, *told), on=FAMILY, how="left")
        .join(is_marked, on=FAMILY, how="left")
        .join(_cancels(events), left_on=FAMILY, right_on="runId", how="left")
        .with_columns(closed_ms.alias(DECIDED_MS), _is_run=pl.col("_is_run").fill_null(value=False))
        .filter(~is_new | (pl.col(DECIDED_MS).is_null() & ~pl.col("_is_run")))
        .with_columns(
            runId=FAMILY,
            row_kind=pl.lit(JOB_RUN),
            jobRunSinceMS=pl.coalesce("jobRunSinceMS", "_opened_ms"),
            jobId=pl.coalesce("_job_before", "_job_of_day"),
            lastEventMS=pl.max_horizontal("lastEventMS", "_last_ms"),
            cancellation=pl.coalesce("cancellation", "cancellation_of_day"),
            end_imputed=pl.lit(value=False),
            is_open=pl.col(DECIDED_MS).is_null(),
        )
        .with_columns(
            carry=pl.when("is_open").then(
                _carry(
                    startRequestId=None,
                    definition=None,
                    cluster_name=None,
                    jobRunEndMS=None,
                    jobRunTerminalState=None,
                )
            )
        )
        .select(
            "runId",
            "row_kind",
            "jobRunSinceMS",
            "jobId",
            FAMILY,
            "submission",
            "carry",
            "end_imputed",
            "is_open",
            DECIDED_MS,
        )
    )


def _left_out(events: pl.LazyFrame, runs: pl.LazyFrame) -> pl.LazyFrame:
    """Events that change nothing, by why."""
    started = runs.select("runId", pl.col("startTime").alias(AT))
    ended = runs.filter("_is_told").select("runId", pl.col("completionTime").alias(AT))
    starts = events.filter(pl.col("actionName") == START)
    ends = ends_in(events).join(ended, on=["runId", AT], how="anti")
    is_own = pl.col("runId") == pl.col(FAMILY)
    of_job_runs = ends.filter(is_own).join(runs, on="runId", how="anti")
    refused = (pl.col("actionName") == CANCEL) & ~pl.col("_is_granted")
    unused = {
        "repeated_start": starts.join(started, on=["runId", AT], how="anti"),
        "end_of_job_run": of_job_runs,
        "repeated_end": ends.join(of_job_runs, on="runId", how="anti"),
        "refused_cancel": events.filter(refused),
    }
    return pl.concat(
        rows.select("runId", pl.lit(why).alias(LEFT_OUT)) for why, rows in unused.items()
    )
