"""What tables of captures have in common: their last columns, and which of several counts."""

from collections.abc import Sequence

import polars as pl

from overwatch_assets.bronze.union import union_by_key
from overwatch_assets.module import Column

CAPTURE_COLUMNS = (
    Column("captured_at_ms", pl.Int64, "Epoch ms at which the API showed it; decides the day."),
    Column(
        "_extra",
        pl.String,
        "Fields of the object that are no column, as JSON text with sorted keys; secrets are "
        "struck out. Null: none.",
    ),
)
"""Last columns of every table of captures."""


def last_seen(
    objects: pl.LazyFrame, stored: pl.LazyFrame, *, columns: Sequence[Column], key: str
) -> pl.LazyFrame:
    """One row per object: as it was seen last on the day; gone ones stay.

    Args:
        objects: Objects captured now, repeated where pages overlap.
        stored: Rows that the day holds already.
        columns: The table's columns.
        key: The object's id.
    """
    names = [column.name for column in columns]
    others = [name for name in names if name != "captured_at_ms"]
    return union_by_key(
        objects.select(names),
        stored.select(names),
        keys=[pl.col(key)],
        content=["captured_at_ms", *others],
        origin=pl.col(key).cast(pl.String),
    )
