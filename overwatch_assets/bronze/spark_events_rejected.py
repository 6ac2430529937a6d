"""Lines of Spark event logs that were no events: one row per distinct line and reason.

A line's day is that of the accepted event before it in its file, else of the one after it,
else of the file. A log that can't be read to its end is a row without line number.
"""

import polars as pl

from overwatch_assets.bronze.file_columns import LINE
from overwatch_assets.module import Column, Grain, Table

REJECTED = Table(
    name="spark_events_rejected",
    grain=Grain.RECORD,
    keys=("SparkContextID", "reason", "record_hash"),
    doc=__doc__ or "",
    columns=(
        Column("SparkContextID", pl.String, "Spark context, or application id and attempt."),
        Column("reason", pl.String, "Why it is no event, or that its time is in the far future."),
        *LINE,
    ),
)
