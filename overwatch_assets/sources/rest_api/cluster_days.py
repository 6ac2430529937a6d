"""Of which clusters events are asked for, day by day, as audit logs and captures tell.

Asking for more clusters than needed costs time, never rows; a cluster that is not asked is a
hole. What the clusters' own events tell, that one still runs for example, is added by the
source that asks (`cluster_events.py`).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from overwatch_assets.module import DayWindow
from overwatch_assets.sources.cluster_log_destinations import cluster_id_of

SIGN_LASTS = timedelta(days=30)
"""How long a cluster without any further sign is believed to run."""

CLUSTER_DAYS = pl.Schema({"cluster_id": pl.String, "day": pl.Date, "is_sign": pl.Boolean})

_CLUSTER_ID = r"^[A-Za-z0-9_-]+$"
_ONE_DAY = timedelta(days=1)


def clusters_by_day(
    audit: pl.LazyFrame,
    captures: pl.LazyFrame | None,
    days: Sequence[DayWindow],
    zone: ZoneInfo,
) -> pl.DataFrame:
    """Clusters of each day: `cluster_id`, `day`, `is_sign`.

    Of a day are the clusters of the audit events of that day, the day before and the day after,
    and those that a capture shows alive on it. `is_sign`: that very day tells of the cluster.

    Args:
        audit: Rows of `audit_log_bronze` of one workspace, at least of the days around.
        captures: Rows of `clusters_snapshot_bronze` of the workspace, later ones included; None:
            only what the audit log tells.
        days: Adjacent days.
        zone: Time zone of the days.
    """
    named = [_named_by_audit(audit)]
    if captures is not None:
        named.append(_shown_alive(captures, days, zone))
    is_asked = pl.col("day").is_in([each.day for each in days])
    return (
        pl.concat(named)
        .filter(is_asked, pl.col("cluster_id").str.contains(_CLUSTER_ID))
        .group_by("cluster_id", "day")
        .agg(pl.col("is_sign").any())
        .sort("cluster_id", "day")
        .collect()
    )


def days_around(days: Sequence[DayWindow]) -> list[date]:
    """The days, and those beside them whose audit events tell of them, too."""
    return [days[0].day - _ONE_DAY, *(each.day for each in days), days[-1].day + _ONE_DAY]


def _named_by_audit(audit: pl.LazyFrame) -> pl.LazyFrame:
    day = pl.col("partition_date")
    named = audit.select(day, cluster_id=cluster_id_of()).drop_nulls().unique()
    shifts = ((-_ONE_DAY, False), (timedelta(), True), (_ONE_DAY, False))
    return pl.concat(
        [
            named.select("cluster_id", (day + shift).alias("day"), is_sign=pl.lit(is_sign))
            for shift, is_sign in shifts
        ]
    )


def _shown_alive(captures: pl.LazyFrame, days: Sequence[DayWindow], zone: ZoneInfo) -> pl.LazyFrame:
    """Days between a cluster's creation and its end, or its capture while it has not ended.

    What the newest capture shows alive is believed to be so for 30 days more.
    """
    first, last = days[0].day, days[-1].day
    captured = pl.col("partition_date")
    has_ended = pl.col("state") == "TERMINATED"
    is_newest = captured == captured.max().over("cluster_id")
    until = (
        pl.when(has_ended)
        .then(_day_of("terminated_time", zone))
        .when(is_newest)
        .then(captured + SIGN_LASTS)
        .otherwise(captured)
    )
    since = pl.max_horizontal(_day_of("start_time", zone), pl.lit(first))
    day = pl.date_ranges("since", "until").alias("day")
    return (
        captures.select(
            "cluster_id",
            since=since,
            until=pl.when(until < last).then(until).when(until >= last).then(pl.lit(last)),
            sign=pl.when(~has_ended).then(captured),
        )
        .filter(pl.col("until") >= pl.col("since"))
        .select("cluster_id", "sign", day)
        .explode("day")
        .select(
            "cluster_id", "day", is_sign=(pl.col("day") == pl.col("sign")).fill_null(value=False)
        )
    )


def _day_of(epoch_ms: str, zone: ZoneInfo) -> pl.Expr:
    instant = pl.from_epoch(pl.col(epoch_ms), time_unit="ms").dt.replace_time_zone("UTC")
    return instant.dt.convert_time_zone(zone.key).dt.date()
