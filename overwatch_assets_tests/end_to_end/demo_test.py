"""The command line on the demo, as a user types it: in processes of their own."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster_deltalake.config import LocalConfig

from overwatch_assets.config import load_config
from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.demo.audit_rows import audit_row, row_delivered_ms
from overwatch_assets.demo.emulated import emulated_workspaces
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.demo.setup import LOGS, SECRET_FILE
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import World
from overwatch_assets.demo.write import DAYS, FIRST_DAY
from overwatch_assets.operations.emulator import credentials_in, seen_ms
from overwatch_assets.operations.query import answer as answered
from overwatch_assets.registry import MODULES
from overwatch_assets_tests.documentation_test import section as readme_section
from overwatch_assets_tests.end_to_end.acceptance_queries import (
    NAMES,
    days,
    dearest,
    endings,
    failed_spark_jobs,
    query_text,
    read_by,
    spark_sum,
    states,
)
from overwatch_assets_tests.laws.harness import comparable
from overwatch_assets_tests.presentation.documented_views_test import WAITING

LAST_DAY = (FIRST_DAY + timedelta(days=DAYS - 1)).isoformat()


def overwatch(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "overwatch_assets.cli", *arguments]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def tables(folder: Path) -> dict[str, pl.DataFrame]:
    store = DeltaStore(StorageLocation(str(folder / "tables"), LocalConfig()))
    return {
        module.table.name: comparable(module.table, store.scan(module.table).collect())
        for module in MODULES
    }


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    done = overwatch("demo", "--folder", "here", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "here" / "printed.txt").write_text(done.stdout)
    return folder / "here"


@pytest.fixture(scope="module")
def world() -> World:
    """What the demo was made of."""
    return simulate(seed=7, first_day=FIRST_DAY, days=DAYS, scale=1.0)


@pytest.fixture(scope="module")
def served(demo: Path, world: World) -> Iterator[None]:
    """The workspaces' API, where the demo's configuration says it is."""
    host = load_config(demo / "overwatch.yaml").workspaces[0].databricks
    assert host is not None
    _, credentials = credentials_in(demo)
    workspaces = emulated_workspaces(world, demo / LOGS / "cluster-logs")
    port = int(host.host.rpartition(":")[2])
    with Emulator(workspaces, credentials, clock=Clock(seen_ms(world)), port=port):
        yield


def test_the_readme_shows_what_the_demo_prints(demo: Path) -> None:
    shown = readme_section("demo").strip("`\n").splitlines()
    printed = {line.rstrip() for line in (demo / "printed.txt").read_text().splitlines()}
    assert [line for line in shown if line.rstrip() not in printed] == []
    assert shown[0].startswith("SUCCESS ")


def query(demo: Path, sql: str) -> list[dict[str, object]]:
    config = ("--config", str(demo / "overwatch.yaml"))
    done = overwatch("sql", *config, "--json", sql, cwd=demo)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


def test_the_demo_agrees_with_the_truth_about_it(demo: Path) -> None:
    truth = json.loads((demo / "logs" / "truth.json").read_text())
    sql = """
        select organization_id as org, partition_date::varchar as day,
          task_end_reason.Reason as reason, count(*) as tasks
        from sparkTask where end_reason = 'event' group by all"""
    counted: dict[str, dict[str, dict[str, int]]] = {}
    for row in query(demo, sql):
        of_day = counted.setdefault(str(row["org"]), {}).setdefault(str(row["day"]), {})
        of_day[str(row["reason"])] = int(str(row["tasks"]))
    expected = {
        org: {day: of["tasks"] for day, of in facts["days"].items() if of["tasks"]}
        for org, facts in truth.items()
    }
    assert counted == expected


def counted(demo: Path, table: str, *of: str) -> Counter[tuple[object, ...]]:
    """Rows of a bronze table by workspace and what else tells them apart."""
    listed = ", ".join(("organization_id", *of))
    sql = f"select {listed}, count(*) as rows from etl.{table} group by all"  # noqa: S608 - literals
    return Counter(
        {tuple(list(row.values())[:-1]): int(str(row["rows"])) for row in query(demo, sql)}
    )


def test_audit_events_agree_with_the_truth_by_each_of_the_three_routes(
    demo: Path, world: World
) -> None:
    truth = json.loads((demo / "logs" / "truth.json").read_text())
    expected: Counter[tuple[object, ...]] = Counter(
        {
            (org, day, what): number
            for org, facts in truth.items()
            for day, of in facts["days"].items()
            for what, number in of["audit_events"].items()
        }
    )
    still_to_come = undelivered(world)
    assert 0 < still_to_come.total() < expected.total() / 100
    what = "serviceName || '.' || actionName"
    found = counted(demo, "audit_log_bronze", "partition_date::varchar", what)
    assert found == expected - still_to_come
    routes = "select distinct organization_id as o, filename is null as f from etl.audit_log_bronze"
    assert sorted(bool(row["f"]) for row in query(demo, routes)) == [False, False, True]


def undelivered(world: World) -> Counter[tuple[object, ...]]:
    """Events of the third workspace that reach the system table after the demo looks at it."""
    of_third = world.workspaces[2]
    account_id = world.company.account_id
    late: Counter[tuple[object, ...]] = Counter()
    for action in of_third.actions:
        row = audit_row(action, of_third.workspace, account_id)
        if row_delivered_ms(action.at_ms, str(row["event_id"])) > seen_ms(world):
            key = (row["workspace_id"], row["event_date"], f"{action.service}.{action.action}")
            late[key] += 1
    return late


def test_cluster_events_are_all_that_the_api_still_tells(demo: Path, world: World) -> None:
    expected: Counter[tuple[object, ...]] = Counter()
    for each, made in zip(emulated_workspaces(world), world.workspaces, strict=True):
        for life in made.compute.lives():
            for event in each.cluster_events(life.cluster_id, seen_ms(world)) or ():
                at_ms = int(str(event["timestamp"]))
                if world.since_ms <= at_ms < world.until_ms:
                    day = datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
                    expected[each.workspace_id, day, event["type"]] += 1
    day = "partition_date::varchar"
    assert counted(demo, "cluster_events_bronze", day, "type") == expected


def test_captures_hold_what_there_is_the_morning_after(demo: Path, world: World) -> None:
    now = seen_ms(world)
    for table, key, name, answer in (
        ("pools_snapshot_bronze", "instance_pool_id", "instance_pool_id", "instance_pools"),
        ("policies_snapshot_bronze", "policy_id", "policy_id", "policies"),
        ("tokens_snapshot_bronze", "token_id", "token_id", "tokens"),
        ("global_inits_snapshot_bronze", "script_id", "script_id", "init_scripts"),
        ("warehouses_snapshot_bronze", "warehouse_id", "id", "warehouses"),
        ("jobs_snapshot_bronze", "job_id", "job_id", "jobs"),
        ("libs_snapshot_bronze", "cluster_id", "cluster_id", "library_statuses"),
    ):
        expected = Counter(
            (each.workspace_id, one[name])
            for each in emulated_workspaces(world)
            for one in getattr(each, answer)(now)
        )
        assert counted(demo, table, key) == expected, table


def explained(demo: Path, *what: str) -> list[dict[str, Any]]:
    config = ("--config", str(demo / "overwatch.yaml"), "--json")
    done = overwatch("explain", *what, *config, cwd=demo)
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def test_a_runs_explanation_adds_up_to_its_cost_and_names_the_records(demo: Path) -> None:
    dearest = """
        select run_id::varchar as run_id, total_cost from jobRunCostPotentialFact
        where not is_open order by total_cost desc nulls last limit 1"""
    [row] = query(demo, dearest)
    [told] = explained(demo, "run", str(row["run_id"]))
    states, requests = told["parts"].values()
    assert len(states) > 1
    assert sum(each["cost"] for each in states) == pytest.approx(row["total_cost"], rel=1e-9)
    assert {"jobs.runStart", "jobs.runSucceeded"} <= {each["request"] for each in requests}
    hashes = ", ".join(str(each["hashKey"]) for each in requests)
    of_bronze = f"select count(*) as n from etl.audit_log_bronze where hashKey in ({hashes})"  # noqa: S608 - numbers
    assert query(demo, of_bronze) == [{"n": len(requests)}]


def test_a_clusters_explanation_adds_up_to_the_cost_of_its_day(demo: Path) -> None:
    busiest = """
        select cluster_id, date::varchar as day, total_cost from clusterIdleCostDaily
        where run_cost > 0 and idle_cost > 0 order by total_cost desc limit 1"""
    [row] = query(demo, busiest)
    [told] = explained(demo, "cluster", str(row["cluster_id"]), "--day", str(row["day"]))
    assert told["figures"]["cost, USD"] == pytest.approx(row["total_cost"], rel=1e-9)
    assert told["figures"]["hours"] <= 24
    assert all(told["parts"].values()), "states, prices, runs, events and requests are there"


def test_a_run_without_a_cluster_is_explained_by_its_requests(demo: Path) -> None:
    never = "select run_id::varchar as run_id from jobRunCostPotentialFact where cluster_id is null"
    row = query(demo, f"{never} order by 1 limit 1")[0]
    config = ("--config", str(demo / "overwatch.yaml"))
    done = overwatch("explain", "run", str(row["run_id"]), *config, cwd=demo)
    assert (done.returncode, done.stderr) == (0, "")
    assert "what it bears of each\n  none" in done.stdout
    assert "jobs.run" in done.stdout


def test_what_is_not_known_is_not_explained(demo: Path) -> None:
    config = ("--config", str(demo / "overwatch.yaml"))
    done = overwatch("explain", "run", "7", *config, cwd=demo)
    assert done.returncode == 2
    assert "run 7 is in no row of jobruncostpotentialfact_gold of workspace" in done.stderr


ANSWERED = [name for name in NAMES if not read_by(name) & {*WAITING}]
HIDES_NOTHING = "tidewater-shops"
"""The workspace of which telemetry tells all that costs something."""


@pytest.fixture(scope="module")
def answers(demo: Path) -> dict[str, pl.DataFrame]:
    """What the documented questions are answered."""
    config = load_config(demo / "overwatch.yaml")
    return {name: answered(config, query_text(name)) for name in ANSWERED}


@pytest.fixture(scope="module")
def truths(demo: Path) -> dict[str, Any]:
    truth = json.loads((demo / "logs" / "truth.json").read_text())
    return {facts["workspace_name"]: facts for facts in truth.values()}


def test_every_documented_question_has_an_answer(answers: dict[str, pl.DataFrame]) -> None:
    assert {name for name in ANSWERED if answers[name].is_empty()} <= {"notebooks_large_tasks"}
    named = {name: set(rows["workspace_name"]) for name, rows in answers.items() if rows.height}
    assert [name for name, workspaces in named.items() if len(workspaces) != 3] == []


def test_days_and_clusters_cost_what_they_truly_cost(
    answers: dict[str, pl.DataFrame], truths: dict[str, Any]
) -> None:
    truth = truths[HIDES_NOTHING]

    def of(name: str) -> pl.DataFrame:
        return answers[name].filter(workspace_name=HIDES_NOTHING)

    def by_day(name: str, column: str) -> dict[str, float]:
        return {str(day): usd for day, usd in of(name).select("date", column).iter_rows()}

    def close(amount: str) -> object:
        return pytest.approx(days(truth, amount), rel=1e-4)

    assert by_day("workspace_daily_spend", "cost_usd") == close("total_usd")
    assert by_day("workspace_dbu_and_compute", "dbu_usd") == close("dbu_usd")
    assert by_day("workspace_dbu_and_compute", "machines_usd") == close("compute_usd")
    dearest_found = of("clusters_most_expensive").select(pl.col("date").cast(str), "cluster_id")
    assert set(dearest_found.iter_rows()) == dearest(truth)
    whole = pytest.approx(sum(days(truth, "total_usd").values()), rel=1e-4)
    for name in ("workspace_spend_by_cluster_type", "workspace_node_types"):
        assert of(name)["cost_usd"].sum() == whole
    assert of("clusters_potential_by_node_type")["cost_usd"].sum() == whole
    by_tag = of("workspace_tags").group_by("tag_key").agg(pl.col("cost_usd").sum())["cost_usd"]
    assert by_tag.to_list() == [whole] * len(by_tag)


def test_jobs_cost_and_end_as_they_truly_did(
    answers: dict[str, pl.DataFrame], truths: dict[str, Any]
) -> None:
    truth = truths[HIDES_NOTHING]
    costs = answers["jobs_daily_cost"].filter(workspace_name=HIDES_NOTHING)
    by_job = dict(costs.group_by("job_id").agg(pl.col("cost_usd").sum()).iter_rows())
    expected = {int(job): usd["total_usd"] for job, usd in truth["compute"]["jobs"].items()}
    assert by_job == pytest.approx(expected, rel=1e-4)
    ends = answers["jobs_states"].filter(workspace_name=HIDES_NOTHING)
    counted = ends.group_by("terminal_state").agg(pl.col("runs").sum())
    assert dict(counted.iter_rows()) == endings(truth)


def test_clusters_were_in_the_states_that_they_were_in(
    answers: dict[str, pl.DataFrame], truths: dict[str, Any]
) -> None:
    counts = states(truths[HIDES_NOTHING])
    starts = answers["clusters_restarts"].filter(workspace_name=HIDES_NOTHING)
    found = starts.select("created", "started", "restarted").sum().row(0)
    assert found == (counts["CREATING"], counts["STARTING"], counts["RESTARTING"])
    failures = answers["clusters_failures"].filter(workspace_name=HIDES_NOTHING)
    assert dict(failures.select("state", "states").iter_rows()) == {
        "NODES_LOST": counts["NODES_LOST"]
    }


def test_spark_work_is_told_as_it_was(
    answers: dict[str, pl.DataFrame], truths: dict[str, Any]
) -> None:
    for name, truth in truths.items():
        spills = answers["notebooks_spills"].filter(workspace_name=name)
        assert spills["disk_bytes"].sum() == spark_sum(truth, "disk_spilled_bytes")
        failed = answers["notebooks_longest_failed_jobs"].filter(workspace_name=name)
        assert failed.height == failed_spark_jobs(truth)


def test_a_demo_killed_at_any_moment_and_run_again_holds_the_same_tables(
    demo: Path, tmp_path: Path
) -> None:
    """Its workspaces are loaded at once, by processes that end with it."""
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "overwatch_assets.cli", "demo", "--folder", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    _read_until_loading(process)
    time.sleep(random.Random(11).uniform(5.0, 15.0))  # noqa: S311 - no secret
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = overwatch("demo", "--folder", str(folder), cwd=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    undisturbed, disturbed = tables(demo), tables(folder)
    assert undisturbed["jobruncostpotentialfact_gold"].height > 0
    assert undisturbed["spark_tasks_silver"].height > 0
    assert [name for name in undisturbed if not undisturbed[name].equals(disturbed[name])] == []


def _read_until_loading(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    while "tables" not in process.stdout.readline():
        assert process.poll() is None


@pytest.mark.usefixtures("served")
def test_a_stopped_run_finishes_its_commit_and_says_130(demo: Path, tmp_path: Path) -> None:
    config = _copied(demo, tmp_path / "stopped")
    command = [sys.executable, "-m", "overwatch_assets.cli", "run", "--config", str(config)]
    process = subprocess.Popen(
        [*command, "--to", LAST_DAY], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    _read_until_loading(process)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, output + errors
    assert "STOPPED" in output


@pytest.mark.usefixtures("served")
def test_a_day_behind_a_gap_fails_with_the_remedy(demo: Path, tmp_path: Path) -> None:
    config = _copied(demo, tmp_path / "gap")
    days = ("--from", "2026-10-07", "--to", "2026-10-07")
    done = overwatch("run", "--config", str(config), *days, cwd=tmp_path)
    assert done.returncode == 1
    assert "materialise 2026-10-06 first" in done.stdout
    assert "To repeat what failed: overwatch run" in done.stdout


def _copied(demo: Path, folder: Path) -> Path:
    """A deployment over the demo's logs with nothing loaded yet."""
    folder.mkdir(parents=True)
    text = (demo / "overwatch.yaml").read_text().replace(" logs/", f" {demo}/logs/")
    shutil.copy(demo / SECRET_FILE, folder)
    (folder / "overwatch.yaml").write_text(text)
    return folder / "overwatch.yaml"
