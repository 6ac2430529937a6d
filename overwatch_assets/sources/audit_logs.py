"""Audit logs as Databricks delivers them to a bucket: `date=` folders of JSON lines.

A record belongs to the day of its timestamp, whatever the folder says: delivery repeats
lines, rewrites files, and puts lines into the folder of another day. So the folders of five
weeks before the days up to today are listed, and each file that is unknown, or known to hold
records of the days, is read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from overwatch_assets.errors import WrongSource
from overwatch_assets.sources.audit_reading import Delivery, read_delivery, undelivered
from overwatch_assets.sources.audit_records import bucket_line
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.gathering import Gathered, Request

ROUTE = "bucket"
LOOK_BACK = timedelta(days=35)

_DATE_FOLDER = re.compile(r"date=(\d{4}-\d{2}-\d{2})")
_WORKSPACE_FOLDER = re.compile(r"workspaceId=(\d+)")


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
            SourceError: The path can't be listed, is not the folder of `date=` folders, or is
                that of another workspace.
        """
        folders = self._folders(request)
        delivery = Delivery(
            route=ROUTE,
            form=bucket_line,
            folders=folders.values(),
            found=[info for folder in folders.values() for info in self.files.list(folder)],
            missing=undelivered(request, folders, self.path),
        )
        return read_delivery(self.files, delivery, request)

    def delivered_days(self, organization_id: str) -> Mapping[date, str]:
        """The folders of all days, by their date.

        Raises:
            SourceError: The path can't be listed, is not the folder of `date=` folders, or is
                that of another workspace.
        """
        self._require_own_folder(organization_id)
        root = self.path.rstrip("/")
        folders: dict[date, str] = {}
        for name in self.files.folders(root):
            day = _date_of(name)
            if day is None:
                raise WrongSource(
                    f"workspace {organization_id}: {root} contains the folder {name}, "
                    "which is no date=YYYY-MM-DD. Configure the folder that directly contains "
                    "the date= folders, usually workspaceId=<id>"
                )
            folders[day] = f"{root}/{name}"
        return folders

    def _require_own_folder(self, organization_id: str) -> None:
        """Refuse the folder of another workspace: all its events would be taken for this one's."""
        named = _WORKSPACE_FOLDER.fullmatch(self.path.rstrip("/").rpartition("/")[2])
        if named and organization_id.isdecimal() and named[1] != organization_id:
            raise WrongSource(
                f"workspace {organization_id}: {self.path} holds the audit logs of workspace "
                f"{named[1]}. Configure workspaceId={organization_id}"
            )

    def _folders(self, request: Request) -> Mapping[date, str]:
        """The folders to be listed, by their date."""
        earliest = request.days[0].window.since.astimezone(UTC).date() - LOOK_BACK
        latest = datetime.fromtimestamp(request.now_ms / 1000, UTC).date()
        delivered = self.delivered_days(request.organization_id)
        return {day: each for day, each in delivered.items() if earliest <= day <= latest}


def _date_of(folder: str) -> date | None:
    found = _DATE_FOLDER.fullmatch(folder)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
