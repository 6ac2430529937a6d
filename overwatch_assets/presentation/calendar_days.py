"""Intervals by calendar day: days as instants, and the part of an interval that lies in each.

Midnights are those of the configured time zone, so a day has 23, 24 or 25 hours. An interval's
time is that from its start to the start of what follows it, so that its days add up to the whole.
"""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from overwatch_assets.configuration.days import days_between, window_of
from overwatch_assets.module import IS_OPEN
from overwatch_assets.sql_dialect import Dialect, Regime
from overwatch_assets.view import DAY, SHARE, PerDay

EPOCH = date(1970, 1, 1)
MS_PER_DAY = timedelta(days=1) // timedelta(milliseconds=1)
SINCE, UNTIL = "_since_ms", "_until_ms"
_STOP = "_stop_ms"


def calendar_days(first: date, last: date, timezone: ZoneInfo) -> pl.DataFrame:
    """Days with the epoch ms at which they begin and end."""
    days = days_between(first, last)
    windows = [window_of(day, timezone) for day in days]
    return pl.DataFrame(
        {
            DAY.name: days,
            SINCE: [each.since_ms for each in windows],
            UNTIL: [each.until_ms for each in windows],
        },
        schema={DAY.name: pl.Date, SINCE: pl.Int64, UNTIL: pl.Int64},
    )


def calendar_sql(first: date, last: date, timezone: ZoneInfo, dialect: Dialect) -> str:
    """The same as a query of `date` and the epoch ms at which it begins and ends."""
    begun = dialect.midnights(_regimes(first, last + timedelta(days=1), timezone))
    ended = "lead(since_ms) over (order by date)"
    days = f"select date, since_ms as {SINCE}, {ended} as {UNTIL} from ({begun}) as begun"  # noqa: S608 - days
    return f"select * from ({days}) as days where {UNTIL} is not null"  # noqa: S608 - the same


def _regimes(first: date, last: date, timezone: ZoneInfo) -> list[Regime]:
    """Stretches of days that begin at the same time of a day in UTC."""
    regimes: list[Regime] = []
    for day in days_between(first, last):
        before_ms = (day - EPOCH).days * MS_PER_DAY - window_of(day, timezone).since_ms
        if regimes and regimes[-1][2] == before_ms:
            regimes[-1] = (regimes[-1][0], day, before_ms)
        else:
            regimes.append((day, day, before_ms))
    return regimes


def per_day(rows: pl.LazyFrame, days: pl.DataFrame, spread: PerDay) -> pl.LazyFrame:
    """One row per interval and day that it touches, with the day and its share of the amounts.

    An interval without length touches the day that it lies in.

    Args:
        rows: Intervals, closed and open.
        days: As `calendar_days` gives them; all that the intervals touch.
        spread: What of the intervals is spread.
    """
    start = pl.col(spread.start)
    stop = pl.max_horizontal(pl.col(spread.end) + 1 - pl.col(IS_OPEN.name).cast(int), start + 1)
    in_day = pl.min_horizontal(_STOP, UNTIL) - pl.max_horizontal(start, SINCE)
    return (
        rows.with_columns(stop.alias(_STOP))
        .join_where(days.lazy(), start < pl.col(UNTIL), pl.col(_STOP) > pl.col(SINCE))
        .with_columns((in_day / (pl.col(_STOP) - start)).alias(SHARE.name))
        .with_columns(pl.col(name) * pl.col(SHARE.name) for name in spread.amounts)
    )


def per_day_sql(
    spread: PerDay, columns: tuple[str, ...], source: str, days: str, dialect: Dialect
) -> str:
    """The same in SQL: a query of some columns over two that are named by the arguments.

    Args:
        spread: What of the intervals is spread.
        columns: Columns of the intervals that are shown.
        source: Query of the intervals.
        days: Name of the days.
        dialect: The SQL that is written.
    """
    quoted = dialect.quoted
    start, end, is_open = map(quoted, (spread.start, spread.end, IS_OPEN.name))
    stop = f"greatest({end} + 1 - cast({is_open} as int), {start} + 1)"
    in_day = f"least({_STOP}, {UNTIL}) - greatest({start}, {SINCE})"
    share = f"({in_day}) / cast({_STOP} - {start} as double)"
    shown = [
        f"{quoted(name)} * {quoted(SHARE.name)} as {quoted(name)}"
        if name in spread.amounts
        else quoted(name)
        for name in (*columns, DAY.name, SHARE.name)
    ]
    cut = f"{start} < {UNTIL} and {_STOP} > {SINCE}"
    intervals = f"select *, {stop} as {_STOP} from ({source}) as rows_shown"  # noqa: S608 - quoted
    parts = (
        f"select *, {share} as {quoted(SHARE.name)} "  # noqa: S608 - quoted
        f"from ({intervals}) as intervals join {days} on {cut}"
    )
    return f"select {', '.join(shown)} from ({parts}) as parts"  # noqa: S608 - quoted
