"""Which day an event belongs to."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from overwatch_assets.module import DayWindow

DAY_MS = 86_400_000

_QUARTER_MS = 900_000
"""Days begin on a quarter of an hour in every time zone."""

_CLOCK_CHANGE_MS = 3_600_000
"""How far clocks are put forward and back."""


class Days:
    """The days asked for, and the calendar around them.

    A request tells when its days begin, not in which time zone. Other days are taken to begin
    at the same time, which is wrong by an hour where the clocks changed in between.
    """

    def __init__(self, asked: Sequence[DayWindow]) -> None:
        """Remember the days; there is at least one."""
        self.asked = tuple(asked)
        midnight = datetime.combine(asked[0].day, time(), UTC)
        self._offset_ms = round(midnight.timestamp() * 1000) - asked[0].window.since_ms

    def day_of(self, at_ms: int) -> date:
        """Day of an instant."""
        asked = (
            each.day for each in self.asked if each.window.since_ms <= at_ms < each.window.until_ms
        )
        return next(asked, None) or self._calendar_day(at_ms)

    def counted(self, times: pl.Series) -> Counter[date]:
        """Events by day.

        Days that some of the events may belong to as well stand with no events: a file is
        opened again for every day that it tells of.

        Args:
            times: Epoch ms, none null.
        """
        quarters = quarter_of(times).alias("quarter").value_counts(name="events")
        return self.counted_quarters(quarters.iter_rows())

    def counted_quarters(self, quarters: Iterable[tuple[int, int]]) -> Counter[date]:
        """As `counted`.

        Args:
            quarters: Begin of a quarter of an hour, epoch ms, and how many events it has.
        """
        counts: Counter[date] = Counter()
        for quarter_ms, events in quarters:
            counts[self.day_of(quarter_ms)] += events
            for shift_ms in (-_CLOCK_CHANGE_MS, _CLOCK_CHANGE_MS):
                counts[self._calendar_day(quarter_ms + shift_ms)] += 0
        return counts

    def _calendar_day(self, at_ms: int) -> date:
        return date(1970, 1, 1) + timedelta(days=(at_ms + self._offset_ms) // DAY_MS)


def quarter_of(times: pl.Series) -> pl.Series:
    """Begin of the quarter of an hour of each time, epoch ms."""
    return times // _QUARTER_MS * _QUARTER_MS
