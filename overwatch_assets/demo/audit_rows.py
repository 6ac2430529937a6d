"""Rows of `system.access.audit`: a workspace's audit log as the account's table tells it.

Most rows are there within the hour, some a day late; none comes twice. What a row says is what
the delivered file says, in the table's spelling.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from xxhash import xxh64_hexdigest

from overwatch_assets.demo.audit_files import audit_line, parameter_text
from overwatch_assets.demo.company import Workspace
from overwatch_assets.demo.scene import HOUR_MS, MINUTE_MS
from overwatch_assets.demo.world import AuditAction, WorkspaceWorld

Json = dict[str, object]

SOONEST_MS = 2 * MINUTE_MS
SPREAD_MS = 43 * MINUTE_MS
"""Rows come at some time within it after the soonest."""

LATE_SHARE = 60
"""One row of so many is late."""

LATE_MS = 26 * HOUR_MS


def audit_rows(world: WorkspaceWorld, account_id: str) -> Iterator[tuple[int, Json]]:
    """Rows of a workspace with the instants of their delivery, in the order of their events."""
    for action in world.actions:
        row = audit_row(action, world.workspace, account_id)
        yield row_delivered_ms(action.at_ms, str(row["event_id"])), row


def row_delivered_ms(at_ms: int, event_id: str) -> int:
    """When the row of an event comes into the table."""
    chance = int(event_id, 16)
    late_ms = LATE_MS if chance % LATE_SHARE == 0 else 0
    return at_ms + SOONEST_MS + chance % SPREAD_MS + late_ms


def audit_row(action: AuditAction, workspace: Workspace, account_id: str) -> Json:
    """Return an action as its row, nested values as objects, instants as text."""
    at = datetime.fromtimestamp(action.at_ms / 1000, tz=UTC)
    params = action.params
    return {
        "account_id": account_id,
        "workspace_id": workspace.workspace_id,
        "version": "2.0",
        "event_time": instant_text(action.at_ms),
        "event_date": at.date().isoformat(),
        "source_ip_address": action.address,
        "user_agent": action.user_agent,
        "session_id": action.session_id,
        "user_identity": _named(action, "email", "subject_name"),
        "service_name": action.service,
        "action_name": action.action,
        "request_id": action.request_id,
        "request_params": None
        if params is None
        else {key: parameter_text(value) for key, value in params.items()},
        "response": _response(action),
        "audit_level": "ACCOUNT_LEVEL" if action.is_account_level else "WORKSPACE_LEVEL",
        "event_id": xxh64_hexdigest(audit_line(action, workspace, account_id).encode()),
        "identity_metadata": _named(action, "run_by", "run_as"),
    }


def instant_text(at_ms: int) -> str:
    """An instant as Databricks and Azure write it, to the millisecond."""
    at = datetime.fromtimestamp(at_ms / 1000, tz=UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z"


def _response(action: AuditAction) -> Json | None:
    """The response; None: the record has none."""
    if action.status is None:
        return None
    return {
        "status_code": action.status,
        "error_message": action.error,
        "result": parameter_text(action.result),
    }


def _named(action: AuditAction, name: str, other: str) -> Json | None:
    """A struct whose first field is who acted; None: nobody is told."""
    return None if action.by is None else {name: action.by, other: None}
