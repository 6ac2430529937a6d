"""Spark executors: one row per time an executor was alive, under business names.

A row lies on the day its executor was removed (`spark_executors_silver`), or is open on the
days before. Clusters are torn down without a word about their executors: most end with their
Spark context, `end_imputed`.
"""

import polars as pl

from overwatch_assets.expressions.durations import ALIVE_TIME
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
    executor_number,
    start_columns,
)
from overwatch_assets.module import PARTITION_DATE, Column, Day, Grain, Scope, Window, module

COLUMNS = (
    CONTEXT_ID,
    Column(
        "executor_id",
        pl.Int64,
        "Executor, numbered from 0 in each context; -1: the driver; null: one without a number.",
    ),
    CLUSTER,
    Column(
        "executor_info",
        pl.Struct(
            {
                "Host": pl.String,
                "TotalCores": pl.Int64,
                "LogUrls": pl.Struct({"stderr": pl.String, "stdout": pl.String}),
            }
        ),
        "Host, number of cores, addresses of its logs; null without an added event.",
    ),
    Column("removed_reason", pl.String, "Why it was removed; null without a removed event."),
    Column(
        "executor_alivetime",
        ALIVE_TIME,
        "Added to removed, in epoch ms and UTC, and the time between in ms, s, min and h; the "
        "removal and the time are null while open.",
    ),
    UNIX_TIME_MS,
    START_TIMESTAMP,
    START_DATE,
    EVENT_LOG_START,
    EVENT_LOG_END,
    END_IMPUTED,
    END_REASON,
)


@module(
    module_id=3014,
    name="Gold_SparkExecutor",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=("spark_context_id", "executor_id", "unixTimeMS"),
    reads={"spark_executors_silver": Day()},
    decided_by=PARTITION_DATE.name,
    provisional=(*GOLD_OPEN_UNTIL_ENDED, "removed_reason", "executor_alivetime"),
    rules=(
        keeps_rows(
            "spark_executors_silver",
            by={"spark_context_id": pl.col("SparkContextID")},
            sums={
                "alive_ms": (
                    pl.col("executor_alivetime").struct.field("uptimeMS"),
                    pl.col("ExecutorAliveTime").struct.field("uptimeMS"),
                )
            },
        ),
    ),
)
def sparkexecutor_gold(
    spark_executors_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Give silver's executors their business names, row by row."""
    return spark_executors_silver.select(
        "end_imputed",
        "end_reason",
        "is_open",
        PARTITION_DATE.name,
        spark_context_id="SparkContextID",
        executor_id=executor_number(pl.col("ExecutorID")),
        cluster_id="clusterId",
        executor_info=_executor_info(pl.col("executorInfo")),
        removed_reason="RemovedReason",
        executor_alivetime="ExecutorAliveTime",
        event_log_start="startFilenameGroup",
        event_log_end="endFilenameGroup",
        **start_columns(pl.col("addedTimestamp")),
    )


def _executor_info(info: pl.Expr) -> pl.Expr:
    log_urls = info.struct.field("LogUrls")
    shaped = pl.struct(
        info.struct.field("Host"),
        info.struct.field("TotalCores"),
        pl.struct(stderr=log_urls.map.get("stderr"), stdout=log_urls.map.get("stdout")).alias(
            "LogUrls"
        ),
    )
    return pl.when(info.is_not_null()).then(shaped)
