"""Days asked of an API over HTTP: through the configuration, Dagster and real Delta tables."""

import json
from collections.abc import Generator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from overwatch_assets.config import config_of
from overwatch_assets.configuration.document import parse_document
from overwatch_assets.operations.plan import Selection, plan_run
from overwatch_assets.operations.run import Outcome, Runner
from overwatch_assets.registry import in_load_order
from overwatch_assets.resources import Deployment
from overwatch_assets.sources.rest_api.answers import object_of
from overwatch_assets_tests.frames import ms
from overwatch_assets_tests.sources.rest_api.loopback import (
    TOKEN,
    Asked,
    Loopback,
    Reply,
    serving,
)

WORKSPACE_ID = "5206439413157315"
MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)
AT = ms("2026-11-02 10:00")
ASKED_DAY_BY_DAY = ("1004", "1005", "1012", "1014")


@pytest.fixture
def there() -> Generator[Loopback]:
    with serving(Loopback(tokens={TOKEN})) as loopback:
        yield loopback


def deployment_of(
    folder: Path, loopback: Loopback, monkeypatch: pytest.MonkeyPatch, *lines: str
) -> Deployment:
    monkeypatch.setenv("API_TOKEN", TOKEN)
    logs = folder / "audit" / f"date={MONDAY}"
    logs.mkdir(parents=True)
    events = [_started("1102-a"), _started("1102-b")]
    (logs / "a.json").write_text("".join(json.dumps(each) + "\n" for each in events))
    text = f"""\
storage: {{root: {folder}/tables}}
workspaces:
  - workspace_id: "{WORKSPACE_ID}"
    workspace_name: acme-prod
    cloud: aws
    primordial_date: {MONDAY}
    audit_logs: {{path: {folder}/audit}}
    databricks:
      host: {loopback.host}
      token: env:API_TOKEN
      retry_seconds: 1
      requests_per_second: 100
"""
    text += "".join(f"    {line}\n" for line in lines)
    document = parse_document(folder / "overwatch.yaml", text.encode())
    return Deployment(
        config=config_of(document, now=datetime(2026, 11, 5, tzinfo=UTC)),
        modules={module.table.name: module for module in in_load_order()},
    )


def _started(cluster_id: str) -> dict[str, object]:
    return {
        "version": "2.0",
        "timestamp": AT,
        "serviceName": "clusters",
        "actionName": "start",
        "requestId": cluster_id,
        "userIdentity": {"email": "maria@acme.example"},
        "requestParams": {"cluster_id": cluster_id},
    }


def _run(
    deployment: Deployment, instance: dg.DagsterInstance, now: str, *days: date
) -> dict[str, Outcome]:
    """Load days, and before them what is owed, as of an instant."""
    deployment.clock = lambda: datetime.fromisoformat(now).replace(tzinfo=UTC)
    runner = Runner(deployment, instance)
    modules = in_load_order()
    chosen = Selection(modules=ASKED_DAY_BY_DAY).choose(modules)
    owed = {WORKSPACE_ID: deployment.owed(runner.ledger, WORKSPACE_ID)}
    plan = plan_run(modules, chosen, runner.ledger, {WORKSPACE_ID: days}, owed=owed)
    report = runner.run(plan)
    assert [each.error for each in report.failed] == []
    return {table: outcome for (_, table), outcome in report.outcomes.items()}


def _rows(deployment: Deployment, name: str) -> pl.DataFrame:
    return deployment.store.scan(deployment.modules[name].table).collect()


def test_days_are_asked_and_what_is_owed_is_asked_for_again(
    tmp_path: Path, there: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    def events(asked: Asked) -> Reply:
        body = object_of(asked.body) or {}
        if body["cluster_id"] == "1102-b" and is_broken:
            return Reply(status=500)
        told = {
            "cluster_id": body["cluster_id"],
            "timestamp": AT,
            "type": "STARTING",
            "details": {"attributes": {"custom_tags": {"team": "bi"}}},
        }
        return Reply({"events": [told]})

    is_broken = True
    run = {"job_id": 1, "run_id": 2, "start_time": AT, "tasks": [{"task_key": "a"}]}
    queries = [
        {"query_id": query_id, "warehouse_id": "w-1", "query_start_time_ms": AT}
        for query_id in ("q-1", "q-2")
    ]
    there.replies = {
        "/api/2.1/clusters/events": events,
        "/api/2.2/jobs/runs/list": lambda asked: _between(asked, "start_time_from", "runs", [run]),
        "/api/2.0/sql/history/queries": lambda asked: _queries(asked, queries),
    }
    deployment = deployment_of(tmp_path, there, monkeypatch, "job_runs_snapshot: true")
    with dg.DagsterInstance.ephemeral() as instance:
        outcomes = _run(deployment, instance, "2026-11-03 06:00", MONDAY)
        assert outcomes["cluster_events_bronze"] is Outcome.SUCCESS
        assert _rows(deployment, "cluster_events_bronze")["cluster_id"].to_list() == ["1102-a"]
        is_broken = False
        _run(deployment, instance, "2026-11-04 06:00", TUESDAY)
    cluster_events = _rows(deployment, "cluster_events_bronze").sort("cluster_id")
    assert cluster_events.select("cluster_id", "partition_date").rows() == [
        ("1102-a", MONDAY),
        ("1102-b", MONDAY),
    ]
    tags = cluster_events["details"].struct.field("attributes").struct.field("custom_tags")
    assert tags.to_list() == [{"team": "bi"}] * 2
    assert _rows(deployment, "job_runs_snapshot_bronze")["run_id"].to_list() == [2]
    known = _rows(deployment, "sql_query_history_bronze").sort("partition_date")
    assert known["partition_date"].to_list() == [MONDAY, MONDAY, TUESDAY, TUESDAY]
    by_id = [each for each in there.of_path("/api/2.0/sql/history/queries") if _ids(each)]
    assert [_ids(each) for each in by_id] == ["q-1,q-2"]
    rejected = deployment.modules["cluster_events_bronze"].rejected
    assert rejected is not None
    assert deployment.store.scan(rejected).collect().is_empty()


def test_job_runs_are_not_asked_for_unless_switched_on(
    tmp_path: Path, there: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = deployment_of(tmp_path, there, monkeypatch)
    deployment.clock = lambda: datetime(2026, 11, 3, 6, tzinfo=UTC)
    modules = in_load_order()
    chosen = Selection(modules=("1012",)).choose(modules)
    with dg.DagsterInstance.ephemeral() as instance:
        runner = Runner(deployment, instance)
        plan = plan_run(modules, chosen, runner.ledger, {WORKSPACE_ID: [MONDAY]})
        [result] = runner.run(plan).results
    assert result.outcome is Outcome.EMPTY
    assert result.reason == (
        "switched off for this workspace; `job_runs_snapshot: true` switches it on"
    )
    asked = {each.path for each in there.asked if each.path.startswith("/api/")}
    assert asked == {"/api/2.1/clusters/list-node-types"}, "the prices' refresh, and no run"


def _between(asked: Asked, since: str, key: str, told: Sequence[object]) -> Reply:
    is_asked = int(asked.query[since]) <= AT < int(asked.query[since]) + 6 * 3_600_000
    return Reply({key: told} if is_asked else {})


def _queries(asked: Asked, queries: Sequence[object]) -> Reply:
    if _ids(asked):
        return Reply({"res": queries})
    return _between(asked, "filter_by.query_start_time_range.start_time_ms", "res", queries)


def _ids(asked: Asked) -> str | None:
    return asked.query.get("filter_by.statement_ids")
