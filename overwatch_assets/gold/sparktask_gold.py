"""Spark tasks: one row per attempt of a task, under business names.

By far the largest table: filter it by `partition_date`, the day an attempt finished
(`spark_tasks_silver`). An attempt that runs over midnight is open on the days before. Task
accumulables are not stored.
"""

import polars as pl

from overwatch_assets.expressions.durations import RUN_TIME
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.expressions.spark_columns import (
    CLUSTER,
    CONTEXT_ID,
    END_IMPUTED,
    END_REASON,
    EVENT_LOG_END,
    GOLD_OPEN_UNTIL_ENDED,
    START_DATE,
    START_TIMESTAMP,
    UNIX_TIME_MS,
    executor_number,
    start_columns,
)
from overwatch_assets.expressions.spark_structs import (
    FILENAME_GROUP,
    TASK_END_REASON,
    TASK_EXECUTOR_METRICS,
    TASK_INFO,
    TASK_METRICS,
)
from overwatch_assets.module import (
    PARTITION_DATE,
    Column,
    Day,
    Grain,
    Parts,
    Scope,
    Window,
    module,
)

COLUMNS = (
    CONTEXT_ID,
    CLUSTER,
    Column(
        "task_id",
        pl.Int64,
        "Task; every attempt has an id of its own within the context.",
    ),
    Column("task_attempt_id", pl.Int64, "Attempt, from 0; null in logs before Spark 1.3."),
    Column("stage_id", pl.Int64, "Stage of the task."),
    Column("stage_attempt_id", pl.Int64, "Attempt of that stage, from 0."),
    Column(
        "executor_id",
        pl.Int64,
        "Executor the task ran on; -1: the driver; null: an executor without a number.",
    ),
    Column("host", pl.String, "Host of that executor."),
    UNIX_TIME_MS,
    START_TIMESTAMP,
    START_DATE,
    Column(
        "task_runtime",
        RUN_TIME,
        "Launch to finish, in epoch ms and UTC, and the time between in ms, s, min and h; the "
        "end and the time are null while open.",
    ),
    Column(
        "task_metrics",
        TASK_METRICS,
        "Times in ms (ExecutorCPUTime, ExecutorDeserializeCPUTime and ShuffleWriteTime in ns), "
        "sizes in bytes; null without an end event, or where it brings none.",
    ),
    Column(
        "task_executor_metrics",
        TASK_EXECUTOR_METRICS,
        "Peaks of the executor while the task ran, bytes and ms; null before Spark 3.",
    ),
    Column(
        "task_info",
        TASK_INFO,
        "LaunchTime in epoch ms and Host, and from the end event FinishTime in epoch ms, "
        "GettingResultTime (epoch ms the result began to be fetched; 0: it came with the end), "
        "Index in the stage, Locality, Failed, Killed, Speculative.",
    ),
    Column("task_type", pl.String, "ResultTask or ShuffleMapTask; null without an end event."),
    Column(
        "task_end_reason",
        TASK_END_REASON,
        "Success, or why it failed or was killed; null without an end event.",
    ),
    Column(
        "event_log_start",
        FILENAME_GROUP,
        "Log file that tells the launch: that of the end event once there is one.",
    ),
    EVENT_LOG_END,
    END_IMPUTED,
    END_REASON,
)


@module(
    module_id=3012,
    name="Gold_SparkTask",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=(
        "spark_context_id",
        "stage_id",
        "stage_attempt_id",
        "task_id",
        "task_attempt_id",
        "executor_id",
    ),
    reads={"spark_tasks_silver": Day()},
    decided_by=PARTITION_DATE.name,
    provisional=(
        *GOLD_OPEN_UNTIL_ENDED,
        "event_log_start",
        "task_runtime",
        "task_metrics",
        "task_executor_metrics",
        "task_info",
        "task_type",
        "task_end_reason",
    ),
    rules=(
        keeps_rows(
            "spark_tasks_silver",
            by={"spark_context_id": pl.col("SparkContextID")},
            sums={
                "task_ms": (
                    pl.col("task_runtime").struct.field("runTimeMS"),
                    pl.col("TaskRunTime").struct.field("runTimeMS"),
                )
            },
        ),
    ),
    parts=Parts(inputs={"spark_tasks_silver": pl.col("TaskID")}, rows=pl.col("task_id")),
)
def sparktask_gold(
    spark_tasks_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Give silver's task attempts their business names, row by row."""
    return spark_tasks_silver.select(
        "end_imputed",
        "end_reason",
        "is_open",
        PARTITION_DATE.name,
        spark_context_id="SparkContextID",
        cluster_id="clusterId",
        task_id="TaskID",
        task_attempt_id="TaskAttempt",
        stage_id="StageID",
        stage_attempt_id="StageAttemptID",
        executor_id=executor_number(pl.col("ExecutorID")),
        host="Host",
        task_runtime="TaskRunTime",
        task_metrics="TaskMetrics",
        task_executor_metrics="TaskExecutorMetrics",
        task_info="TaskInfo",
        task_type="TaskType",
        task_end_reason="TaskEndReason",
        event_log_start="startFilenameGroup",
        event_log_end="endFilenameGroup",
        **start_columns(pl.col("startTimestamp")),
    )
