"""Writes a workspace's audit log in the bucket-delivery layout of AWS and GCP.

`workspaceId=<id>/date=YYYY-MM-DD/auditlogs_<n>.json`, JSON lines, every parameter a string,
composite ones JSON text. A delivery covers some hours; what happens just before midnight is
found in the next day's folder, and some lines are delivered twice.
"""

import os
from collections import deque
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import msgspec

from overwatch_assets.demo.company import Workspace
from overwatch_assets.demo.scene import HOUR_MS, MINUTE_MS, SECOND_MS
from overwatch_assets.demo.world import AuditAction, WorkspaceWorld

DELIVERY_HOURS = 6
LATENCY_MS = 23 * MINUTE_MS + 11 * SECOND_MS
REPEATED = 2
"""How many lines of a file the next one repeats."""

LATE_MS = 15 * MINUTE_MS
"""What happens that shortly before midnight is delivered with the next day."""


def write_audit_log(root: Path, world: WorkspaceWorld, account_id: str) -> Path:
    """Write a workspace's audit files.

    Returns:
        The workspace's folder, which holds the `date=` folders.
    """
    folder = root / f"workspaceId={world.workspace.workspace_id}"
    period_ms = DELIVERY_HOURS * HOUR_MS
    repeated: list[str] = []
    for number, actions in groupby(world.actions, lambda each: (each.at_ms + LATE_MS) // period_ms):
        date = datetime.fromtimestamp(number * period_ms / 1000, tz=UTC)
        path = folder / f"date={date:%Y-%m-%d}" / f"auditlogs_{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        last_ms, newest = 0, deque[str](maxlen=REPEATED)
        with path.open("wb") as file:
            file.write("".join(f"{line}\n" for line in repeated).encode())
            for action in actions:
                line = audit_line(action, world.workspace, account_id)
                file.write(f"{line}\n".encode())
                newest.append(line)
                last_ms = action.at_ms
        modified_ms = last_ms + LATENCY_MS
        os.utime(path, ns=(modified_ms * 10**6, modified_ms * 10**6))
        repeated = list(newest)
    return folder


def audit_line(action: AuditAction, workspace: Workspace, account_id: str) -> str:
    """Return an action as its line in a delivered file, without the line's end."""
    record: dict[str, object] = {
        "version": "2.0",
        "auditLevel": "ACCOUNT_LEVEL" if action.is_account_level else "WORKSPACE_LEVEL",
        "timestamp": action.at_ms,
        "orgId": "0" if action.is_account_level else workspace.workspace_id,
        "shardName": f"shard-{workspace.region}",
        "accountId": account_id,
        "sourceIPAddress": action.address,
        "userAgent": action.user_agent,
        "sessionId": action.session_id,
    }
    if action.by is not None:
        record["userIdentity"] = {"email": action.by, "subjectName": None}
    record |= {
        "serviceName": action.service,
        "actionName": action.action,
        "requestId": action.request_id,
    }
    if action.service == "ssh":
        record["workspaceId"] = workspace.workspace_id
    if action.params is not None:
        record["requestParams"] = {
            key: value if action.has_objects and isinstance(value, dict) else parameter_text(value)
            for key, value in action.params.items()
        }
    if action.status is not None:
        record["response"] = {
            "statusCode": action.status,
            "errorMessage": action.error,
            "result": None if action.result is None else parameter_text(action.result),
        }
    return compact_json(record)


def parameter_text(value: object) -> str | None:
    """Return a parameter as Databricks spells it: text, whatever it is; None stays."""
    if value is None or isinstance(value, str):
        return value
    return compact_json(value)


def compact_json(value: object) -> str:
    """JSON without blanks."""
    return msgspec.json.encode(value).decode()
