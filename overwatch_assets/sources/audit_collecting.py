"""Collects audit events of the days asked for, in memory that does not grow with them."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import polars as pl

from overwatch_assets.sources.audit_records import Row, frame_of
from overwatch_assets.sources.gathering import Request

QUARTER_MS = 900_000
"""Days begin and end on a quarter of an hour in every time zone."""

ROWS_HELD = 20_000


class AuditCollector:
    """Holds the rows of one request, by day; rows that are not of its days are counted."""

    def __init__(self, request: Request) -> None:
        """Prepare a folder of its own in the caller's scratch folder."""
        self.counts: Counter[str] = Counter()
        self._first_ms = request.first_ms
        self._zone = request.zone
        self._first_day = datetime.fromtimestamp(request.first_ms / 1000, self._zone).date()
        self._windows = {
            each.day: range(each.window.since_ms, each.window.until_ms) for each in request.days
        }
        self._day_of_quarter: dict[int, date] = {}
        self._held: list[Row] = []
        self._written: dict[date, list[Path]] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="audit-logs-", dir=request.scratch))

    def add(self, row: Row, at_ms: int, filename: str | None) -> date | None:
        """Keep a row if it belongs to the days asked for.

        Returns:
            Its day, whether it was asked for or not; None: before the workspace's first.
        """
        if at_ms < self._first_ms:
            self.counts["before_first_day"] += 1
            return None
        day = self.day_of(at_ms)
        window = self._windows.get(day)
        if window is None:
            self.counts["other_days"] += 1
        elif at_ms not in window:
            self.counts["after_snapshot"] += 1
        else:
            row["date"] = day
            row["filename"] = filename
            self._held.append(row)
            if len(self._held) >= ROWS_HELD:
                self._flush()
        return day

    def rows(self) -> Mapping[date, pl.LazyFrame]:
        """The rows, by day; days without any are missing."""
        self._flush()
        return {day: pl.scan_parquet(paths) for day, paths in self._written.items()}

    def day_of(self, at_ms: int) -> date:
        """Day of an instant in the configured time zone, not before the workspace's first."""
        quarter = at_ms // QUARTER_MS
        if quarter not in self._day_of_quarter:
            at = datetime.fromtimestamp(quarter * QUARTER_MS / 1000, self._zone)
            self._day_of_quarter[quarter] = max(at.date(), self._first_day)
        return self._day_of_quarter[quarter]

    def _flush(self) -> None:
        if not self._held:
            return
        for (day,), rows in frame_of(self._held).partition_by("date", as_dict=True).items():
            paths = self._written.setdefault(day, [])
            path = self._folder / f"{day}-{len(paths)}.parquet"
            rows.write_parquet(path)
            paths.append(path)
        self._held.clear()
