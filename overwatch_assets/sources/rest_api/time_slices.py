"""Days cut into slices that are asked for at the same time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from overwatch_assets.module import DayWindow
from overwatch_assets.sources.rest_api.api import ApiError
from overwatch_assets.sources.rest_api.fan_out import fan_out

HOUR_MS = 3_600_000

SLICES_AT_ONCE = 24
"""Slices whose answers are held at the same time."""


@dataclass(frozen=True, slots=True)
class TimeSlice:
    """A part of a day, `[since_ms, until_ms)`."""

    day: date
    since_ms: int
    until_ms: int

    def contains(self, at_ms: int) -> bool:
        """Whether an instant lies in it: lists are told with both ends."""
        return self.since_ms <= at_ms < self.until_ms


def time_slices(days: Iterable[DayWindow], hours: int) -> Sequence[TimeSlice]:
    """The days' slices, in order; the last of a day may be shorter."""
    size_ms = hours * HOUR_MS
    return [
        TimeSlice(each.day, since_ms, min(since_ms + size_ms, each.window.until_ms))
        for each in days
        for since_ms in range(each.window.since_ms, each.window.until_ms, size_ms)
    ]


def told_of_slices(
    ask: Callable[[TimeSlice], list[object]], slices: Sequence[TimeSlice], *, threads: int
) -> Iterator[tuple[TimeSlice, list[object]]]:
    """Each slice with what was told of it.

    Raises:
        ApiError: A slice can't be had; a day with a hole would be taken for whole.
    """
    for start in range(0, len(slices), SLICES_AT_ONCE):
        batch = slices[start : start + SLICES_AT_ONCE]
        for part, told in zip(batch, fan_out(ask, batch, threads=threads), strict=True):
            if isinstance(told, ApiError):
                raise told
            yield part, told
