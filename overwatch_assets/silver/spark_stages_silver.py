"""Spark stages: one row per attempt of a stage, from its submission to its completion.

A stage attempt lies on the day of its completion. Until then it is written open on every day;
one whose completion was never logged closes with its Spark context
(`spark_applications_silver`). Of several completions the earliest holds. A completion repeats
what the submission said, so a stage whose submission was lost is complete all the same.
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
from overwatch_assets.expressions.spark_structs import STAGE_INFO
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

STAGE_ATTEMPT = ("SparkContextID", "StageID", "StageAttemptID")
TOLD_BY_SUBMISSION = ("Details", "NumberofTasks", "ParentIDs", "SubmissionTime")

COLUMNS = (
    CLUSTER_ID,
    SPARK_CONTEXT_ID,
    Column("StageID", pl.Int64, "Stage; ids begin at 0 in each context."),
    Column("StageAttemptID", pl.Int64, "Attempt of the stage, from 0."),
    Column(
        "StageInfo",
        STAGE_INFO,
        "Accumulables (metrics by name), CompletionTime in epoch ms, FailureReason (null: it "
        "succeeded) from the completion, null while open; Details (call stack), NumberofTasks, "
        "ParentIDs, SubmissionTime in epoch ms.",
    ),
    START_FILE,
    END_FILE,
    Column(
        "StageRunTime",
        RUN_TIME,
        "Submission to completion, in epoch ms and UTC, and the time between in ms, s, min and "
        "h; the end and the time are null while open.",
    ),
    Column("startTimestamp", pl.Int64, "Submission, epoch ms; null when no event tells it."),
    Column("startDate", pl.Date, "Day of the submission in UTC; null when no event tells it."),
    END_IMPUTED,
    END_REASON,
)
INFO = pl.col("StageInfo").struct


def _starts(spark_events_bronze: pl.LazyFrame, contexts: pl.LazyFrame) -> pl.LazyFrame:
    submitted = spark_events_bronze.filter(pl.col("Event") == "SparkListenerStageSubmitted")
    return events_in(contexts, submitted).select(
        *STAGE_ATTEMPT,
        LEFT_OUT,
        _submitted=pl.struct([INFO.field(name) for name in TOLD_BY_SUBMISSION]),
        startTimestamp="eventTimeMS",
        startFilenameGroup="filenameGroup",
    )


def _ends(spark_events_bronze: pl.LazyFrame, contexts: pl.LazyFrame) -> pl.LazyFrame:
    completed = spark_events_bronze.filter(pl.col("Event") == "SparkListenerStageCompleted")
    return events_in(contexts, completed).select(
        *STAGE_ATTEMPT,
        "clusterId",
        LEFT_OUT,
        _completed="StageInfo",
        _end_ms="eventTimeMS",
        _repeated_start_ms=pl.when(INFO.field("SubmissionTime") > 0).then(
            INFO.field("SubmissionTime")
        ),
        endFilenameGroup="filenameGroup",
    )


@module(
    module_id=2007,
    name="Silver_SPARK_Stages",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=STAGE_ATTEMPT,
    reads={
        "spark_events_bronze": Day(),
        "spark_applications_silver": Day(),
        "carried": Carried(),
        "closed_before": History(
            wanted=unmatched_in_day(_starts, _ends, STAGE_ATTEMPT), columns=STAGE_ATTEMPT
        ),
    },
    provisional=(*OPEN_UNTIL_ENDED, "StageInfo", "StageRunTime"),
)
def spark_stages_silver(
    spark_events_bronze: pl.LazyFrame,
    spark_applications_silver: pl.LazyFrame,
    carried: pl.LazyFrame,
    closed_before: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its day
) -> pl.LazyFrame:
    """Pair the day's submissions and completions with each other and with what is still open.

    Args:
        spark_events_bronze: The day's events, in any order.
        spark_applications_silver: The day's contexts, open and closed.
        carried: Stage attempts open when the day began.
        closed_before: Closed attempts of earlier days that an end without a start names.
        window: The day.
    """
    contexts = contexts_of(spark_applications_silver)
    rows = pair(
        _starts(spark_events_bronze, contexts),
        _ends(spark_events_bronze, contexts),
        carried=carried.select(
            *STAGE_ATTEMPT,
            "startTimestamp",
            "startFilenameGroup",
            _submitted=pl.struct([INFO.field(name) for name in TOLD_BY_SUBMISSION]),
        ),
        closed_before=closed_before,
        contexts=contexts,
        key=STAGE_ATTEMPT,
    )
    start_ms = pl.col("startTimestamp")
    return rows.with_columns(
        StageInfo=_stage_info(),
        StageRunTime=run_time(start_ms, pl.col("_end_ms")),
        startDate=date_of(start_ms),
    ).select(*(column.name for column in COLUMNS), "is_open", DECIDED_MS, LEFT_OUT)


def _stage_info() -> pl.Expr:
    """`STAGE_INFO` of what the submission and the completion told, either of which may lack."""
    submitted = pl.col("_submitted").struct
    completed = pl.col("_completed").struct
    told = {
        **{
            name: completed.field(name)
            for name in ("Accumulables", "CompletionTime", "FailureReason")
        },
        "NumberofTasks": pl.coalesce(
            completed.field("NumberofTasks"), submitted.field("NumberofTasks")
        ),
        **{
            name: pl.coalesce(submitted.field(name), completed.field(name))
            for name in ("Details", "ParentIDs", "SubmissionTime")
        },
    }
    return pl.struct([told[field.name].alias(field.name) for field in STAGE_INFO.fields])
