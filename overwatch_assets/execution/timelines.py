"""The latest version of each living entity: what tables of versions carry from day to day.

It is stored on Mondays and on the workspace's first day (the anchors); on other days it follows
from the anchor before and the versions since. Either way it is the same.
"""

from datetime import date, timedelta

import polars as pl

from overwatch_assets.module import Timeline


def is_anchor(day: date, first_day: date) -> bool:
    """Whether the state at the end of the day is stored with its rows."""
    return day == first_day or day.weekday() == 0


def anchor_of(day: date, first_day: date) -> date:
    """The newest anchor up to a day."""
    return max(first_day, day - timedelta(days=day.weekday()))


def state_of(rows: pl.LazyFrame, timeline: Timeline, until_ms: int) -> pl.DataFrame:
    """The latest row of each entity that is not forgotten, as open.

    Args:
        rows: Versions and earlier states, in any order.
        timeline: How versions follow each other.
        until_ms: End of the day in epoch ms.
    """
    return (
        rows.sort(timeline.order, nulls_last=False)
        .unique(timeline.entity, keep="last", maintain_order=True)
        .filter(~timeline.forgotten(until_ms).fill_null(value=False))
        .with_columns(is_open=pl.lit(value=True))
        .collect(engine="in-memory")
    )
