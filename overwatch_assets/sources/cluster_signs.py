"""Which clusters may have run on given days, beyond what the audit log says.

A cluster that runs for weeks leaves no audit event on most days. Captures show it alive, and the
records of its events' fetches say that it has not ended. Asking for more clusters than needed
costs time, never rows.
"""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from overwatch_assets.module import DayWindow

SIGN_LASTS_DAYS = 30
"""How long a cluster without any further sign is believed to run."""

DAY_MS = 86_400_000
_LISTED_BEFORE = timedelta(days=3)
"""Logs of a day may be of clusters of the three days before it."""

_TERMINATED = "TERMINATED"
_TERMINATING = "TERMINATING"


def shown_alive(captures: pl.LazyFrame, days: Sequence[DayWindow]) -> pl.LazyFrame:
    """Clusters that a capture shows alive on the days or shortly before, one `cluster_id` each.

    A cluster lives from its creation to its end or, while it has none, to the capture; the newest
    capture is believed for 30 days more.

    Args:
        captures: Rows of `clusters_snapshot_bronze` of one workspace, later ones included.
        days: Adjacent days.
    """
    since_ms = days[0].window.since_ms - _LISTED_BEFORE.days * DAY_MS
    until_ms = days[-1].window.until_ms
    captured = pl.col("captured_at_ms")
    is_newest = captured == captured.max().over("cluster_id")
    ended = pl.when(pl.col("state") == _TERMINATED).then(pl.col("terminated_time"))
    believed = pl.when(is_newest).then(captured + SIGN_LASTS_DAYS * DAY_MS).otherwise(captured)
    alive_until = pl.coalesce(ended, believed)
    return (
        captures.filter((alive_until >= since_ms) & (pl.col("start_time").fill_null(0) < until_ms))
        .select("cluster_id")
        .unique()
    )


def not_ended(fetches: pl.LazyFrame, days: Sequence[DayWindow]) -> pl.LazyFrame:
    """Clusters whose events of the days or shortly before say that they run, one `cluster_id` each.

    Those that told of events, whose last event is no TERMINATING, or that could not be asked;
    until 30 days have passed without any sign.

    Args:
        fetches: Rows of `cluster_events_fetches` of one workspace.
        days: Adjacent days.
    """
    first, last = days[0].day - _LISTED_BEFORE - timedelta(days=1), days[-1].day
    day = pl.col("partition_date")
    sign = pl.col("sign_day").fill_null(day)
    runs_on = (pl.col("last_type") != _TERMINATING).fill_null(value=False)
    return (
        fetches.filter(
            day.is_between(first, last)
            & (sign >= day - timedelta(days=SIGN_LASTS_DAYS))
            & ((pl.col("events") > 0) | runs_on | (pl.col("status") == "failed"))
        )
        .select("cluster_id")
        .unique()
    )
