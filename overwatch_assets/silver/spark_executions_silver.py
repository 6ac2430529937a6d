"""SQL executions: one row per execution of a Spark context, from its start to its end.

An execution lies on the day of its end. Until then it is written open on every day; one whose
end was never logged closes with its Spark context (`spark_applications_silver`). Of several
ends of an execution the earliest holds. An end without a start is a row of its own,
`start_missing`.
"""

import polars as pl

from overwatch_assets.expressions.durations import RUN_TIME, run_time
from overwatch_assets.expressions.spark_columns import (
    CLUSTER_ID,
    END_FILE,
    END_IMPUTED,
    END_REASON,
    OPEN_UNTIL_ENDED,
    SPARK_CONTEXT_ID,
    START_FILE,
)
from overwatch_assets.expressions.spark_intervals import (
    contexts_of,
    events_in,
    pair,
    unmatched_in_day,
)
from overwatch_assets.module import (
    DECIDED_MS,
    LEFT_OUT,
    Carried,
    Column,
    Day,
    Grain,
    History,
    Scope,
    Window,
    module,
)

EXECUTION = ("SparkContextID", "ExecutionID")
SQL_EVENT = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecution"

COLUMNS = (
    CLUSTER_ID,
    SPARK_CONTEXT_ID,
    Column("ExecutionID", pl.Int64, "SQL execution; ids begin at 0 in each context."),
    Column(
        "description",
        pl.String,
        "What was executed: the command's first line, or the micro-batch of a stream; null "
        "without a start.",
    ),
    Column("details", pl.String, "Call stack of the command; null without a start."),
    START_FILE,
    END_FILE,
    Column(
        "SqlExecutionRunTime",
        RUN_TIME,
        "Start to end, in epoch ms and UTC, and the time between in ms, s, min and h; the end "
        "and the time are null while open.",
    ),
    Column("startTimestamp", pl.Int64, "Start, epoch ms; null when no start was logged."),
    END_IMPUTED,
    END_REASON,
)


def _starts(spark_events_bronze: pl.LazyFrame, contexts: pl.LazyFrame) -> pl.LazyFrame:
    started = spark_events_bronze.filter(pl.col("Event") == f"{SQL_EVENT}Start")
    return events_in(contexts, started).select(
        "SparkContextID",
        "description",
        "details",
        LEFT_OUT,
        ExecutionID="executionId",
        startTimestamp="eventTimeMS",
        startFilenameGroup="filenameGroup",
    )


def _ends(spark_events_bronze: pl.LazyFrame, contexts: pl.LazyFrame) -> pl.LazyFrame:
    ended = spark_events_bronze.filter(pl.col("Event") == f"{SQL_EVENT}End")
    return events_in(contexts, ended).select(
        "SparkContextID",
        "clusterId",
        LEFT_OUT,
        ExecutionID="executionId",
        _end_ms="eventTimeMS",
        _repeated_start_ms=pl.lit(None, pl.Int64),
        endFilenameGroup="filenameGroup",
    )


@module(
    module_id=2005,
    name="Silver_SPARK_Executions",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=EXECUTION,
    reads={
        "spark_events_bronze": Day(),
        "spark_applications_silver": Day(),
        "carried": Carried(),
        "closed_before": History(
            wanted=unmatched_in_day(_starts, _ends, EXECUTION), columns=EXECUTION
        ),
    },
    provisional=(*OPEN_UNTIL_ENDED, "SqlExecutionRunTime"),
)
def spark_executions_silver(
    spark_events_bronze: pl.LazyFrame,
    spark_applications_silver: pl.LazyFrame,
    carried: pl.LazyFrame,
    closed_before: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its day
) -> pl.LazyFrame:
    """Pair the day's execution starts and ends with each other and with what is still open.

    Args:
        spark_events_bronze: The day's events, in any order.
        spark_applications_silver: The day's contexts, open and closed.
        carried: Executions open when the day began.
        closed_before: Closed executions of earlier days that an end without a start names.
        window: The day.
    """
    contexts = contexts_of(spark_applications_silver)
    rows = pair(
        _starts(spark_events_bronze, contexts),
        _ends(spark_events_bronze, contexts),
        carried=carried.select(
            *EXECUTION, "description", "details", "startTimestamp", "startFilenameGroup"
        ),
        closed_before=closed_before,
        contexts=contexts,
        key=EXECUTION,
    )
    elapsed = run_time(pl.col("startTimestamp"), pl.col("_end_ms"))
    return rows.with_columns(SqlExecutionRunTime=elapsed).select(
        *(column.name for column in COLUMNS), "is_open", DECIDED_MS, LEFT_OUT
    )
