"""Days of a time zone: where each begins, on days of 23, 24 and 25 hours alike."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from overwatch_assets.module import Window

EARLIEST_DAY = date(2012, 1, 1)
"""No day before it is loaded: Databricks and event logs are younger, and since then no zone's
date has stepped back or left a day out, so that days are windows that follow on each other."""

_ONE_DAY = timedelta(days=1)
_ONE_SECOND = timedelta(seconds=1)


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """First instant of a day, in UTC: local midnight or, where clocks skip it, the skip."""
    midnight = datetime.combine(day, time(), zone)
    instant = midnight.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return instant
    before, begun = midnight.replace(fold=1).astimezone(UTC) - _ONE_SECOND, instant
    while begun - before > _ONE_SECOND:
        middle = before + (begun - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).date() < day:
            before = middle
        else:
            begun = middle
    return begun


def window_of(day: date, zone: ZoneInfo) -> Window:
    """The day as a half-open window of UTC instants.

    UTC because Python subtracts two times of one zone by their clock faces: the 25 hours of an
    autumn day would come out as 24.
    """
    return Window(
        since=first_instant(day, zone), until=first_instant(day + _ONE_DAY, zone), zone=zone.key
    )


def days_between(first: date, last: date) -> tuple[date, ...]:
    """Both days and those between; none when last is before first."""
    return tuple(first + _ONE_DAY * number for number in range((last - first).days + 1))
