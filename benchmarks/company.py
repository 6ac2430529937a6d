"""The demo's company behind its API, and runs of `overwatch run` over days of it."""

import json
import shutil
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml

from benchmarks.accounts import Account
from benchmarks.measuring import Taken, environment, measured
from overwatch_assets.demo.company import LOG_MOUNT
from overwatch_assets.demo.emulated import emulated_workspaces
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.demo.setup import LOGS, Reached, demo_config_text
from overwatch_assets.demo.write import FIRST_DAY, DemoWorld, write_demo
from overwatch_assets.operations.emulator import HOURS_AFTER, credentials_in


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table's days.

    Attributes:
        read: Those that its source handed over, or that the tables it is made from have of the
            same days.
        made: Those that it got.
    """

    read: int
    made: int


@dataclass(frozen=True, slots=True)
class WholeRun:
    """A run of all tables.

    Attributes:
        taken: By the process.
        parts: What parts of it took, by table or name.
        rows: By table.
    """

    taken: Taken
    parts: Mapping[str, Account]
    rows: Mapping[str, Rows]


def morning_after_ms(day: date) -> int:
    """When a day's tables are loaded, epoch ms."""
    midnight = datetime.combine(day, time(), UTC) + timedelta(days=1)
    return round(midnight.timestamp() * 1000) + HOURS_AFTER * 3_600_000


def whole_run(config: Path, now_ms: int, first: date, scratch: Path) -> WholeRun:
    """Load a configuration's days from the first to the one before an instant.

    Raises:
        ContenderFailed: A table failed; the end of what was printed is told.
    """
    results = scratch / "results.json"
    arguments = [str(config), str(now_ms), first.isoformat(), str(results)]
    command = [sys.executable, "-m", "benchmarks.contenders.whole_run", *arguments]
    taken = measured(command, scratch, environment(), scratch / "output")
    told: dict[str, Any] = json.loads(results.read_text())
    return WholeRun(
        taken,
        {part: Account(**account) for part, account in told["parts"].items()},
        {table: Rows(rows["in"], rows["out"]) for table, rows in told["rows"].items()},
    )


@dataclass(frozen=True)
class Company:
    """Workspaces that are there to be read.

    Attributes:
        folder: Of the logs; tables and configurations are made there.
        workspaces: How many of the company's workspaces are loaded.
        clock: The emulator's.
    """

    folder: Path
    demo: DemoWorld
    workspaces: int
    emulator: Emulator
    clock: Clock

    def day(self, number: int) -> date:
        """A day of the company, counted from 0."""
        return FIRST_DAY + timedelta(days=number)

    def config(self, name: str, first: date = FIRST_DAY) -> Path:
        """A configuration whose tables nobody has made yet.

        Args:
            name: What had it before is deleted.
            first: The workspaces' first day.
        """
        tables = self.folder / name
        shutil.rmtree(tables, ignore_errors=True)
        tables.mkdir()
        reached = {
            each.workspace.workspace_id: Reached(
                self.emulator.address(each.workspace.workspace_id),
                each.estate.warehouses[0].warehouse_id,
            )
            for each in self.demo.world.workspaces
        }
        arguments = json.loads((self.demo.root / "demo.json").read_text())["arguments"]
        values: dict[str, Any] = yaml.safe_load(demo_config_text(arguments["seed"], reached))
        values["workspaces"] = values["workspaces"][: self.workspaces]
        for each in values["workspaces"]:
            each["primordial_date"] = first.isoformat()
        # An account is of one process.
        values["parallel_workspaces"] = 1
        values["storage"]["root"] = str(tables / "tables")
        values["dagster_home"] = str(tables / "dagster")
        values["duckdb_file"] = str(tables / "overwatch.duckdb")
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(values))
        return path

    def run(self, config: Path, first: date, last: date) -> WholeRun:
        """Load days as they are seen on the morning after the last, and what is there that day.

        Raises:
            ContenderFailed: A table failed; the end of what was printed is told.
        """
        self.clock.now_ms = morning_after_ms(last)
        return whole_run(config, self.clock.now_ms, first, self.folder)


@contextmanager
def company(
    folder: Path, *, days: int, workspaces: int, scale: float = 1.0, spark_logs: bool = True
) -> Generator[Company]:
    """Make up days of the company and serve them."""
    demo = write_demo(folder / LOGS, days=days, scale=scale, spark_logs=spark_logs)
    _, credentials = credentials_in(folder)
    clock = Clock(demo.world.until_ms)
    account_id = demo.world.company.account_id
    served = emulated_workspaces(demo.world, demo.log_mounts[LOG_MOUNT])
    with Emulator(served, credentials, clock=clock, account_id=account_id) as emulator:
        yield Company(folder, demo, workspaces, emulator, clock)
