"""Events of the days asked for, on disk until the day takes them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from overwatch_assets.sources.spark_event_logs.days import Days
from overwatch_assets.sources.spark_event_logs.records import SCHEMA, TIME


@dataclass(slots=True)
class Scratch:
    """Spreads the events of one log to days.

    Attributes:
        days: The days asked for.
        folder: Where their events are written.
        stem: Beginning of the files' names; no two logs share it.
        written: The files, by day.
        day_counts: Events by day, of all days.
        kept: How many events the days asked for got.
    """

    days: Days
    folder: Path
    stem: str
    written: dict[date, list[Path]] = field(default_factory=dict[date, list[Path]])
    day_counts: Counter[date] = field(default_factory=Counter[date])
    kept: int = 0

    def take(self, events: pl.DataFrame) -> None:
        """Write events to the days they belong to.

        Args:
            events: Of one type, in the columns that it fills, each with its time.
        """
        self._count(events[TIME])
        for each in self.days.asked:
            of_day = events.filter(each.window.contains_ms(pl.col(TIME)))
            if of_day.height:
                paths = self.written.setdefault(each.day, [])
                path = self.folder / f"{self.stem}-{each.day}-{len(paths)}.parquet"
                columns = [name for name in of_day.columns if name in SCHEMA]
                of_day.select(columns).write_parquet(path, compression="lz4", statistics=False)
                paths.append(path)
                self.kept += of_day.height

    def _count(self, times: pl.Series) -> None:
        for day, events in self.days.counted(times).items():
            self.day_counts[day] += events


def rows_by_day(written: Iterable[Mapping[date, list[Path]]]) -> Mapping[date, pl.LazyFrame]:
    """What was written for each day; a day without events is missing."""
    by_day: dict[date, list[Path]] = {}
    for each in written:
        for day, paths in each.items():
            by_day.setdefault(day, []).extend(paths)
    return {
        day: pl.scan_parquet(paths, schema=SCHEMA, missing_columns="insert")
        for day, paths in sorted(by_day.items())
    }
