"""Captures of an emulated workspace: over HTTP, through the configuration, into Delta tables."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from overwatch_assets import workspace_api
from overwatch_assets.demo.emulator.faults import Fault, FaultRule
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.errors import ConfigError, SourceError
from overwatch_assets.execution.records import Record
from overwatch_assets.execution.run import Run
from overwatch_assets.module import Grain, Module, Table
from overwatch_assets.registry import MODULES, SIDE_TABLES
from overwatch_assets.resources import Deployment
from overwatch_assets_tests.configuration.loading import loaded
from overwatch_assets_tests.demo.emulator.literal import (
    CLIENT_ID,
    CLIENT_SECRET,
    CREDENTIALS,
    NOW_MS,
    ORG,
    OTHER,
    WAREHOUSE,
    Json,
    LiteralWorkspace,
)
from overwatch_assets_tests.frames import table
from overwatch_assets_tests.memory import MemoryLedger
from overwatch_assets_tests.sources.rest_api.loopback import VirtualClock

BY_TABLE = {module.table.name: module for module in MODULES}
CAPTURES = [module for module in MODULES if module.table.grain is Grain.CAPTURE]
TODAY = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
CLUSTERS_LIST, CLUSTERS_GET = "GET /api/2.1/clusters/list", "GET /api/2.1/clusters/get"


def objects(number: int) -> LiteralWorkspace:
    """A workspace with so many objects of each kind."""
    count = range(number)
    tasks = [{"task_key": f"t{each}"} for each in range(130)]
    return LiteralWorkspace(
        ORG,
        clusters_given=[{"cluster_id": f"c-{n}", "state": "RUNNING"} for n in count],
        jobs_given=[
            {"job_id": n + 1, "created_time": n, "settings": {"tasks": tasks[: 1 + 129 * (n == 1)]}}
            for n in count
        ],
        lists_given={
            "pools": [{"instance_pool_id": f"p-{n}"} for n in count],
            "policies": [{"policy_id": f"y-{n}"} for n in count],
            "libraries": [{"cluster_id": f"c-{n}", "library_statuses": []} for n in count],
            "profiles": [{"instance_profile_arn": f"arn:{n}"} for n in count],
            "tokens": [{"token_id": f"t-{n}"} for n in count],
            "scripts": [{"script_id": f"s-{n}"} for n in count],
        },
    )


@dataclass
class There:
    """A deployment that asks an emulator."""

    emulator: Emulator
    workspace: LiteralWorkspace
    deployment: Deployment
    ledger: MemoryLedger

    def load(self, *modules: Module, days: Sequence[date] = ()) -> list[Record]:
        now = self.deployment.now()
        run = Run(run_id="run", snapshot=now, now=self.deployment.now)
        loader = self.deployment.loader(self.ledger)
        workspace = self.deployment.config.workspace(ORG)
        asked = days or [now.date()]
        return [each for m in modules for each in loader.load(m, workspace, asked, run)]

    def rows(self, which: Module | Table) -> pl.DataFrame:
        found = which if isinstance(which, Table) else which.table
        return self.deployment.store.scan(found, ORG, missing_ok=True).collect()

    def ids(self, module: Module) -> list[object]:
        [key] = module.table.keys
        return sorted(self.rows(module)[key].to_list())

    def asked_for(self) -> list[str]:
        seen = self.emulator.journal.requests(CLUSTERS_GET)
        return sorted({str(each.parameters["cluster_id"]) for each in seen})

    def pass_day(self) -> None:
        assert self.emulator.clock.now_ms is not None
        self.emulator.clock.now_ms += 86_400_000
        self.emulator.journal.clear()

    def store_audit(self, *cluster_ids: str) -> None:
        """Audit rows of some past day that name clusters, stored now."""
        module = BY_TABLE["audit_log_bronze"]
        rows = table(
            "audit_log_bronze",
            *(
                {
                    "serviceName": "clusters",
                    "actionName": "delete",
                    "timestamp": number,
                    "requestParams": json.dumps({"cluster_id": cluster_id}),
                    "Pipeline_SnapTS": self.deployment.now(),
                }
                for number, cluster_id in enumerate(cluster_ids)
            ),
        ).drop("organization_id", "partition_date")
        store, day = self.deployment.store, self.deployment.now().date() - timedelta(days=3)
        store.create(module.table)
        staged = store.stage(module.table, ORG, day, rows)
        store.replace(module.table, ORG, [day], staged, {"overwatch.run_id": "audit"})


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[There]:
    monkeypatch.setenv("SECRET_OF_THE_CLIENT", CLIENT_SECRET)
    monkeypatch.setattr(workspace_api, "SystemClock", VirtualClock)
    workspace = objects(3)
    with Emulator([workspace], CREDENTIALS, clock=Clock(NOW_MS)) as emulator:
        config = loaded(
            f"""
storage: {{root: {tmp_path / "tables"}}}
workspaces:
  - workspace_id: "{ORG}"
    workspace_name: analytics
    cloud: aws
    primordial_date: {TODAY - timedelta(days=5)}
    databricks:
      host: {emulator.address(ORG)}
      client_id: {CLIENT_ID}
      client_secret: env:SECRET_OF_THE_CLIENT
      requests_per_second: 100
      retry_seconds: 60
  - workspace_id: "{OTHER}"
    workspace_name: silent
    cloud: aws
    primordial_date: {TODAY}
""",
            now=datetime.fromtimestamp(NOW_MS / 1000, UTC),
        )

        def now() -> datetime:
            assert emulator.clock.now_ms is not None
            return datetime.fromtimestamp(emulator.clock.now_ms / 1000, UTC)

        deployment = Deployment(config=config, modules=BY_TABLE, clock=now)
        yield There(emulator, workspace, deployment, MemoryLedger())


EXPECTED = {
    "jobs_snapshot_bronze": [1, 2, 3],
    "clusters_snapshot_bronze": ["c-0", "c-1", "c-2"],
    "pools_snapshot_bronze": ["p-0", "p-1", "p-2"],
    "libs_snapshot_bronze": ["c-0", "c-1", "c-2"],
    "policies_snapshot_bronze": ["y-0", "y-1", "y-2"],
    "instance_profiles_snapshot_bronze": ["arn:0", "arn:1", "arn:2"],
    "tokens_snapshot_bronze": ["t-0", "t-1", "t-2"],
    "global_inits_snapshot_bronze": ["s-0", "s-1", "s-2"],
    "warehouses_snapshot_bronze": [WAREHOUSE],
}


def test_every_table_holds_what_the_workspace_has(there: There) -> None:
    records = there.load(*CAPTURES)
    assert {record.table: record.status for record in records} == dict.fromkeys(EXPECTED, "SUCCESS")
    assert {module.table.name: there.ids(module) for module in CAPTURES} == EXPECTED
    tasks = there.rows(BY_TABLE["jobs_snapshot_bronze"]).sort("job_id")["settings"].to_list()
    assert [len(each["tasks"]) for each in tasks] == [1, 130, 1]


@pytest.mark.parametrize(
    "fault",
    [Fault.THROTTLED, Fault.SERVER_ERROR, Fault.RESET, Fault.CUT, Fault.INVALID_JSON],
    ids=lambda fault: fault.name,
)
def test_every_first_answer_may_fail_and_nothing_is_lost(there: There, fault: Fault) -> None:
    for endpoint in ("jobs/list", "jobs/get", "clusters/list", "instance-pools/*", "warehouses"):
        there.emulator.faults.add(FaultRule(fault, f"GET /api/*{endpoint}", calls={0}))
    there.load(*CAPTURES)
    assert {module.table.name: there.ids(module) for module in CAPTURES} == EXPECTED
    tasks = there.rows(BY_TABLE["jobs_snapshot_bronze"])["settings"].to_list()
    assert sorted(len(each["tasks"]) for each in tasks) == [1, 1, 130]


def test_a_page_that_comes_twice_changes_nothing(there: There) -> None:
    there.workspace.clusters_given = [{"cluster_id": f"c-{n:03}"} for n in range(250)]
    there.emulator.faults.add(FaultRule(Fault.REPEATED_PAGE, CLUSTERS_LIST, calls={1}))
    there.load(BY_TABLE["clusters_snapshot_bronze"])
    assert len(there.ids(BY_TABLE["clusters_snapshot_bronze"])) == 250
    assert len(there.emulator.journal.requests(CLUSTERS_LIST)) == 4


def test_a_table_that_may_not_be_read_fails_alone_and_names_the_permission(there: There) -> None:
    there.emulator.faults.add(FaultRule(Fault.FORBIDDEN, "GET /api/2.0/instance-pools/list"))
    with pytest.raises(SourceError, match=r"analytics .* 403 PERMISSION_DENIED .*every instance"):
        there.load(BY_TABLE["pools_snapshot_bronze"])
    there.load(BY_TABLE["jobs_snapshot_bronze"])
    assert there.ids(BY_TABLE["jobs_snapshot_bronze"]) == [1, 2, 3]


def test_a_workspace_without_access_is_empty_and_says_what_to_do(there: There) -> None:
    run = Run(run_id="run", snapshot=there.deployment.now(), now=there.deployment.now)
    loader = there.deployment.loader(there.ledger)
    workspace = there.deployment.config.workspace(OTHER)
    for module in CAPTURES:
        [record] = loader.load(module, workspace, [TODAY], run)
        assert record.rows == 0
        assert f"workspace {OTHER} has no `databricks` configured; add it to" in record.reason
    with pytest.raises(ConfigError, match=r"silent .* has no `databricks` configured"):
        there.deployment.api(OTHER)


def test_all_tables_of_a_workspace_share_one_client(there: There) -> None:
    assert there.deployment.api(ORG) is there.deployment.api(ORG)
    there.load(*CAPTURES)
    assert len(there.emulator.journal.requests("POST /oidc/v1/token")) == 1


def test_a_past_day_asks_nothing_and_keeps_what_it_has(there: There) -> None:
    clusters = BY_TABLE["clusters_snapshot_bronze"]
    there.load(clusters)
    there.pass_day()
    [record] = there.load(clusters, days=[TODAY])
    assert (record.rows, there.emulator.journal.requests("GET /api/*")) == (3, [])
    [before] = there.load(clusters, days=[TODAY - timedelta(days=1)])
    assert before.reason == "past day, no capture"


def test_clusters_that_the_list_leaves_out_are_asked_for_until_they_are_gone(there: There) -> None:
    clusters = BY_TABLE["clusters_snapshot_bronze"]
    errors = clusters.errors
    assert errors is not None
    there.store_audit("c-0", "c-old", "c-gone", "c-denied")
    ended = {"cluster_id": "c-old", "state": "TERMINATED"}
    listed = [*there.workspace.clusters_given]
    rule = FaultRule(Fault.FORBIDDEN, CLUSTERS_GET, about="c-denied")
    there.emulator.faults.add(rule)
    there.workspace.cluster = Asked([*listed, ended])  # pyright: ignore[reportAttributeAccessIssue]
    [record] = there.load(clusters)
    assert there.asked_for() == ["c-denied", "c-gone", "c-old"]
    assert there.ids(clusters) == ["c-0", "c-1", "c-2", "c-old"]
    assert there.rows(errors).select("cluster_id", "error_code", "http_status").rows() == [
        ("c-denied", "PERMISSION_DENIED", 403)
    ]
    assert (record.details["errors"], record.counted["does_not_exist"]) == (1, 1)

    there.pass_day()
    there.emulator.faults.clear()
    there.workspace.clusters_given = listed[1:]
    known = [*listed, {"cluster_id": "c-denied", "state": "TERMINATED"}]
    there.workspace.cluster = Asked(known)  # pyright: ignore[reportAttributeAccessIssue]
    there.load(clusters)
    assert there.asked_for() == ["c-0", "c-denied"]
    of_day = there.rows(clusters).filter(pl.col("partition_date") > TODAY)
    assert sorted(of_day["cluster_id"]) == ["c-0", "c-1", "c-2", "c-denied"]

    there.pass_day()
    there.store_audit("c-gone")
    there.load(clusters)
    assert there.asked_for() == ["c-0", "c-gone"]


@dataclass
class Asked:
    """Answers `clusters/get` of clusters that the list may not have."""

    clusters: Sequence[Json]

    def __call__(self, cluster_id: str, _now_ms: int) -> Json | None:
        return next((each for each in self.clusters if each["cluster_id"] == cluster_id), None)


CANARIES = ("hunter22", "dapi0123456789abcdef", "dose0123456789abcdef", CLIENT_SECRET)


def planted() -> dict[str, object]:
    """Secrets where people put them."""
    return {
        "cluster_id": "c-canary",
        "state": "RUNNING",
        "state_message": "failed with token dapi0123456789abcdef",
        "spark_conf": {
            "spark.hadoop.fs.s3a.secret.key": "hunter22",
            "spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:mysql://u:hunter22@h/db",
            "spark.hadoop.fs.azure.sas.c.a.blob": "https://a/c?sv=1&sig=hunter22",
        },
        "spark_env_vars": {"API_TOKEN": "hunter22", "URL": "https://u:hunter22@h"},
        "custom_tags": {"password": "hunter22", "note": "Bearer hunter22"},
        "driver": {"private_key": "hunter22", "log": "AccountKey=hunter22;x"},
        "new_secret": {"value": "hunter22"},
        "extra": ["dose0123456789abcdef", {"client_secret": "hunter22"}],
    }


def test_no_secret_reaches_a_table_a_message_or_a_log_line(
    there: There, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    nameless = {**planted(), "cluster_id": None}
    there.workspace.clusters_given = [planted(), nameless]
    parameters = ["--url", "https://u:hunter22@h", "--conf", "fs.s3a.secret.key=hunter22"]
    task = {
        "task_key": "t",
        "notebook_task": {"base_parameters": {"db_password": "hunter22"}},
        "spark_python_task": {"parameters": parameters},
        "new_cluster": {"spark_env_vars": {"SECRET": "hunter22"}},
    }
    there.workspace.jobs_given = [
        {"job_id": 1, "created_time": 1, "settings": {"name": "j", "tasks": [task]}}
    ]
    definition = {"spark_conf.fs.s3a.secret.key": {"type": "fixed", "value": "hunter22"}}
    there.workspace.lists_given = {
        "policies": [{"policy_id": "y", "definition": json.dumps(definition)}],
        "scripts": [{"script_id": "s", "script": "hunter22"}, {"script": "hunter22"}],
        "tokens": [{"token_id": "t", "token_value": "dapi0123456789abcdef"}],
    }
    there.emulator.faults.add(FaultRule(Fault.RESET, "GET /api/2.0/instance-profiles/list"))
    told: list[str] = []
    for module in CAPTURES:
        try:
            told += [record.to_json() for record in there.load(module)]
        except SourceError as error:
            told.append(str(error))
    tables = [*(module.table for module in CAPTURES), *SIDE_TABLES]
    stored = {each.name: there.rows(each).write_json() for each in tables}
    assert '"c-canary"' in stored["clusters_snapshot_bronze"]
    assert "has no cluster_id" in stored["api_rejected"]
    told += [*stored.values(), *(str(vars(record)) for record in caplog.records)]
    for canary in CANARIES:
        assert [text for text in told if canary in text] == []
    files = list(Path(there.deployment.config.storage.root).rglob("*.json"))
    assert files
    assert [p for p in files if any(each in p.read_text() for each in CANARIES)] == []
