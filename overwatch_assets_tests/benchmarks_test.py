"""The benchmarks as a program, at sizes where nothing that they time means anything."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accounts import Account
from benchmarks.company import Rows, WholeRun
from benchmarks.growth import Grown, Workload
from benchmarks.measuring import Taken
from overwatch_assets.module import Scope
from overwatch_assets.registry import MODULES

ROOT = Path(__file__).parents[1]
GB = 10**9
CONTENDERS = ["overwatch", "duckdb", "polars", "whole-way"]


def run_benchmark(folder: Path, size_bytes: int, *arguments: str) -> list[dict[str, Any]]:
    """Compare readers of made-up logs; 1 tells that a goal was missed, which no small log meets."""
    size = ["--size", str(size_bytes / GB)]
    printed, measured = run_one("event-logs", folder, *size, *arguments)
    assert "The real logs are left out" in printed
    return measured


def run_one(benchmark: str, folder: Path, *arguments: str) -> tuple[str, Any]:
    """What a benchmark's one round printed, and what it wrote for machines."""
    results = folder / "results.json"
    where = ["--scratch", str(folder), "--json", str(results)]
    rounds = [] if benchmark == "huge-day" else ["--rounds", "1"]
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks", benchmark, *where, *rounds, *arguments],
        cwd=ROOT,
        env={**os.environ, "OVERWATCH_TEST_DATA": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode in {0, 1}, finished.stdout + finished.stderr
    return finished.stdout, json.loads(results.read_text())


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("benchmarks")
    return run_benchmark(folder, 3_000_000, "--no-spark")


def test_every_contender_finds_what_the_log_holds(measured: list[dict[str, Any]]) -> None:
    large = [each for each in measured if each["log"] == measured[0]["log"]]
    assert [each["contender"] for each in large] == CONTENDERS
    assert all(large[0]["expected"].values())
    assert [each["found"] for each in measured] == [each["expected"] for each in measured]


def test_cpu_and_memory_are_those_of_the_contenders(measured: list[dict[str, Any]]) -> None:
    assert all(each["cpu_s"][0] > 0 for each in measured)
    assert all(each["peak_bytes"][0] > 10 << 20 for each in measured)


def test_a_load_of_all_tables_is_told_table_by_table(tmp_path: Path) -> None:
    size = ["--days", "1", "--workspaces", "1", "--scale", "0.1"]
    printed, measured = run_one("company-days", tmp_path, *size)
    [first], [further] = measured["first"], measured["further"]
    tables = {module.table.name for module in MODULES}
    assert first["rows"].keys() == further["rows"].keys() == tables
    assert all(f" {name} " in printed for name in tables)
    for run in (first, further):
        parts = sum(part["cpu_s"] for part in run["parts"].values())
        assert parts == pytest.approx(run["taken"]["cpu_s"], rel=0.2)
        assert all(run["parts"][name]["cpu_s"] > 0 for name in tables)
        assert run["rows"]["sparktask_gold"]["made"] == run["rows"]["sparktask_gold"]["read"] > 0


def test_silver_tables_are_made_of_a_day_of_spark_events(tmp_path: Path) -> None:
    printed, measured = run_one("silver-on-spark", tmp_path, "--size", "0.003")
    assert "this project" in printed
    rows = measured["rows"]
    assert set(rows) == {"spark_tasks_silver", "spark_stages_silver", "spark_jobs_silver"}
    assert rows["spark_tasks_silver"] > rows["spark_stages_silver"] > 0


def run_of(cpu_s: float, events: int) -> WholeRun:
    """A run in which the audit log's tables took so much, for so many events."""
    parts = {"audit_log_bronze": Account(cpu_s=cpu_s), "sparkjob_gold": Account(cpu_s=9.0)}
    return WholeRun(Taken(cpu_s + 12.0, 1, 1.0), parts, {"audit_log_bronze": Rows(1, events)})


def test_growth_is_that_of_the_medians_beyond_the_fixed_part() -> None:
    sizes = ((2.0, 100), (3.0, 1_100), (11.0, 10_100))
    runs = [[run_of(cpu_s + more, events) for more in (9, 0, -1)] for cpu_s, events in sizes]
    audit = Grown(Workload("audit", "audit_log_bronze", (Scope.AUDIT,)), runs)
    assert (audit.cpu_s(0), audit.count(2)) == (2.0, 10_100)
    assert (audit.events_ratio, audit.cpu_ratio) == (10.0, 9.0)
    whole = Grown(Workload("all", "audit_log_bronze"), runs)
    assert (whole.cpu_s(0), whole.cpu_ratio) == (14.0, 9.0)


@pytest.mark.soak
def test_what_ten_times_the_events_take_is_told_by_workload(tmp_path: Path) -> None:
    printed, measured = run_one("growth", tmp_path, "--scale", "0.5", "--size", "0.001")
    assert "Spark events, whole process" in printed
    for runs, table in (
        (measured["days"], "audit_log_bronze"),
        (measured["days"], "cluster_events_bronze"),
        (measured["logs"], "spark_events_bronze"),
    ):
        events = [of_size[0]["rows"][table]["made"] for of_size in runs]
        assert 0 < events[0] < events[1] < events[2]


@pytest.mark.soak
def test_further_days_are_loaded_after_a_short_history_and_a_long_one(tmp_path: Path) -> None:
    size = ["--days", "9", "--scale", "0.05"]
    printed, measured = run_one("history", tmp_path, *size)
    assert "after 9 days" in printed
    [short], [long] = measured["short"], measured["long"]
    assert short["rows"] == long["rows"]
    assert short["rows"]["audit_log_bronze"]["made"] > 0


def test_a_huge_day_holds_the_tasks_of_its_logs(tmp_path: Path) -> None:
    run = run_one("huge-day", tmp_path, "--tasks", "5000", "--logs", "2")[1]
    made = {name: rows["made"] for name, rows in run["rows"].items()}
    assert made["spark_tasks_silver"] == made["sparktask_gold"] == 5_000
    assert made["spark_jobs_silver"] == made["spark_stages_silver"] == 4
    assert run["taken"]["peak_bytes"] > 0
