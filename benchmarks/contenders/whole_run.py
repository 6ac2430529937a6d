"""This project's `overwatch run` over a configuration, with an account of where its CPU went.

Its clock is given, for a made-up world whose days are not those of the machine.
"""

import json
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.accounts import Accounts
from overwatch_assets import price_assets
from overwatch_assets.config import load_config
from overwatch_assets.execution.load import Loader
from overwatch_assets.materializations import DagsterLedger
from overwatch_assets.module import Module
from overwatch_assets.operations import session as sessions
from overwatch_assets.operations.plan import Selection
from overwatch_assets.operations.run import Runner
from overwatch_assets.resources import Deployment

START = "start, imports"
DAGSTER = "Dagster: its runs, steps, events"
RECORDS = "Dagster: records of days read"
PLAN = "plan"
PRICES = "price tables"
PUBLISH = "DuckDB file"


def main(config: Path, now: datetime, first: date, results: Path) -> int:
    """Load every day from the first to yesterday; returns how many tables failed."""
    accounts = Accounts(START)
    accounts.follow(Loader, "load", _table)
    for name in ("latest", "days", "failed"):
        accounts.follow(DagsterLedger, name, lambda *_: RECORDS)
    accounts.follow(Runner, "run", lambda *_: DAGSTER)
    accounts.follow(sessions, "open_instance", lambda *_: DAGSTER)
    accounts.follow(sessions.Session, "plan", lambda *_: PLAN)
    accounts.follow(sessions, "publish", lambda *_: PUBLISH)
    accounts.follow(price_assets, "refresh", lambda *_: PRICES)
    for name in ("reference", "listed_node_types"):
        accounts.follow(Deployment, name, lambda *_: PRICES)

    console = Console()
    session = sessions.Session(load_config(config), console, clock=lambda: now)
    plan = session.plan(Selection(), (), first)
    report = session.load(plan)
    taken = accounts.close()
    days: dict[str, dict[str, set[date]]] = {}
    for step in plan.asked:
        of_table = days.setdefault(step.module.table.name, {})
        of_table.setdefault(step.organization_id, set()).update(step.days)
    told = {
        "parts": {part: asdict(account) for part, account in taken.items()},
        "rows": {name: _rows(session, name, of_table) for name, of_table in days.items()},
    }
    results.write_text(json.dumps(told))
    for each in report.failed:
        console.print(each)
    return len(report.failed)


def _table(_: Loader, module: Module, *_arguments: object) -> str:
    return module.table.name


def _rows(session: Any, name: str, days: Mapping[str, Collection[date]]) -> dict[str, int]:
    """Rows that a table was made from and that it got, of the days that were loaded."""
    module, ledger = session.deployment.modules[name], session.runner.ledger
    found = {"in": 0, "out": 0}
    for org, of_workspace in days.items():
        own = ledger.latest(name, org, of_workspace).values()
        found["out"] += sum(record.rows for record in own)
        found["in"] += sum(int(record.details.get("rows_read", 0)) for record in own)
        for table in () if module.source else module.upstream:
            read = ledger.latest(table, org, of_workspace).values()
            found["in"] += sum(record.rows for record in read)
    return found


if __name__ == "__main__":
    CONFIG, NOW_MS, FIRST, RESULTS = sys.argv[1:]
    NOW = datetime.fromtimestamp(int(NOW_MS) / 1000, UTC)
    sys.exit(main(Path(CONFIG), NOW, date.fromisoformat(FIRST), Path(RESULTS)))
