"""What a process and all its children take: seconds of CPU, and memory at the worst moment."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_S = 0.05
ROOT = Path(__file__).parents[1]


class ContenderFailed(Exception):
    """A contender ended with an error."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run took.

    Attributes:
        cpu_s: User and system seconds of the process and of every child that was waited for.
        peak_bytes: Resident set sizes of the process and its children added up, the largest of
            samples taken every `SAMPLE_S`. Pages that processes share count in each of them.
        wall_s: From start to end.
    """

    cpu_s: float
    peak_bytes: int
    wall_s: float


def measured(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], output: Path
) -> Taken:
    """Run a command to its end.

    Args:
        command: Program and arguments.
        folder: Where it runs.
        environment: All its variables.
        output: Takes what it prints.

    Raises:
        ContenderFailed: It ended with an error; the end of its output is told.
    """
    began = time.perf_counter()
    with output.open("wb") as printed:
        process = subprocess.Popen(  # noqa: S603 - a program of this package
            command, cwd=folder, env=dict(environment), stdout=printed, stderr=subprocess.STDOUT
        )
    peak = 0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        peak = max(peak, _memory(process.pid))
        time.sleep(SAMPLE_S)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = output.read_text(errors="replace")[-2000:]
        raise ContenderFailed(f"{' '.join(command[:4])} ended with {process.returncode}:\n{said}")
    return Taken(usage.ru_utime + usage.ru_stime, peak, time.perf_counter() - began)


def environment() -> Mapping[str, str]:
    """Variables of a process of this project."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}


def _memory(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        tree = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_memory_of(each) for each in tree)


def _memory_of(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0
