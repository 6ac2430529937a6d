"""The command line on the demo, as a user types it: in processes of their own."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from dagster_deltalake.config import LocalConfig

from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.registry import MODULES
from overwatch_assets_tests.documentation_test import section as readme_section
from overwatch_assets_tests.laws.harness import comparable

KILLS = 4


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


def test_the_readme_shows_what_the_demo_prints(demo: Path) -> None:
    shown = readme_section("demo").strip("`\n").splitlines()
    printed = {line.rstrip() for line in (demo / "printed.txt").read_text().splitlines()}
    assert [line for line in shown if line.rstrip() not in printed] == []
    assert shown[0].startswith("SUCCESS 42")


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


def test_running_the_demo_again_changes_nothing(demo: Path) -> None:
    before = tables(demo)
    done = overwatch("demo", "--folder", str(demo), cwd=demo.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    after = tables(demo)
    assert all(before[name].equals(after[name]) for name in before)


def test_a_run_killed_at_any_moment_and_run_again_gives_the_same_tables(
    demo: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    config = _copied(demo, again)
    pick = random.Random(11)  # noqa: S311 - no secret
    command = [sys.executable, "-m", "overwatch_assets.cli", "run", "--config", str(config)]
    days = ["--from", "2026-10-05", "--to", "2026-10-08"]
    for _ in range(KILLS):
        process = subprocess.Popen(
            [*command, *days], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(pick.uniform(2.0, 8.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = overwatch("run", "--config", str(config), *days, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    undisturbed, disturbed = tables(demo), tables(again)
    assert [name for name in undisturbed if not undisturbed[name].equals(disturbed[name])] == []


def test_a_stopped_run_finishes_its_commit_and_says_130(demo: Path, tmp_path: Path) -> None:
    config = _copied(demo, tmp_path / "stopped")
    command = [sys.executable, "-m", "overwatch_assets.cli", "run", "--config", str(config)]
    process = subprocess.Popen(
        [*command, "--to", "2026-10-08"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while "tables" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, output + errors
    assert "STOPPED" in output


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
    text = (demo / "overwatch.yaml").read_text().replace("logs/", f"{demo}/logs/")
    (folder / "overwatch.yaml").write_text(text)
    return folder / "overwatch.yaml"
