"""What is known of the files of a source, and whether a file must be opened (again).

The tracker prunes and finds late data; losing it costs time, never rows. Nothing but its own
content excludes a file: not its name, not its folder, not its time.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from overwatch_assets.module import TIMESTAMP
from overwatch_assets.sources.files import FileInfo

FAILURES_ALLOWED = 3
"""Reads of one file that may fail before it is left alone until it changes."""

DAY_ROWS = pl.List(pl.Struct({"day": pl.Date, "rows": pl.Int64}))
TRACKER_SCHEMA = pl.Schema(
    {
        "path": pl.String,
        "size": pl.Int64,
        "modified_ms": pl.Int64,
        "etag": pl.String,
        "is_complete": pl.Boolean,
        "failures": pl.Int64,
        "lines": pl.Int64,
        "rejected": pl.Int64,
        "tail_bytes": pl.Int64,
        "first_ms": pl.Int64,
        "last_ms": pl.Int64,
        "day_counts": DAY_ROWS,
        "late_rows": DAY_ROWS,
        "gone_at": TIMESTAMP,
    }
)
"""What is handed over of each file; run columns and the Delta version are the caller's."""

Identity = tuple[str, int, int | None, str | None]


@dataclass(slots=True)
class FileReading:
    """What reading one file told.

    Attributes:
        info: The file as it was listed.
        is_complete: It could be read to its end.
        failures: Reads of this very file that failed so far, this one included.
        lines: Lines that were neither blank nor an unfinished last one.
        rejected: Those that were no records.
        tail_bytes: An unfinished last line, left for when the file has grown.
        first_ms: Epoch ms of the earliest record.
        last_ms: Epoch ms of the latest record.
        day_counts: Records by day, of all days.
    """

    info: FileInfo
    is_complete: bool = True
    failures: int = 0
    lines: int = 0
    rejected: int = 0
    tail_bytes: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    day_counts: Counter[date] = field(default_factory=Counter[date])


@dataclass(frozen=True, slots=True)
class KnownFile:
    """The newest record of a file in the tracker."""

    is_complete: bool
    failures: int
    day_counts: Mapping[date, int]
    late_rows: Mapping[date, int]

    def must_be_opened(self, days: Collection[date]) -> bool:
        """Whether it holds records of the days, or was not read to its end yet."""
        is_unfinished = not self.is_complete and self.failures < FAILURES_ALLOWED
        return is_unfinished or any(day in self.day_counts for day in days)


class KnownFiles:
    """The tracker's rows of one workspace."""

    def __init__(self, tracker: pl.DataFrame, stored_as: Callable[[str], str] = str) -> None:
        """Index the rows; of several of one file the newest counts.

        Args:
            tracker: The rows.
            stored_as: From a path to how it stands in them.
        """
        self._stored_as = stored_as
        self._rows = tracker.sort("Pipeline_SnapTS") if tracker.height else pl.DataFrame()
        self._known = {
            _identity_of(row): KnownFile(
                is_complete=bool(row["is_complete"]),
                failures=int(row["failures"]),
                day_counts={each["day"]: each["rows"] for each in row["day_counts"]},
                late_rows={each["day"]: each["rows"] for each in row["late_rows"]},
            )
            for row in self._rows.iter_rows(named=True)
        }

    def get(self, info: FileInfo) -> KnownFile | None:
        """What is known of exactly this file: path, size, time and tag."""
        return self._known.get(self._identity(info))

    def tracked(self, readings: Iterable[FileReading], days: Collection[date]) -> pl.DataFrame:
        """Rows for the tracker: one per file that was opened.

        `late_rows` are the records of days that were not asked for; the days of records that
        nobody has loaded since stay in it until they are.
        """
        return pl.DataFrame(
            [self._row(reading, days) for reading in readings],
            schema=TRACKER_SCHEMA,
            orient="row",
        )

    def gone(self, folders: Iterable[str], listed: Collection[str], now_ms: int) -> pl.DataFrame:
        """Rows for the tracker: files of the folders that are not listed any more."""
        if self._rows.is_empty():
            return TRACKER_SCHEMA.to_frame()
        below = pl.any_horizontal(
            pl.lit(value=False),
            *(pl.col("path").str.starts_with(self._stored_as(f"{each}/")) for each in folders),
        )
        is_listed = pl.col("path").is_in([self._stored_as(each) for each in listed])
        is_gone = below & ~is_listed & pl.col("gone_at").is_null()
        newest = self._rows.unique("path", keep="last", maintain_order=True)
        gone_at = pl.from_epoch(pl.lit(now_ms), time_unit="ms").cast(TIMESTAMP)
        return (
            newest.filter(is_gone)
            .with_columns(gone_at=gone_at, late_rows=pl.lit([], dtype=DAY_ROWS))
            .select(TRACKER_SCHEMA.names())
        )

    def _row(self, reading: FileReading, days: Collection[date]) -> tuple[object, ...]:
        known = self.get(reading.info)
        late = reading.day_counts if known is None else known.late_rows
        return (
            *self._identity(reading.info),
            reading.is_complete,
            reading.failures,
            reading.lines,
            reading.rejected,
            reading.tail_bytes,
            reading.first_ms,
            reading.last_ms,
            _day_rows(reading.day_counts),
            _day_rows({day: rows for day, rows in late.items() if day not in days}),
            None,
        )

    def _identity(self, info: FileInfo) -> Identity:
        return self._stored_as(info.path), info.size, info.modified_ms, info.etag


def _identity_of(row: Mapping[str, object]) -> object:
    return row["path"], row["size"], row["modified_ms"], row["etag"]


def _day_rows(counts: Mapping[date, int]) -> list[dict[str, object]]:
    return [{"day": day, "rows": counts[day]} for day in sorted(counts)]
