"""Reads delivered audit files line by line, in memory that does not grow with them."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl

from overwatch_assets.errors import SourceError
from overwatch_assets.sources.audit_records import AuditRecords, NoRecord, NotJson, Row, frame_of
from overwatch_assets.sources.compression import UnreadableContent, decompressed
from overwatch_assets.sources.file_tracker import FAILURES_ALLOWED, FileReading, KnownFiles
from overwatch_assets.sources.files import FileGone, FileInfo, Files
from overwatch_assets.sources.gathering import Request
from overwatch_assets.sources.json_lines import MAX_LINE_BYTES, Line, lines
from overwatch_assets.sources.rejected_lines import KEPT_LINES, RejectedLine

DAY_MS = 86_400_000
QUARTER_MS = 900_000
"""Days begin and end on a quarter of an hour in every time zone."""

ROWS_HELD = 20_000


@dataclass(slots=True)
class _OpenFile:
    """A file that is being read."""

    reading: FileReading
    latest_ms: int
    rejected: list[RejectedLine] = field(default_factory=list[RejectedLine])
    first_accepted_ms: int | None = None
    last_accepted_ms: int | None = None


class AuditReader:
    """Reads files for the days of one request, and holds what they gave."""

    def __init__(self, files: Files, request: Request, known: KnownFiles) -> None:
        """Prepare a folder of its own in the caller's scratch folder."""
        self.readings: list[FileReading] = []
        self.rejected: list[tuple[RejectedLine, int]] = []
        self.failures: list[str] = []
        self._files = files
        self._request = request
        self._known = known
        self._records = AuditRecords()
        self._counts: Counter[str] = Counter()
        self._held: list[Row] = []
        self._written: dict[date, list[Path]] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="audit-logs-", dir=request.scratch))
        self._zone = request.zone
        self._first_day = datetime.fromtimestamp(request.first_ms / 1000, self._zone).date()
        self._day_of_quarter: dict[int, date] = {}
        self._windows = {
            each.day: range(each.window.since_ms, each.window.until_ms) for each in request.days
        }

    def read(self, info: FileInfo) -> None:
        """Read one file as far as it can be read."""
        before = self._known.get(info)
        failures = before.failures if before else 0
        opened = _OpenFile(
            reading=FileReading(info, failures=failures),
            latest_ms=(info.modified_ms or self._request.now_ms) + DAY_MS,
        )
        try:
            for line in lines(decompressed(info.path, self._files.open(info.path))):
                if line.text.strip():
                    self._take(line, opened)
        except FileGone:
            self._counts["files_gone"] += 1
            return
        except SourceError as error:
            self._note_failure(opened, error)
        self.readings.append(opened.reading)
        otherwise_ms = opened.first_accepted_ms
        if otherwise_ms is None:
            otherwise_ms = info.modified_ms or self._request.now_ms
        self.rejected += [(line, otherwise_ms) for line in opened.rejected]

    def rows(self) -> Mapping[date, pl.LazyFrame]:
        """The records read, by day; days without any are missing."""
        self._flush()
        return {day: pl.scan_parquet(paths) for day, paths in self._written.items()}

    def counts(self) -> Mapping[str, int]:
        """What was seen and not kept, by reason."""
        return dict(+(self._counts + self._records.counts))

    def day_of(self, at_ms: int) -> date:
        """Day of an instant in the configured time zone, not before the workspace's first."""
        quarter = at_ms // QUARTER_MS
        if quarter not in self._day_of_quarter:
            at = datetime.fromtimestamp(quarter * QUARTER_MS / 1000, self._zone)
            self._day_of_quarter[quarter] = max(at.date(), self._first_day)
        return self._day_of_quarter[quarter]

    def _take(self, line: Line, opened: _OpenFile) -> None:
        """Make a line a row, a rejected line, or the unfinished end of its file."""
        if line.is_too_long:
            self._reject(line, opened, f"longer than {MAX_LINE_BYTES} bytes")
            return
        try:
            row = self._records.decode(line.text)
        except NotJson as error:
            if line.is_ended:
                self._reject(line, opened, str(error))
            else:
                opened.reading.tail_bytes = len(line.text)
                self._counts["tail_bytes"] += len(line.text)
            return
        except NoRecord as error:
            self._reject(line, opened, str(error))
            return
        at_ms = row["timestamp"]
        if not isinstance(at_ms, int) or at_ms > opened.latest_ms:
            self._reject(line, opened, "time_in_future")
            return
        opened.reading.lines += 1
        opened.last_accepted_ms = at_ms
        if opened.first_accepted_ms is None:
            opened.first_accepted_ms = at_ms
        if at_ms < self._request.first_ms:
            self._counts["before_first_day"] += 1
        else:
            self._keep(row, at_ms, opened.reading)

    def _keep(self, row: Row, at_ms: int, reading: FileReading) -> None:
        """Keep a row if it belongs to the days asked for; note its day in any case."""
        day = self.day_of(at_ms)
        reading.day_counts[day] += 1
        reading.first_ms = min(at_ms, reading.first_ms or at_ms)
        reading.last_ms = max(at_ms, reading.last_ms or at_ms)
        window = self._windows.get(day)
        if window is None:
            self._counts["other_days"] += 1
        elif at_ms not in window:
            self._counts["after_snapshot"] += 1
        else:
            row["date"] = day
            row["filename"] = reading.info.path
            self._held.append(row)
            if len(self._held) >= ROWS_HELD:
                self._flush()

    def _reject(self, line: Line, opened: _OpenFile, reason: str) -> None:
        reading = opened.reading
        reading.lines += 1
        reading.rejected += 1
        if len(opened.rejected) >= KEPT_LINES:
            self._counts["rejected_not_kept"] += 1
            return
        opened.rejected.append(
            RejectedLine.of_line(
                reading.info.path, line.number, line.text, reason, opened.last_accepted_ms
            )
        )

    def _note_failure(self, opened: _OpenFile, error: SourceError) -> None:
        """Note that the file broke off; when it does so for good, it is rejected."""
        reading = opened.reading
        reading.is_complete = False
        is_final = isinstance(error, UnreadableContent)
        reading.failures = FAILURES_ALLOWED if is_final else reading.failures + 1
        self.failures.append(str(error))
        if reading.failures == FAILURES_ALLOWED:
            newest_ms = self._request.days[-1].window.since_ms
            path = reading.info.path
            opened.rejected.append(
                RejectedLine(path, None, "file can't be read to its end", path, newest_ms)
            )

    def _flush(self) -> None:
        if not self._held:
            return
        for (day,), rows in frame_of(self._held).partition_by("date", as_dict=True).items():
            paths = self._written.setdefault(day, [])
            path = self._folder / f"{day}-{len(paths)}.parquet"
            rows.write_parquet(path)
            paths.append(path)
        self._held.clear()
