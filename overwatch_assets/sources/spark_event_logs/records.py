"""Decoded events as the raw records that the source hands over."""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from overwatch_assets.sources.spark_event_logs.columns import (
    columns_of,
    picked,
    schema_of,
    structs,
)
from overwatch_assets.sources.spark_event_logs.decoding import TASK_END, TASK_START, TYPES, Decoded
from overwatch_assets.sources.spark_event_logs.events import ApplicationStart
from overwatch_assets.sources.spark_event_logs.layout import LogPath
from overwatch_assets.sources.spark_event_logs.task_events import (
    EndReason,
    ExecutorMetrics,
    StartedTask,
    Task,
    TaskStart,
)

TIME = "eventTimeMS"

FILENAME_GROUP = pl.Struct(
    {
        "filename": pl.String,
        "byCluster": pl.String,
        "byDriverHost": pl.String,
        "bySparkContext": pl.String,
    }
)


def _schema() -> pl.Schema:
    fields: dict[str, pl.DataType] = {
        "Event": pl.String(),
        "clusterId": pl.String(),
        "SparkContextID": pl.String(),
        TIME: pl.Int64(),
        "filename": pl.String(),
        "filenameGroup": FILENAME_GROUP,
        "ExecutorID": pl.String(),
        "TaskEndReason": pl.Struct(schema_of(EndReason)),
        "TaskExecutorMetrics": pl.Struct(schema_of(ExecutorMetrics)),
    }
    for shape in TYPES.values():
        if shape is not TaskStart:
            fields |= schema_of(shape)
    return pl.Schema(fields)


SCHEMA = _schema()
"""Names and types of a raw record; a type's frame has those columns that it fills."""

_TOLD_BY_FILE = ("clusterId", "SparkContextID", "filename", "filenameGroup")


def frames_by_type(decoded: Decoded) -> dict[str, pl.DataFrame]:
    """One frame per event type, in the columns that it fills, with the lines' numbers."""
    frames = {
        name: events
        for name, typed in decoded.others.items()
        if (events := typed.frame()) is not None
    }
    if TASK_START in frames:
        frames[TASK_START] = _task_starts(frames[TASK_START])
    if (task_ends := decoded.task_ends.frame()) is not None:
        frames[TASK_END] = _task_ends(task_ends, decoded)
    return frames


def context_of(starts: Iterable[ApplicationStart]) -> str | None:
    """Application id and attempt: two attempts begin all their ids at 0.

    Args:
        starts: In the order of their lines.
    """
    for start in starts:
        if start.applicationInfo and (app_id := start.applicationInfo.AppID):
            attempt = start.applicationInfo.AppAttemptID
            return f"{app_id}_{attempt}" if attempt else app_id
    return None


def with_file(events: pl.DataFrame, log: LogPath, context_id: str) -> pl.DataFrame:
    """Events with the columns that their file tells.

    Args:
        events: Of one type; a cluster that an event names itself counts where the path has none.
        log: The file.
        context_id: Its Spark context.
    """
    own = [pl.col("clusterId")] if "clusterId" in events.columns else []
    return events.with_columns(
        clusterId=pl.coalesce(pl.lit(log.cluster_id, dtype=pl.String), *own),
        SparkContextID=pl.lit(context_id),
        filename=pl.lit(log.path),
        filenameGroup=pl.struct(_literals(_group(log))),
    )


def with_files(
    events: pl.DataFrame, numbers: pl.Series, logs: Sequence[tuple[LogPath, str]]
) -> pl.DataFrame:
    """Events of several files with the columns that their files tell, as `with_file`.

    Args:
        events: Of one type.
        numbers: The file of each, as a position in `logs`.
        logs: The files, each with its Spark context.
    """
    files = pl.DataFrame(
        {
            "clusterId": [log.cluster_id for log, _ in logs],
            "SparkContextID": [context_id for _, context_id in logs],
            "filename": [log.path for log, _ in logs],
            "filenameGroup": [_group(log) for log, _ in logs],
        },
        schema={name: SCHEMA[name] for name in _TOLD_BY_FILE},
    )
    told = files.select(pl.all().gather(numbers))
    if "clusterId" in events.columns:
        named = told["clusterId"].fill_null(events["clusterId"])
        told = told.with_columns(named.alias("clusterId"))
    return events.with_columns(told)


def _group(log: LogPath) -> dict[str, str | None]:
    return {
        "filename": log.path,
        "byCluster": log.by_cluster,
        "byDriverHost": log.by_driver_host,
        "bySparkContext": log.by_spark_context,
    }


def _literals(texts: Mapping[str, str | None]) -> list[pl.Expr]:
    return [pl.lit(text, dtype=pl.String).alias(name) for name, text in texts.items()]


def _task_starts(starts: pl.DataFrame) -> pl.DataFrame:
    task = pl.col("TaskInfo").struct
    launch = task.field("LaunchTime")
    told = schema_of(StartedTask)
    return starts.with_columns(
        Event=pl.lit(TASK_START),
        ExecutorID=task.field("ExecutorID"),
        eventTimeMS=pl.when(launch > 0).then(launch),
        TaskInfo=pl.struct(
            task.field(column.name)
            if column.name in told
            else pl.lit(None, dtype=column.dtype).alias(column.name)
            for column in columns_of(Task)
        ),
    )


def _task_ends(ends: pl.DataFrame, decoded: Decoded) -> pl.DataFrame:
    reasons, metrics = decoded.reasons, decoded.executor_metrics
    task = pl.col("TaskInfo").struct
    launch, finish = task.field("LaunchTime"), task.field("FinishTime")
    run_time = pl.col("TaskMetrics").struct.field("ExecutorRunTime").fill_null(0)
    end = pl.when(finish > 0).then(finish).when(launch > 0).then(launch + run_time)
    return ends.with_columns(
        picked(structs("TaskEndReason", reasons.values, EndReason), reasons.rows),
        picked(structs("TaskExecutorMetrics", metrics.values, ExecutorMetrics), metrics.rows),
        Event=pl.lit(TASK_END),
        ExecutorID=task.field("ExecutorID"),
        eventTimeMS=pl.when(end > 0).then(end),
    )
