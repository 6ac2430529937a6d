"""Dagster's folder, opened for the first time by several processes at the same moment."""

import subprocess
import sys
import time
from pathlib import Path

PROCESSES = 4
OPEN = """
import sys, time
from pathlib import Path
from overwatch_assets.operations.dagster_home import open_instance

Path(sys.argv[2]).touch()
while not Path(sys.argv[3]).exists():
    time.sleep(0.005)
with open_instance(Path(sys.argv[1])) as instance:
    print(instance.get_runs_count())
"""


def test_processes_that_open_a_new_folder_at_once_all_find_an_instance(tmp_path: Path) -> None:
    ready = [tmp_path / f"ready{number}" for number in range(PROCESSES)]
    go = tmp_path / "go"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(tmp_path / "home"), str(each), str(go)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for each in ready
    ]
    while not all(each.exists() for each in ready):
        assert all(each.poll() is None for each in running)
        time.sleep(0.01)
    go.touch()
    told = [each.communicate() for each in running]
    assert [output for output, _ in told] == ["0\n"] * PROCESSES, told
