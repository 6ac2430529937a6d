"""Workspaces loaded side by side, each by a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from multiprocessing import parent_process
from pathlib import Path

import pytest

from overwatch_assets.config import Config, load_config
from overwatch_assets.execution.windows import Cell
from overwatch_assets.operations.dagster_home import open_instance
from overwatch_assets.operations.parallel import Clock, run_side_by_side
from overwatch_assets.operations.plan import Plan, Selection, plan_run
from overwatch_assets.operations.progress import Watcher
from overwatch_assets.operations.run import Outcome, Runner, RunReport
from overwatch_assets.registry import in_load_order
from overwatch_assets.resources import Deployment

MONDAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 5, tzinfo=UTC)
PROD, LAB = "111", "222"
TABLES = ("audit_log_bronze", "account_login_silver")


def stands_still() -> datetime:
    return NOW


def killed_elsewhere() -> datetime:
    """A clock that kills whoever asks it, but the process that began all."""
    if parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return NOW


def terminated_elsewhere() -> datetime:
    if parent_process() is not None:
        os.kill(os.getpid(), signal.SIGTERM)
    return NOW


def waits_elsewhere() -> datetime:
    """A clock that never answers; it leaves the number of the process that asks it."""
    if parent_process() is not None:
        Path(os.environ["ASKED_BY"]).write_text(str(os.getpid()))
        signal.pause()
    return NOW


@dataclass
class Seen:
    """What a run told."""

    begun: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])
    days: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def began(self, organization_id: str, tables: int, days: int) -> None:
        self.begun.append((organization_id, tables, days))

    def loaded(self, cell: Cell) -> None:
        self.days.add((cell.organization_id, cell.table))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Two workspaces with a login each."""
    text = f"storage: {{root: {tmp_path}/tables}}\nworkspaces:\n"
    for org in (PROD, LAB):
        logs = tmp_path / org / f"date={MONDAY}"
        logs.mkdir(parents=True)
        (logs / "a.json").write_text(json.dumps(login(org)))
        text += (
            f'  - {{workspace_id: "{org}", workspace_name: of-{org}, cloud: aws, '
            f"primordial_date: {MONDAY}, audit_logs: {{path: {tmp_path}/{org}}}}}\n"
        )
    (tmp_path / "overwatch.yaml").write_text(text)
    return load_config(tmp_path / "overwatch.yaml")


def login(org: str) -> dict[str, object]:
    return {
        "version": "2.0",
        "timestamp": 1_793_620_800_000,
        "workspaceId": org,
        "serviceName": "accounts",
        "actionName": "login",
        "requestId": f"r-{org}",
        "userIdentity": {"email": f"{org}@acme.example"},
        "requestParams": {"user": f"{org}@acme.example"},
    }


def planned(config: Config, clock: Clock) -> tuple[Deployment, Plan]:
    modules = in_load_order()
    by_table = {module.table.name: module for module in modules}
    deployment = Deployment(config=config, modules=by_table, clock=clock)
    ledger = Runner(deployment, open_instance(config.dagster_home)).ledger
    days = {org: [MONDAY] for org in (PROD, LAB)}
    return deployment, plan_run(modules, Selection(TABLES).choose(modules), ledger, days)


def loaded(config: Config, clock: Clock, watcher: Watcher, processes: int = 2) -> RunReport:
    return run_side_by_side(*planned(config, clock), watcher, processes)


def test_each_workspace_is_loaded_by_a_process_and_told_in_the_order_of_the_plan(
    config: Config,
) -> None:
    seen = Seen()
    report = loaded(config, stands_still, seen)
    assert [(r.organization_id, r.table, r.outcome, r.rows) for r in report.results] == [
        (org, table, Outcome.SUCCESS, 1) for org in (PROD, LAB) for table in TABLES
    ]
    assert (sorted(seen.begun), report.is_stopped) == ([(PROD, 2, 2), (LAB, 2, 2)], False)
    assert seen.days == {(org, table) for org in (PROD, LAB) for table in TABLES}
    deployment, _ = planned(config, stands_still)
    logins = deployment.store.scan(deployment.modules["account_login_silver"].table).collect()
    assert sorted(logins["organization_id"]) == [PROD, LAB]


def test_a_process_that_is_killed_is_told_of_all_its_tables(config: Config) -> None:
    report = loaded(config, killed_elsewhere, Seen())
    assert {each.outcome for each in report.results} == {Outcome.FAILED}
    assert [each.table for each in report.failed] == [*TABLES, *TABLES]
    assert "killed by signal 9; run it again; is there enough memory for" in report.failed[0].error


def test_a_process_that_is_asked_to_stop_stops_the_whole_command(config: Config) -> None:
    report = loaded(config, terminated_elsewhere, Seen(), processes=1)
    assert report.is_stopped
    assert {each.organization_id for each in report.results} == {PROD}
    assert [each.outcome for each in report.results].count(Outcome.STOPPED) == 1


ORPHANED = """
from pathlib import Path
import overwatch_assets_tests.operations.parallel_test as test
if __name__ == "__main__":
    test.loaded(test.load_config(Path({path!r})), test.waits_elsewhere, test.Seen(), 1)
"""


def test_no_process_outlives_the_command_that_began_it(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_by = tmp_path / "asked-by"
    script = tmp_path / "command.py"
    script.write_text(ORPHANED.format(path=str(config.path)))
    monkeypatch.setenv("ASKED_BY", str(asked_by))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    with subprocess.Popen([sys.executable, str(script)]) as command:
        wait_until(lambda: asked_by.exists() and asked_by.read_text() != "")
        command.kill()
    wait_until(lambda: is_gone(int(asked_by.read_text())))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has asked after is a zombie."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
