"""What was found, as a person reads it and as a machine does; and what is seen meanwhile."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid

from overwatch_assets.config import Config
from overwatch_assets.operations.validate import STEPS, Watch
from overwatch_assets.operations.validation.findings import (
    ClusterLog,
    ClusterLogs,
    EmptyTable,
    Finding,
    Report,
    Verdict,
)

_KILO = 1000


@contextmanager
def watching(console: Console, config: Config, *, with_logs: bool) -> Generator[Watch]:
    """A bar per workspace in a terminal, else a line as each is done."""
    names = {each.organization_id: each.name for each in config.workspaces}
    if not console.is_terminal:

        def tell(workspace: str, step: str) -> None:
            if not step:
                console.print(f"{names[workspace]}  checked", highlight=False, markup=False)

        yield tell
        return
    steps = STEPS if with_logs else STEPS[:-1]
    columns = (
        TextColumn("{task.fields[workspace]:<18}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[step]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        tasks = {
            org: progress.add_task("", total=len(steps), workspace=name, step="", start=False)
            for org, name in names.items()
        }

        def show(workspace: str, step: str) -> None:
            done = steps.index(step) if step else len(steps)
            if step == steps[0]:
                progress.start_task(tasks[workspace])
            progress.update(tasks[workspace], completed=done, step=step)  # pyright: ignore[reportArgumentType]

        yield show


def show_validation(console: Console, config: Config, report: Report) -> None:
    """Findings by workspace, tables that stay empty, logs of clusters, and what it comes to."""
    names = {each.organization_id: f"workspace {each.name}" for each in config.workspaces}
    for workspace, findings in groupby(report.findings, key=lambda each: each.workspace):
        title = f"{names[workspace]} ({workspace})" if workspace else "deployment"
        console.print(title, style="bold", highlight=False, markup=False)
        for each in findings:
            _show_finding(console, each)
    for workspace, tables in groupby(report.empty, key=lambda each: each.workspace):
        title = f"{names[workspace]}: what stays empty, and why"
        console.print(title, style="bold", highlight=False, markup=False)
        console.print(_empty_grid(list(tables)))
    for logs in report.cluster_logs:
        _show_logs(console, names[logs.workspace], logs)
    counts = "  ".join(f"{verdict} {count}" for verdict, count in report.counts.items())
    can = "can't run as it is" if report.failed else "can run"
    console.print(f"{counts}: the deployment {can}", highlight=False)


def validation_json(report: Report) -> str:
    """The report for machines."""
    return json.dumps(
        {
            "can_run": not report.failed,
            "exit_code": report.exit_code,
            "counts": report.counts,
            "findings": [_as_row(each) for each in report.findings],
            "empty_tables": [asdict(each) for each in report.empty],
            "cluster_logs": [asdict(each) for each in report.cluster_logs],
        },
        indent=2,
    )


def _as_row(finding: Finding) -> dict[str, Any]:
    row = asdict(finding)
    return {**row, "workspace": finding.workspace or None, "remedy": finding.remedy or None}


_STYLES = {
    Verdict.OK: "green",
    Verdict.WARNING: "yellow",
    Verdict.ERROR: "bold red",
    Verdict.SKIPPED: "dim",
}


def _show_finding(console: Console, finding: Finding) -> None:
    console.print(f"  {finding.verdict:<8}", style=_STYLES[finding.verdict], end="")
    told = f"{finding.rule}: {finding.tried}: {finding.came_back}"
    console.print(told, highlight=False, markup=False, soft_wrap=True)
    if finding.remedy:
        remedy = f"          {finding.remedy}"
        console.print(remedy, highlight=False, markup=False, soft_wrap=True)


def _empty_grid(tables: list[EmptyTable]) -> Grid:
    grid = _grid("module", "table", "rows", "why")
    for each in tables:
        extent = "none" if each.extent == "empty" else "not all"
        grid.add_row(str(each.module_id), each.table, extent, each.reason)
    return grid


def _show_logs(console: Console, name: str, logs: ClusterLogs) -> None:
    title = f"{name}: event logs of clusters, as told by {logs.told_by}"
    console.print(title, style="bold", highlight=False, markup=False)
    for each in logs.logs:
        destination = each.destination or "no destination"
        where = f"  {each.cluster_id}  {destination}"
        read = f" -> {each.uri}" if each.uri else ""
        console.print(f"{where}{read}", highlight=False, markup=False, soft_wrap=True)
        console.print(f"    {_found(each)}", highlight=False, markup=False, soft_wrap=True)
    if not logs.logs:
        console.print("  no cluster is known", highlight=False)


def _found(log: ClusterLog) -> str:
    if not log.files:
        return f"nothing: {log.reason}"
    at = f", newest {_instant(log.newest)}" if log.newest else ""
    return f"{log.files} files, {_bytes(log.bytes)}{at} {log.newest_file}"


def _instant(epoch_ms: int) -> str:
    return f"{datetime.fromtimestamp(epoch_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < _KILO:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= _KILO
    return f"{size:.1f} TB"


def _grid(*names: str) -> Grid:
    grid = Grid(box=None, pad_edge=True, header_style="bold")
    for name in names:
        grid.add_column(name, overflow="fold")
    return grid
