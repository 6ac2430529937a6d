"""Silver tables of a day's Spark events on PySpark, from Parquet to Parquet.

As somebody would write them who runs Spark anyway: broadcast joins with the few contexts, window
functions over the key, one plan per table. The day is one that nothing was open before.
"""
# PySpark lies in an environment of its own.
# pyright: basic, reportMissingImports=false

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the name that everybody gives it

from benchmarks.contenders.silver_tables import CONTEXTS, EVENTS
from benchmarks.contenders.spark_text import stop
from overwatch_assets.expressions.spark_property_names import OF_CLUSTER, OF_JOB

TASK = ("SparkContextID", "StageID", "StageAttemptID", "TaskID", "TaskAttempt", "ExecutorID")
STAGE = ("SparkContextID", "StageID", "StageAttemptID")
JOB = ("SparkContextID", "JobID")
OF_END = ("TaskEndReason", "TaskMetrics", "TaskExecutorMetrics", "TaskType")
INFO = (
    "Failed",
    "FinishTime",
    "GettingResultTime",
    "Host",
    "Index",
    "Killed",
    "LaunchTime",
    "Locality",
    "Speculative",
)


def tasks(events: DataFrame, contexts: DataFrame) -> DataFrame:
    """2008: the earliest end of each attempt, and the attempts without one."""
    attempt = [
        *(F.col(name) for name in STAGE),
        F.col("TaskInfo.TaskID"),
        F.col("TaskInfo.Attempt").alias("TaskAttempt"),
        F.col("TaskInfo.ExecutorID").alias("ExecutorID"),
    ]
    launch = F.col("TaskInfo.LaunchTime")
    ends = _counted(events, contexts, "SparkListenerTaskEnd").select(
        *attempt,
        F.col("TaskInfo.Host").alias("Host"),
        *OF_END,
        "clusterId",
        F.struct(*(F.col(f"TaskInfo.{name}").alias(name) for name in INFO)).alias("TaskInfo"),
        F.when(launch > 0, launch).alias("startTimestamp"),
        F.col("filenameGroup").alias("startFilenameGroup"),
        F.col("filenameGroup").alias("endFilenameGroup"),
        F.col("eventTimeMS").alias("_end_ms"),
    )
    is_resubmitted = F.coalesce(F.col("TaskEndReason.Reason") == "Resubmitted", F.lit(col=False))
    first = _first(ends, TASK, F.col("_end_ms"), is_resubmitted)
    starts = _first(
        _counted(events, contexts, "SparkListenerTaskStart").select(
            *attempt,
            F.col("TaskInfo.Host").alias("Host"),
            F.col("eventTimeMS").alias("startTimestamp"),
            F.col("filenameGroup").alias("startFilenameGroup"),
        ),
        TASK,
        F.col("startTimestamp"),
    )
    told = {"Host": F.col("Host"), "LaunchTime": F.col("startTimestamp")}
    kinds: Any = ends.schema["TaskInfo"].dataType
    launched = F.struct(
        *(told.get(name, F.lit(None).cast(kinds[name].dataType)).alias(name) for name in INFO)
    )
    unended = _unended(_without(starts, first, TASK), contexts)
    rows = _ended(first).unionByName(
        unended.withColumn("TaskInfo", launched), allowMissingColumns=True
    )
    return _completed(rows, "TaskRunTime").select(
        "clusterId",
        *TASK,
        "Host",
        *OF_END,
        "TaskInfo",
        "startFilenameGroup",
        *_OF_INTERVAL,
        "TaskRunTime",
    )


def stages(events: DataFrame, contexts: DataFrame) -> DataFrame:
    """2007: submissions with their completions."""
    told = ("Details", "NumberofTasks", "ParentIDs", "SubmissionTime")
    submitted = _first(
        _counted(events, contexts, "SparkListenerStageSubmitted").select(
            *STAGE,
            F.struct(*(F.col(f"StageInfo.{name}").alias(name) for name in told)).alias("_start"),
            F.col("eventTimeMS").alias("startTimestamp"),
            F.col("filenameGroup").alias("startFilenameGroup"),
        ),
        STAGE,
        F.col("startTimestamp"),
    )
    begun = F.col("StageInfo.SubmissionTime")
    completed = _first(
        _counted(events, contexts, "SparkListenerStageCompleted").select(
            *STAGE,
            "clusterId",
            F.col("StageInfo").alias("_end"),
            F.col("eventTimeMS").alias("_end_ms"),
            F.when(begun > 0, begun).alias("_repeated_ms"),
            F.col("filenameGroup").alias("endFilenameGroup"),
        ),
        STAGE,
        F.col("_end_ms"),
    )
    rows = _paired(submitted, completed, contexts, STAGE)
    info = F.struct(
        F.col("_end.Accumulables").alias("Accumulables"),
        F.col("_end.CompletionTime").alias("CompletionTime"),
        F.coalesce("_start.Details", "_end.Details").alias("Details"),
        F.col("_end.FailureReason").alias("FailureReason"),
        F.coalesce("_end.NumberofTasks", "_start.NumberofTasks").alias("NumberofTasks"),
        F.coalesce("_start.ParentIDs", "_end.ParentIDs").alias("ParentIDs"),
        F.coalesce("_start.SubmissionTime", "_end.SubmissionTime").alias("SubmissionTime"),
    )
    return _completed(rows.withColumn("StageInfo", info), "StageRunTime").select(
        "clusterId", *STAGE, "StageInfo", "startFilenameGroup", *_OF_INTERVAL, "StageRunTime"
    )


def jobs(events: DataFrame, contexts: DataFrame) -> DataFrame:
    """2006: submissions with their ends, and the properties that have names."""
    started = _first(
        _counted(events, contexts, "SparkListenerJobStart").select(
            *JOB,
            "StageIDs",
            _power_properties().alias("PowerProperties"),
            F.col("eventTimeMS").alias("startTimestamp"),
            F.col("filenameGroup").alias("startFilenameGroup"),
        ),
        JOB,
        F.col("startTimestamp"),
    )
    ended = _first(
        _counted(events, contexts, "SparkListenerJobEnd").select(
            *JOB,
            "clusterId",
            "JobResult",
            F.col("eventTimeMS").alias("_end_ms"),
            F.lit(None).cast("long").alias("_repeated_ms"),
            F.col("filenameGroup").alias("endFilenameGroup"),
        ),
        JOB,
        F.col("_end_ms"),
    )
    rows = _paired(started, ended, contexts, JOB)
    return _completed(rows, "JobRunTime").select(
        "clusterId",
        *JOB,
        F.col("PowerProperties.JobGroupID").alias("JobGroupID"),
        F.col("PowerProperties.ExecutionID").alias("ExecutionID"),
        "StageIDs",
        "PowerProperties",
        "JobResult",
        "startFilenameGroup",
        *_OF_INTERVAL,
        "JobRunTime",
    )


def _power_properties() -> Column:
    user_id = F.coalesce(F.col("Properties")["userID"], F.col("Properties")["userId"])
    cluster = F.struct(*_named(OF_CLUSTER)).alias("ClusterDetails")
    return F.struct(*_named(OF_JOB), user_id.alias("UserID"), cluster)


def _named(names: Mapping[str, str]) -> list[Column]:
    properties = F.col("Properties")
    return [properties[name.replace(".", "")].alias(field) for field, name in names.items()]


TABLES: dict[str, Callable[[DataFrame, DataFrame], DataFrame]] = {
    "spark_tasks_silver": tasks,
    "spark_stages_silver": stages,
    "spark_jobs_silver": jobs,
}
_OF_INTERVAL = (
    "endFilenameGroup",
    "startTimestamp",
    "startDate",
    "end_imputed",
    "end_reason",
    "is_open",
)


def _counted(events: DataFrame, contexts: DataFrame, event: str) -> DataFrame:
    """Events of a context that had not closed before them, with its cluster."""
    known = contexts.select("SparkContextID", "clusterId", F.col("closedMS").alias("_closed_ms"))
    joined = (
        events.where(F.col("Event") == event)
        .drop("clusterId")
        .join(F.broadcast(known), "SparkContextID")
    )
    return joined.where(F.col("_closed_ms").isNull() | (F.col("eventTimeMS") < F.col("_closed_ms")))


def _first(rows: DataFrame, key: Sequence[str], *order: Column) -> DataFrame:
    ranked = Window.partitionBy(*key).orderBy(*order)
    return rows.withColumn("_rank", F.row_number().over(ranked)).where("_rank = 1").drop("_rank")


def _without(rows: DataFrame, others: DataFrame, key: Sequence[str]) -> DataFrame:
    """Rows whose key the others don't have."""
    keys = others.select(*(F.col(name).alias(f"_{name}") for name in key))
    return rows.join(keys, _same(rows, keys, key), "left_anti")


def _same(one: DataFrame, other: DataFrame, key: Sequence[str]) -> Column:
    """The key of one is that of the other, where its columns have an underscore before."""
    condition = F.lit(col=True)
    for name in key:
        condition &= one[name].eqNullSafe(other[f"_{name}"])
    return condition


def _paired(
    starts: DataFrame, ends: DataFrame, contexts: DataFrame, key: Sequence[str]
) -> DataFrame:
    keyless = starts.select(
        *(F.col(name).alias(f"_{name}") for name in key),
        *(name for name in starts.columns if name not in key),
    )
    matched = ends.join(keyless, _same(ends, keyless, key), "left").drop(
        *(f"_{name}" for name in key)
    )
    start_ms = F.coalesce("startTimestamp", "_repeated_ms")
    ended = _ended(matched.withColumn("startTimestamp", start_ms))
    unended = _unended(_without(starts, ends, key), contexts)
    return ended.unionByName(unended, allowMissingColumns=True)


def _ended(rows: DataFrame) -> DataFrame:
    return rows.withColumns(
        {
            "end_imputed": F.lit(col=False),
            "end_reason": F.when(F.col("startTimestamp").isNotNull(), "event").otherwise(
                "start_missing"
            ),
            "is_open": F.lit(col=False),
        }
    )


def _unended(rows: DataFrame, contexts: DataFrame) -> DataFrame:
    known = contexts.select(
        "SparkContextID",
        "clusterId",
        F.col("closedMS").alias("_closed_ms"),
        F.col("endMS").alias("_context_end_ms"),
        F.col("end_reason").alias("_context_end_reason"),
    )
    is_closed = F.col("_closed_ms").isNotNull()
    joined = rows.join(F.broadcast(known), "SparkContextID", "left")
    return joined.withColumns(
        {
            "_end_ms": F.when(is_closed, F.greatest("startTimestamp", "_context_end_ms")),
            "end_imputed": is_closed,
            "end_reason": F.when(is_closed, F.col("_context_end_reason")),
            "is_open": ~is_closed,
        }
    ).drop("_closed_ms", "_context_end_ms", "_context_end_reason")


def _completed(rows: DataFrame, run_time: str) -> DataFrame:
    start, end = F.col("startTimestamp"), F.col("_end_ms")
    took = end - start
    return rows.withColumns(
        {
            run_time: F.struct(
                start.alias("startEpochMS"),
                F.timestamp_millis(start).alias("startTS"),
                end.alias("endEpochMS"),
                F.timestamp_millis(end).alias("endTS"),
                took.alias("runTimeMS"),
                (took / 1_000).alias("runTimeS"),
                (took / 60_000).alias("runTimeM"),
                (took / 3_600_000).alias("runTimeH"),
            ),
            "startDate": F.to_date(F.timestamp_millis(start)),
        }
    )


def main(inputs: Path, outputs: Path, tables: Sequence[str]) -> None:
    """Make tables of the day's events; without tables nothing but Spark's start is done."""
    spark: Any = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "3g")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.local.dir", str(outputs / "spark"))
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .config("spark.sql.shuffle.partitions", "4")
        .getOrCreate()
    )
    events = spark.read.parquet(str(inputs / f"{EVENTS}.parquet"))
    contexts = spark.read.parquet(str(inputs / f"{CONTEXTS}.parquet"))
    for table in tables:
        TABLES[table](events, contexts).write.parquet(str(outputs / table))
    stop(spark)


if __name__ == "__main__":
    INPUTS, OUTPUTS, _DAY, *NAMES = sys.argv[1:]
    main(Path(INPUTS), Path(OUTPUTS), NAMES)
