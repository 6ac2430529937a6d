"""Queries that had not ended when a day did: the API lists queries by their start alone.

A query that runs over midnight has to be asked for by its id on the days after.
"""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from overwatch_assets.module import DayWindow

FOLLOWED_DAYS = 30
"""How long a query is followed after its start; the API remembers no longer."""

QUERY_KEY = ("warehouse_id", "query_id", "query_start_time_ms")

QUERY_ENDED_MS = pl.coalesce("query_end_time_ms", "execution_end_time_ms")

_DAY_MS = 86_400_000


def queries_to_follow(stored: pl.LazyFrame, days: Sequence[DayWindow]) -> pl.DataFrame:
    """Stored queries that belong to the day after theirs, too.

    Args:
        stored: Rows of `sql_query_history_bronze` of one workspace: of the day before the days
            asked for, and of these themselves.
        days: Adjacent days.

    Returns:
        The rows, with the day they are of (`partition_date`).
    """
    begins = pl.LazyFrame(
        {
            "partition_date": [each.day - timedelta(days=1) for each in days],
            "_next_ms": [each.window.since_ms for each in days],
        },
        schema={"partition_date": pl.Date, "_next_ms": pl.Int64},
    )
    return (
        stored.join(begins, on="partition_date")
        .filter(goes_on(pl.col("_next_ms")))
        .drop("_next_ms")
        .collect()
    )


def goes_on(next_ms: pl.Expr) -> pl.Expr:
    """Whether a query belongs to the day that begins at an instant, though it started before."""
    has_not_ended = QUERY_ENDED_MS.is_null() | (next_ms <= QUERY_ENDED_MS)
    is_followed = pl.col("query_start_time_ms") + FOLLOWED_DAYS * _DAY_MS > next_ms
    return has_not_ended & is_followed & (pl.col("query_start_time_ms") < next_ms)
