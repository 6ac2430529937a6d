"""How CPU grows: with ten times the events of a day, and with a year of days before it."""

import json
import shutil
import sys
import tempfile
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import click
from rich.console import Console
from rich.table import Table

from benchmarks.company import WholeRun, company, morning_after_ms, whole_run
from benchmarks.contenders.whole_way import configuration
from benchmarks.exit_codes import GOAL_MISSED, NOT_COMPARABLE
from benchmarks.logs import GB, made_up_log
from benchmarks.measuring import ContenderFailed
from overwatch_assets.module import Scope
from overwatch_assets.registry import MODULES

TIMES = 10
LINEAR = 1.1
"""CPU beyond the fixed part may grow by this more than the events do."""
YEAR_RATIO = 1.1
WEEK, YEAR = 7, 365
OF_AUDIT = (Scope.AUDIT, Scope.ACCOUNTS, Scope.NOTEBOOKS, Scope.JOBS, Scope.CLUSTERS, Scope.POOLS)
PREFIX = "overwatch-benchmarks-"
CONSOLE = Console(width=None if sys.stdout.isatty() else 160)

Scratch = click.Path(path_type=Path, file_okay=False, exists=True)


@dataclass(frozen=True, slots=True)
class Workload:
    """Events whose number grows.

    Attributes:
        events: The table that holds them.
        scopes: Their tables are counted; none: the whole process is.
    """

    shown: str
    events: str
    scopes: Collection[Scope] = ()

    def count(self, run: WholeRun) -> int:
        """Events that were loaded."""
        return run.rows[self.events].made

    def cpu_s(self, run: WholeRun) -> float:
        """CPU that they took."""
        if not self.scopes:
            return run.taken.cpu_s
        tables = {each.table.name for each in MODULES if each.scope in self.scopes}
        return sum(account.cpu_s for part, account in run.parts.items() if part in tables)


@dataclass(frozen=True)
class Grown:
    """A workload at three sizes: next to nothing, some events, ten times as many."""

    workload: Workload
    runs: Sequence[Sequence[WholeRun]]

    def cpu_s(self, size: int) -> float:
        """Median CPU at a size."""
        return median(self.workload.cpu_s(run) for run in self.runs[size])

    def count(self, size: int) -> int:
        """Events at a size."""
        return self.workload.count(self.runs[size][0])

    @property
    def events_ratio(self) -> float:
        """How many times more events the largest has than the one in the middle."""
        return (self.count(2) - self.count(0)) / (self.count(1) - self.count(0))

    @property
    def cpu_ratio(self) -> float:
        """How many times the CPU beyond that of next to nothing."""
        return (self.cpu_s(2) - self.cpu_s(0)) / (self.cpu_s(1) - self.cpu_s(0))


@click.command("growth")
@click.option("--scale", default=40.0, show_default=True, help="Of the company's day.")
@click.option("--size", "size_gb", default=0.1, show_default=True, help="GB of the Spark log.")
@click.option("--rounds", default=3, show_default=True, help="Runs of each; medians are shown.")
@click.option("--scratch", type=Scratch, help="Folder for logs and tables; else a temporary one.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write this file.")
def growth(
    scale: float, size_gb: float, rounds: int, scratch: Path | None, json_file: Path | None
) -> None:
    """Load a day, and one with ten times the events."""
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=scratch) as folder, _exiting():
        days = _days(Path(folder), scale, rounds)
        logs = _logs(Path(folder), round(size_gb * GB), rounds)
    grown = [
        Grown(Workload("audit", "audit_log_bronze", OF_AUDIT), days),
        Grown(Workload("cluster events", "cluster_events_bronze", (Scope.CLUSTER_EVENTS,)), days),
        Grown(Workload("Spark events", "spark_events_bronze", (Scope.SPARK_EVENTS,)), logs),
        Grown(Workload("Spark events, whole process", "spark_events_bronze"), logs),
    ]
    if json_file:
        told = {"days": days, "logs": logs}
        json_file.write_text(
            json.dumps(
                {name: [[asdict(run) for run in of] for of in runs] for name, runs in told.items()}
            )
        )
    table = Table(title="CPU s by events, medians; ratios beyond the smallest")
    table.add_column("workload", no_wrap=True)
    for heading in ("events", "CPU s", "events", "CPU s", "events", "CPU s", "events x", "CPU x"):
        table.add_column(heading, justify="right")
    for each in grown:
        cells = [f"{of:,}" if is_count else f"{of:.2f}" for of, is_count in _cells(each)]
        table.add_row(
            each.workload.shown, *cells, f"{each.events_ratio:.1f}", f"{each.cpu_ratio:.1f}"
        )
    CONSOLE.print(table)
    _end([_grown_goal(each) for each in grown])


@click.command("history")
@click.option("--days", default=YEAR, show_default=True, help="Days of the long history.")
@click.option("--scale", default=0.1, show_default=True, help="1.0 is the demo's size.")
@click.option("--rounds", default=3, show_default=True, help="Further days; medians are shown.")
@click.option("--scratch", type=Scratch, help="Folder for logs and tables; else a temporary one.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write this file.")
def history(
    days: int, scale: float, rounds: int, scratch: Path | None, json_file: Path | None
) -> None:
    """Load the same further days after a week and after a year."""
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=scratch) as folder, _exiting():
        short, long = _further_days(Path(folder), days, scale, rounds)
    if json_file:
        told = {"short": short, "long": long}
        json_file.write_text(
            json.dumps({name: [asdict(run) for run in runs] for name, runs in told.items()})
        )
    table = Table(title="One further day, CPU s of each part, medians")
    table.add_column("part")
    table.add_column(f"after {WEEK} days", justify="right")
    table.add_column(f"after {days} days", justify="right")
    for part in sorted({part for run in (*short, *long) for part in run.parts}):
        table.add_row(part, f"{_part(short, part):.2f}", f"{_part(long, part):.2f}")
    of_week, of_year = (median(run.taken.cpu_s for run in runs) for runs in (short, long))
    table.add_section()
    table.add_row("all", f"{of_week:.2f}", f"{of_year:.2f}")
    CONSOLE.print(table)
    ratio = of_year / of_week
    text = f"a further day takes {ratio:.2f} x the CPU after {days} days (at most {YEAR_RATIO})"
    _end([(text, ratio <= YEAR_RATIO)])


@contextmanager
def _exiting() -> Generator[None]:
    """End the program where a run failed."""
    try:
        yield
    except ContenderFailed as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(NOT_COMPARABLE)


def _end(goals: Sequence[tuple[str, bool]]) -> None:
    for text, is_met in goals:
        CONSOLE.print(f"[green]met[/]: {text}" if is_met else f"[red]missed[/]: {text}")
    sys.exit(0 if all(is_met for _, is_met in goals) else GOAL_MISSED)


def _days(scratch: Path, scale: float, rounds: int) -> list[list[WholeRun]]:
    """A day of a workspace without Spark logs, small, at the scale, and at ten times it."""
    runs: list[list[WholeRun]] = []
    for size in (min(1.0, scale / TIMES), scale, scale * TIMES):
        folder = scratch / f"scale-{size}"
        folder.mkdir()
        with company(folder, days=1, workspaces=1, scale=size, spark_logs=False) as made_up:
            of_size = [
                made_up.run(made_up.config("loaded"), made_up.day(0), made_up.day(0))
                for _ in range(rounds)
            ]
        _tell(f"a day of scale {size:g}", of_size)
        runs.append(of_size)
        shutil.rmtree(folder)
    return runs


def _logs(scratch: Path, size_bytes: int, rounds: int) -> list[list[WholeRun]]:
    """Spark logs through every table."""
    runs: list[list[WholeRun]] = []
    for size in (size_bytes // (TIMES * TIMES), size_bytes, size_bytes * TIMES):
        log = made_up_log(scratch, size)
        of_size: list[WholeRun] = []
        for _ in range(rounds):
            tables = scratch / "tables"
            shutil.rmtree(tables, ignore_errors=True)
            tables.mkdir()
            config = scratch / "overwatch.yaml"
            config.write_text(configuration(tables, log.folder, log.first_day))
            now_ms = morning_after_ms(log.last_day)
            of_size.append(whole_run(config, now_ms, log.first_day, scratch))
        _tell(log.name, of_size)
        runs.append(of_size)
        shutil.rmtree(log.folder)
    return runs


def _further_days(
    scratch: Path, days: int, scale: float, rounds: int
) -> tuple[list[WholeRun], list[WholeRun]]:
    """The same further days, loaded one by one after a short history and after a long one."""
    further: tuple[list[WholeRun], list[WholeRun]] = ([], [])
    with company(
        scratch, days=days + rounds, workspaces=1, scale=scale, spark_logs=False
    ) as made_up:
        newest = made_up.day(days - 1)
        configs = [
            made_up.config(f"history-{length}", made_up.day(days - length))
            for length in (WEEK, days)
        ]
        for length, config in zip((WEEK, days), configs, strict=True):
            _tell(f"{length} days", [made_up.run(config, made_up.day(days - length), newest)])
        for number in range(days, days + rounds):
            for config, runs in zip(configs, further, strict=True):
                runs.append(made_up.run(config, made_up.day(number), made_up.day(number)))
    return further


def _tell(what: str, runs: Sequence[WholeRun]) -> None:
    took = ", ".join(f"{run.taken.cpu_s:.1f}" for run in runs)
    CONSOLE.print(f"{what}: {took} CPU s", highlight=False)


def _part(runs: Sequence[WholeRun], part: str) -> float:
    return median(run.parts[part].cpu_s if part in run.parts else 0.0 for run in runs)


def _cells(grown: Grown) -> Iterator[tuple[float, bool]]:
    for size in range(3):
        yield grown.count(size), True
        yield grown.cpu_s(size), False


def _grown_goal(grown: Grown) -> tuple[str, bool]:
    limit = LINEAR * grown.events_ratio
    text = (
        f"{grown.workload.shown}: {grown.cpu_ratio:.1f} x the CPU for {grown.events_ratio:.1f} x "
        f"the events (at most {limit:.1f})"
    )
    return text, grown.cpu_ratio <= limit
