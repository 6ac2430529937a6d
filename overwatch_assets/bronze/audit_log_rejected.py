"""Audit log lines that were no events: one row per distinct line and reason.

A line's day is that of the accepted event before it in its file, else of the one after it,
else of the file. A file that can't be read to its end is a row without line number.
"""

import polars as pl

from overwatch_assets.bronze.file_columns import LINE
from overwatch_assets.module import Column, Grain, Table

REJECTED = Table(
    name="audit_log_rejected",
    grain=Grain.RECORD,
    keys=("route", "reason", "record_hash"),
    doc=__doc__ or "",
    columns=(
        Column("route", pl.String, "How the line was delivered: bucket."),
        Column("reason", pl.String, "Why it is no event."),
        *LINE,
    ),
)
