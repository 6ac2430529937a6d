"""Spark executors: one row per time an executor was alive, from added to removed.

An executor lies on the day it was removed. Until then it is written open on every day. Clusters
are torn down without a word about their executors, so most close with their Spark context
(`spark_applications_silver`, `end_imputed`). An executor id may be added again after a removal:
that is another row. A removal ends what was added up to then; one that finds nothing to end is
a row of its own, `start_missing`, unless the executor is known to have been removed before.
"""

import polars as pl

from overwatch_assets.expressions.durations import ALIVE_TIME, alive_time
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
    REPEATED_END,
    closed_by_end,
    contexts_of,
    counted,
    events_in,
    left_out,
    without_end,
)
from overwatch_assets.expressions.spark_structs import EXECUTOR_INFO
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

EXECUTOR = ("SparkContextID", "ExecutorID")

COLUMNS = (
    CLUSTER_ID,
    SPARK_CONTEXT_ID,
    Column("ExecutorID", pl.String, "Executor, numbered from 0 in each context, or `driver`."),
    Column(
        "executorInfo",
        EXECUTOR_INFO,
        "Host, TotalCores, addresses of its logs, attributes; null without an added event.",
    ),
    Column("RemovedReason", pl.String, "Why it was removed; null without a removed event."),
    START_FILE,
    END_FILE,
    Column(
        "ExecutorAliveTime",
        ALIVE_TIME,
        "Added to removed, in epoch ms and UTC, and the time between in ms, s, min and h; the "
        "removal and the time are null while open.",
    ),
    Column("addedTimestamp", pl.Int64, "Added, epoch ms; null when that was never logged."),
    END_IMPUTED,
    END_REASON,
)


def _added(spark_events_bronze: pl.LazyFrame, contexts: pl.LazyFrame) -> pl.LazyFrame:
    added = spark_events_bronze.filter(pl.col("Event") == "SparkListenerExecutorAdded")
    return events_in(contexts, added).select(
        *EXECUTOR,
        "executorInfo",
        LEFT_OUT,
        startTimestamp="eventTimeMS",
        startFilenameGroup="filenameGroup",
    )


def _removed(spark_events_bronze: pl.LazyFrame, contexts: pl.LazyFrame) -> pl.LazyFrame:
    removed = spark_events_bronze.filter(pl.col("Event") == "SparkListenerExecutorRemoved")
    return events_in(contexts, removed).select(
        *EXECUTOR,
        "clusterId",
        "RemovedReason",
        LEFT_OUT,
        _end_ms="eventTimeMS",
        endFilenameGroup="filenameGroup",
    )


def _carried(carried: pl.LazyFrame) -> pl.LazyFrame:
    return carried.select(
        *EXECUTOR, "executorInfo", "startFilenameGroup", startTimestamp="addedTimestamp"
    )


def _opened(added: pl.LazyFrame, carried: pl.LazyFrame) -> pl.LazyFrame:
    """Rows open when the day began and those added on it, by time."""
    rows = pl.concat([_carried(carried), counted(added)], how="diagonal")
    return rows.sort("startTimestamp")


def _with_first_removal(opened: pl.LazyFrame, removed: pl.LazyFrame) -> pl.LazyFrame:
    """Open rows with the first removal at or after they were added, else nulls."""
    return opened.join_asof(
        counted(removed).sort("_end_ms"),
        left_on="startTimestamp",
        right_on="_end_ms",
        by=list(EXECUTOR),
        strategy="forward",
        coalesce=False,
        check_sortedness=False,
    )


def _nothing_to_end(removed: pl.LazyFrame, opened: pl.LazyFrame) -> pl.LazyFrame:
    """Removals before which the executor was neither open nor added on the day, by time."""
    found = (
        counted(removed)
        .sort("_end_ms")
        .join_asof(
            opened.select(*EXECUTOR, "startTimestamp"),
            left_on="_end_ms",
            right_on="startTimestamp",
            by=list(EXECUTOR),
            strategy="backward",
            coalesce=False,
            check_sortedness=False,
        )
    )
    return found.filter(pl.col("startTimestamp").is_null())


def _unmatched_removals(
    spark_events_bronze: pl.LazyFrame,
    spark_applications_silver: pl.LazyFrame,
    carried: pl.LazyFrame,
) -> pl.LazyFrame:
    contexts = contexts_of(spark_applications_silver)
    opened = _opened(_added(spark_events_bronze, contexts), carried)
    removed = _removed(spark_events_bronze, contexts)
    return _nothing_to_end(removed, opened).select(EXECUTOR).unique()


@module(
    module_id=2003,
    name="Silver_SPARK_Executors",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=(*EXECUTOR, "addedTimestamp"),
    reads={
        "spark_events_bronze": Day(),
        "spark_applications_silver": Day(),
        "carried": Carried(),
        "closed_before": History(wanted=_unmatched_removals, columns=EXECUTOR),
    },
    provisional=(*OPEN_UNTIL_ENDED, "RemovedReason", "ExecutorAliveTime"),
)
def spark_executors_silver(
    spark_events_bronze: pl.LazyFrame,
    spark_applications_silver: pl.LazyFrame,
    carried: pl.LazyFrame,
    closed_before: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its day
) -> pl.LazyFrame:
    """End every open executor with the first removal at or after it was added.

    Args:
        spark_events_bronze: The day's events, in any order.
        spark_applications_silver: The day's contexts, open and closed.
        carried: Executors alive when the day began.
        closed_before: Closed executors of earlier days that an unmatched removal names.
        window: The day.
    """
    contexts = contexts_of(spark_applications_silver)
    added = _added(spark_events_bronze, contexts)
    removed = _removed(spark_events_bronze, contexts)
    opened = _opened(added, carried)
    paired = _with_first_removal(opened, removed)
    has_end = pl.col("_end_ms").is_not_null()
    start_missing = _nothing_to_end(removed, opened).filter(
        pl.int_range(pl.len()).over(EXECUTOR) == 0
    )
    never_closed = start_missing.join(closed_before, on=list(EXECUTOR), how="anti")
    ended = pl.concat([paired.filter(has_end), never_closed], how="diagonal")
    unended = paired.filter(~has_end).drop("_end_ms", "clusterId", "RemovedReason")
    repeated = counted(removed).join(ended, on=[*EXECUTOR, "_end_ms"], how="anti")
    rows = [
        closed_by_end(ended),
        without_end(unended, contexts),
        repeated.select(*EXECUTOR, pl.lit(REPEATED_END).alias(LEFT_OUT)),
        left_out(added, EXECUTOR),
        left_out(removed, EXECUTOR),
    ]
    elapsed = alive_time(pl.col("startTimestamp"), pl.col("_end_ms"))
    return (
        pl.concat(rows, how="diagonal")
        .with_columns(ExecutorAliveTime=elapsed, addedTimestamp="startTimestamp")
        .select(*(column.name for column in COLUMNS), "is_open", DECIDED_MS, LEFT_OUT)
    )
