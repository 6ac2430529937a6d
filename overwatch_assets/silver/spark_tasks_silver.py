"""Spark tasks: one row per attempt of a task, from its launch to its finish.

An attempt lies on the day it finished. Until then it is written open on every day; one whose
finish was never logged closes with its Spark context (`spark_applications_silver`). Of several
ends of an attempt the earliest holds. A finish repeats the launch, so an attempt whose launch
was lost is complete all the same, and the file of the launch is named only while nothing else
tells of it. Accumulables are not stored.
"""

import polars as pl

from overwatch_assets.expressions.durations import RUN_TIME, date_of, run_time
from overwatch_assets.expressions.spark_columns import (
    CLUSTER_ID,
    END_FILE,
    END_IMPUTED,
    END_REASON,
    OPEN_UNTIL_ENDED,
    SPARK_CONTEXT_ID,
)
from overwatch_assets.expressions.spark_intervals import (
    closed_by_end,
    contexts_of,
    counted,
    events_in,
    first_ends,
    left_out,
    opened,
    unmatched_in_day,
    without_end,
)
from overwatch_assets.expressions.spark_structs import (
    FILENAME_GROUP,
    TASK_END_REASON,
    TASK_EXECUTOR_METRICS,
    TASK_INFO,
    TASK_METRICS,
)
from overwatch_assets.module import (
    DECIDED_MS,
    LEFT_OUT,
    Carried,
    Column,
    Day,
    Grain,
    History,
    Parts,
    Scope,
    Window,
    module,
)

TASK_ATTEMPT = (
    "SparkContextID",
    "StageID",
    "StageAttemptID",
    "TaskID",
    "TaskAttempt",
    "ExecutorID",
)
TOLD_BY_END = ("TaskEndReason", "TaskMetrics", "TaskExecutorMetrics", "TaskType")

COLUMNS = (
    CLUSTER_ID,
    SPARK_CONTEXT_ID,
    Column("ExecutorID", pl.String, "Executor the task ran on; `driver` in local mode."),
    Column("Host", pl.String, "Host of that executor."),
    Column("StageID", pl.Int64, "Stage of the task."),
    Column("StageAttemptID", pl.Int64, "Attempt of that stage, from 0."),
    Column("TaskID", pl.Int64, "Task; every attempt has an id of its own within the context."),
    Column("TaskAttempt", pl.Int64, "Attempt, from 0; null in logs before Spark 1.3."),
    Column(
        "TaskEndReason",
        TASK_END_REASON,
        "Success, or why it failed or was killed; null without an end event.",
    ),
    Column(
        "TaskMetrics",
        TASK_METRICS,
        "Times in ms (ExecutorCPUTime, ExecutorDeserializeCPUTime and ShuffleWriteTime in ns), "
        "sizes in bytes; null without an end event, or where it brings none.",
    ),
    Column(
        "TaskExecutorMetrics",
        TASK_EXECUTOR_METRICS,
        "Peaks of the executor while the task ran, bytes and ms; null before Spark 3.",
    ),
    Column("TaskType", pl.String, "ResultTask or ShuffleMapTask; null without an end event."),
    Column(
        "TaskInfo",
        TASK_INFO,
        "LaunchTime in epoch ms and Host, and from the end event FinishTime in epoch ms, "
        "GettingResultTime (epoch ms the result began to be fetched; 0: it came with the end), "
        "Index in the stage, Locality, Failed, Killed, Speculative.",
    ),
    Column(
        "startFilenameGroup",
        FILENAME_GROUP,
        "Log file that tells the launch: that of the end event once there is one.",
    ),
    END_FILE,
    Column(
        "TaskRunTime",
        RUN_TIME,
        "Launch to finish, in epoch ms and UTC, and the time between in ms, s, min and h; the "
        "end and the time are null while open.",
    ),
    Column("startTimestamp", pl.Int64, "Launch, epoch ms; null when no event tells it."),
    Column("startDate", pl.Date, "Day of the launch in UTC; null when no event tells it."),
    END_IMPUTED,
    END_REASON,
)
INFO = pl.col("TaskInfo").struct
ATTEMPT = (
    "SparkContextID",
    "StageID",
    "StageAttemptID",
    INFO.field("TaskID"),
    INFO.field("Attempt").alias("TaskAttempt"),
    INFO.field("ExecutorID").alias("ExecutorID"),
)


def _starts(spark_events_bronze: pl.LazyFrame, contexts: pl.LazyFrame) -> pl.LazyFrame:
    launched = spark_events_bronze.filter(pl.col("Event") == "SparkListenerTaskStart")
    return events_in(contexts, launched).select(
        *ATTEMPT,
        INFO.field("Host").alias("Host"),
        LEFT_OUT,
        startTimestamp="eventTimeMS",
        startFilenameGroup="filenameGroup",
    )


def _ends(spark_events_bronze: pl.LazyFrame, contexts: pl.LazyFrame) -> pl.LazyFrame:
    finished = spark_events_bronze.filter(pl.col("Event") == "SparkListenerTaskEnd")
    launch_ms = INFO.field("LaunchTime")
    return events_in(contexts, finished).select(
        *ATTEMPT,
        INFO.field("Host").alias("Host"),
        *TOLD_BY_END,
        "clusterId",
        LEFT_OUT,
        TaskInfo=pl.struct([INFO.field(field.name) for field in TASK_INFO.fields]),
        startTimestamp=pl.when(launch_ms > 0).then(launch_ms),
        startFilenameGroup="filenameGroup",
        endFilenameGroup="filenameGroup",
        _end_ms="eventTimeMS",
    )


@module(
    module_id=2008,
    name="Silver_SPARK_Tasks",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=TASK_ATTEMPT,
    reads={
        "spark_events_bronze": Day(in_memory=True),
        "spark_applications_silver": Day(),
        "carried": Carried(),
        "closed_before": History(
            wanted=unmatched_in_day(_starts, _ends, TASK_ATTEMPT), columns=TASK_ATTEMPT
        ),
    },
    provisional=(
        *OPEN_UNTIL_ENDED,
        *TOLD_BY_END,
        "TaskInfo",
        "TaskRunTime",
        "startFilenameGroup",
    ),
    parts=Parts(
        inputs={"spark_events_bronze": INFO.field("TaskID")},
        rows=pl.col("TaskID"),
    ),
)
def spark_tasks_silver(
    spark_events_bronze: pl.LazyFrame,
    spark_applications_silver: pl.LazyFrame,
    carried: pl.LazyFrame,
    closed_before: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its day
) -> pl.LazyFrame:
    """Take the day's finished attempts as they are; launches matter only without a finish.

    A day has millions of tasks and nearly all begin and end on it. Their ends tell everything,
    so wide rows are never joined to their launches.

    Args:
        spark_events_bronze: The day's events, in any order.
        spark_applications_silver: The day's contexts, open and closed.
        carried: Attempts open when the day began.
        closed_before: Closed attempts of earlier days that an end without a launch names.
        window: The day.
    """
    contexts = contexts_of(spark_applications_silver)
    starts = _starts(spark_events_bronze, contexts)
    ends = _ends(spark_events_bronze, contexts)
    is_resubmitted = pl.col("TaskEndReason").struct.field("Reason") == "Resubmitted"
    told, repeated = first_ends(counted(ends), closed_before, TASK_ATTEMPT, ties=(is_resubmitted,))
    waiting = carried.select(*TASK_ATTEMPT, "Host", "startTimestamp", "startFilenameGroup")
    known = opened(_not_in(ends, counted(starts)), _not_in(ends, waiting), TASK_ATTEMPT)
    rows = [
        closed_by_end(told),
        without_end(known, contexts).with_columns(TaskInfo=_launched()),
        left_out(starts, TASK_ATTEMPT),
        left_out(ends, TASK_ATTEMPT),
        repeated,
    ]
    start_ms = pl.col("startTimestamp")
    return (
        pl.concat(rows, how="diagonal")
        .with_columns(
            TaskRunTime=run_time(start_ms, pl.col("_end_ms")),
            startDate=date_of(start_ms),
        )
        .select(*(column.name for column in COLUMNS), "is_open", DECIDED_MS, LEFT_OUT)
    )


def _not_in(ends: pl.LazyFrame, rows: pl.LazyFrame) -> pl.LazyFrame:
    keys = counted(ends).select(TASK_ATTEMPT)
    return rows.join(keys, on=list(TASK_ATTEMPT), how="anti", nulls_equal=True)


def _launched() -> pl.Expr:
    """`TASK_INFO` as far as a launch tells it."""
    told = {"Host": pl.col("Host"), "LaunchTime": pl.col("startTimestamp")}
    return pl.struct(
        [
            told.get(field.name, pl.lit(None, field.dtype)).alias(field.name)
            for field in TASK_INFO.fields
        ]
    )
