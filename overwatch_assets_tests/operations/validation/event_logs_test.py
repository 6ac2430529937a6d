import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from overwatch_assets.config import Config
from overwatch_assets.demo.emulator.faults import Fault, FaultRule
from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets.operations.validation.findings import ClusterLog, Finding, Report, Verdict
from overwatch_assets.registry import in_load_order
from overwatch_assets.resources import Deployment
from overwatch_assets_tests.demo.emulator.literal import NOW_MS, ORG, Json, LiteralWorkspace
from overwatch_assets_tests.operations.validation.deployments import (
    NOW,
    TODAY,
    Checked,
    api,
    of_rule,
    only,
    workspace,
)

FOLDERS, MOUNTS, DESTINATIONS = "EventLog_Folders", "Validate_Mount", "EventLog_Destinations"
FIND = {"from_clusters": True}
HOUR_MS = 3_600_000


def cluster(number: int, destination: str | None = None, **more: object) -> Json:
    conf = {"cluster_log_conf": {"dbfs": {"destination": destination}}} if destination else {}
    started = NOW_MS - HOUR_MS
    return {"cluster_id": f"c-{number}", "state": "RUNNING", "start_time": started, **conf, **more}


def config(checked: Checked, emulator: Emulator | None, **logs: object) -> Config:
    access: Json = {} if emulator is None else {"databricks": api(emulator.address(ORG))}
    checked.deliver_all()
    return checked.config(
        workspace(audit_logs={"path": str(checked.audit)}, spark_event_logs=logs, **access)
    )


def warning(report: Report, rule: str) -> Finding:
    [found] = [each for each in of_rule(report, rule) if each.verdict is Verdict.WARNING]
    return found


def test_folders_with_and_without_logs_are_told_apart(checked: Checked) -> None:
    log = checked.log("c-1")
    (checked.folder / "empty").mkdir()
    folders = [str(checked.logs), str(checked.folder / "empty"), str(checked.folder / "none")]
    found = of_rule(checked.check(config(checked, None, folders=folders)), FOLDERS)
    assert [each.verdict for each in found] == [Verdict.OK, Verdict.WARNING, Verdict.WARNING]
    assert str(log) in found[0].came_back


def test_a_folder_that_cannot_be_listed_is_an_error(checked: Checked) -> None:
    folders = [str(checked.folder / "none"), "hdfs://cluster/logs"]
    report = checked.check(config(checked, None, folders=folders))
    [failed] = report.failed
    assert "no storage is configured for hdfs:// paths" in failed.came_back
    assert report.exit_code == 3


def test_destinations_are_asked_of_the_api_before_anything_is_loaded(
    checked: Checked, emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.clusters_given = [
        cluster(1, "dbfs:/mnt/logs"),
        cluster(2, "dbfs:/mnt/unknown/logs"),
        cluster(3, "s3n:nonsense"),
        cluster(4),
    ]
    here.lists_given = {"mounts": [{"mount_point": "/mnt/lake", "source": "s3a://acme/lake"}]}
    mounts = {"/mnt/logs": str(checked.logs)}
    report = checked.check(config(checked, emulator, **FIND, mounts=mounts))
    assert "dbfs:/mnt/unknown/logs" in warning(report, MOUNTS).came_back
    assert "s3n:nonsense" in warning(report, DESTINATIONS).came_back
    assert str(checked.logs) in of_rule(report, DESTINATIONS)[-1].came_back
    assert report.exit_code == 0


def test_fifty_mounts_may_not_be_all(
    checked: Checked, emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.lists_given = {
        "mounts": [
            {"mount_point": f"/mnt/{number}", "source": f"s3a://acme/{number}"}
            for number in range(60)
        ]
    }
    found = warning(checked.check(config(checked, emulator, **FIND)), MOUNTS)
    assert found.came_back == "tells 50, and of no more than that"
    mapping = checked.folder / "mounts.csv"
    mapping.write_text(f"mountPoint,source,workspace_id\n/mnt/59,s3://acme/59,{ORG}\n")
    told = of_rule(checked.check(config2(checked, emulator, mapping)), MOUNTS)
    assert [each.verdict for each in told] == [Verdict.OK, Verdict.OK]


def config2(checked: Checked, emulator: Emulator, mapping: Path) -> Config:
    logs = {**FIND, "mount_mapping": str(mapping)}
    return checked.config(workspace(spark_event_logs=logs, databricks=api(emulator.address(ORG))))


@pytest.mark.parametrize(
    ("content", "verdict", "told"),
    [
        ("mountPoint,source\n", Verdict.ERROR, "has the columns mountPoint, source, workspace_id"),
        ("mountPoint,source,workspace_id\n/mnt/a,s3://a,1\n", Verdict.WARNING, "has no row of"),
    ],
)
def test_a_mount_mapping_that_does_not_serve_is_told(
    checked: Checked, emulator: Emulator, content: str, verdict: Verdict, told: str
) -> None:
    mapping = checked.folder / "mounts.csv"
    mapping.write_text(content)
    found = of_rule(checked.check(config2(checked, emulator, mapping)), MOUNTS)[0]
    assert found.verdict is verdict
    assert told in found.came_back


def test_mounts_that_may_not_be_asked_for_are_a_warning(
    checked: Checked, emulator: Emulator
) -> None:
    emulator.faults.add(FaultRule(Fault.FORBIDDEN, "GET /api/2.0/dbfs/search-mounts"))
    report = checked.check(config(checked, emulator, **FIND))
    assert "403" in warning(report, MOUNTS).came_back
    assert report.exit_code == 0


def test_without_api_a_destination_in_the_workspace_is_out_of_reach(checked: Checked) -> None:
    load(checked, edited("c-1", "dbfs:/cluster-logs"))
    report = checked.check(config(checked, None, **FIND))
    found = only(report, DESTINATIONS)
    assert found.verdict is Verdict.ERROR
    assert "Configure `databricks`" in found.came_back
    assert {each.table for each in report.empty} >= {"spark_events_bronze", "sparkjob_gold"}


def edited(cluster_id: str, destination: str | None, action: str = "start") -> Json:
    params: Json = {"cluster_id": cluster_id}
    if destination:
        params["cluster_log_conf"] = json.dumps({"dbfs": {"destination": destination}})
    return {
        "timestamp": NOW_MS - HOUR_MS,
        "serviceName": "clusters",
        "actionName": action,
        "requestParams": json.dumps(params),
    }


def load(checked: Checked, *rows: Json) -> None:
    """Store audit rows as a load would."""
    modules = {module.table.name: module for module in in_load_order()}
    store = Deployment(config=checked.config(workspace()), modules=modules).store
    table = modules["audit_log_bronze"].table
    store.create(table)
    columns = {
        k: t for k, t in table.schema.items() if k not in {"organization_id", "partition_date"}
    }
    staged = store.stage(table, ORG, TODAY, pl.DataFrame(list(rows), schema=columns))
    store.replace(table, ORG, [TODAY], staged, {})


def logs(report: Report) -> dict[str, ClusterLog]:
    [found] = report.cluster_logs
    return {each.cluster_id: each for each in found.logs}


def test_destinations_of_clusters_that_are_long_gone_are_not_listed(
    checked: Checked, emulator: Emulator
) -> None:
    checked.logs.mkdir()
    gone = {**edited("old", "dbfs:/mnt/gone"), "timestamp": NOW_MS - 31 * 24 * HOUR_MS}
    load(checked, edited("new", "dbfs:/mnt/logs"), gone)
    mounts = {"/mnt/logs": str(checked.logs), "/mnt/gone": "hdfs://old/logs"}
    report = checked.check(config(checked, emulator, **FIND, mounts=mounts))
    assert only(report, DESTINATIONS).verdict is Verdict.OK


def test_for_each_cluster_it_is_told_where_its_logs_are_and_why_there_are_none(
    checked: Checked, emulator: Emulator, here: LiteralWorkspace
) -> None:
    log = checked.log("found")
    (checked.logs / "bare" / "eventlog").mkdir(parents=True)
    load(
        checked,
        edited("found", "dbfs:/mnt/logs"),
        edited("bare", "dbfs:/mnt/logs/"),
        edited("missing", "dbfs:/mnt/logs"),
        edited("idle", "dbfs:/mnt/logs", action="edit"),
        edited("silent", None),
        edited("odd", "file:/tmp"),
        edited("denied", "dbfs:/mnt/other"),
        {**edited("old", "dbfs:/mnt/logs"), "timestamp": NOW_MS - 31 * 24 * HOUR_MS},
    )
    emulator.faults.add(FaultRule(Fault.FORBIDDEN, "GET /api/2.0/dbfs/list"))
    here.clusters_given = []
    mounts = {"/mnt/logs": str(checked.logs)}
    report = checked.check(config(checked, emulator, **FIND, mounts=mounts), with_logs=True)
    found = logs(report)
    assert report.cluster_logs[0].told_by == f"audit_log_bronze up to {TODAY}"
    assert "old" not in found
    seen = found.pop("found")
    assert (seen.uri, seen.files, seen.bytes) == (
        f"{checked.logs}/found/eventlog",
        1,
        log.stat().st_size,
    )
    assert seen.newest_file == str(log)
    assert seen.newest == log.stat().st_mtime_ns // 1_000_000
    denied = found.pop("denied")
    assert (denied.uri, denied.is_reachable) == ("dbfs:/mnt/other/denied/eventlog", False)
    assert denied.reason.startswith("the mount of the destination is not mapped; dbfs:/mnt/other")
    assert "access denied" in denied.reason
    assert {name: each.reason for name, each in found.items()} == {
        "bare": "the cluster's folder holds no event log",
        "missing": "the cluster's folder is missing: nothing was delivered to this destination",
        "idle": "the cluster did not run in the last 30 days that are known",
        "silent": "no log destination is configured for the cluster",
        "odd": "the destination is no storage that can be read",
    }


def test_a_deployment_that_has_not_run_for_months_tells_of_the_clusters_it_knew_last(
    checked: Checked,
) -> None:
    checked.log("c-1")
    load(checked, edited("c-1", "dbfs:/mnt/logs"))
    mounts = {"/mnt/logs": str(checked.logs)}
    later = NOW + timedelta(days=90)
    report = checked.check(config(checked, None, **FIND, mounts=mounts), with_logs=True, now=later)
    assert logs(report)["c-1"].files == 1


def test_before_anything_is_loaded_clusters_are_asked_of_the_api(
    checked: Checked, emulator: Emulator, here: LiteralWorkspace
) -> None:
    checked.log("c-1")
    ended = NOW_MS - 40 * 24 * HOUR_MS
    here.clusters_given = [
        cluster(1, "dbfs:/mnt/logs"),
        cluster(2),
        cluster(3, state="TERMINATED", start_time=ended, terminated_time=ended),
    ]
    mounts = {"/mnt/logs": str(checked.logs)}
    report = checked.check(config(checked, emulator, **FIND, mounts=mounts), with_logs=True)
    assert list(logs(report)) == ["c-1", "c-2"]
    assert logs(report)["c-1"].files == 1
    told_by = report.cluster_logs[0].told_by
    assert told_by == "the API as of now; the audit log is not loaded yet"


def test_without_tables_and_api_it_is_said_that_nothing_is_known(checked: Checked) -> None:
    report = checked.check(config(checked, None, folders=[str(checked.logs)]), with_logs=True)
    assert logs(report) == {}
    assert "no table is loaded yet, and no API can be asked" in report.cluster_logs[0].told_by


def test_logs_in_a_volume_are_found_through_the_api(
    checked: Checked, emulator: Emulator, here: LiteralWorkspace
) -> None:
    volume = "/Volumes/main/ops/logs"
    here.root = checked.folder / "workspace"
    checked.log("c-1", here.root / volume.lstrip("/"))
    conf = {"volumes": {"destination": volume}}
    here.clusters_given = [cluster(1, cluster_log_conf=conf)]
    report = checked.check(config(checked, emulator, **FIND), with_logs=True)
    found = logs(report)["c-1"]
    assert (found.uri, found.files) == (f"{volume}/c-1/eventlog", 1)
    assert found.reason == ""
