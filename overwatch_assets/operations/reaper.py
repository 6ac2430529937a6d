"""Runs whose process is gone, reported failed.

Dagster leaves the run of a killed process or a machine that lost power STARTED for ever; with
one run at a time, nothing would run again.
"""

import os
from pathlib import Path

import dagster as dg

PROCESS_TAG = "overwatch/process"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_UNFINISHED = [
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.NOT_STARTED,
]


def process_tag() -> dict[str, str]:
    """Run tag that tells which process of which boot of the machine runs it."""
    return {PROCESS_TAG: _identity(os.getpid())}


def reap(instance: dg.DagsterInstance) -> list[str]:
    """Report runs failed whose process is no more; returns their ids."""
    reaped: list[str] = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        identity = run.tags.get(PROCESS_TAG)
        if identity is None or _is_alive(identity):
            continue
        instance.report_run_failed(run, "its process is gone: killed, or the machine stopped")
        reaped.append(run.run_id)
    return reaped


def _is_alive(identity: str) -> bool:
    pid = identity.split(":")[1]
    return pid.isdigit() and _identity(int(pid)) == identity


def _identity(pid: int) -> str:
    """Boot, process id and start time: a process id alone is used again."""
    boot = _BOOT.read_text(encoding="ascii").strip() if _BOOT.exists() else "unknown"
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return f"{boot}:{pid}:gone"
    started = stat.rpartition(")")[2].split()[19]
    return f"{boot}:{pid}:{started}"
