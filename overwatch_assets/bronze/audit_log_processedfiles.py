"""Audit log files that were opened: one row per file, size and time.

Decides which files need not be opened again and tells which days got late records. A row is
a record of the run that opened the file, in the partition of the newest day it loaded;
losing rows costs time, never audit events.
"""

import polars as pl

from overwatch_assets.bronze.file_columns import DAY_ROWS, FAILURES, FILE, LATE, SPAN
from overwatch_assets.module import Column, Grain, Table

PROCESSED_FILES = Table(
    name="audit_log_processedfiles",
    grain=Grain.RECORD,
    keys=("path", "size", "modified_ms", "etag"),
    doc=__doc__ or "",
    columns=(
        *FILE,
        Column("is_complete", pl.Boolean, "It could be read to its end."),
        FAILURES,
        Column("lines", pl.Int64, "Lines, without blank ones and an unfinished last one."),
        Column("rejected", pl.Int64, "Lines that were no audit events."),
        *SPAN,
        Column("day_counts", DAY_ROWS, "Events by day, from the workspace's first day on."),
        *LATE,
        Column("delta_version", pl.Int64, "Version of audit_log_bronze that holds its events."),
    ),
)
