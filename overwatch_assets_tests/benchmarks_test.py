"""The benchmarks as a program, at sizes where nothing that they time means anything."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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
    where = ["--rounds", "1", "--scratch", str(folder), "--json", str(results)]
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks", benchmark, *where, *arguments],
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
