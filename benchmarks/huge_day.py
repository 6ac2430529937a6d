"""A workspace day with more tasks than fit into memory, through every table."""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.answers import gold_answer
from benchmarks.company import WholeRun, morning_after_ms, whole_run
from benchmarks.contenders.whole_way import configuration
from benchmarks.exit_codes import GOAL_MISSED, NOT_COMPARABLE
from benchmarks.huge_log import huge_log
from benchmarks.logs import Log
from benchmarks.measuring import ContenderFailed

PEAK_MB = 4_000
CONSOLE = Console(width=None if sys.stdout.isatty() else 160)


@click.command("huge-day")
@click.option("--tasks", default=50_000_000, show_default=True, help="Tasks of the day.")
@click.option("--logs", default=8, show_default=True, help="Applications that they belong to.")
@click.option(
    "--scratch",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder for logs and tables, about 600 bytes per task; else a temporary one.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write this file.")
def huge_day(tasks: int, logs: int, scratch: Path | None, json_file: Path | None) -> None:
    """Load a day of very many tasks once; hours of CPU at the default size."""
    with tempfile.TemporaryDirectory(prefix="overwatch-benchmarks-", dir=scratch) as folder:
        log = huge_log(Path(folder), tasks, logs)
        compressed = sum(file.stat().st_size for file in log.files)
        CONSOLE.print(
            f"{log.name}: {log.size_bytes / 1e9:.2f} GB, compressed {compressed / 1e9:.2f} GB",
            highlight=False,
        )
        try:
            run = _loaded(Path(folder), log)
        except ContenderFailed as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(NOT_COMPARABLE)
        found = gold_answer(Path(folder) / "tables").facts
    if json_file:
        json_file.write_text(json.dumps(asdict(run)))
    if found != log.facts:
        click.echo(f"Error: found {found}, but the log holds {log.facts}", err=True)
        sys.exit(NOT_COMPARABLE)
    CONSOLE.print(_table(run, log))
    peak_mb = run.taken.peak_bytes / 1e6
    text = f"peak {peak_mb:.0f} MB (at most {PEAK_MB})"
    is_met = peak_mb <= PEAK_MB
    CONSOLE.print(f"[green]met[/]: {text}" if is_met else f"[red]missed[/]: {text}")
    sys.exit(0 if is_met else GOAL_MISSED)


def _loaded(scratch: Path, log: Log) -> WholeRun:
    tables, config = scratch / "tables", scratch / "overwatch.yaml"
    tables.mkdir()
    config.write_text(configuration(tables, log.folder, log.first_day))
    return whole_run(config, morning_after_ms(log.last_day), log.first_day, scratch)


def _table(run: WholeRun, log: Log) -> Table:
    """The parts that took more than a hundredth of the CPU, or the most memory."""
    table = Table(title=f"{log.name}, {log.size_bytes / 1e9:.2f} GB")
    table.add_column("part")
    for heading in ("rows out", "CPU s", "CPU s per million tasks", "peak MB"):
        table.add_column(heading, justify="right")
    millions = log.facts.tasks / 1e6
    for part, account in sorted(run.parts.items(), key=lambda each: -each[1].cpu_s):
        if account.cpu_s >= run.taken.cpu_s / 100:
            rows = f"{run.rows[part].made:,}" if part in run.rows else ""
            per_million = f"{account.cpu_s / millions:.2f}"
            peak = f"{account.peak_bytes / 1e6:.0f}"
            table.add_row(part, rows, f"{account.cpu_s:.2f}", per_million, peak)
    table.add_section()
    taken = run.taken
    per_million = f"{taken.cpu_s / millions:.2f}"
    table.add_row("all", "", f"{taken.cpu_s:.2f}", per_million, f"{taken.peak_bytes / 1e6:.0f}")
    return table
