"""Reading listed logs for the days of a request: the work that a process is given."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from overwatch_assets.module import DayWindow
from overwatch_assets.sources.compression import decompressed
from overwatch_assets.sources.files import FileGone, FileInfo, Files
from overwatch_assets.sources.spark_event_logs.days import DAY_MS, Days
from overwatch_assets.sources.spark_event_logs.decoding import Decoded
from overwatch_assets.sources.spark_event_logs.layout import log_path
from overwatch_assets.sources.spark_event_logs.reading import Limits, LogSummary, read_log
from overwatch_assets.sources.spark_event_logs.scratch import EventFiles, Scratch
from overwatch_assets.sources.spark_event_logs.small_logs import SmallLogs

PEEK_GRACE_MS = 300_000
"""Stored events of genuine logs step back by 69 ms at most; this is ample."""


@dataclass(frozen=True, slots=True)
class LogTask:
    """A log to be read, and all that is needed for it; can be sent to another process.

    Attributes:
        files: Reaches it.
        info: As it was listed.
        asked: Days asked for, ascending.
        first_ms: Epoch ms of the workspace's first day.
        now_ms: Epoch ms of the run's snapshot time.
    """

    files: Files
    info: FileInfo
    asked: tuple[DayWindow, ...]
    first_ms: int
    now_ms: int

    @property
    def modified_ms(self) -> int:
        """Last change of the file; the snapshot time where the store doesn't tell."""
        return self.info.modified_ms or self.now_ms


@dataclass(frozen=True, slots=True)
class LogRead:
    """A log that was read.

    Attributes:
        task: What was to be read.
        summary: What was found.
        day_counts: Events by day, of all days.
        kept: How many events the days asked for got.
    """

    task: LogTask
    summary: LogSummary
    day_counts: Counter[date]
    kept: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """Logs that are read one after the other by one process.

    Attributes:
        logs: The logs, of one request; there is at least one.
        folder: Where their events are written.
        stem: Beginning of the files' names; no other bundle has it.
    """

    logs: Sequence[LogTask]
    folder: Path
    stem: str


@dataclass(frozen=True, slots=True)
class BundleRead:
    """Logs that were read.

    Attributes:
        logs: What was found in them.
        not_read: How many begin after the days asked for.
        gone: Those that were listed and aren't there any more, a sentence each.
        written: Files of events, by day.
    """

    logs: Sequence[LogRead]
    not_read: int
    gone: Sequence[str]
    written: Mapping[date, list[Path]]


def read_bundle(bundle: Bundle) -> BundleRead:
    """Read the logs of a bundle."""
    files = EventFiles(bundle.folder, bundle.stem)
    small = SmallLogs(Days(bundle.logs[0].asked), files)
    results: list[tuple[LogTask, LogSummary, Scratch]] = []
    gone: list[str] = []
    for task in bundle.logs:
        try:
            results.append((task, *_read(task, files, small)))
        except FileGone as error:
            gone.append(str(error))
    small.flush()
    files.flush()
    logs = [
        LogRead(task, summary, scratch.day_counts, scratch.kept)
        for task, summary, scratch in results
        if not summary.is_skipped
    ]
    return BundleRead(logs, len(results) - len(logs), gone, files.written)


def _read(task: LogTask, files: EventFiles, small: SmallLogs) -> tuple[LogSummary, Scratch]:
    """Read a log.

    Raises:
        FileGone: It isn't there any more.
    """
    scratch = Scratch(Days(task.asked), files)
    path = task.info.path
    log = log_path(path)

    def take(_: str, events: pl.DataFrame) -> None:
        scratch.take(events)

    def share(summary: LogSummary, decoded: Decoded) -> None:
        small.add(log, summary, decoded, scratch)

    limits = Limits(
        first_ms=task.first_ms,
        latest_ms=task.modified_ms + DAY_MS,
        skip_from_ms=task.asked[-1].window.until_ms + PEEK_GRACE_MS,
    )
    chunks = decompressed(path, task.files.open(path))
    return read_log(log, chunks, limits, take, share=share), scratch
