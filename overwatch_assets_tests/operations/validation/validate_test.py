import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from deltalake import write_deltalake
from rich.console import Console

from overwatch_assets import cli
from overwatch_assets.bronze.clusters_snapshot_bronze import clusters_snapshot_bronze
from overwatch_assets.demo.emulator.faults import Fault, FaultRule
from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets.frozen_facts import hold_frozen
from overwatch_assets.module import Column, FromSource, Grain, Scope, Table
from overwatch_assets.operations.dagster_home import open_instance
from overwatch_assets.operations.validate import validate
from overwatch_assets.operations.validation.api_access import api_access
from overwatch_assets.operations.validation.emptiness import Lacking, empty_tables
from overwatch_assets.operations.validation.findings import Finding, Verdict, shown_days
from overwatch_assets.operations.validation.probes import FILES, PROBES
from overwatch_assets.operations.validation.showing import watching
from overwatch_assets.registry import MODULES
from overwatch_assets.sources.rest_api.api import Query
from overwatch_assets_tests.demo.emulator.literal import (
    CLIENT_ID,
    NOW_MS,
    ORG,
    OTHER,
    WAREHOUSE,
    Json,
    LiteralWorkspace,
)
from overwatch_assets_tests.operations.validation.deployments import (
    FIRST_DAY,
    NOW,
    TODAY,
    UNREACHABLE,
    Checked,
    api,
    of_rule,
    only,
    reasons,
    verdicts,
    workspace,
)
from overwatch_assets_tests.sources.rest_api.loopback import Loopback, Reply, serving

CLUSTER: Json = {"cluster_id": "c-1", "state": "RUNNING", "start_time": NOW_MS - 60_000}
JOB: Json = {"job_id": 1, "created_time": 1, "settings": {}}
OK, WARNING, ERROR, SKIPPED = Verdict
TABLE = Table("queries_bronze", (Column("id", pl.String, "Id."),), ("id",), Grain.EVENT, "Queries.")


def permission(found: list[Finding], path: str) -> Finding:
    [one] = [each for each in found if each.tried.startswith(f"{path},")]
    return one


@pytest.fixture
def entry(checked: Checked, emulator: Emulator, here: LiteralWorkspace) -> dict[str, object]:
    """A workspace of which everything is there."""
    checked.deliver_all()
    checked.log("c-1")
    conf = {"dbfs": {"destination": "dbfs:/mnt/logs"}}
    here.clusters_given = [{**CLUSTER, "cluster_log_conf": conf}]
    here.jobs_given = [JOB]
    return workspace(
        audit_logs={"path": str(checked.audit)},
        spark_event_logs={"from_clusters": True, "mounts": {"/mnt/logs": str(checked.logs)}},
        databricks=api(emulator.address(ORG)),
        sql_warehouse=WAREHOUSE,
    )


def test_a_deployment_that_can_run_passes_every_check(
    checked: Checked, entry: dict[str, object]
) -> None:
    report = checked.check(checked.config(entry))
    assert verdicts(report) == {
        ("Frozen_Facts", OK),
        ("Secrets_Resolvable", OK),
        ("Redaction", OK),
        ("Storage_Access", OK),
        ("Storage_Tables", OK),
        ("APIURL_Connectivity", OK),
        ("API_Permission", OK),
        ("Validate_AuditLogPrefix", OK),
        ("Validate_Mount", OK),
        ("EventLog_Destinations", OK),
        ("Price_Files", OK),
    }
    assert report.exit_code == 0
    assert reasons(report) == {
        "job_runs_snapshot_bronze": "`job_runs_snapshot: true` switches it on"
    }
    assert only(report, "Validate_AuditLogPrefix").came_back.startswith("4 of 4 days are there")


def test_what_may_not_change_after_a_load_is_told_before_a_run_refuses_it(
    checked: Checked, entry: dict[str, object]
) -> None:
    loaded = checked.config(entry)
    with open_instance(loaded.dagster_home) as instance:
        hold_frozen(instance, loaded)
    assert only(checked.check(loaded), "Frozen_Facts").verdict is OK
    report = checked.check(checked.config(entry, timezone="Europe/Berlin"))
    [failed] = report.failed
    assert failed.rule == "Frozen_Facts"
    assert "write timezone: UTC again" in failed.came_back
    assert report.exit_code == 1


def test_a_workspace_without_a_warehouse_to_ask_is_told_what_stays_empty(
    checked: Checked, entry: dict[str, object]
) -> None:
    del entry["sql_warehouse"]
    told = reasons(checked.check(checked.config(entry)))["warehouse_events_bronze"]
    assert told == "`sql_warehouse` names the one through which they can be read"


def test_nothing_is_left_in_the_storage(checked: Checked, entry: dict[str, object]) -> None:
    checked.check(checked.config(entry))
    assert list((checked.folder / "tables").iterdir()) == []


def test_a_missing_permission_names_the_grant_and_the_tables_that_stay_empty(
    checked: Checked, entry: dict[str, object], emulator: Emulator
) -> None:
    emulator.faults.add(FaultRule(Fault.FORBIDDEN, "GET /api/2.0/instance-pools/list"))
    report = checked.check(checked.config(entry))
    [failed] = report.failed
    assert failed.came_back.startswith("answered 403 PERMISSION_DENIED: The caller does not")
    assert failed.remedy == (
        "Grant the identity CAN ATTACH TO on every instance pool, or workspace admin; "
        "or exclude scope pools"
    )
    assert len(of_rule(report, "API_Permission")) == 11
    assert report.exit_code == 1
    assert reasons(report).keys() == {"pools_snapshot_bronze", "job_runs_snapshot_bronze"}


def test_clusters_that_may_not_be_listed_are_no_reason_to_ask_nothing_else(
    checked: Checked, entry: dict[str, object], emulator: Emulator
) -> None:
    emulator.faults.add(FaultRule(Fault.FORBIDDEN, "GET /api/2.1/clusters/list"))
    report = checked.check(checked.config(entry))
    assert only(report, "APIURL_Connectivity").remedy.startswith("Grant the identity CAN ATTACH")
    assert "clusters_snapshot_bronze" in reasons(report)
    assert "jobs_snapshot_bronze" not in reasons(report)


def test_a_list_without_anything_may_be_one_that_hides_it(
    checked: Checked, entry: dict[str, object], here: LiteralWorkspace
) -> None:
    here.jobs_given = []
    report = checked.check(checked.config(entry))
    found = permission([*of_rule(report, "API_Permission")], "/api/2.2/jobs/list")
    assert (found.verdict, found.came_back) == (WARNING, "may be asked, but lists nothing")
    assert "leaves out what an identity may not see" in found.remedy
    assert report.exit_code == 0


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [(401, "UNAUTHENTICATED", "Credential was not sent"), (403, "403", "Invalid access token.")],
)
def test_an_identity_that_is_not_accepted_fails_the_check(
    checked: Checked, status: int, code: str, said: str
) -> None:
    refusal = Reply({"error_code": code, "message": said}, status)
    with serving(Loopback({"/api/2.1/clusters/list": [refusal]})) as server:
        report = checked.check(checked.config(workspace(databricks=api(server.host))))
    found = only(report, "APIURL_Connectivity")
    assert found.came_back == f"answered {status} {code}: {said}"
    assert (
        found.remedy == "Check the identity under `databricks`, and whether its secret has expired"
    )
    assert of_rule(report, "API_Permission") == []
    assert report.exit_code == 1


def test_a_client_whose_secret_has_expired_fails_the_check(
    checked: Checked, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERWATCH_TEST_SECRET", "an-old-secret")
    identity = {"client_id": CLIENT_ID, "client_secret": "env:OVERWATCH_TEST_SECRET"}
    host = emulator.address(ORG)
    report = checked.check(checked.config(workspace(databricks={"host": host, **identity})))
    assert "the login was refused" in only(report, "APIURL_Connectivity").came_back
    assert report.exit_code == 1
    assert "an-old-secret" not in repr(report)


def test_a_workspace_that_does_not_answer_keeps_no_other_from_being_checked(
    checked: Checked, entry: dict[str, object]
) -> None:
    down = workspace(OTHER, audit_logs={"path": str(checked.audit)}, databricks=api(UNREACHABLE))
    report = checked.check(checked.config(down, entry))
    [failed] = report.failed
    assert (failed.rule, failed.workspace) == ("APIURL_Connectivity", OTHER)
    assert "the connection failed" in failed.came_back
    assert report.exit_code == 3
    of_other = {each.table: each.reason for each in report.empty if each.workspace == OTHER}
    assert "the connection failed" in of_other["jobs_snapshot_bronze"]
    of_here = {each.verdict for each in report.findings if each.workspace == ORG}
    assert of_here == {OK}


def test_a_failed_check_counts_more_than_a_source_that_is_not_reached(checked: Checked) -> None:
    missing = workspace(databricks=api(UNREACHABLE), audit_logs={"path": "nowhere"})
    assert checked.check(checked.config(missing)).exit_code == 1


def test_a_storage_that_cannot_be_written_is_told_and_sources_are_checked_all_the_same(
    checked: Checked, entry: dict[str, object]
) -> None:
    (checked.folder / "file").write_text("no folder")
    config = checked.config(entry, storage={"root": str(checked.folder / "file" / "tables")})
    report = checked.check(config)
    found = only(report, "Storage_Access")
    assert found.verdict is ERROR
    assert found.came_back.startswith("a table could not be created: ")
    assert only(report, "APIURL_Connectivity").verdict is OK
    assert report.exit_code == 1


def test_the_table_of_another_program_is_found_before_anything_is_written(
    checked: Checked, entry: dict[str, object]
) -> None:
    theirs = pl.DataFrame({"organization_id": ["1"], "timestamp": ["noon"]})
    write_deltalake(str(checked.folder / "tables" / "audit_log_bronze"), theirs)
    report = checked.check(checked.config(entry))
    found = only(report, "Storage_Tables")
    assert "table audit_log_bronze: timestamp is stored as String" in found.came_back
    assert "Choose another `storage.root`" in found.remedy
    assert report.exit_code == 1


def test_a_secret_that_is_nowhere_is_told_and_what_needs_it_is_not_tried(
    checked: Checked, entry: dict[str, object], emulator: Emulator
) -> None:
    databricks = {"host": emulator.address(ORG), "token": "env:OVERWATCH_TEST_NOWHERE"}
    report = checked.check(checked.config({**entry, "databricks": databricks}))
    [failed] = report.failed
    assert (failed.rule, failed.workspace) == ("Secrets_Resolvable", ORG)
    assert "OVERWATCH_TEST_NOWHERE is not set" in failed.came_back
    assert emulator.journal.requests() == []
    assert "OVERWATCH_TEST_NOWHERE" in reasons(report)["audit_log_bronze"]
    assert report.exit_code == 1


def test_what_stays_empty_is_said_table_by_table(checked: Checked, emulator: Emulator) -> None:
    bare = workspace(
        cloud="azure",
        excluded_scopes=["jobs"],
        databricks=api(emulator.address(ORG)),
    )
    found = checked.check(checked.config(bare))
    why = reasons(found)
    assert why["jobs_snapshot_bronze"] == "scope jobs is switched off for this workspace"
    assert why["audit_log_bronze"] == "no `audit_logs` is configured"
    assert why["instance_profiles_snapshot_bronze"] == "azure has none of them, only aws has"
    assert why["spark_events_bronze"] == "no `spark_event_logs` is configured"
    assert why["sparkjob_gold"] == "it is made from spark_jobs_silver"
    partly = {each.table: each.reason for each in found.empty if each.extent == "partly"}
    assert partly["pools_snapshot_bronze"].startswith("its days begin with the first run")
    without_api = checked.check(checked.config(workspace()))
    told = reasons(without_api)["clusters_snapshot_bronze"]
    assert told == "no `databricks` is configured for this workspace"
    [failed] = without_api.failed
    assert (failed.rule, failed.came_back) == (
        "NOTNULL_Sources",
        "none is configured: every table would stay empty",
    )
    assert without_api.exit_code == 1


def test_every_source_that_the_api_is_has_its_question() -> None:
    sources = {module.source for module in MODULES if module.source is not None}
    assert sources - FILES <= set(PROBES)


class Answering:
    """An API that lists some clusters, and keeps what it was asked."""

    def __init__(self, *clusters: Json) -> None:
        self.clusters = clusters
        self.posted: list[object] = []

    def get(self, path: str, query: Query | None = None) -> Json:
        assert query is not None
        return {"clusters": list(self.clusters)} if path.endswith("clusters/list") else {}

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        self.posted.append((path, body))
        return {"events": [{}]}

    def download(self, path: str) -> Iterator[bytes]:
        raise NotImplementedError(path)

    def fetch(self, url: str) -> bytes:
        raise NotImplementedError(url)


def test_events_are_asked_of_a_cluster_that_is_listed(checked: Checked) -> None:
    reads = {"events": FromSource("cluster_events")}
    events = replace(clusters_snapshot_bronze, reads=reads, scope=Scope.CLUSTER_EVENTS)
    [entry] = checked.config(workspace(databricks=api(UNREACHABLE))).workspaces
    asked = Answering(CLUSTER)
    found = api_access(entry, [events], lambda: asked).findings
    assert [each.verdict for each in found] == [OK, OK]
    assert asked.posted == [("/api/2.1/clusters/events", {"cluster_id": "c-1", "page_size": 1})]
    found = api_access(entry, [events], Answering).findings
    assert (found[1].verdict, found[1].came_back) == (SKIPPED, "no cluster is known to ask about")


def test_what_the_api_tells_only_of_late_is_said(checked: Checked) -> None:
    reads = {"queries": FromSource("sql_query_history")}
    queries = replace(clusters_snapshot_bronze, reads=reads, table=TABLE, scope=Scope.DBSQL)
    entries = workspace(databricks=api(UNREACHABLE), primordial_date="2026-01-01")
    [entry] = checked.config(entries).workspaces
    [found] = empty_tables(entry, [queries], Lacking(), TODAY)
    assert found.extent == "partly"
    assert found.reason == "days before 2026-09-08 stay empty: the API tells of 30 days"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_each_workspace_is_seen_while_it_is_checked(checked: Checked, is_terminal: bool) -> None:  # noqa: FBT001 - a case
    config = checked.config(workspace(), workspace(OTHER))
    shown = StringIO()
    console = Console(file=shown, force_terminal=is_terminal, width=100)
    with watching(console, config, with_logs=False) as watch:
        validate(config, config.workspaces, watch=watch, clock=lambda: NOW)
    for each in config.workspaces:
        assert each.name[:18] in shown.getvalue()


def test_days_are_told_as_ranges() -> None:
    days = [FIRST_DAY + timedelta(days=number) for number in (5, 0, 1, 3)]
    assert shown_days(days) == "2026-10-04 .. 2026-10-05, 2026-10-07, 2026-10-09"
    every_other = [FIRST_DAY + timedelta(days=2 * number) for number in range(20)]
    assert shown_days(every_other).endswith("2026-10-26, and 8 more ranges")


def run(checked: Checked, *arguments: str) -> tuple[int, str]:
    path = str(checked.folder / "overwatch.yaml")
    done = CliRunner().invoke(
        cli.cli, ["validate", "--config", path, *arguments], standalone_mode=False
    )
    assert done.exception is None, done.exception
    return done.return_value, done.output


def test_findings_are_shown_for_people_and_for_machines_without_any_secret(
    checked: Checked, emulator: Emulator, token: str
) -> None:
    emulator.faults.add(FaultRule(Fault.FORBIDDEN, "GET /api/2.2/jobs/list"))
    host = emulator.address(ORG)
    checked.config(workspace(primordial_date="2020-01-01", databricks=api(host)))
    code, text = run(checked, "--logs")
    assert code == 1
    assert "Grant the identity CAN VIEW on every job" in text
    assert "the deployment can't run as it is" in text
    assert "no `spark_event_logs` is configured" in text
    code, answer = run(checked, "--json", "--logs", "--workspace", ORG)
    told = json.loads(answer[answer.index("{") :])
    assert (told["can_run"], told["exit_code"], code) == (False, 1, 1)
    [failed] = [each for each in told["findings"] if each["verdict"] == "error"]
    assert (failed["rule"], failed["workspace"]) == ("API_Permission", ORG)
    tables = {module.table.name for module in MODULES}
    # Of queries the API tells of the last 30 days.
    of_queries = {"sql_query_history_silver", "sql_query_history_gold"}
    assert {each["table"] for each in told["empty_tables"]} == tables - of_queries
    assert told["cluster_logs"][0]["told_by"].startswith("the API as of now")
    assert token not in text + answer


def test_a_token_that_a_server_repeats_is_struck_out(checked: Checked, token: str) -> None:
    said = f"token {token} and dapi0123456789abcdef were not accepted"
    refusal = Reply({"error_code": "UNAUTHENTICATED", "message": said}, 401)
    with serving(Loopback({"/api/2.1/clusters/list": [refusal]})) as server:
        checked.config(workspace(primordial_date="2020-01-01", databricks=api(server.host)))
        code, text = run(checked)
    assert code == 1
    assert "were not accepted" in text
    assert token not in text
    assert "0123456789abcdef" not in text


def test_a_configuration_that_is_wrong_is_told_whole_before_anything_is_tried(
    checked: Checked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = checked.folder / "overwatch.yaml"
    path.write_text("storage: {root: wasbs://a@b/c}\nworkspaces: []\n")
    monkeypatch.setattr("sys.argv", ["overwatch", "validate", "--config", str(path)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "has 2 problems" in said
    assert not Path(checked.folder / "tables").exists()
