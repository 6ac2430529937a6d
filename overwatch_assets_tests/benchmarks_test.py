"""The benchmark as a program, at a size where nothing that it times means anything."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
GB = 10**9
CONTENDERS = ["overwatch", "duckdb", "polars", "whole-way"]


def run_benchmark(folder: Path, size_bytes: int, *arguments: str) -> list[dict[str, Any]]:
    """Run it once over made-up logs; 1 tells that a goal was missed, which no small log meets."""
    results = folder / "results.json"
    size = ["--size", str(size_bytes / GB), "--rounds", "1"]
    where = ["--scratch", str(folder), "--json", str(results)]
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks", *size, *where, *arguments],
        cwd=ROOT,
        env={**os.environ, "OVERWATCH_TEST_DATA": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode in {0, 1}, finished.stdout + finished.stderr
    assert "The real logs are left out" in finished.stdout
    measured: list[dict[str, Any]] = json.loads(results.read_text())
    return measured


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
