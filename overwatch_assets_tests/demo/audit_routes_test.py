"""One world's audit log by three routes: delivered files, Azure's files, the system table."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from overwatch_assets.demo.audit_azure import azure_line, resource_id, write_azure_audit_logs
from overwatch_assets.demo.audit_files import audit_line
from overwatch_assets.demo.audit_rows import audit_row, audit_rows
from overwatch_assets.demo.scene import DAY_MS, HOUR_MS
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import AuditAction, WorkspaceWorld, World
from overwatch_assets.sources.audit_azure import diagnostic_line
from overwatch_assets.sources.audit_records import AuditRecords, NoRecord, Row
from overwatch_assets_tests.demo.reading import iso_ms, lines_of

Json = dict[str, Any]


@pytest.fixture(scope="session")
def world() -> World:
    """Three days of a small company."""
    return simulate(seed=7, first_day=date(2026, 10, 5), days=3, scale=0.3)


def acted(world: World, what: str) -> tuple[AuditAction, WorkspaceWorld]:
    return next(
        (action, each)
        for each in world.workspaces
        for action in each.actions
        if f"{action.service}.{action.action}" == what
    )


def as_delivered_of_row(row: Json) -> Json:
    response = row["response"]
    return {
        "timestamp": iso_ms(row["event_time"]),
        "serviceName": row["service_name"],
        "actionName": row["action_name"],
        "requestId": row["request_id"],
        "sessionId": row["session_id"],
        "sourceIPAddress": row["source_ip_address"],
        "userAgent": row["user_agent"],
        "userIdentity": row["user_identity"],
        "requestParams": row["request_params"],
        "response": response
        and {
            "statusCode": response["status_code"],
            "errorMessage": response["error_message"],
            "result": response["result"],
        },
    }


def decoded(records: AuditRecords, line: str) -> Row:
    [row] = records.decode(line.encode())
    assert not isinstance(row, NoRecord)
    assert not records.counts
    return row


def test_an_event_is_the_same_by_every_route(world: World) -> None:
    account = world.company.account_id
    for each in world.workspaces:
        of_azure = AuditRecords(diagnostic_line(resource_id(each.workspace, account)))
        for action in each.actions:
            row = as_delivered_of_row(audit_row(action, each.workspace, account))
            delivered = decoded(AuditRecords(), audit_line(action, each.workspace, account))
            others = (
                decoded(of_azure, azure_line(action, each.workspace, account)),
                decoded(AuditRecords(), json.dumps(row)),
            )
            for other in others:
                told = {name for name in delivered if delivered[name] != other[name]}
                assert told <= {"version", "category", "auditLevel", "accountId"}
    assert sum(len(each.actions) for each in world.workspaces) > 200


def test_azures_record_has_text_where_azure_has_text(world: World) -> None:
    action, each = acted(world, "clusters.edit")
    record = json.loads(azure_line(action, each.workspace, world.company.account_id))
    assert record["operationName"] == "Microsoft.Databricks/clusters/edit"
    assert (record["category"], record["operationVersion"]) == ("clusters", "1.0.0")
    assert json.loads(record["identity"])["email"] == action.by
    params = json.loads(record["properties"]["requestParams"])
    assert (params["autotermination_minutes"], params["enable_elastic_disk"]) == (120, True)
    assert json.loads(params["custom_tags"]) == {"team": "analytics", "cost-center": "4711"}
    assert json.loads(record["properties"]["response"]) == {"statusCode": 200, "result": "{}"}


def test_records_lack_what_their_event_lacks(world: World) -> None:
    account = world.company.account_id
    logout, each = acted(world, "accounts.logout")
    record = json.loads(azure_line(logout, each.workspace, account))
    assert "requestParams" not in record["properties"]
    assert audit_row(logout, each.workspace, account)["request_params"] is None
    ssh, each = acted(world, "ssh.login")
    assert "identity" not in json.loads(azure_line(ssh, each.workspace, account))
    assert audit_row(ssh, each.workspace, account)["user_identity"] is None


def test_a_rows_parameters_are_all_text(world: World) -> None:
    account = world.company.account_id
    for each in world.workspaces:
        for _, row in audit_rows(each, account):
            params: Any = row["request_params"] or {}
            assert all(value is None or isinstance(value, str) for value in params.values())
    action, each = acted(world, "clusters.edit")
    row = audit_row(action, each.workspace, account)
    assert row["event_date"] == str(row["event_time"])[:10]
    assert (row["version"], row["audit_level"]) == ("2.0", "WORKSPACE_LEVEL")


def test_the_table_fills_as_rows_come_and_holds_each_once(world: World) -> None:
    account, late = world.company.account_id, 0
    for each in world.workspaces:
        now_ms = each.actions[-1].at_ms
        rows = [*audit_rows(each, account)]
        assert len({str(row["event_id"]) for _, row in rows}) == len(rows) == len(each.actions)
        assert 0 < sum(delivered_ms <= now_ms for delivered_ms, _ in rows) < len(rows)
        delays = [
            delivered_ms - action.at_ms
            for action, (delivered_ms, _) in zip(each.actions, rows, strict=True)
        ]
        assert min(delays) > 0
        late += sum(delay > HOUR_MS for delay in delays)
    assert late > 0


def filed(root: Path) -> Iterator[tuple[Path, Json]]:
    """Path below the root, and record, of every line."""
    for path in sorted(root.rglob("PT1H.json")):
        for line in lines_of(path):
            yield path.relative_to(root), json.loads(line)


def hour_of(path: Path) -> str:
    """Hour of a file, as an instant's text begins."""
    year, month, day, hour = (part.partition("=")[2] for part in path.parts[-6:-2])
    return f"{year}-{month}-{day}T{hour}"


def test_azures_files_lie_by_category_workspace_and_hour(world: World, tmp_path: Path) -> None:
    found = list(filed(write_azure_audit_logs(tmp_path, world)))
    account = world.company.account_id
    homes = {resource_id(each.workspace, account): each for each in world.workspaces}
    own: Counter[str] = Counter()
    strays = elsewhere = 0
    for path, record in found:
        assert path.parts[0] == f"insights-logs-{record['category'].lower()}"
        home = "/" + "/".join(path.parts[2:-6])
        assert (path.parts[1], home in homes) == ("resourceId=", True)
        own[record["resourceId"]] += record["resourceId"] == home
        strays += record["resourceId"] != home
        elsewhere += hour_of(path) != record["time"][:13]
    assert own == {home: len(each.actions) for home, each in homes.items()}
    assert strays > 0
    assert elsewhere > 0


def test_a_file_is_written_again_with_more_lines(world: World, tmp_path: Path) -> None:
    now_ms = world.since_ms + DAY_MS
    before = write_azure_audit_logs(tmp_path / "before", world, now_ms)
    after = write_azure_audit_logs(tmp_path / "after", world)
    grown = 0
    for path in before.rglob("PT1H.json"):
        assert path.stat().st_mtime_ns // 10**6 <= now_ms
        lines, later = lines_of(path), lines_of(after / path.relative_to(before))
        assert later[: len(lines)] == lines
        grown += len(later) > len(lines)
    assert grown > 0
    assert len(list(after.rglob("PT1H.json"))) > len(list(before.rglob("PT1H.json")))


def test_some_of_azures_files_are_late(world: World, tmp_path: Path) -> None:
    write_azure_audit_logs(tmp_path, world)
    late = 0
    for path in tmp_path.rglob("PT1H.json"):
        last_ms = max(iso_ms(json.loads(line)["time"]) for line in lines_of(path))
        late += path.stat().st_mtime_ns // 10**6 > last_ms + HOUR_MS
    assert late > 0


def test_the_same_world_gives_the_same_files_and_rows(world: World, tmp_path: Path) -> None:
    roots = [write_azure_audit_logs(tmp_path / name, world) for name in ("one", "other")]
    assert list(filed(roots[0])) == list(filed(roots[1]))
    each = world.workspaces[0]
    rows = [list(audit_rows(each, world.company.account_id)) for _ in range(2)]
    assert rows[0] == rows[1] != []
