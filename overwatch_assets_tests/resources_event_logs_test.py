"""Where a load looks for the event logs of clusters, with tables, a mapping and an API for real."""

import json
import pickle
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml

from overwatch_assets.config import load_config
from overwatch_assets.demo.emulator.faults import Fault, FaultRule
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.module import DayWindow
from overwatch_assets.registry import in_load_order
from overwatch_assets.resources import Deployment
from overwatch_assets.sources.spark_event_logs.source import SparkEventLogs
from overwatch_assets_tests.demo.emulator.literal import (
    CREDENTIALS,
    NOW_MS,
    ORG,
    PAT,
    Json,
    LiteralWorkspace,
)
from overwatch_assets_tests.memory import MemoryLedger

DAY = date(2026, 10, 7)
MOUNTS = "GET /api/2.0/dbfs/search-mounts"
LOGS = {"from_clusters": True, "mounts": {"/mnt/own": "s3://own"}}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    mounts = [
        {"mount_point": "/mnt/own", "source": "s3a://of-the-api"},
        {"mount_point": "/mnt/lake", "source": "s3a://lake/logs"},
    ]
    workspace = LiteralWorkspace(lists_given={"mounts": mounts})
    with Emulator([workspace], CREDENTIALS, clock=Clock(NOW_MS)) as server:
        yield server


def deployment(
    folder: Path, monkeypatch: pytest.MonkeyPatch, emulator: Emulator | None, **logs: object
) -> Deployment:
    monkeypatch.setenv("OVERWATCH_TEST_TOKEN", PAT)
    entry: Json = {
        "workspace_id": ORG,
        "workspace_name": "prod",
        "cloud": "gcp",
        "primordial_date": "2026-10-01",
        "audit_logs": {"path": "audit"},
        "spark_event_logs": {**LOGS, **logs},
    }
    if emulator is not None:
        host = emulator.address(ORG)
        entry["databricks"] = {"host": host, "token": "env:OVERWATCH_TEST_TOKEN"}
    path = folder / "overwatch.yaml"
    path.write_text(yaml.dump({"storage": {"root": "tables"}, "workspaces": [entry]}))
    config = load_config(path, now=datetime(2026, 10, 8, tzinfo=UTC))
    return Deployment(config=config, modules={each.table.name: each for each in in_load_order()})


def store(made: Deployment, table: str, rows: Sequence[Json]) -> None:
    declared = made.modules[table].table
    made.store.create(declared)
    partition = {"organization_id", "partition_date"}
    columns = {name: dtype for name, dtype in declared.schema.items() if name not in partition}
    staged = made.store.stage(declared, ORG, DAY, pl.DataFrame(list(rows), schema=columns))
    made.store.replace(declared, ORG, [DAY], staged, {})


def audited(cluster_id: str, destination: str) -> Json:
    conf = json.dumps({"dbfs": {"destination": destination}})
    return {
        "timestamp": NOW_MS - 3_600_000,
        "serviceName": "clusters",
        "actionName": "edit",
        "requestParams": json.dumps({"cluster_id": cluster_id, "cluster_log_conf": conf}),
    }


def captured(cluster_id: str, destination: str) -> Json:
    return {
        "cluster_id": cluster_id,
        "state": "RUNNING",
        "start_time": 1,
        "captured_at_ms": NOW_MS,
        "cluster_log_conf": {"dbfs": {"destination": destination}},
    }


def prefixes(made: Deployment) -> tuple[list[str], Sequence[str]]:
    """What a run would list, chunk by chunk, and what it would warn of."""
    loader = made.loader(MemoryLedger())
    source = loader.sources["spark_event_logs"](ORG)
    assert isinstance(source, SparkEventLogs)
    days = [DayWindow(DAY, made.config.window_of(DAY))]
    first, second = (loader.coverage["spark_event_logs"](ORG, days) for _ in range(2))
    assert first.equals(second)
    return first["prefix"].to_list(), source.failures


def test_audit_log_captures_and_all_mounts_tell_where_logs_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> None:
    mapping = tmp_path / "mounts.csv"
    mapping.write_text(f"mountPoint,source,workspace_id\n/mnt/csv,s3://csv,{ORG}\n")
    made = deployment(tmp_path, monkeypatch, emulator, mount_mapping="mounts.csv")
    store(made, "audit_log_bronze", [audited("c-1", "dbfs:/mnt/own"), audited("c-2", "dbfs:/a")])
    store(
        made,
        "clusters_snapshot_bronze",
        [
            captured("c-1", "dbfs:/mnt/lake/x"),
            captured("c-3", "dbfs:/mnt/csv"),
            captured("c-4", "/Volumes/main/ops/logs"),
        ],
    )
    assert prefixes(made) == (
        [
            "s3://lake/logs/x/c-1/eventlog",
            "s3://own/c-1/eventlog",
            "dbfs:/a/c-2/eventlog",
            "s3://csv/c-3/eventlog",
            "/Volumes/main/ops/logs/c-4/eventlog",
        ],
        (),
    )
    assert len(emulator.journal.requests(MOUNTS)) == 1


def test_an_api_that_does_not_tell_its_mounts_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> None:
    emulator.faults.add(FaultRule(Fault.FORBIDDEN, MOUNTS))
    made = deployment(tmp_path, monkeypatch, emulator)
    store(made, "audit_log_bronze", [audited("c-1", "dbfs:/mnt/own")])
    found, [failure] = prefixes(made)
    assert found == ["s3://own/c-1/eventlog"]
    assert "mounts could not be asked for" in failure
    assert PAT not in failure


def test_without_an_api_google_clouds_bucket_stands_for_dbfs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = deployment(tmp_path, monkeypatch, None)
    store(made, "audit_log_bronze", [audited("c-1", "dbfs:/logs")])
    assert prefixes(made) == ([f"gs://databricks-{ORG}/{ORG}/logs/c-1/eventlog"], ())


def test_files_of_the_workspace_are_read_through_its_api_in_other_processes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = LiteralWorkspace(root=tmp_path / "workspace")
    log = tmp_path / "workspace" / "logs" / "eventlog"
    log.parent.mkdir(parents=True)
    log.write_text("{}\n")
    with Emulator([workspace], CREDENTIALS, clock=Clock(NOW_MS)) as emulator:
        made = deployment(tmp_path, monkeypatch, emulator)
        source = made.loader(MemoryLedger()).sources["spark_event_logs"](ORG)
        assert isinstance(source, SparkEventLogs)
        files = pickle.loads(pickle.dumps(source.files))  # noqa: S301 - its own
        assert b"".join(files.open("dbfs:/logs/eventlog")) == b"{}\n"
