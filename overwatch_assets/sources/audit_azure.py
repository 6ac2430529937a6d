"""Audit logs as Azure's diagnostic settings archive them to a storage account.

Each log category has a container, in it a folder per workspace and hour
(`resourceId=/SUBSCRIPTIONS/.../WORKSPACES/<name>/y=/m=/d=/h=/m=00/PT1H.json`), one record a
line. The hour's file grows while the hour lasts and is written again when records come late;
a record belongs to the day of its own time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import msgspec

from overwatch_assets.errors import WrongSource
from overwatch_assets.sources.audit_reading import Delivery, read_delivery, undelivered
from overwatch_assets.sources.audit_records import Delivered, Form, NoRecord
from overwatch_assets.sources.canonical_json import as_object, scalar_text
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.gathering import Gathered, Request

ROUTE = "azure"
LOOK_BACK = timedelta(days=35)

CATEGORY = "{category}"
"""Stands in a configured path for the container's part that differs by category."""

CATEGORIES = (
    "accounts",
    "clusterlibraries",
    "clusters",
    "dashboards",
    "databrickssql",
    "dbfs",
    "deltapipelines",
    "gitcredentials",
    "globalinitscripts",
    "iamrole",
    "instancepools",
    "jobs",
    "mlflowacledartifact",
    "mlflowexperiment",
    "modelregistry",
    "notebook",
    "remotehistoryservice",
    "repos",
    "secrets",
    "sqlpermissions",
    "ssh",
    "unitycatalog",
    "webterminal",
    "workspace",
)
"""Databricks' log categories on Azure, as their containers spell them."""

_CONTAINER = "insights-logs-"
_RESOURCE = "resourceId="
_FIELDS = (
    "serviceName",
    "actionName",
    "requestId",
    "sessionId",
    "sourceIPAddress",
    "userAgent",
    "requestParams",
    "response",
)


class _Diagnostic(msgspec.Struct, gc=False):
    """The fields used of a diagnostic record; the rest is skipped undecoded."""

    time: object = None
    resourceId: object = None  # noqa: N815 - as delivered
    operationVersion: object = None  # noqa: N815 - as delivered
    category: object = None
    identity: object = None
    properties: object = None
    records: list[msgspec.Raw] | None = None


_decoder = msgspec.json.Decoder(_Diagnostic)


def diagnostic_line(resource_id: str | None = None) -> Form:
    """The events of a line: one record, or several as an event hub holds them.

    Args:
        resource_id: The workspace's Azure resource; records of another are none of it. None:
            whatever they name.
    """
    own = f"/{resource_id.strip('/')}".casefold() if resource_id else None

    def events(line: bytes) -> Sequence[Delivered | NoRecord]:
        record = _decoder.decode(line)
        if record.records is None:
            return (_delivered(record, own),)
        return [_part(each, own) for each in record.records]

    return events


def _part(raw: msgspec.Raw, own: str | None) -> Delivered | NoRecord:
    try:
        return _delivered(_decoder.decode(raw), own)
    except msgspec.ValidationError as error:
        return NoRecord(f"not an audit record: {error}")


def _delivered(record: _Diagnostic, own: str | None) -> Delivered | NoRecord:
    """The record in the bucket's spelling."""
    resource = scalar_text(record.resourceId)
    if own is not None and resource is not None and resource.casefold() != own:
        return NoRecord("of another workspace: its resourceId differs from the configured one")
    properties = as_object(record.properties) or {}
    return Delivered(
        timestamp=epoch_ms(record.time),
        version=record.operationVersion,
        category=record.category,
        userIdentity=record.identity,
        **{name: properties.get(name) for name in _FIELDS},
    )


def epoch_ms(time: object) -> int | None:
    """Milliseconds of an ISO instant, whose fraction may have seven digits; None: it is none."""
    try:
        instant = datetime.fromisoformat(time) if isinstance(time, str) else None
    except ValueError:
        return None
    if instant is None:
        return None
    at = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class AzureAuditLogs:
    """The diagnostic records of one workspace in a storage account or on a disk.

    Attributes:
        files: Reaches them.
        path: Container or folder of one category, a folder that holds `insights-logs-...`
            folders, or an address with `{category}` in the container's name.
        resource_id: The workspace's Azure resource; None: the only one there is.
    """

    files: Files
    path: str
    resource_id: str | None = None

    def gather(self, request: Request) -> Gathered:
        """Read the records of the days asked for.

        Days without any folder are empty and told among the failures: they may not have been
        delivered yet, or not any more.

        Raises:
            SourceError: The path can't be listed, or holds several workspaces and none is named.
        """
        earliest = request.days[0].window.since.astimezone(UTC).date() - LOOK_BACK
        latest = datetime.fromtimestamp(request.now_ms / 1000, UTC).date()
        resources = self._resources(request.organization_id)
        folders = [
            (day, folder)
            for resource in resources
            for day, folder in self._days(resource)
            if earliest <= day <= latest
        ]
        found = [info for _, folder in folders for info in self.files.list(folder)]
        delivery = Delivery(
            route=ROUTE,
            form=diagnostic_line(self.resource_id),
            folders=[folder for _, folder in folders],
            found=found,
            missing=undelivered(request, {day for day, _ in folders}, self.path),
        )
        return read_delivery(self.files, delivery, request)

    def delivered_days(self, organization_id: str) -> set[date]:
        """The days that any category has a folder of.

        Raises:
            SourceError: The path can't be listed, or holds several workspaces and none is named.
        """
        resources = self._resources(organization_id)
        return {day for resource in resources for day, _ in self._days(resource)}

    def _roots(self) -> Iterator[str]:
        """Folders that hold the records of a category."""
        path = self.path.rstrip("/")
        if CATEGORY in path:
            yield from (path.replace(CATEGORY, category) for category in CATEGORIES)
            return
        containers = [each for each in self.files.folders(path) if each.startswith(_CONTAINER)]
        yield from (f"{path}/{each}" for each in containers)
        if not containers:
            yield path

    def _resources(self, organization_id: str) -> Sequence[str]:
        """Folders of the workspace, one per category that has records."""
        by_resource: dict[str, list[str]] = {}
        for root in self._roots():
            for folder in self._below(root):
                by_resource.setdefault(folder.removeprefix(root).casefold(), []).append(folder)
        if self.resource_id is not None:
            wanted = f"/{_RESOURCE}/{self.resource_id.strip('/')}".casefold()
            return by_resource.get(wanted, [])
        if len(by_resource) > 1:
            names = ", ".join(
                sorted(folders[0].partition(_RESOURCE)[2] for folders in by_resource.values())
            )
            raise WrongSource(
                f"workspace {organization_id}: {self.path} holds the records of several "
                f"workspaces: {names}. Configure `resource_id` with the one of this workspace"
            )
        return [folder for folders in by_resource.values() for folder in folders]

    def _below(self, folder: str) -> Iterator[str]:
        """Folders at or below it that hold `y=` folders: one per resource."""
        names = self.files.folders(folder)
        if any(name.startswith("y=") for name in names):
            yield folder
            return
        for name in names:
            yield from self._below(f"{folder}/{name}")

    def _days(self, resource: str) -> Iterator[tuple[date, str]]:
        """The day folders of a resource, with their days."""
        for year in self._numbered(resource, "y="):
            for month in self._numbered(f"{resource}/{year}", "m="):
                for day in self._numbered(f"{resource}/{year}/{month}", "d="):
                    of = _date_of(year, month, day)
                    if of is not None:
                        yield of, f"{resource}/{year}/{month}/{day}"

    def _numbered(self, folder: str, prefix: str) -> Iterator[str]:
        names = self.files.folders(folder)
        return (name for name in names if name.startswith(prefix) and name[2:].isdecimal())


def _date_of(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year[2:]), int(month[2:]), int(day[2:]))
    except ValueError:
        return None
