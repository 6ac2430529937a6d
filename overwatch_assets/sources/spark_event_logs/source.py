"""The Spark event logs of a workspace: which files are opened, and what days get of them.

A file is opened when the tracker doesn't know it as it is now, or knows that it has events of
the days asked for. Nothing else prunes: names and times of files tell too little.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from overwatch_assets.errors import SourceError
from overwatch_assets.sources.file_tracker import KnownFiles
from overwatch_assets.sources.files import FileInfo, Files
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.spark_event_logs.days import DAY_MS, Days
from overwatch_assets.sources.spark_event_logs.layout import is_log
from overwatch_assets.sources.spark_event_logs.processes import in_processes
from overwatch_assets.sources.spark_event_logs.reports import rejected_by_day, tracked
from overwatch_assets.sources.spark_event_logs.scratch import rows_by_day
from overwatch_assets.sources.spark_event_logs.task import (
    Bundle,
    LogRead,
    LogTask,
    read_bundle,
)

PROCESS_BYTES = 4 << 20
"""Stored size that is worth a process; smaller logs are read together."""

WORTH_STARTING_BYTES = 32 << 20
"""Stored size that each process must have to read: to start one takes as long as to read that
much plain text, or a fifth of it compressed."""

OPENING_BYTES = 1 << 16
"""What opening a log costs, in stored bytes that are read in that time."""


@dataclass(frozen=True, slots=True)
class SparkEventLogs:
    """Spark event logs below folders.

    Attributes:
        files: Reaches them.
        prefixes: Folders or files that are always read, besides those of the clusters that a
            request names.
        workers: Processes that large logs are read in.
        failures: Why folders of clusters may be unknown, one sentence each.
    """

    files: Files
    prefixes: Sequence[str] = ()
    workers: int = 1
    failures: Sequence[str] = ()

    def gather(self, request: Request) -> Gathered:
        """Read what the days need.

        Each file is opened once, whatever the number of days, and its events are written to
        the days in the request's scratch folder.

        Raises:
            SourceError: No folder can be listed.
        """
        listing = self._listed(request)
        known = KnownFiles(request.known, request.stored_as)
        tasks = self._tasks(request, known, listing.found.values())
        folder = Path(tempfile.mkdtemp(prefix="spark-event-logs-", dir=request.scratch))
        bundles = _bundles(tasks, folder)
        results = list(in_processes(read_bundle, bundles, min(self.workers, _worth(tasks))))
        logs = [log for result in results for log in result.logs]
        days = Days(request.days)
        counts = _counted(logs)
        gone = [each for result in results for each in result.gone]
        counts["files_not_read"] = sum(result.not_read for result in results)
        counts["files_gone"] = len(gone)
        return Gathered(
            rows=rows_by_day(result.written for result in results),
            rejected=rejected_by_day(logs, known, days, request),
            processed=tracked(logs, known, listing.readable, listing.found, request),
            counts=+counts,
            failures=(
                *listing.failures,
                *self.failures,
                *gone,
                *(log.summary.reason for log in logs if log.summary.reason),
            ),
        )

    def _listed(self, request: Request) -> "_Listing":
        """The files below all folders; a folder that can't be listed is told."""
        of_clusters = request.coverage["prefix"].to_list() if request.coverage.height else []
        listing = _Listing()
        for prefix in dict.fromkeys((*self.prefixes, *of_clusters)):
            try:
                for info in self.files.list(prefix):
                    if is_log(info.path):
                        listing.found[info.path] = info
            except SourceError as error:
                listing.failures.append(str(error))
            else:
                listing.readable.append(prefix)
        if listing.failures and not listing.readable:
            raise SourceError(
                f"workspace {request.organization_id}: no folder of Spark event logs can be "
                f"listed. {listing.failures[0]}"
            )
        return listing

    def _tasks(
        self, request: Request, known: KnownFiles, found: Iterable[FileInfo]
    ) -> list[LogTask]:
        """The files that must be opened, the largest first."""
        asked = {each.day for each in request.days}
        opened = sorted(
            (info for info in found if _must_be_opened(info, known, request.first_ms, asked)),
            key=lambda info: (-info.size, info.path),
        )
        return [
            LogTask(
                files=self.files,
                info=info,
                asked=tuple(request.days),
                first_ms=request.first_ms,
                now_ms=request.now_ms,
            )
            for info in opened
        ]


def _worth(tasks: Sequence[LogTask]) -> int:
    """How many processes the logs are worth; one of unknown size is worth its own."""
    return sum(_cost(task) for task in tasks) // WORTH_STARTING_BYTES or 1


def _cost(task: LogTask) -> int:
    """Bytes to read, as stored."""
    return task.info.size + OPENING_BYTES if task.info.size else WORTH_STARTING_BYTES


def _bundles(tasks: Sequence[LogTask], folder: Path) -> list[Bundle]:
    """Logs put together until they are worth a process; one of unknown size stands alone."""
    groups: list[list[LogTask]] = []
    room = 0
    for task in tasks:
        cost = _cost(task)
        if cost > room:
            groups.append([])
            room = PROCESS_BYTES
        groups[-1].append(task)
        room -= cost
    return [Bundle(group, folder, str(number)) for number, group in enumerate(groups)]


@dataclass(slots=True)
class _Listing:
    """What was listed: files by path, folders that could be read, and why others couldn't."""

    found: dict[str, FileInfo] = field(default_factory=dict[str, FileInfo])
    readable: list[str] = field(default_factory=list[str])
    failures: list[str] = field(default_factory=list[str])


def _must_be_opened(info: FileInfo, known: KnownFiles, first_ms: int, days: set[date]) -> bool:
    if info.modified_ms and info.modified_ms < first_ms - DAY_MS:
        return False
    before = known.get(info)
    return before is None or not info.modified_ms or before.must_be_opened(days)


def _counted(logs: Sequence[LogRead]) -> Counter[str]:
    """What was seen and not kept, by reason."""
    counts: Counter[str] = Counter()
    for log in logs:
        summary = log.summary
        counts += summary.left_out
        counts["tail_bytes"] += summary.tail_bytes
        counts["rejected_lines"] += summary.rejected
        counts["rejected_not_kept"] += summary.rejected - len(summary.bad_lines)
        counts["other_days"] += log.day_counts.total() - log.kept
        counts["not_decoded"] += summary.not_decoded
    return counts
