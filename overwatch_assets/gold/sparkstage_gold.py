"""Spark stages: one row per attempt of a stage, under business names.

A row lies on the day its attempt completed (`spark_stages_silver`), or is open on the days
before. Tasks refer to it by `spark_context_id`, `stage_id` and `stage_attempt_id`; a job lists
stages it later skipped, which have no row.
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
from overwatch_assets.expressions.spark_structs import STAGE_INFO
from overwatch_assets.module import PARTITION_DATE, Column, Day, Grain, Scope, Window, module

COLUMNS = (
    CONTEXT_ID,
    CLUSTER,
    Column("stage_id", pl.Int64, "Stage; ids begin at 0 in each context."),
    Column("stage_attempt_id", pl.Int64, "Attempt of the stage, from 0."),
    UNIX_TIME_MS,
    START_TIMESTAMP,
    START_DATE,
    Column(
        "stage_runtime",
        RUN_TIME,
        "Submission to completion, in epoch ms and UTC, and the time between in ms, s, min and "
        "h; the end and the time are null while open.",
    ),
    Column(
        "stage_info",
        STAGE_INFO,
        "Accumulables (metrics by name), CompletionTime in epoch ms, FailureReason (null: it "
        "succeeded) from the completion, null while open; Details (call stack), NumberofTasks, "
        "ParentIDs, SubmissionTime in epoch ms.",
    ),
    EVENT_LOG_START,
    EVENT_LOG_END,
    END_IMPUTED,
    END_REASON,
)


@module(
    module_id=3011,
    name="Gold_SparkStage",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=("spark_context_id", "stage_id", "stage_attempt_id"),
    reads={"spark_stages_silver": Day()},
    decided_by=PARTITION_DATE.name,
    provisional=(*GOLD_OPEN_UNTIL_ENDED, "stage_runtime", "stage_info"),
    rules=(
        keeps_rows(
            "spark_stages_silver",
            by={"spark_context_id": pl.col("SparkContextID")},
            sums={
                "stage_ms": (
                    pl.col("stage_runtime").struct.field("runTimeMS"),
                    pl.col("StageRunTime").struct.field("runTimeMS"),
                )
            },
        ),
    ),
)
def sparkstage_gold(
    spark_stages_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Give silver's stage attempts their business names, row by row."""
    return spark_stages_silver.select(
        "end_imputed",
        "end_reason",
        "is_open",
        PARTITION_DATE.name,
        spark_context_id="SparkContextID",
        cluster_id="clusterId",
        stage_id="StageID",
        stage_attempt_id="StageAttemptID",
        stage_runtime="StageRunTime",
        stage_info="StageInfo",
        event_log_start="startFilenameGroup",
        event_log_end="endFilenameGroup",
        **start_columns(pl.col("startTimestamp")),
    )
