"""Spark listener events: one row per event of an application's log, of the types used above.

A row belongs to the day of the event (`eventTimeMS`), wherever its line was found: in the live
file, its rolled copy, a copied folder. The same event found twice is one row. Task
accumulables, 38 to 92 % of a task's bytes, are not stored; nor are the event types that no
table uses, which are only counted per file in `spark_events_processedfiles`.
"""

import polars as pl

from overwatch_assets.bronze.spark_events_processedfiles import PROCESSED_FILES
from overwatch_assets.bronze.spark_events_rejected import REJECTED
from overwatch_assets.bronze.union import union_by_key
from overwatch_assets.expressions.spark_structs import (
    EXECUTOR_INFO,
    FILENAME_GROUP,
    JOB_RESULT,
    TASK_END_REASON,
    TASK_EXECUTOR_METRICS,
    TASK_METRICS,
)
from overwatch_assets.module import (
    Column,
    Content,
    FromSource,
    Grain,
    Scope,
    Stored,
    Window,
    module,
)

ACCUMULABLE = pl.Struct(
    {
        "ID": pl.Int64,
        "Name": pl.String,
        "Update": pl.String,
        "Value": pl.String,
        "Internal": pl.Boolean,
        "CountFailedValues": pl.Boolean,
        "Metadata": pl.String,
    }
)
TASK_INFO = pl.Struct(
    {
        "TaskID": pl.Int64,
        "Index": pl.Int64,
        "Attempt": pl.Int64,
        "PartitionID": pl.Int64,
        "LaunchTime": pl.Int64,
        "ExecutorID": pl.String,
        "Host": pl.String,
        "Locality": pl.String,
        "Speculative": pl.Boolean,
        "GettingResultTime": pl.Int64,
        "FinishTime": pl.Int64,
        "Failed": pl.Boolean,
        "Killed": pl.Boolean,
    }
)
STAGE_INFO = pl.Struct(
    {
        "StageID": pl.Int64,
        "StageAttemptID": pl.Int64,
        "StageName": pl.String,
        "NumberofTasks": pl.Int64,
        "ParentIDs": pl.List(pl.Int64),
        "Details": pl.String,
        "SubmissionTime": pl.Int64,
        "CompletionTime": pl.Int64,
        "FailureReason": pl.String,
        "Accumulables": pl.List(ACCUMULABLE),
    }
)
APPLICATION_INFO = pl.Struct(
    {
        "AppID": pl.String,
        "AppName": pl.String,
        "AppAttemptID": pl.String,
        "User": pl.String,
    }
)
PROPERTIES = pl.Map(pl.String, pl.String)

KEYS = (
    "SparkContextID",
    "Event",
    "eventTimeMS",
    "ExecutorID",
    "executionId",
    "JobID",
    "StageID",
    "StageAttemptID",
    "TaskInfo.TaskID",
    "TaskInfo.Attempt",
    "TaskEndReason.Reason",
    "id",
    "runId",
    "batchId",
)
"""A resubmitted task ends twice with equal ids and finish times: the reason tells them apart."""

ORIGIN = ("filename", "filenameGroup")

COLUMNS = (
    Column("Event", pl.String, "Event type as logged: short name, or full class name."),
    Column(
        "clusterId",
        pl.String,
        "Cluster, from the path or the event's own properties; null: neither.",
    ),
    Column(
        "SparkContextID",
        pl.String,
        "Spark context, or application id and attempt outside Databricks.",
    ),
    Column(
        "eventTimeMS", pl.Int64, "Epoch ms of the event by the driver's clock; decides the day."
    ),
    Column("filename", pl.String, "File the row was read from; one of them where several hold it."),
    Column(
        "filenameGroup", FILENAME_GROUP, "The file and its cluster, driver and context folders."
    ),
    Column("JobID", pl.Int64, "Spark job; null on other events."),
    Column("StageIDs", pl.List(pl.Int64), "Stages a started job lists, skipped ones included."),
    Column("StageID", pl.Int64, "Stage of a stage or task event."),
    Column("StageAttemptID", pl.Int64, "Attempt of that stage."),
    Column("ExecutorID", pl.String, "Executor of an executor or task event."),
    Column("RemovedReason", pl.String, "Why an executor was removed."),
    Column("TaskType", pl.String, "ResultTask or ShuffleMapTask, on task ends."),
    Column("SubmissionTime", pl.Int64, "Epoch ms a job was submitted; null before Spark 1.3."),
    Column("CompletionTime", pl.Int64, "Epoch ms a job ended; null where the line has none."),
    Column("Timestamp", pl.Int64, "Epoch ms of executor, application and streaming events."),
    Column("time", pl.Int64, "Epoch ms of SQL execution events."),
    Column("executionId", pl.Int64, "SQL execution."),
    Column(
        "rootExecutionId",
        pl.Int64,
        "SQL execution that this one is part of; null before Spark 3.4.",
    ),
    Column("description", pl.String, "SQL execution's description.", Content.SQL_OR_COMMAND),
    Column("details", pl.String, "SQL execution's call stack."),
    Column(
        "physicalPlanDescription",
        pl.String,
        "SQL execution's plan, its first 10,000 characters.",
        Content.SQL_TEXT,
    ),
    Column("modifiedConfigs", PROPERTIES, "Session settings changed for the SQL execution."),
    Column("id", pl.String, "Streaming query."),
    Column("runId", pl.String, "Start of that query."),
    Column("batchId", pl.Int64, "Micro-batch of a progress event."),
    Column("name", pl.String, "Streaming query's name; null when it has none."),
    Column("progress", pl.String, "Progress of the micro-batch, JSON text as logged."),
    Column("applicationInfo", APPLICATION_INFO, "Application, on its start event."),
    Column("JobResult", JOB_RESULT, "Result of a job end."),
    Column("executorInfo", EXECUTOR_INFO, "Executor, on its added event."),
    Column("TaskInfo", TASK_INFO, "Task; a start event has ids, launch time and host only."),
    Column("TaskEndReason", TASK_END_REASON, "How a task ended."),
    Column("TaskMetrics", TASK_METRICS, "Task's metrics; null where the end event has none."),
    Column(
        "TaskExecutorMetrics",
        TASK_EXECUTOR_METRICS,
        "Executor's peaks while the task ran, bytes and ms.",
    ),
    Column("StageInfo", STAGE_INFO, "Stage of a stage event."),
    Column("Properties", PROPERTIES, "Job properties used above, by scrubbed key, on job starts."),
)


@module(
    module_id=1006,
    name="Bronze_SparkEventLogs",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=KEYS,
    reads={"events": FromSource("spark_event_logs"), "stored": Stored()},
    decided_by="eventTimeMS",
    follows=("audit_log_bronze",),
    looks_up=("clusters_snapshot_bronze",),
    tracker=PROCESSED_FILES,
    rejected=REJECTED,
)
def spark_events_bronze(
    events: pl.LazyFrame,
    stored: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - the source cuts its records to the day
) -> pl.LazyFrame:
    """Unite the day's events with those stored, one per key.

    Of several events of one key the one with the greatest content stays, and of copies of one
    event that of the rolled file: neither the order of files nor reading them again changes
    the table. An event that one of two copied folders can't attribute to a cluster has the
    other's cluster.

    Args:
        events: Events of the day and of no other, as logged: repeated, in any order.
        stored: Rows that the day holds already; logs expire, so none is dropped.
        window: The day.
    """
    names = [column.name for column in COLUMNS]
    name = pl.col("filename").str.extract(r"([^/]*)$")
    is_live = (name == "eventlog") | name.str.ends_with(".inprogress")
    return union_by_key(
        events.select(names),
        stored.select(names),
        keys=spark_events_bronze.table.key_columns,
        content=[name for name in names if name not in ORIGIN],
        origin=pl.concat_str(is_live.cast(pl.Int8).cast(pl.String), "filename"),
        least=("clusterId",),
    )
