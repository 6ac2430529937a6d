"""Dagster's own folder: its settings, and the instance that lives there."""

import os
from pathlib import Path

import dagster as dg
from filelock import FileLock

from overwatch_assets.event_log import BATCH_SIZE, BATCH_SIZE_VARIABLE

SETTINGS = """\
# Settings of the Dagster instance. Overwatch writes this file where there is none.
telemetry:
  enabled: false

nux:
  enabled: false

# SQLite, as Dagster's own, but the events of many partitions are written at once.
event_log_storage:
  module: overwatch_assets.event_log
  class: BatchedSqliteEventLog
  config: {}

run_queue:
  max_concurrent_runs: 1

run_monitoring:
  enabled: true

retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days: 30
"""

LOCK = ".opening.lock"


def prepare_home(home: Path) -> Path:
    """Make the folder and its settings; keep settings that are there."""
    home.mkdir(parents=True, exist_ok=True)
    settings = home / "dagster.yaml"
    if not settings.exists():
        settings.write_text(SETTINGS, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ.setdefault(BATCH_SIZE_VARIABLE, BATCH_SIZE)
    return home


def open_instance(home: Path) -> dg.DagsterInstance:
    """The instance of a folder, which is prepared.

    One process after the other: two that set up Dagster's databases at once break them.
    """
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / LOCK):
        return dg.DagsterInstance.from_config(str(prepare_home(home)))
