import json
from collections import Counter
from datetime import timedelta
from typing import Any

from overwatch_assets.demo.write import DemoWorkspace, DemoWorld
from overwatch_assets.sources.audit_records import AuditRecords, NoRecord
from overwatch_assets_tests.demo.reading import (
    Event,
    audit_records,
    context_folders,
    day_of,
    parsed,
)


def records(workspace: DemoWorkspace, what: str = "") -> list[Event]:
    found = (record for _, record in audit_records(workspace.audit_folder))
    return [each for each in found if what in {"", f"{each['serviceName']}.{each['actionName']}"}]


def composite(text: str) -> Any:
    return json.loads(text) if text[:1] in {"{", "["} else None


def test_parameters_are_text_and_composite_ones_json_text(workspace: DemoWorkspace) -> None:
    texts: list[str] = []
    for record in records(workspace):
        params: Event = record.get("requestParams") or {}
        for value in params.values():
            if record["actionName"] not in {"installLibrary", "uninstallLibrary"}:
                assert value is None or isinstance(value, str)
                texts.append(value or "")
    assert any(composite(text) for text in texts)


def test_a_library_is_delivered_as_an_object(workspace: DemoWorkspace) -> None:
    installed = records(workspace, "clusters.installLibrary")
    libraries = [each["requestParams"]["library"] for each in installed]
    assert {"pypi": {"package": "holidays==0.57"}} in libraries


def test_some_records_lack_what_others_have(workspace: DemoWorkspace) -> None:
    assert all(each["requestId"] is None for each in records(workspace, "ssh.login"))
    assert all("userIdentity" not in each for each in records(workspace, "ssh.login"))
    assert all("requestParams" not in each for each in records(workspace, "accounts.logout"))
    bare, *_ = records(workspace, "workspace.getStatus")
    assert not bare.keys() & {"userIdentity", "requestParams", "response"}


def test_an_event_of_the_account_says_so(workspace: DemoWorkspace) -> None:
    levels = Counter((each["auditLevel"], each["orgId"]) for each in records(workspace))
    assert levels.pop(("ACCOUNT_LEVEL", "0")) == 1
    assert levels.keys() == {("WORKSPACE_LEVEL", workspace.workspace_id)}


def test_a_parameter_over_the_limit_is_cut(workspace: DemoWorkspace) -> None:
    [wide] = records(workspace, "unityCatalog.createTable")
    columns = wide["requestParams"]["columns"]
    assert len(columns) > 100_000
    assert columns.startswith("[{")
    assert columns.endswith("... truncated")
    assert parsed(columns) is None
    [updated] = records(workspace, "unityCatalog.updateTables")
    assert updated["requestParams"].keys() == {"TRUNCATED"}


def test_a_result_carries_the_request_id_of_its_request(workspace: DemoWorkspace) -> None:
    for action in ("create", "start", "restart", "delete"):
        asked = {each["requestId"] for each in records(workspace, f"clusters.{action}")}
        told = {each["requestId"] for each in records(workspace, f"clusters.{action}Result")}
        assert asked & told


def test_every_cluster_with_logs_names_their_destination(
    demo: DemoWorld, workspace: DemoWorkspace
) -> None:
    destinations: set[tuple[str, str]] = set()
    for record in [*records(workspace, "clusters.create"), *records(workspace, "clusters.edit")]:
        params, result = record["requestParams"], record["response"]["result"]
        if "cluster_log_conf" in params and result is not None:
            cluster = params.get("cluster_id") or json.loads(result)["cluster_id"]
            destination = json.loads(params["cluster_log_conf"])["dbfs"]["destination"]
            destinations.add((cluster, destination.rstrip("/")))
    [(mount, mounted)] = demo.log_mounts.items()
    for folder in context_folders(workspace.log_folder):
        prefix = folder.parent.parent.parent
        destination = f"{mount}/{prefix.parent.relative_to(mounted).as_posix()}"
        assert (prefix.name, destination) in destinations


def test_a_cluster_moves_its_logs(workspace: DemoWorkspace) -> None:
    edits = [each["requestParams"] for each in records(workspace, "clusters.edit")]
    with_logs = [each for each in edits if "cluster_log_conf" in each]
    assert len({each["cluster_log_conf"] for each in with_logs}) == 2
    assert len({each["cluster_id"] for each in with_logs}) == 1


def test_the_silent_cluster_has_no_logs_and_one_was_refused(workspace: DemoWorkspace) -> None:
    created = [
        each
        for each in records(workspace, "clusters.create")
        if each["requestParams"]["cluster_name"] == "sandbox"
    ]
    assert [each["response"]["statusCode"] for each in created] == [400, 200]
    folders = context_folders(workspace.log_folder)
    with_logs = {folder.parent.parent.parent.name for folder in folders}
    assert json.loads(created[1]["response"]["result"])["cluster_id"] not in with_logs


def test_a_silent_cluster_is_configured_in_one_workspace_only(demo: DemoWorld) -> None:
    silent = [
        [
            "cluster_log_conf" in each["requestParams"]
            for each in records(workspace, "clusters.create")
            if each["requestParams"]["cluster_name"] == "sandbox"
        ]
        for workspace in demo.workspaces
    ]
    assert silent == [[False, False], [True, True], [False, False]]


def test_runs_are_triggered_asked_for_and_end_well_or_not(workspace: DemoWorkspace) -> None:
    counts = Counter(
        each["actionName"] for each in records(workspace) if each["serviceName"] == "jobs"
    )
    assert counts.keys() == {
        *("create", "update", "reset", "delete", "changeJobAcl", "resetJobAcl"),
        *("runNow", "runTriggered", "submitRun", "runStart", "runSucceeded", "runFailed"),
        *("cancel", "repairRun"),
    }
    started = records(workspace, "jobs.runStart")
    assert all(each["requestParams"]["clusterId"] for each in started)


def test_every_line_becomes_a_row_of_its_own(workspace: DemoWorkspace) -> None:
    paths = workspace.audit_folder.rglob("*.json")
    lines = {line for path in paths for line in path.read_bytes().splitlines()}
    records = AuditRecords(organization_id=workspace.workspace_id)
    rows = [row for line in lines for row in records.decode(line)]
    keys = {row["hashKey"] for row in rows if not isinstance(row, NoRecord)}
    assert len(keys) == len(rows) == len(lines)
    assert not records.counts


def test_some_lines_are_delivered_twice(workspace: DemoWorkspace) -> None:
    counts = Counter(json.dumps(each) for each in records(workspace))
    assert max(counts.values()) == 2


def test_what_happens_just_before_midnight_is_in_the_next_folder(demo: DemoWorld) -> None:
    late = 0
    for workspace in demo.workspaces:
        for folder, record in audit_records(workspace.audit_folder):
            day = day_of(record["timestamp"])
            if folder != f"date={day}":
                assert folder == f"date={day + timedelta(days=1)}"
                late += 1
    assert late > 0


def test_files_are_delivered_soon_after_their_last_record(workspace: DemoWorkspace) -> None:
    for path in workspace.audit_folder.rglob("*.json"):
        last = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])["timestamp"]
        assert 0 < path.stat().st_mtime_ns // 10**6 - last < 3_600_000
