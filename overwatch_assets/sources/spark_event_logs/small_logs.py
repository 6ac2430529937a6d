"""Small logs, made into columns together.

What a column costs by itself is more than what a few rows cost: a hundred small logs of their own
frames take ten times as long as in frames that they share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from overwatch_assets.sources.spark_event_logs.days import Days, quarter_of
from overwatch_assets.sources.spark_event_logs.decoding import LINE, Decoded
from overwatch_assets.sources.spark_event_logs.layout import LogPath
from overwatch_assets.sources.spark_event_logs.reading import LogSummary
from overwatch_assets.sources.spark_event_logs.records import TIME, frames_by_type, with_files
from overwatch_assets.sources.spark_event_logs.scratch import EventFiles, Scratch, by_day

_ROWS_AT_ONCE = 20_000

_QUARTER = "_quarter"


def _nothing() -> Decoded:
    return Decoded(latest_ms=0)


@dataclass(slots=True)
class SmallLogs:
    """Events of logs in which there is nothing to date, to reject or to leave out.

    Attributes:
        days: The days asked for.
        files: Where the events go.
    """

    days: Days
    files: EventFiles
    _logs: list[tuple[LogPath, str]] = field(default_factory=list[tuple[LogPath, str]])
    _facts: list[Scratch] = field(default_factory=list[Scratch])
    _decoded: Decoded = field(default_factory=_nothing)
    _rows: int = 0

    def add(self, log: LogPath, summary: LogSummary, decoded: Decoded, facts: Scratch) -> None:
        """Take the events of a log; they may wait for others.

        Args:
            log: The file.
            summary: Its Spark context is known.
            decoded: Its events, none of them columns yet.
            facts: Is told of its events, once they are columns.
        """
        self._rows += decoded.rows or 0
        self._decoded.join(decoded, len(self._logs))
        self._logs.append((log, summary.context_id))
        self._facts.append(facts)
        if self._rows >= _ROWS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Make columns of what waits."""
        frames = frames_by_type(self._decoded)
        if frames:
            self._count(frames)
            for events in frames.values():
                self._spread(events)
        self._logs, self._facts, self._decoded, self._rows = [], [], _nothing(), 0

    def _count(self, frames: Mapping[str, pl.DataFrame]) -> None:
        """Tell each log on which days its events are."""
        times = pl.concat(events.select(LINE, TIME) for events in frames.values())
        counted = (
            times.select(LINE, quarter_of(times[TIME]).alias(_QUARTER))
            .group_by(LINE, _QUARTER)
            .len()
            .partition_by(LINE, as_dict=True, include_key=False)
        )
        for (number,), quarters in counted.items():
            self._facts[number].day_counts.update(self.days.counted_quarters(quarters.iter_rows()))

    def _spread(self, events: pl.DataFrame) -> None:
        """Give events of one type to the days asked for."""
        for day, of_day in by_day(self.days.asked, events):
            for number, count in of_day[LINE].value_counts().iter_rows():
                self._facts[number].kept += count
            self.files.add(day, with_files(of_day.drop(LINE), of_day[LINE], self._logs))
