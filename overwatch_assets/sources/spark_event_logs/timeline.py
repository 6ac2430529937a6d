"""When the events of a file happened, those included that don't tell.

Job starts and ends, completed stages and task ends without a time (Spark 1.x, broken lines)
take that of the event before them in the file, else of the event after. Other events without a
time are left out: a copy of the file may give them other neighbours, hence another day.
Lines that were rejected are dated the same way.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from overwatch_assets.sources.spark_event_logs.decoding import (
    LINE,
    TASK_END,
    BadLine,
)
from overwatch_assets.sources.spark_event_logs.records import TIME

NO_TIME = "no_time"

_TAKES_NEIGHBOURS_TIME = frozenset(
    {TASK_END, "SparkListenerJobStart", "SparkListenerJobEnd", "SparkListenerStageCompleted"}
)
_MOST_WAITING = 100_000
"""Rows that wait for the first event of their file that tells a time."""

Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class DatedLine:
    """A rejected line; `time_ms` is None in a file where no event tells a time."""

    line: BadLine
    time_ms: int | None


@dataclass(slots=True)
class Timeline:
    """Dates the events of one file, batch after batch.

    Attributes:
        first_told_ms: Time of the file's first event that tells one.
        counts: Events left out, by reason.
    """

    first_told_ms: int | None = None
    counts: Counter[str] = field(default_factory=Counter[str])
    _last_told_ms: int | None = None
    _waiting: list[tuple[str, pl.DataFrame]] = field(default_factory=list[tuple[str, pl.DataFrame]])
    _waiting_rows: int = 0
    _waiting_lines: list[BadLine] = field(default_factory=list[BadLine])

    def dated(
        self, frames: Mapping[str, pl.DataFrame], bad: Sequence[BadLine]
    ) -> tuple[list[tuple[str, pl.DataFrame]], list[DatedLine]]:
        """Give every event and rejected line of the next lines of the file a time.

        Args:
            frames: Events by type, their times null where the line tells none.
            bad: Lines that are no events.

        Returns:
            Events of which each has a time, and the rejected lines; both may be of lines before.
        """
        kept = {name: self._with_known_time(name, events) for name, events in frames.items()}
        has_unknown = any(events[TIME].null_count() for events in kept.values())
        if not (bad or has_unknown or self._waiting or self.first_told_ms is None):
            self._last_told_ms = _last_told(kept) or self._last_told_ms
            return list(kept.items()), []
        return self._dated_by_neighbours(kept, bad)

    def waiting_lines(self) -> list[DatedLine]:
        """At the file's end: rejected lines of a file in which no event tells a time."""
        self.counts[NO_TIME] += self._waiting_rows
        return [DatedLine(line, None) for line in self._waiting_lines]

    def _with_known_time(self, name: str, events: pl.DataFrame) -> pl.DataFrame:
        """Without those that neither tell a time nor take their neighbour's."""
        unknown = events[TIME].null_count()
        if not unknown or name in _TAKES_NEIGHBOURS_TIME:
            return events
        self.counts[NO_TIME] += unknown
        return events.filter(pl.col(TIME).is_not_null())

    def _dated_by_neighbours(
        self, frames: Frames, rejected: Sequence[BadLine]
    ) -> tuple[list[tuple[str, pl.DataFrame]], list[DatedLine]]:
        told = _told(frames)
        first: int | None = told[TIME].item(0) if told.height else None
        dated: list[tuple[str, pl.DataFrame]] = []
        if first is not None:
            if self.first_told_ms is None:
                self.first_told_ms = first
            dated += [(n, f.with_columns(pl.lit(first).alias(TIME))) for n, f in self._waiting]
            waiting_lines = [DatedLine(line, first) for line in self._waiting_lines]
            self._waiting, self._waiting_rows, self._waiting_lines = [], 0, []
        else:
            waiting_lines = []
        before = self._last_told_ms if self._last_told_ms is not None else first
        for name, events in frames.items():
            filled = _filled(events, told, before)
            without = filled.filter(pl.col(TIME).is_null())
            if without.height:
                self._wait(name, without)
                filled = filled.filter(pl.col(TIME).is_not_null())
            dated.append((name, filled))
        lines = self._dated_lines(rejected, told, before)
        if told.height:
            self._last_told_ms = told[TIME].item(-1)
        return dated, waiting_lines + lines

    def _wait(self, name: str, events: pl.DataFrame) -> None:
        fitting = events.head(max(_MOST_WAITING - self._waiting_rows, 0))
        self.counts[NO_TIME] += events.height - fitting.height
        self._waiting.append((name, fitting))
        self._waiting_rows += fitting.height

    def _dated_lines(
        self, rejected: Sequence[BadLine], told: pl.DataFrame, before: int | None
    ) -> list[DatedLine]:
        numbers = pl.DataFrame(
            {LINE: [line.number for line in rejected], TIME: [None] * len(rejected)},
            schema={LINE: pl.Int64, TIME: pl.Int64},
        )
        times = _filled(numbers, told, before)[TIME].to_list()
        pairs = list(zip(rejected, times, strict=True))
        self._waiting_lines += [line for line, time_ms in pairs if time_ms is None]
        return [DatedLine(line, time_ms) for line, time_ms in pairs if time_ms is not None]


def _told(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The events that tell their time, in the order of their lines."""
    empty = pl.DataFrame(schema={LINE: pl.Int64, TIME: pl.Int64})
    parts = [events.select(LINE, TIME) for events in frames.values()]
    return pl.concat([empty, *parts]).filter(pl.col(TIME).is_not_null()).sort(LINE)


def _filled(events: pl.DataFrame, told: pl.DataFrame, before: int | None) -> pl.DataFrame:
    """Events with the time of the event before where they have none.

    Args:
        events: Any events with lines and times.
        told: Events that tell their time, by line.
        before: Time for events before the first of those.
    """
    if not events[TIME].null_count():
        return events
    position = told[LINE].search_sorted(events[LINE], side="left").cast(pl.Int64) - 1
    of_neighbour = told[TIME].gather(pl.select(pl.when(position >= 0).then(position)).to_series())
    return events.with_columns(
        pl.coalesce(pl.col(TIME), of_neighbour, pl.lit(before, dtype=pl.Int64)).alias(TIME)
    )


def _last_told(frames: Mapping[str, pl.DataFrame]) -> int | None:
    """Time of the event on the last line; every event tells its time."""
    last = [
        (number, events[TIME][row])
        for events in frames.values()
        if (row := events[LINE].arg_max()) is not None
        for number in (events[LINE][row],)
    ]
    return max(last)[1] if last else None
