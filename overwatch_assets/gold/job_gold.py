"""Jobs: one row per change of a job's definition or permissions, under business names.

A row lies on the day of the change (`job_status_silver`) and tells the whole definition after it.
What a job was at an instant is its last row before it.
"""

import polars as pl

from overwatch_assets.expressions.audit import RESPONSE
from overwatch_assets.expressions.databricks_structs import (
    GIT_SOURCE,
    JOB_CLUSTERS,
    LIBRARIES,
    NEW_CLUSTER,
    SCHEDULE,
    TEXTS,
)
from overwatch_assets.expressions.durations import date_of, timestamp_of
from overwatch_assets.expressions.job_structs import TASK_DETAIL_LEGACY, TASKS
from overwatch_assets.expressions.renaming import renamed
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.module import (
    PARTITION_DATE,
    TIMESTAMP,
    Column,
    Day,
    Grain,
    Scope,
    Window,
    module,
)

COLUMNS = (
    Column("job_id", pl.Int64, "Job."),
    Column(
        "action",
        pl.String,
        "create, update, reset, delete, changeJobAcl or resetJobAcl; snapImpute for what only a "
        "capture tells.",
    ),
    Column("unixTimeMS", pl.Int64, "Epoch ms of the change or the capture; decides the day."),
    Column("timestamp", TIMESTAMP, "Instant of the change, in UTC."),
    Column("date", pl.Date, "Day of the change, in UTC."),
    Column("job_name", pl.String, "Name of the job; null: not known."),
    Column("tags", TEXTS, "Tags of the job; null: none."),
    Column("job_type", pl.String, "Type, such as NORMAL; null: not told."),
    Column("job_format", pl.String, "SINGLE_TASK or MULTI_TASK; null: not told."),
    Column("existing_cluster_id", pl.String, "Cluster of a job without tasks; null: another."),
    Column("new_cluster", NEW_CLUSTER, "Cluster made for a run of a job without tasks."),
    Column("tasks", TASKS, "Tasks; null for a job without task structure."),
    Column("job_clusters", JOB_CLUSTERS, "Clusters that tasks share; null: none."),
    Column("libraries", LIBRARIES, "Libraries of a job without tasks; null: none."),
    Column("git_source", GIT_SOURCE, "Where the code is from; null: the workspace."),
    Column("timeout_seconds", pl.Int64, "When a run is ended, in seconds; 0 or null: never."),
    Column("max_concurrent_runs", pl.Int64, "How many runs may go on at once; null: not said."),
    Column("max_retries", pl.Int64, "How often a failed run is tried again; null: not said."),
    Column("retry_on_timeout", pl.Boolean, "Whether a run that timed out is tried again."),
    Column("min_retry_interval_millis", pl.Int64, "Milliseconds before it is; null: not said."),
    Column("schedule", SCHEDULE, "When it runs by itself; null: it does not."),
    Column("task_detail_legacy", TASK_DETAIL_LEGACY, "Work of a job without tasks; null: none."),
    Column("is_from_dlt", pl.Boolean, "Made by Delta Live Tables; false where that is not told."),
    Column("aclPermissionSet", pl.String, "What changeJobAcl gave, as JSON text; null elsewhere."),
    Column("targetUserId", pl.String, "User whom changeJobAcl gave it to; null elsewhere."),
    Column("session_id", pl.String, "Session of the user; null: none."),
    Column("request_id", pl.String, "Request; -1 for snapImpute; null: none."),
    Column("user_agent", pl.String, "Client of the request; null: none."),
    Column("response", RESPONSE, "Answer to the request; null for snapImpute."),
    Column("source_ip_address", pl.String, "Address of the request; null: none."),
    Column("created_by", pl.String, "Who created the job; null: not known."),
    Column("created_ts", pl.Int64, "Epoch ms of its creation; null: not known."),
    Column("deleted_by", pl.String, "Who deleted it, in the row of the deletion only."),
    Column("deleted_ts", pl.Int64, "Epoch ms of the deletion, in its row only."),
    Column("last_edited_by", pl.String, "Who changed it last, else who created it."),
    Column("last_edited_ts", pl.Int64, "Epoch ms of that."),
)
RENAMED = {
    "job_id": "jobId",
    "action": "actionName",
    "unixTimeMS": "timestamp",
    "job_name": "jobName",
    "job_format": "format",
    "session_id": "sessionId",
    "request_id": "requestId",
    "user_agent": "userAgent",
    "source_ip_address": "sourceIPAddress",
}
"""Columns by the name they have in silver; the others keep theirs."""


@module(
    module_id=3002,
    name="Gold_Job",
    scope=Scope.JOBS,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=("job_id", "unixTimeMS", "action", "request_id"),
    reads={"job_status_silver": Day()},
    decided_by="unixTimeMS",
    rules=(keeps_rows("job_status_silver", by={"job_id": pl.col("jobId")}),),
)
def job_gold(
    job_status_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Name the columns.

    Args:
        job_status_silver: Versions of one or several days.
        window: From the first of the days to the end of the last.
    """
    at_ms = pl.col("timestamp")
    made = {
        "timestamp": timestamp_of(at_ms),
        "date": date_of(at_ms),
        "is_from_dlt": pl.col("is_from_dlt").fill_null(value=False),
    }
    return job_status_silver.select(
        PARTITION_DATE.name,
        *renamed(COLUMNS, RENAMED, made),
    )
