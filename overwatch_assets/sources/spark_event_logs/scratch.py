"""Events of the days asked for, on disk until the day takes them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import cast

import polars as pl

from overwatch_assets.module import DayWindow
from overwatch_assets.sources.spark_event_logs.days import Days
from overwatch_assets.sources.spark_event_logs.records import SCHEMA, TIME

ROWS_WAITING = 1 << 16
"""Events of all days and types that wait to be written together: small logs share their files."""


@dataclass(slots=True)
class EventFiles:
    """Events of one log or several, in files of one day and one type each.

    Attributes:
        folder: Where the files are written.
        stem: Beginning of their names; nobody else in the folder has it.
        written: The files, by day.
    """

    folder: Path
    stem: str
    written: dict[date, list[Path]] = field(default_factory=dict[date, list[Path]])
    _waiting: dict[tuple[date, str], list[pl.DataFrame]] = field(
        default_factory=dict[tuple[date, str], list[pl.DataFrame]]
    )
    _waiting_rows: int = 0

    def add(self, day: date, events: pl.DataFrame) -> None:
        """Take events of one day and one type; they may wait for more."""
        event = str(events["Event"][0]).rpartition(".")[2]
        self._waiting.setdefault((day, event), []).append(events)
        self._waiting_rows += events.height
        if self._waiting_rows >= ROWS_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        for (day, event), frames in self._waiting.items():
            paths = self.written.setdefault(day, [])
            path = self.folder / f"{event}-{self.stem}-{day}-{len(paths)}.parquet"
            pl.concat(frames).write_parquet(path, compression="lz4", statistics=False)
            paths.append(path)
        self._waiting, self._waiting_rows = {}, 0


@dataclass(slots=True)
class Scratch:
    """Spreads the events of one log to days.

    Attributes:
        days: The days asked for.
        files: Where their events go.
        day_counts: Events by day, of all days.
        kept: How many events the days asked for got.
    """

    days: Days
    files: EventFiles
    day_counts: Counter[date] = field(default_factory=Counter[date])
    kept: int = 0

    def take(self, events: pl.DataFrame) -> None:
        """Give events to the days they belong to.

        Args:
            events: Of one type, in the columns that it fills, each with its time.
        """
        for day, counted in self.days.counted(events[TIME]).items():
            self.day_counts[day] += counted
        for day, of_day in by_day(self.days.asked, events):
            self.files.add(day, of_day)
            self.kept += of_day.height


def by_day(asked: Sequence[DayWindow], events: pl.DataFrame) -> Iterator[tuple[date, pl.DataFrame]]:
    """The events of each of the days that has some.

    Args:
        asked: The days.
        events: Each with its time; there is at least one.
    """
    times = events[TIME]
    first, last = cast("int", times.min()), cast("int", times.max())
    for each in asked:
        since, until = each.window.since_ms, each.window.until_ms
        if since <= first and last < until:
            yield each.day, events
        elif since <= last and first < until:
            of_day = events.filter(times.is_between(since, until, "left"))
            if of_day.height:
                yield each.day, of_day


def rows_by_day(written: Iterable[Mapping[date, list[Path]]]) -> Mapping[date, pl.LazyFrame]:
    """What was written for each day, type by type; a day without events is missing.

    Files of one type stand together: who reads one type then skips the rows of all others.
    """
    by_day: dict[date, list[Path]] = {}
    for each in written:
        for day, paths in each.items():
            by_day.setdefault(day, []).extend(paths)
    return {
        day: pl.scan_parquet(sorted(paths, key=_name), schema=SCHEMA, missing_columns="insert")
        for day, paths in sorted(by_day.items())
    }


def _name(path: Path) -> str:
    return path.name
