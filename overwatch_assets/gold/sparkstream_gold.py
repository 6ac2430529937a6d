"""Streaming progress: one row per start of a streaming query and per micro-batch it reports.

A row lies on the day the event was written: for a batch its end, although `stream_timestamp`
is the start of its trigger. `execution_ids` names the SQL executions that ended within the
batch; what an asynchronous batch still does after its report is not among them.
"""

import polars as pl

from overwatch_assets.expressions.durations import date_of
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.expressions.spark_columns import CLUSTER, CONTEXT_ID
from overwatch_assets.expressions.streaming_progress import STREAMING_METRICS, streaming_metrics
from overwatch_assets.module import (
    DECIDED_MS,
    LEFT_OUT,
    Column,
    Day,
    Grain,
    Overlap,
    Scope,
    Window,
    module,
)

LISTENER = "org.apache.spark.sql.streaming.StreamingQueryListener$"
STARTED = f"{LISTENER}QueryStartedEvent"
PROGRESSED = f"{LISTENER}QueryProgressEvent"

BATCH = ("spark_context_id", "stream_id", "stream_run_id", "stream_batch_id")
KEYS = (*BATCH, "stream_timestamp")

COLUMNS = (
    CONTEXT_ID,
    CLUSTER,
    Column("stream_id", pl.String, "Streaming query, the same over restarts from a checkpoint."),
    Column("stream_run_id", pl.String, "One start of that query."),
    Column("stream_batch_id", pl.Int64, "Micro-batch; -1: the query's start."),
    Column(
        "stream_timestamp",
        pl.Int64,
        "Start of the batch's trigger, or of the query, epoch ms.",
    ),
    Column("date", pl.Date, "Day of stream_timestamp in UTC; the partition is that of the end."),
    Column("streamSegment", pl.String, "Started or Progressed."),
    Column(
        "stream_name",
        pl.String,
        "Name of the query as the event tells it; null when it has none.",
    ),
    Column(
        "streaming_metrics",
        STREAMING_METRICS,
        "Progress of the batch: durations in ms, rows, rates in rows per second; sources, sink, "
        "stateOperators, durationMs, metrics and observedMetrics as JSON text. Null for starts.",
    ),
    Column(
        "execution_ids",
        pl.List(pl.Int64),
        "SQL executions of the batch that ended within it, ascending; null when there are none.",
    ),
)


def _stream_events(spark_events_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Starts and progress of streaming queries, under business names."""
    events = spark_events_bronze.filter(pl.col("Event").is_in([STARTED, PROGRESSED]))
    told = pl.col("streaming_metrics").struct
    triggered = told.field("timestamp").str.to_datetime(
        "%+", time_unit="ms", time_zone="UTC", strict=False
    )
    return events.with_columns(streaming_metrics=streaming_metrics(pl.col("progress"))).select(
        "streaming_metrics",
        "eventTimeMS",
        spark_context_id="SparkContextID",
        cluster_id=pl.col("clusterId").min().over("SparkContextID"),
        stream_id=pl.coalesce(told.field("id"), "id"),
        stream_run_id=pl.coalesce(told.field("runId"), "runId"),
        stream_batch_id=pl.coalesce(told.field("batchId"), "batchId", pl.lit(-1)),
        stream_timestamp=pl.coalesce(triggered.dt.epoch("ms"), "Timestamp", "eventTimeMS"),
        streamSegment=pl.when(pl.col("Event") == STARTED)
        .then(pl.lit("Started"))
        .otherwise(pl.lit("Progressed")),
        stream_name=pl.coalesce(told.field("name"), "name"),
    )


def _batch_starts(spark_events_bronze: pl.LazyFrame) -> pl.LazyFrame:
    return _stream_events(spark_events_bronze).select("stream_timestamp")


@module(
    module_id=3016,
    name="Gold_SparkStream",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=KEYS,
    reads={
        "spark_events_bronze": Day(),
        "spark_executions_silver": Overlap(since=_batch_starts),
    },
    rules=(
        keeps_rows(
            "spark_events_bronze",
            by={"spark_context_id": pl.col("SparkContextID")},
            where=pl.col("Event").is_in([STARTED, PROGRESSED]),
            with_counted=True,
            each="start and report of a streaming query",
        ),
    ),
)
def sparkstream_gold(
    spark_events_bronze: pl.LazyFrame,
    spark_executions_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its day
) -> pl.LazyFrame:
    """Take the day's streaming events and find the executions of their batches.

    Args:
        spark_events_bronze: The day's events, in any order.
        spark_executions_silver: Executions that ended since the earliest batch began; a
            micro-batch's name the query, its run and the batch in their description.
        window: The day.
    """
    events = _stream_events(spark_events_bronze)
    is_repeated = pl.int_range(pl.len()).over(KEYS) > 0
    told = events.sort(
        "eventTimeMS", pl.col("streaming_metrics").struct.json_encode(), "cluster_id"
    ).with_columns(pl.when(is_repeated).then(pl.lit("repeated_event")).alias(LEFT_OUT))
    executions = (
        told.join(_executions_of_batches(spark_executions_silver), on=list(BATCH))
        .filter(pl.col("_ended_ms").is_between("stream_timestamp", "eventTimeMS"))
        .group_by(KEYS)
        .agg(execution_ids=pl.col("execution_id").unique().sort())
    )
    return (
        told.join(executions, on=list(KEYS), how="left", nulls_equal=True)
        .with_columns(
            pl.col("eventTimeMS").alias(DECIDED_MS), date=date_of(pl.col("stream_timestamp"))
        )
        .drop("eventTimeMS")
    )


def _executions_of_batches(spark_executions_silver: pl.LazyFrame) -> pl.LazyFrame:
    """Ended executions with the batch that their description names."""
    description = pl.col("description").str.replace_all(r"<br\s*/?>", " ")
    ended = spark_executions_silver.filter(~pl.col("is_open") & ~pl.col("end_imputed"))
    return ended.select(
        spark_context_id="SparkContextID",
        stream_id=description.str.extract(r"(?:^|\s)id\s*=\s*(\S+)"),
        stream_run_id=description.str.extract(r"(?:^|\s)runId\s*=\s*(\S+)"),
        stream_batch_id=description.str.extract(r"(?:^|\s)batch(?:Id)?\s*=\s*(\d+)").cast(
            pl.Int64, strict=False
        ),
        execution_id="ExecutionID",
        _ended_ms=pl.col("SqlExecutionRunTime").struct.field("endEpochMS"),
    ).drop_nulls()
