"""SQL executions: one row per execution of a Spark context, under business names.

A row lies on the day its execution ended (`spark_executions_silver`), or is open on the days
before. `spark_context_id` and `execution_id` name it; Spark jobs refer to it by both.
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
    EVENT_LOG_START,
    GOLD_OPEN_UNTIL_ENDED,
    START_DATE,
    START_TIMESTAMP,
    UNIX_TIME_MS,
    start_columns,
)
from overwatch_assets.module import PARTITION_DATE, Column, Day, Grain, Scope, Window, module

COLUMNS = (
    CONTEXT_ID,
    Column("execution_id", pl.Int64, "SQL execution; ids begin at 0 in each context."),
    CLUSTER,
    Column(
        "description",
        pl.String,
        "What was executed: the command's first line, or the micro-batch of a stream; null "
        "without a start.",
    ),
    Column("details", pl.String, "Call stack of the command; null without a start."),
    UNIX_TIME_MS,
    START_TIMESTAMP,
    START_DATE,
    Column(
        "sql_execution_runtime",
        RUN_TIME,
        "Start to end, in epoch ms and UTC, and the time between in ms, s, min and h; the end "
        "and the time are null while open.",
    ),
    EVENT_LOG_START,
    EVENT_LOG_END,
    END_IMPUTED,
    END_REASON,
)


@module(
    module_id=3013,
    name="Gold_SparkExecution",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=("spark_context_id", "execution_id"),
    reads={"spark_executions_silver": Day()},
    decided_by=PARTITION_DATE.name,
    provisional=(*GOLD_OPEN_UNTIL_ENDED, "sql_execution_runtime"),
    rules=(
        keeps_rows(
            "spark_executions_silver",
            by={"spark_context_id": pl.col("SparkContextID")},
            sums={
                "execution_ms": (
                    pl.col("sql_execution_runtime").struct.field("runTimeMS"),
                    pl.col("SqlExecutionRunTime").struct.field("runTimeMS"),
                )
            },
        ),
    ),
)
def sparkexecution_gold(
    spark_executions_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Give silver's executions their business names, row by row."""
    return spark_executions_silver.select(
        "description",
        "details",
        "end_imputed",
        "end_reason",
        "is_open",
        PARTITION_DATE.name,
        spark_context_id="SparkContextID",
        execution_id="ExecutionID",
        cluster_id="clusterId",
        sql_execution_runtime="SqlExecutionRunTime",
        event_log_start="startFilenameGroup",
        event_log_end="endFilenameGroup",
        **start_columns(pl.col("startTimestamp")),
    )
