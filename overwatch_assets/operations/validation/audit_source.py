"""Whether a workspace's audit log can be read, and of which days it was delivered."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from overwatch_assets.config import Workspace
from overwatch_assets.configuration.days import days_between
from overwatch_assets.errors import ConfigError, SourceError, WrongSource
from overwatch_assets.operations.validation.findings import Check, Finding, shown_days
from overwatch_assets.sources.audit_azure import AzureAuditLogs
from overwatch_assets.sources.audit_logs import AuditLogFiles
from overwatch_assets.sources.audit_system import TABLE, SystemAuditTable
from overwatch_assets.sources.gathering import Source
from overwatch_assets.sources.rest_api.api import Api, ApiRefused

BUCKET, AZURE, SYSTEM = (
    "Validate_AuditLogPrefix",
    "Validate_DiagnosticLogs",
    "Validate_SystemTablesAudit",
)
WAREHOUSE = "Validate_SqlEndpoint_Config"
LONGEST_WAIT_S = 300
"""A warehouse that is stopped takes minutes to start."""

GRANTS = (
    f"Grant the identity USE CATALOG on system, USE SCHEMA and SELECT on system.access, SELECT on "
    f"{TABLE}, and CAN USE on the warehouse; an account admin enables the schema system.access"
)
_LONG_GONE = "Days before the first delivery stay empty; a later `primordial_date` leaves them out"
_NOT_DELIVERED = (
    "Set up the delivery of audit logs for this workspace, or mend the path; check that the "
    "identity may list it"
)


@dataclass(frozen=True, slots=True)
class AuditAccess:
    """What is known of an audit log.

    Attributes:
        findings: The checks.
        why_not: Why there is not; blank where there is.
    """

    findings: list[Finding]
    why_not: str = ""


def audit_access(
    workspace: Workspace,
    source: Callable[[], Source],
    now: datetime,
    *,
    api: Api | None,
    why_no_api: str,
) -> AuditAccess:
    """Look which days were delivered.

    Args:
        workspace: The workspace.
        source: Its audit log.
        now: The present.
        api: The workspace's API; None: it can't be asked.
        why_no_api: Why it can't be.
    """
    logs = workspace.audit_logs
    rule, tried = _named(workspace)
    check = Check(rule, workspace.organization_id, tried)
    if logs is None:
        why = "no `audit_logs` is configured"
        remedy = "Configure it: most tables are made from the audit log"
        return AuditAccess([check.warning(why, remedy)], why_not=why)
    if logs.sql_warehouse is not None and api is None:
        return AuditAccess([check.skipped(f"the API can't be asked: {why_no_api}")], why_no_api)
    return _looked_at(check, workspace, source, now)


def _looked_at(
    check: Check, workspace: Workspace, source: Callable[[], Source], now: datetime
) -> AuditAccess:
    before: list[Finding] = []
    try:
        found = source()
        if isinstance(found, SystemAuditTable):
            before = [_warehouse(workspace, found)]
        if any(each.is_failed for each in before):
            return AuditAccess(before, why_not="its SQL warehouse can't be used")
        access = _delivered(check, found, workspace, now)
    except ConfigError as error:
        access = _failed(check.failed(error, "Mend it in the configuration"))
    except WrongSource as error:
        access = _failed(check.failed(error, "Configure what belongs to this workspace"))
    except SourceError as error:
        access = _failed(check.failed(error, GRANTS if check.rule == SYSTEM else _NOT_DELIVERED))
    return AuditAccess([*before, *access.findings], access.why_not)


def _failed(finding: Finding) -> AuditAccess:
    return AuditAccess([finding], why_not=finding.came_back)


def _named(workspace: Workspace) -> tuple[str, str]:
    """The rule, and what is looked at."""
    logs = workspace.audit_logs
    if logs is None:
        return BUCKET, "look for the audit log"
    if logs.sql_warehouse is not None:
        return SYSTEM, f"query the days of this workspace in {TABLE}"
    if logs.layout == "azure":
        return AZURE, f"list the days of diagnostic records below {logs.path}"
    return BUCKET, f"list the date= folders of {logs.path}"


def _warehouse(workspace: Workspace, table: SystemAuditTable) -> Finding:
    """Whether the warehouse exists.

    Raises:
        ApiError: Nobody answered.
    """
    path = f"/api/2.0/sql/warehouses/{table.warehouse_id}"
    check = Check(WAREHOUSE, workspace.organization_id, f"GET {path}")
    try:
        told = table.api.get(path)
    except ApiRefused as error:
        remedy = "Write the id of a SQL warehouse of this workspace as `audit_logs.sql_warehouse`"
        denied = f"{remedy}, and grant the identity CAN USE on it"
        return check.failed(error, remedy if error.is_missing else denied)
    state = f" and is {told['state']}" if told.get("state") else ""
    return check.ok(f"{told.get('name', table.warehouse_id)} exists{state}")


def _delivered(check: Check, source: Source, workspace: Workspace, now: datetime) -> AuditAccess:
    """Compare the days that there are with those that there should be.

    Raises:
        SourceError: The source can't be read, or is another one.
    """
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    last = min(yesterday, workspace.retired_on or yesterday)
    expected = days_between(workspace.first_day, last)
    org = workspace.organization_id
    match source:
        case AuditLogFiles() | AzureAuditLogs():
            found: Collection[date] = source.delivered_days(org)
        case SystemAuditTable():
            today = yesterday + timedelta(days=1)
            found = source.delivered_days(
                org, workspace.first_day, today, longest_wait_s=LONGEST_WAIT_S
            )
        case _:
            raise TypeError(f"{type(source).__name__} is no audit log")
    missing = sorted(set(expected) - set(found))
    if not found:
        remedy = GRANTS if isinstance(source, SystemAuditTable) else _NOT_DELIVERED
        return _failed(check.error("there is no day of this workspace", remedy))
    if expected and len(missing) == len(expected) and max(found) <= last:
        told = f"none of {shown_days(expected)}; the newest day is {max(found)}"
        return _failed(check.error(told, _NOT_DELIVERED))
    span = f"{len(expected) - len(missing)} of {len(expected)} days are there"
    if missing:
        remedy = _LONG_GONE if missing[0] == workspace.first_day else _NOT_DELIVERED
        return AuditAccess([check.warning(f"{span}; missing: {shown_days(missing)}", remedy)])
    return AuditAccess([check.ok(f"{span}, the newest is {max(found)}")])
