"""The heaviest silver tables of a day of Spark events, and the same tables on PySpark."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import click
import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks.company import morning_after_ms, whole_run
from benchmarks.contenders.silver_polars import MODULES
from benchmarks.contenders.silver_tables import CONTEXTS, EVENTS
from benchmarks.contenders.whole_way import configuration
from benchmarks.exit_codes import GOAL_MISSED, NOT_COMPARABLE
from benchmarks.logs import GB, Log, made_up_log
from benchmarks.measuring import ROOT, ContenderFailed, Taken, environment, measured
from benchmarks.runs import PYSPARK_VARIABLE, WrongAnswer, pyspark_python
from overwatch_assets.module import LEFT_OUT, ORGANIZATION_ID, PARTITION_DATE
from overwatch_assets.registry import MODULES as ALL_MODULES

TIMES_BELOW_SPARK = 8
TABLES = tuple(MODULES)
CONSOLE = Console(width=None if sys.stdout.isatty() else 160)


@dataclass
class Way:
    """How the tables are made.

    Attributes:
        arguments: Interpreter, what it runs, and its first arguments; folders and tables follow.
    """

    shown: str
    arguments: Sequence[str]
    taken: dict[tuple[str, ...], list[Taken]] = field(
        default_factory=dict[tuple[str, ...], list[Taken]]
    )

    def make(self, inputs: Path, day: str, tables: tuple[str, ...]) -> Path:
        """Make some of the tables; returns the folder they are in."""
        folder = inputs.parent / "made" / self.shown
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = [*self.arguments, str(inputs), str(folder), day, *tables]
        taken = measured(command, ROOT, environment(), inputs.parent / "output")
        self.taken.setdefault(tables, []).append(taken)
        return folder

    def cpu_s(self, *tables: str) -> float:
        """Median CPU of the processes that made these tables."""
        return median(each.cpu_s for each in self.taken[tables])

    def peak_mb(self, *tables: str) -> float:
        """Median of their largest memory."""
        return median(each.peak_bytes for each in self.taken[tables]) / 1e6


@click.command("silver-on-spark")
@click.option("--size", "size_gb", default=1.0, show_default=True, help="GB of the made-up log.")
@click.option("--rounds", default=3, show_default=True, help="Runs of each; medians are shown.")
@click.option(
    "--scratch",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder for logs and tables, about three times the size; else a temporary one.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write this file.")
def silver_on_spark(
    size_gb: float, rounds: int, scratch: Path | None, json_file: Path | None
) -> None:
    """Make the three heaviest silver tables of Spark events here and on PySpark."""
    ways = [Way("this project", [sys.executable, "-m", "benchmarks.contenders.silver_polars"])]
    python = pyspark_python()
    if python is None:
        CONSOLE.print(
            f"PySpark is left out: no Java, or neither {PYSPARK_VARIABLE} names an interpreter "
            "with pyspark nor is it importable here"
        )
    else:
        ways.append(Way("PySpark", [python, "-m", "benchmarks.contenders.silver_spark"]))
    with tempfile.TemporaryDirectory(prefix="overwatch-benchmarks-", dir=scratch) as folder:
        try:
            compared = _compared(Path(folder), round(size_gb * GB), rounds, ways)
        except (ContenderFailed, WrongAnswer) as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(NOT_COMPARABLE)
    if json_file:
        json_file.write_text(json.dumps(compared))
    CONSOLE.print(_table(ways, compared["rows"]))
    times = [each.cpu_s(*TABLES) / ways[0].cpu_s(*TABLES) for each in ways[1:]]
    for each in times:
        text = f"{each:.1f} x less CPU than PySpark (at least {TIMES_BELOW_SPARK})"
        is_met = each >= TIMES_BELOW_SPARK
        CONSOLE.print(f"[green]met[/]: {text}" if is_met else f"[red]missed[/]: {text}")
    sys.exit(0 if all(each >= TIMES_BELOW_SPARK for each in times) else GOAL_MISSED)


def _compared(scratch: Path, size_bytes: int, rounds: int, ways: Sequence[Way]) -> dict[str, Any]:
    log = made_up_log(scratch, size_bytes)
    shares = _shares(scratch, log)
    CONSOLE.print("silver tables by CPU, of a run through every table:", highlight=False)
    for name, cpu_s in list(shares.items())[:6]:
        CONSOLE.print(f"  {name}: {cpu_s:.2f} s", highlight=False)
    inputs = _inputs(scratch, log)
    rows: dict[str, int] = {}
    for _ in range(rounds):
        for tables in ((), TABLES):
            made = [each.make(inputs, log.first_day.isoformat(), tables) for each in ways]
            for name in tables:
                first, *others = (_rows(folder, name) for folder in made)
                rows[name] = first.height
                for each, other in zip(ways[1:], others, strict=True):
                    _require_equal(name, first, other, each)
    return {
        "silver_cpu_s": shares,
        "rows": rows,
        "taken": {
            each.shown: {
                " ".join(tables): [asdict(taken) for taken in of_tables]
                for tables, of_tables in each.taken.items()
            }
            for each in ways
        },
    }


def _shares(scratch: Path, log: Log) -> dict[str, float]:
    """Load the log through every table; CPU by silver table, the heaviest first."""
    config, tables = scratch / "overwatch.yaml", scratch / "tables"
    tables.mkdir()
    config.write_text(configuration(tables, log.folder, log.first_day))
    run = whole_run(config, morning_after_ms(log.last_day), log.first_day, scratch)
    silver = [each.table.name for each in ALL_MODULES if each.table.name.endswith("_silver")]
    by_table = {name: run.parts[name].cpu_s for name in silver}
    return dict(sorted(by_table.items(), key=lambda each: -each[1]))


def _inputs(scratch: Path, log: Log) -> Path:
    """What the tables are made from, of the log's first day, as Parquet."""
    folder = scratch / "inputs"
    folder.mkdir()
    for name in (EVENTS, CONTEXTS):
        rows = pl.scan_delta(scratch / "tables" / name)
        of_day = rows.filter(pl.col(PARTITION_DATE.name) == log.first_day)
        columns = of_day.drop(ORGANIZATION_ID.name, PARTITION_DATE.name)
        columns.sink_parquet(folder / f"{name}.parquet", row_group_size=100_000)
    return folder


def _rows(folder: Path, name: str) -> pl.DataFrame:
    """A table's rows in the order of its key, in the declared types."""
    table = MODULES[name].table
    rows = pl.read_parquet(folder / name / "*.parquet")
    if LEFT_OUT in rows.columns:
        rows = rows.filter(pl.col(LEFT_OUT).is_null())
    declared = {column.name: column.dtype for column in table.columns}
    return rows.select(
        pl.col(name).cast(dtype) for name, dtype in {**declared, "is_open": pl.Boolean}.items()
    ).sort(table.keys)


def _require_equal(name: str, ours: pl.DataFrame, theirs: pl.DataFrame, way: Way) -> None:
    """Raise where two ways made different rows."""
    if ours.height != theirs.height:
        wrong = f"{name}: {way.shown} has {theirs.height:,} rows instead of {ours.height:,}"
        raise WrongAnswer(wrong)
    if different := list(_different(ours, theirs)):
        wrong = f"{name}: {way.shown} has other values in {', '.join(different)}"
        raise WrongAnswer(wrong)


def _different(ours: pl.DataFrame, theirs: pl.DataFrame) -> Iterator[str]:
    for column in ours.columns:
        one, other = ours[column], theirs[column]
        if not one.equals(other, null_equal=True):
            yield column


def _table(ways: Sequence[Way], rows: dict[str, int]) -> Table:
    """A row per way."""
    made = ", ".join(f"{name} ({count:,})" for name, count in rows.items())
    table = Table(title=f"{made}; medians")
    table.add_column("way")
    for heading in ("CPU s", "of which start", "peak MB", "CPU ratio", "without start"):
        table.add_column(heading, justify="right")
    ours = ways[0]
    for each in ways:
        cpu_s, start_s = each.cpu_s(*TABLES), each.cpu_s()
        without = (cpu_s - start_s) / (ours.cpu_s(*TABLES) - ours.cpu_s())
        table.add_row(
            each.shown,
            f"{cpu_s:.2f}",
            f"{start_s:.2f}",
            f"{each.peak_mb(*TABLES):.0f}",
            f"{cpu_s / ours.cpu_s(*TABLES):.1f}",
            f"{without:.1f}",
        )
    return table
