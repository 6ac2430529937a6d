"""Columns that the Spark tables of a layer have in common."""

import polars as pl

from overwatch_assets.expressions.durations import timestamp_of
from overwatch_assets.expressions.spark_structs import FILENAME_GROUP
from overwatch_assets.module import TIMESTAMP, Column

SPARK_CONTEXT_ID = Column(
    "SparkContextID",
    pl.String,
    "Spark context; outside Databricks the application id, with its attempt where it has one.",
)
CLUSTER_ID = Column(
    "clusterId",
    pl.String,
    "Cluster of the context, as known at the end of the day; null where nothing named one.",
)
START_FILE = Column(
    "startFilenameGroup",
    FILENAME_GROUP,
    "Log file of the start event and its cluster, driver and context folders; null: no start.",
)
END_FILE = Column(
    "endFilenameGroup",
    FILENAME_GROUP,
    "Log file of the end event and its folders; null where no event told the end.",
)
END_IMPUTED = Column(
    "end_imputed",
    pl.Boolean,
    "No event told the end: it was taken from the end of the Spark context. Leave such rows "
    "out of sums of durations. False while open.",
)
END_REASON = Column(
    "end_reason",
    pl.String,
    "What ended it: event; application_end, replaced or expired, with its Spark context; "
    "start_missing: its end event came without a start. Null while open.",
)

CONTEXT_ID = Column("spark_context_id", pl.String, SPARK_CONTEXT_ID.doc)
CLUSTER = Column("cluster_id", pl.String, CLUSTER_ID.doc)
UNIX_TIME_MS = Column("unixTimeMS", pl.Int64, "Start, epoch ms; null when no start was logged.")
START_TIMESTAMP = Column("timestamp", TIMESTAMP, "Start in UTC; null when no start was logged.")
START_DATE = Column(
    "date",
    pl.Date,
    "Day of the start in UTC; null when no start was logged. Not the partition: the row lies on "
    "the day of its end.",
)
EVENT_LOG_START = Column("event_log_start", FILENAME_GROUP, START_FILE.doc)
EVENT_LOG_END = Column("event_log_end", FILENAME_GROUP, END_FILE.doc)

OPEN_UNTIL_ENDED = ("clusterId", "endFilenameGroup", "end_imputed", "end_reason")
GOLD_OPEN_UNTIL_ENDED = ("cluster_id", "event_log_end", "end_imputed", "end_reason")


def start_columns(start_ms: pl.Expr) -> dict[str, pl.Expr]:
    """`unixTimeMS`, `timestamp` and `date` of a start in epoch ms."""
    instant = timestamp_of(start_ms)
    return {"unixTimeMS": start_ms, "timestamp": instant, "date": instant.dt.date()}


def executor_number(executor_id: pl.Expr) -> pl.Expr:
    """Executor as a number: -1 is the driver, null an executor without a numeric name."""
    is_driver = executor_id.is_in(["driver", "<driver>"])
    return pl.when(is_driver).then(-1).otherwise(executor_id.cast(pl.Int64, strict=False))
