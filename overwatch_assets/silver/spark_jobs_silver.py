"""Spark jobs: one row per job of a Spark context, from its submission to its end.

A job lies on the day of its end. Until then it is written open on every day; a job whose end
was never logged closes with its Spark context (`spark_applications_silver`). Of several ends
of a job the earliest holds. An end without a start is a row of its own, `start_missing`.
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
    START_FILE,
)
from overwatch_assets.expressions.spark_intervals import (
    contexts_of,
    events_in,
    pair,
    unmatched_in_day,
)
from overwatch_assets.expressions.spark_properties import POWER_PROPERTIES, power_properties
from overwatch_assets.expressions.spark_structs import JOB_RESULT
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

JOB = ("SparkContextID", "JobID")

COLUMNS = (
    CLUSTER_ID,
    SPARK_CONTEXT_ID,
    Column("JobID", pl.Int64, "Spark job; ids begin at 0 in each context."),
    Column(
        "JobGroupID",
        pl.String,
        "Group the job was started in (spark.jobGroup.id); null outside of any, or no start.",
    ),
    Column(
        "ExecutionID",
        pl.String,
        "SQL execution the job belongs to, as text (cast it to join spark_executions_silver); "
        "null for jobs without SQL, or no start.",
    ),
    Column(
        "StageIDs",
        pl.List(pl.Int64),
        "Stages the job lists, those it later skipped included; null without a start.",
    ),
    Column(
        "PowerProperties",
        POWER_PROPERTIES,
        "Named properties of the job: who started it, from which notebook, job run and cluster. "
        "A field is null when the job had no such property.",
    ),
    Column(
        "JobResult",
        JOB_RESULT,
        "JobSucceeded or JobFailed, with the exception that failed it; null without an end event.",
    ),
    START_FILE,
    END_FILE,
    Column(
        "JobRunTime",
        RUN_TIME,
        "Submission to end, in epoch ms and UTC, and the time between in ms, s, min and h; the "
        "end and the time are null while open.",
    ),
    Column("startTimestamp", pl.Int64, "Submission, epoch ms; null when no start was logged."),
    Column("startDate", pl.Date, "Day of the submission in UTC; null when no start was logged."),
    END_IMPUTED,
    END_REASON,
)


def _starts(spark_events_bronze: pl.LazyFrame, contexts: pl.LazyFrame) -> pl.LazyFrame:
    started = spark_events_bronze.filter(pl.col("Event") == "SparkListenerJobStart")
    return (
        events_in(contexts, started)
        .with_columns(PowerProperties=power_properties(pl.col("Properties")))
        .select(
            *JOB,
            "StageIDs",
            "PowerProperties",
            LEFT_OUT,
            startTimestamp="eventTimeMS",
            startFilenameGroup="filenameGroup",
        )
    )


def _ends(spark_events_bronze: pl.LazyFrame, contexts: pl.LazyFrame) -> pl.LazyFrame:
    ended = spark_events_bronze.filter(pl.col("Event") == "SparkListenerJobEnd")
    return events_in(contexts, ended).select(
        *JOB,
        "clusterId",
        "JobResult",
        LEFT_OUT,
        _end_ms="eventTimeMS",
        _repeated_start_ms=pl.lit(None, pl.Int64),
        endFilenameGroup="filenameGroup",
    )


@module(
    module_id=2006,
    name="Silver_SPARK_Jobs",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=JOB,
    reads={
        "spark_events_bronze": Day(),
        "spark_applications_silver": Day(),
        "carried": Carried(),
        "closed_before": History(wanted=unmatched_in_day(_starts, _ends, JOB), columns=JOB),
    },
    provisional=(*OPEN_UNTIL_ENDED, "JobResult", "JobRunTime"),
)
def spark_jobs_silver(
    spark_events_bronze: pl.LazyFrame,
    spark_applications_silver: pl.LazyFrame,
    carried: pl.LazyFrame,
    closed_before: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its day
) -> pl.LazyFrame:
    """Pair the day's job starts and ends with each other and with the jobs still open.

    Args:
        spark_events_bronze: The day's events, in any order.
        spark_applications_silver: The day's contexts, open and closed.
        carried: Jobs open when the day began.
        closed_before: Closed jobs of earlier days that an end without a start names.
        window: The day.
    """
    contexts = contexts_of(spark_applications_silver)
    rows = pair(
        _starts(spark_events_bronze, contexts),
        _ends(spark_events_bronze, contexts),
        carried=carried.select(
            *JOB, "StageIDs", "PowerProperties", "startTimestamp", "startFilenameGroup"
        ),
        closed_before=closed_before,
        contexts=contexts,
        key=JOB,
    )
    start_ms = pl.col("startTimestamp")
    return rows.with_columns(
        JobGroupID=pl.col("PowerProperties").struct.field("JobGroupID"),
        ExecutionID=pl.col("PowerProperties").struct.field("ExecutionID"),
        JobRunTime=run_time(start_ms, pl.col("_end_ms")),
        startDate=date_of(start_ms),
    ).select(*(column.name for column in COLUMNS), "is_open", DECIDED_MS, LEFT_OUT)
