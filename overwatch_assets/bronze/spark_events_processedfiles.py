"""Spark event logs that were opened: one row per file, size and time.

Decides which logs need not be opened again and tells which days got late events. A row is a
record of the run that opened the log, in the partition of the newest day it loaded; losing
rows costs time, never events. How many events of each type a log has is told here only.
"""

import polars as pl

from overwatch_assets.bronze.file_columns import DAY_ROWS, FAILURES, FILE, LATE, SPAN
from overwatch_assets.module import Column, Grain, Table

PROCESSED_FILES = Table(
    name="spark_events_processedfiles",
    grain=Grain.RECORD,
    keys=("path", "size", "modified_ms", "etag"),
    doc=__doc__ or "",
    columns=(
        *FILE,
        Column(
            "is_complete",
            pl.Boolean,
            "It could be read to its end; what came before is stored if not.",
        ),
        FAILURES,
        Column("lines", pl.Int64, "Lines, blank ones included, without an unfinished last one."),
        Column("rejected", pl.Int64, "Lines that were no events, or events of the far future."),
        *SPAN,
        Column(
            "day_counts",
            DAY_ROWS,
            "Events by day, from the workspace's first day on. A day with none is one that events "
            "near midnight may belong to.",
        ),
        *LATE,
        Column("SparkContextID", pl.String, "Spark context, or application id and attempt."),
        Column("clusterId", pl.String, "Cluster by the path; null: the path names none."),
        Column(
            "event_counts",
            pl.Map(pl.String, pl.Int64),
            "Events by type, those that are not stored included.",
        ),
        Column("reason", pl.String, "Why it could not be read to its end; null: it could."),
        Column("delta_version", pl.Int64, "Version of spark_events_bronze that holds its events."),
    ),
)
