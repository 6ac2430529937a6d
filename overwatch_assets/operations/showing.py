"""Plans and reports as a person reads them, and as a machine does."""

import json
import shlex
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as Grid

from overwatch_assets.config import Config
from overwatch_assets.operations.plan import Plan
from overwatch_assets.operations.run import Outcome, RunReport, TableResult


def show_plan(console: Console, plan: Plan) -> None:
    """What will be loaded, per workspace and reason."""
    grid = _grid("module", "table", "days", "reason", "rows now")
    for org in dict.fromkeys(step.organization_id for step in plan.steps):
        for step in plan.steps:
            if step.organization_id == org:
                grid.add_row(
                    str(step.module.module_id),
                    step.module.table.name,
                    _span([str(day) for day in step.days]),
                    str(step.reason),
                    f"{step.rows_now:,}",
                )
        console.print(f"Plan for workspace {org}")
        console.print(grid)
        grid = _grid("module", "table", "days", "reason", "rows now")


def show_report(console: Console, config: Config, report: RunReport) -> None:
    """What came of it, what failed and why, and the command that repeats only that."""
    for result in report.failed:
        if result.error:
            console.print(f"{result.outcome} {result.table}, workspace {result.organization_id}")
            console.print(f"  {result.error}", highlight=False, markup=False)
    outcomes = report.outcomes
    for result in report.results:
        if result.reason and outcomes[result.organization_id, result.table] is Outcome.EMPTY:
            where = f"{result.table}, workspace {result.organization_id}"
            console.print(f"EMPTY {where}: {result.reason}", highlight=False, markup=False)
    counts = "  ".join(f"{outcome} {count}" for outcome, count in report.counts.items())
    console.print(f"{counts}  ({sum(result.rows for result in report.results):,} rows)")
    for command in repeat_commands(config, report.failed):
        console.print(f"To repeat what failed: {command}", highlight=False, soft_wrap=True)


def repeat_commands(config: Config, failed: Sequence[TableResult]) -> list[str]:
    """Commands that load only what failed, one per workspace."""
    commands: list[str] = []
    for org in dict.fromkeys(result.organization_id for result in failed):
        of_workspace = [each for each in failed if each.organization_id == org and each.days]
        if not of_workspace:
            continue
        days = sorted({day for result in of_workspace for day in result.days})
        tables = ",".join(dict.fromkeys(result.table for result in of_workspace))
        words = ["overwatch", "run", "--config", str(config.path), "--workspace", org]
        words += ["--from", str(days[0]), "--to", str(days[-1]), "--modules", tables]
        commands.append(shlex.join(words))
    return commands


def report_json(report: RunReport) -> str:
    """The report for machines."""
    results = [
        {
            "workspace": result.organization_id,
            "table": result.table,
            "first": str(result.days[0]) if result.days else None,
            "last": str(result.days[-1]) if result.days else None,
            "status": str(result.outcome),
            "rows": result.rows,
            "error": result.error or None,
            "reason": result.reason or None,
        }
        for result in report.results
    ]
    return json.dumps({"counts": report.counts, "tables": results}, indent=2)


def _grid(*names: str) -> Grid:
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for name in names:
        grid.add_column(name, justify="right" if name == "rows now" else "left")
    return grid


def _span(days: Sequence[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} .. {days[-1]}"
