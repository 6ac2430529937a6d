"""Audit logs as Databricks delivers them to a bucket: `date=` folders of JSON lines.

A record belongs to the day of its timestamp, whatever the folder says: delivery repeats
lines, rewrites files, and puts lines into the folder of another day. So the folders of five
weeks before the days up to today are listed, and each file that is unknown, or known to hold
records of the days, is read.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl

from overwatch_assets.errors import SourceError
from overwatch_assets.sources.audit_reading import AuditReader
from overwatch_assets.sources.file_tracker import KnownFiles
from overwatch_assets.sources.files import FileInfo, Files
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.rejected_lines import frames_by_day

ROUTE = "bucket"
LOOK_BACK = timedelta(days=35)
DAY_MS = 86_400_000

_DATE_FOLDER = re.compile(r"date=(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True, slots=True)
class AuditLogFiles:
    """The audit logs of one workspace in a bucket or on a disk.

    Attributes:
        files: Reaches them.
        path: Folder that directly contains the `date=` folders.
    """

    files: Files
    path: str

    def gather(self, request: Request) -> Gathered:
        """Read the records of the days asked for.

        Days without any folder are empty and told among the failures: they may not have been
        delivered yet, or not any more.

        Raises:
            SourceError: The path can't be listed, or is not the folder of `date=` folders.
        """
        folders = self._folders(request)
        found = [info for folder in folders.values() for info in self.files.list(folder)]
        known = KnownFiles(request.known)
        days = {each.day for each in request.days}
        reader = AuditReader(self.files, request, known)
        for info in found:
            if _must_be_opened(info, known, request, days):
                reader.read(info)
        listed = {info.path for info in found}
        return Gathered(
            rows=reader.rows(),
            rejected=frames_by_day(reader.rejected, ROUTE, reader.day_of),
            processed=pl.concat(
                [
                    known.tracked(reader.readings, days),
                    known.gone(folders.values(), listed, request.now_ms),
                ]
            ),
            counts=reader.counts(),
            failures=(*self._missing(request, folders), *reader.failures),
        )

    def _folders(self, request: Request) -> Mapping[date, str]:
        """The folders to be listed, by their date."""
        earliest = request.days[0].window.since.astimezone(UTC).date() - LOOK_BACK
        latest = datetime.fromtimestamp(request.now_ms / 1000, UTC).date()
        root = self.path.rstrip("/")
        folders: dict[date, str] = {}
        for name in self.files.folders(root):
            day = _date_of(name)
            if day is None:
                raise SourceError(
                    f"workspace {request.organization_id}: {root} contains the folder {name}, "
                    "which is no date=YYYY-MM-DD. Configure the folder that directly contains "
                    "the date= folders, usually workspaceId=<id>"
                )
            if earliest <= day <= latest:
                folders[day] = f"{root}/{name}"
        return folders

    def _missing(self, request: Request, folders: Mapping[date, str]) -> Sequence[str]:
        """One sentence per day of whose hours no folder exists."""
        missing: list[str] = []
        for each in request.days:
            first = each.window.since.astimezone(UTC).date()
            last = (each.window.until.astimezone(UTC) - timedelta(microseconds=1)).date()
            if first not in folders and last not in folders:
                missing.append(
                    f"{self.path} has no folder date={each.day}: nothing of that day has been "
                    "delivered, or it has expired"
                )
        return missing


def _date_of(folder: str) -> date | None:
    found = _DATE_FOLDER.fullmatch(folder)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _must_be_opened(info: FileInfo, known: KnownFiles, request: Request, days: set[date]) -> bool:
    if info.modified_ms and info.modified_ms < request.first_ms - DAY_MS:
        return False
    before = known.get(info)
    return before is None or before.must_be_opened(days)
