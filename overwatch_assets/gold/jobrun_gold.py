"""Runs of jobs: one row per run of a task, under business names.

A job without task structure has one run, whose `run_id` is the `job_run_id`. A row lies on the day
that the run ended (`jobrun_silver`), or is open on the days before; what the job was is as of the
start. `parent_run_id` names the run that called a notebook; the caller lasts as long as what it
called, so sums over both count that time twice.
"""

import polars as pl

from overwatch_assets.expressions.databricks_structs import (
    LIBRARIES,
    NEW_CLUSTER,
    SCHEDULE,
    TEXTS,
)
from overwatch_assets.expressions.durations import RUN_TIME
from overwatch_assets.expressions.job_structs import (
    MANUAL_OVERRIDE_PARAMS,
    REPAIR_DETAILS,
    REQUEST_DETAILS,
    SUBMIT_RUN_DETAILS,
    TASK_DETAIL,
    TASK_DETAIL_LEGACY,
    TIME_DETAILS,
)
from overwatch_assets.expressions.renaming import renamed
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.module import PARTITION_DATE, Column, Day, Grain, Scope, Window, module

COLUMNS = (
    Column("job_id", pl.Int64, "Job; null where nothing names it."),
    Column("job_name", pl.String, "Name of the job at the start, else of the submitted run."),
    Column("tags", TEXTS, "Tags of the job at the start; null: none, or no job."),
    Column("run_id", pl.Int64, "Run: the task's, or the job's where it has no tasks."),
    Column("job_run_id", pl.Int64, "Run of the job; its runs of tasks have it in common."),
    Column("task_run_id", pl.Int64, "Run of the task."),
    Column("task_key", pl.String, "Task; null for jobs without tasks."),
    Column("cluster_id", pl.String, "Cluster, or SQL warehouse; null: none, or not told."),
    Column("cluster_name", pl.String, "Name of the cluster, else of its definition or the task."),
    Column("multitask_parent_run_id", pl.Int64, "Run of the job, for tasks of multi-task jobs."),
    Column("parent_run_id", pl.Int64, "Run that called this one by dbutils.notebook.run."),
    Column("task_detail", TASK_DETAIL, "What the task does; null: it is not known."),
    Column("task_dependencies", pl.List(pl.String), "Tasks that it waited for; null: not told."),
    Column(
        "task_runtime",
        RUN_TIME,
        "Start to end, in epoch ms and UTC, and the time between in ms, s, min and h. The end and "
        "the time are null while open, the start and the time of a run that never started.",
    ),
    Column("task_execution_runtime", RUN_TIME, "The same: no launch of the task is published."),
    Column("job_cluster_key", pl.String, "Definition of the cluster that its task shares."),
    Column(
        "cluster_type",
        pl.String,
        "new, job_cluster, existing or sqlWarehouse; null: not told (DLT, serverless).",
    ),
    Column("job_cluster", NEW_CLUSTER, "Definition of the shared cluster; null: none."),
    Column("new_cluster", NEW_CLUSTER, "Definition of a cluster of its own; null: none."),
    Column("task_type", pl.String, "Kind of the task, such as notebook; null: not told."),
    Column(
        "terminal_state", pl.String, "Succeeded, Failed, Cancelled, Lost, ...; null while open."
    ),
    Column("job_trigger_type", pl.String, "What set it off: cron, manual, repair and others."),
    Column("schedule", SCHEDULE, "Schedule of the job at the start; null: none."),
    Column("libraries", LIBRARIES, "Libraries of the task."),
    Column("manual_override_params", MANUAL_OVERRIDE_PARAMS, "Parameters given for it alone."),
    Column("repair_id", pl.Int64, "Repair that ran the task again; null: none."),
    Column("repair_details", REPAIR_DETAILS, "Requests for that repair; null: none is known."),
    Column("run_name", pl.String, "Name of a submitted run, else the task's key."),
    Column("timeout_seconds", pl.Int64, "Of the job at the start; 0 or null: none."),
    Column("retry_on_timeout", pl.Boolean, "Whether a task that timed out is tried again."),
    Column("max_retries", pl.Int64, "How often a failed task is tried again; null: not said."),
    Column("min_retry_interval_millis", pl.Int64, "Milliseconds before it is; null: not said."),
    Column("max_concurrent_runs", pl.Int64, "Of the job at the start; null: not said."),
    Column("run_as_user_name", pl.String, "Who the job ran as, where that is told."),
    Column("workflow_context", pl.String, "Notebook workflow that asked for it, JSON; null: none."),
    Column("task_detail_legacy", TASK_DETAIL_LEGACY, "Work of a job without tasks; null: none."),
    Column("submitRun_details", SUBMIT_RUN_DETAILS, "Definition that a submitted run brought."),
    Column("created_by", pl.String, "Who made the job."),
    Column("last_edited_by", pl.String, "Who had changed the job last."),
    Column("request_detail", REQUEST_DETAILS, "Requests and answers of submission, cancel, end."),
    Column(
        "time_detail",
        TIME_DETAILS,
        "Epoch ms of request, start, cancel and end as events tell them, and the request's "
        "timeout; cancel and end are null while open.",
    ),
    Column(
        "startEpochMS",
        pl.Int64,
        "Start, epoch ms; of a run that never started its request, else its end.",
    ),
    Column(
        "end_imputed",
        pl.Boolean,
        "No event told the run's end: it is that of the job's run, or the run is Lost. False "
        "while open.",
    ),
)
RENAMED = {
    "job_id": "jobId",
    "job_name": "jobName",
    "run_id": "runId",
    "job_run_id": "jobRunId",
    "task_run_id": "taskRunId",
    "task_key": "taskKey",
    "cluster_id": "clusterId",
    "multitask_parent_run_id": "multitaskParentRunId",
    "parent_run_id": "parentRunId",
    "task_dependencies": "taskDependencies",
    "task_runtime": "TaskRunTime",
    "task_execution_runtime": "TaskExecutionRunTime",
    "cluster_type": "clusterType",
    "task_type": "taskType",
    "terminal_state": "terminalState",
    "job_trigger_type": "jobTriggerType",
    "repair_id": "repairId",
    "request_detail": "requestDetails",
    "time_detail": "timeDetails",
}
"""Columns by the name they have in silver; the others keep theirs."""


@module(
    module_id=3003,
    name="Gold_JobRun",
    scope=Scope.JOBS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=("run_id",),
    reads={"jobrun_silver": Day()},
    decided_by=PARTITION_DATE.name,
    provisional=(
        "job_name",
        "task_runtime",
        "task_execution_runtime",
        "cluster_name",
        "terminal_state",
        "run_name",
        "submitRun_details",
        "manual_override_params",
        "repair_details",
        "time_detail",
        "request_detail",
        "end_imputed",
    ),
    rules=(
        keeps_rows(
            "jobrun_silver",
            by={"run_id": pl.col("runId")},
            sums={
                "run_ms": (
                    pl.col("task_runtime").struct.field("runTimeMS"),
                    pl.col("TaskRunTime").struct.field("runTimeMS"),
                )
            },
            where=pl.col("row_kind") == "run",
            each="run",
        ),
    ),
)
def jobrun_gold(
    jobrun_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Name the columns of runs.

    Args:
        jobrun_silver: Runs of one or several days, open and closed, and what is known of job runs.
        window: From the first of the days to the end of the last.
    """
    return jobrun_silver.filter(pl.col("row_kind") == "run").select(
        PARTITION_DATE.name,
        "is_open",
        *renamed(COLUMNS, RENAMED),
    )
