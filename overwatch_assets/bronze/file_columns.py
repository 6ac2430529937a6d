"""Columns that the tables of opened files, and those of rejected lines, have in common."""

import polars as pl

from overwatch_assets.module import TIMESTAMP, Column, Content

DAY_ROWS = pl.List(pl.Struct({"day": pl.Date, "rows": pl.Int64}))

FILE = (
    Column("path", pl.String, "Full path or URL of the file."),
    Column("size", pl.Int64, "Bytes as stored when it was listed."),
    Column("modified_ms", pl.Int64, "Epoch ms of its last change; null: the store is silent."),
    Column("etag", pl.String, "The store's tag of the content; null on disks."),
)
"""What names a file as it was when it was opened."""

FAILURES = Column("failures", pl.Int64, "Reads of exactly this file that failed so far.")
SPAN = (
    Column("tail_bytes", pl.Int64, "Bytes of an unfinished last line, left for later."),
    Column("first_ms", pl.Int64, "Epoch ms of its earliest event; null: it has none."),
    Column("last_ms", pl.Int64, "Epoch ms of its latest event; null: it has none."),
)
LATE = (
    Column(
        "late_rows",
        DAY_ROWS,
        "Of these, events of days that no run has loaded since the file was found.",
    ),
    Column("gone_at", TIMESTAMP, "When it was first missed; null: it was there."),
)

LINE = (
    Column(
        "record_hash",
        pl.Int64,
        "Signed xxh64 of record; where anything is redacted a keyed hash.",
        Content.FINGERPRINT,
    ),
    Column(
        "record",
        pl.String,
        "First kilobyte of the line, cut where a secret begins; the path for a whole file.",
        Content.RAW_RECORD,
    ),
    Column("filename", pl.String, "File it was read from; one of them where several hold it."),
    Column("line_number", pl.Int64, "Line of the file, from 1; null: the whole file."),
)
"""A line that was no record, and where it stands."""
