"""Reads delivered audit files line by line, in memory that does not grow with them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta

import polars as pl

from overwatch_assets.errors import SourceError
from overwatch_assets.sources.audit_collecting import AuditCollector
from overwatch_assets.sources.audit_records import (
    AuditRecords,
    Form,
    NoRecord,
    NotJson,
    Row,
)
from overwatch_assets.sources.compression import UnreadableContent, decompressed
from overwatch_assets.sources.file_tracker import FAILURES_ALLOWED, FileReading, KnownFiles
from overwatch_assets.sources.files import FileGone, FileInfo, Files
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.json_lines import MAX_LINE_BYTES, Line, lines
from overwatch_assets.sources.rejected_lines import KEPT_LINES, RejectedLine, frames_by_day

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """How audit files are delivered, and which of them there are.

    Attributes:
        route: Name of the route, for rejected lines.
        form: How a line is written.
        folders: Folders that were listed.
        found: The files in them.
        missing: One sentence per day of which nothing was delivered.
    """

    route: str
    form: Form
    folders: Collection[str]
    found: Sequence[FileInfo]
    missing: Sequence[str]


def read_delivery(files: Files, delivery: Delivery, request: Request) -> Gathered:
    """Read the files that are unknown, or known to hold events of the days asked for."""
    known = KnownFiles(request.known, request.stored_as)
    days = {each.day for each in request.days}
    reader = AuditReader(files, request, known, delivery.form)
    for info in delivery.found:
        if _must_be_opened(info, known, request, days):
            reader.read(info)
    listed = {info.path for info in delivery.found}
    return Gathered(
        rows=reader.collector.rows(),
        rejected=frames_by_day(reader.rejected, delivery.route, reader.collector.day_of),
        processed=pl.concat(
            [
                known.tracked(reader.readings, days),
                known.gone(delivery.folders, listed, request.now_ms),
            ]
        ),
        counts=reader.counts(),
        failures=(*delivery.missing, *reader.failures),
    )


def _must_be_opened(
    info: FileInfo, known: KnownFiles, request: Request, days: Collection[date]
) -> bool:
    if info.modified_ms and info.modified_ms < request.first_ms - DAY_MS:
        return False
    before = known.get(info)
    return before is None or before.must_be_opened(days)


def undelivered(request: Request, found: Collection[date], path: str) -> Sequence[str]:
    """One sentence per day asked for of whose hours no folder was found.

    Args:
        request: The days.
        found: Dates, in UTC, of the folders there are.
        path: Where they were looked for.
    """
    missing: list[str] = []
    for each in request.days:
        first = each.window.since.astimezone(UTC).date()
        last = (each.window.until.astimezone(UTC) - timedelta(microseconds=1)).date()
        if first not in found and last not in found:
            missing.append(
                f"{path} has no folder of {each.day}: nothing of that day has been delivered, "
                "or it has expired"
            )
    return missing


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

    def __init__(self, files: Files, request: Request, known: KnownFiles, form: Form) -> None:
        """Nothing is read yet."""
        self.readings: list[FileReading] = []
        self.rejected: list[tuple[RejectedLine, int]] = []
        self.failures: list[str] = []
        self.collector = AuditCollector(request)
        self._files = files
        self._request = request
        self._known = known
        self._records = AuditRecords(form, request.organization_id)
        self._counts: Counter[str] = Counter()

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
        except FileGone as error:
            self._counts["files_gone"] += 1
            self.failures.append(str(error))
            return
        except SourceError as error:
            self._note_failure(opened, error)
        self.readings.append(opened.reading)
        otherwise_ms = opened.first_accepted_ms
        if otherwise_ms is None:
            otherwise_ms = info.modified_ms or self._request.now_ms
        self.rejected += [(line, otherwise_ms) for line in opened.rejected]

    def counts(self) -> Mapping[str, int]:
        """What was seen and not kept, by reason."""
        return dict(+(self._counts + self.collector.counts + self._records.counts))

    def _take(self, line: Line, opened: _OpenFile) -> None:
        """Make a line rows, a rejected line, or the unfinished end of its file."""
        if line.is_too_long:
            self._reject(line, opened, f"longer than {MAX_LINE_BYTES} bytes")
            return
        try:
            events = self._records.decode(line.text)
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
        reasons = [reason for each in events if (reason := self._accept(each, opened))]
        if reasons:
            self._reject(line, opened, reasons[0])
        else:
            opened.reading.lines += 1

    def _accept(self, event: Row | NoRecord, opened: _OpenFile) -> str:
        """Keep an event, or say why not."""
        if isinstance(event, NoRecord):
            return str(event)
        at_ms = event["timestamp"]
        if not isinstance(at_ms, int) or at_ms > opened.latest_ms:
            return "time_in_future"
        opened.last_accepted_ms = at_ms
        if opened.first_accepted_ms is None:
            opened.first_accepted_ms = at_ms
        reading = opened.reading
        day = self.collector.add(event, at_ms, reading.info.path)
        if day is not None:
            reading.day_counts[day] += 1
            reading.first_ms = min(at_ms, reading.first_ms or at_ms)
            reading.last_ms = max(at_ms, reading.last_ms or at_ms)
        return ""

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
