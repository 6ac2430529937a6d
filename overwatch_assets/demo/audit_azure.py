"""Writes the audit log in the layout of Azure's diagnostic settings, archived to storage.

```
insights-logs-<category>/resourceId=/SUBSCRIPTIONS/<id>/RESOURCEGROUPS/<group>/PROVIDERS/
  MICROSOFT.DATABRICKS/WORKSPACES/<name>/y=2026/m=10/d=05/h=09/m=00/PT1H.json
```

One record per line; identity, request parameters and response are JSON text. A file is written
again when more is delivered for its hour, which for some records is hours later. What happens at
the very end of an hour is found in the next one's folder, and some lines lie, once more, in the
folder of another workspace.
"""

import os
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from xxhash import xxh64_intdigest

from overwatch_assets.demo.audit_files import compact_json, parameter_text
from overwatch_assets.demo.audit_rows import instant_text
from overwatch_assets.demo.company import Workspace
from overwatch_assets.demo.scene import HOUR_MS, MINUTE_MS, SECOND_MS
from overwatch_assets.demo.world import AuditAction, World

Json = dict[str, object]

RESOURCE_GROUP = "RG-DATA"
SOONEST_MS = 4 * MINUTE_MS
SPREAD_MS = 11 * MINUTE_MS
"""Records come at some time within it after the soonest."""

LATE_SHARE = 40
"""One record of so many is late."""

LATE_MS = 5 * HOUR_MS
NEXT_HOUR_MS = 90 * SECOND_MS
"""What happens that shortly before the hour ends is filed with the next."""

STRAY_SHARE = 50
"""One record of so many also lies in another workspace's folder."""


def write_azure_audit_logs(root: Path, world: World, delivered_ms: int | None = None) -> Path:
    """Write every workspace's files as they are at an instant; later ones may say more.

    Args:
        root: Holds the folder of each category.
        world: What happened.
        delivered_ms: The instant; None: when everything has come.

    Returns:
        The root.
    """
    account_id = world.company.account_id
    files: dict[Path, list[tuple[int, str]]] = defaultdict(list)
    for number, each in enumerate(world.workspaces):
        other = world.workspaces[(number + 1) % len(world.workspaces)].workspace
        for action in each.actions:
            line = azure_line(action, each.workspace, account_id)
            chance = xxh64_intdigest(line.encode())
            came_ms = _came_ms(action, chance)
            if delivered_ms is not None and came_ms > delivered_ms:
                continue
            is_stray = chance % STRAY_SHARE == 1 and other is not each.workspace
            for home in (each.workspace, *([other] if is_stray else [])):
                files[root / _file(action, home, account_id)].append((came_ms, line))
    for path, lines in files.items():
        lines.sort()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("".join(f"{line}\n" for _, line in lines).encode())
        modified_ms = lines[-1][0]
        os.utime(path, ns=(modified_ms * 10**6, modified_ms * 10**6))
    return root


def resource_id(workspace: Workspace, account_id: str) -> str:
    """Azure's name of a workspace, as diagnostic settings spell it."""
    subscription = str(uuid5(NAMESPACE_URL, account_id)).upper()
    return (
        f"/SUBSCRIPTIONS/{subscription}/RESOURCEGROUPS/{RESOURCE_GROUP}/PROVIDERS"
        f"/MICROSOFT.DATABRICKS/WORKSPACES/{workspace.name.upper()}"
    )


def azure_line(action: AuditAction, workspace: Workspace, account_id: str) -> str:
    """Return an action as its line in a file, without the line's end."""
    properties: Json = {
        "sourceIPAddress": action.address,
        "logId": "",
        "serviceName": action.service,
        "userAgent": action.user_agent,
        "sessionId": action.session_id,
        "actionName": action.action,
        "requestId": action.request_id,
    }
    if action.status is not None:
        properties["response"] = compact_json(_response(action))
    if action.params is not None:
        properties["requestParams"] = compact_json(
            {
                key: value if action.has_objects else _parameter(value)
                for key, value in action.params.items()
            }
        )
    record: Json = {
        "resourceId": resource_id(workspace, account_id),
        "operationVersion": "1.0.0",
        "operationName": f"Microsoft.Databricks/{action.service}/{action.action}",
        "time": instant_text(action.at_ms),
        "category": action.service,
        "properties": properties,
    }
    if action.by is not None:
        record["identity"] = compact_json({"email": action.by, "subjectName": None})
    properties["logId"] = str(uuid5(NAMESPACE_URL, compact_json(record)))
    return compact_json(record)


def _response(action: AuditAction) -> Json:
    """The response, without what it does not tell."""
    told = {
        "statusCode": action.status,
        "errorMessage": action.error,
        "result": parameter_text(action.result),
    }
    return {key: value for key, value in told.items() if value is not None}


def _parameter(value: object) -> object:
    """A parameter: numbers and truth values as they are, composite ones JSON text."""
    return value if isinstance(value, bool | int | float) else parameter_text(value)


def _came_ms(action: AuditAction, chance: int) -> int:
    late_ms = LATE_MS if chance % LATE_SHARE == 0 else 0
    return action.at_ms + SOONEST_MS + chance % SPREAD_MS + late_ms


def _file(action: AuditAction, home: Workspace, account_id: str) -> str:
    at = datetime.fromtimestamp((action.at_ms + NEXT_HOUR_MS) / 1000, tz=UTC)
    hour = f"{at:y=%Y/m=%m/d=%d/h=%H}/m=00/PT1H.json"
    category = action.service.lower()
    return f"insights-logs-{category}/resourceId={resource_id(home, account_id)}/{hour}"
