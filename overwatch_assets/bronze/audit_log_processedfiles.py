"""Audit log files that were opened: one row per file, size and time.

Decides which files need not be opened again and tells which days got late records. A row is
a record of the run that opened the file, in the partition of the newest day it loaded;
losing rows costs time, never audit events.
"""

import polars as pl

from overwatch_assets.module import TIMESTAMP, Column, Grain, Table

DAY_ROWS = pl.List(pl.Struct({"day": pl.Date, "rows": pl.Int64}))

PROCESSED_FILES = Table(
    name="audit_log_processedfiles",
    grain=Grain.RECORD,
    keys=("path", "size", "modified_ms", "etag"),
    doc=__doc__ or "",
    columns=(
        Column("path", pl.String, "Full path or URL of the file."),
        Column("size", pl.Int64, "Bytes as stored when it was listed."),
        Column("modified_ms", pl.Int64, "Epoch ms of its last change; null: the store is silent."),
        Column("etag", pl.String, "The store's tag of the content; null on disks."),
        Column("is_complete", pl.Boolean, "It could be read to its end."),
        Column("failures", pl.Int64, "Reads of exactly this file that failed so far."),
        Column("lines", pl.Int64, "Lines, without blank ones and an unfinished last one."),
        Column("rejected", pl.Int64, "Lines that were no audit events."),
        Column("tail_bytes", pl.Int64, "Bytes of an unfinished last line, left for later."),
        Column("first_ms", pl.Int64, "Epoch ms of its earliest event; null: it has none."),
        Column("last_ms", pl.Int64, "Epoch ms of its latest event; null: it has none."),
        Column("day_counts", DAY_ROWS, "Events by day, from the workspace's first day on."),
        Column(
            "late_rows",
            DAY_ROWS,
            "Of these, events of days that no run has loaded since the file was found.",
        ),
        Column("gone_at", TIMESTAMP, "When it was first missed; null: it was there."),
        Column("delta_version", pl.Int64, "Version of audit_log_bronze that holds its events."),
    ),
)
