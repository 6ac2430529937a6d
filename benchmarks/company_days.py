"""Days of the demo's company through every table: what a first load takes, and one further day."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import click
from rich.console import Console
from rich.table import Table

from benchmarks.company import WholeRun, company
from benchmarks.contenders.whole_run import DAGSTER, RECORDS
from benchmarks.exit_codes import GOAL_MISSED, NOT_COMPARABLE
from benchmarks.measuring import ContenderFailed

GOAL_DAYS, GOAL_WORKSPACES, GOAL_SCALE = 60, 2, 1.0
"""The size that the goals speak of."""
FIRST_LOAD_S, FURTHER_DAY_S, PEAK_MB = 180, 15, 2000
CONSOLE = Console(width=None if sys.stdout.isatty() else 160)


@dataclass(frozen=True)
class Rounds:
    """The same load, several times."""

    runs: Sequence[WholeRun]

    def of(self, figure: Callable[[WholeRun], float]) -> float:
        """Median of a figure."""
        return median(map(figure, self.runs))

    def cpu_s(self, part: str) -> float:
        """CPU of a part; 0: it had none."""
        return self.of(lambda run: run.parts[part].cpu_s if part in run.parts else 0.0)

    def peak_mb(self, part: str) -> float:
        """Largest memory while a part was at work."""
        return self.of(lambda run: run.parts[part].peak_bytes if part in run.parts else 0) / 1e6

    @property
    def dagster_share(self) -> float:
        """Part of the CPU that Dagster's bookkeeping takes."""
        return (self.cpu_s(DAGSTER) + self.cpu_s(RECORDS)) / self.of(lambda run: run.taken.cpu_s)


@click.command("company-days")
@click.option("--days", default=GOAL_DAYS, show_default=True, help="Days of the first load.")
@click.option("--workspaces", default=GOAL_WORKSPACES, show_default=True, help="One to three.")
@click.option("--scale", default=GOAL_SCALE, show_default=True, help="1.0 is the demo's size.")
@click.option("--rounds", default=3, show_default=True, help="Loads; medians are shown.")
@click.option(
    "--scratch",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder for logs and tables; else a temporary one.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write this file.")
def company_days(
    days: int,
    workspaces: int,
    scale: float,
    rounds: int,
    *,
    scratch: Path | None,
    json_file: Path | None,
) -> None:
    """Load days of the demo's workspaces through every table, then one further day."""
    with tempfile.TemporaryDirectory(prefix="overwatch-benchmarks-", dir=scratch) as folder:
        CONSOLE.print(f"making up {days + 1} days of the company", highlight=False)
        first, further = _loaded(Path(folder), days, workspaces, scale, rounds)
    if json_file:
        told = {"first": first, "further": further}
        json_file.write_text(
            json.dumps({name: [asdict(run) for run in of.runs] for name, of in told.items()})
        )
    CONSOLE.print(_table(first, further, f"{days} days of {workspaces} workspaces"))
    for each, what in ((first, "first load"), (further, "further day")):
        taken = f"{each.of(lambda run: run.taken.cpu_s):.1f} CPU s"
        took = f"{each.of(lambda run: run.taken.wall_s):.1f} s, {taken}"
        peak = f"{each.of(lambda run: run.taken.peak_bytes) / 1e6:.0f} MB"
        share = f"Dagster's bookkeeping {each.dagster_share:.0%} of the CPU"
        CONSOLE.print(f"{what}: {took}, {peak}; {share}", highlight=False)
    is_goals_size = (days, workspaces, scale) == (GOAL_DAYS, GOAL_WORKSPACES, GOAL_SCALE)
    goals = list(_goals(first, further)) if is_goals_size else []
    for text, is_met in goals:
        CONSOLE.print(f"[green]met[/]: {text}" if is_met else f"[red]missed[/]: {text}")
    sys.exit(0 if all(is_met for _, is_met in goals) else GOAL_MISSED)


def _loaded(
    folder: Path, days: int, workspaces: int, scale: float, rounds: int
) -> tuple[Rounds, Rounds]:
    first: list[WholeRun] = []
    further: list[WholeRun] = []
    with company(folder, days=days + 1, workspaces=workspaces, scale=scale) as made_up:
        for number in range(1, rounds + 1):
            config = made_up.config("loaded")
            newest = made_up.day(days - 1)
            try:
                first.append(made_up.run(config, made_up.day(0), newest))
                further.append(made_up.run(config, made_up.day(days), made_up.day(days)))
            except ContenderFailed as error:
                click.echo(f"Error: {error}", err=True)
                sys.exit(NOT_COMPARABLE)
            took = " and ".join(f"{of[-1].taken.cpu_s:.1f} CPU s" for of in (first, further))
            CONSOLE.print(f"round {number}/{rounds}: {took}", highlight=False)
    return Rounds(first), Rounds(further)


def _table(first: Rounds, further: Rounds, title: str) -> Table:
    """A row per table, dearest first, then what is no table's."""
    table = Table(title=f"{title}, and one further day; CPU of each part alone, medians")
    table.add_column("part")
    headings = ("rows in", "rows out", "CPU s", "share", "wall s", "peak MB")
    for heading in (*headings, "further day: rows out", "CPU s", "share"):
        table.add_column(heading, justify="right")
    rows, later_rows = first.runs[0].rows, further.runs[0].rows
    parts = sorted({part for run in first.runs for part in run.parts}, key=first.cpu_s)
    for is_table in (True, False):
        for part in reversed([each for each in parts if (each in rows) is is_table]):
            seconds = first.of(lambda run, part=part: run.parts[part].wall_s)
            table.add_row(
                part,
                f"{rows[part].read:,}" if is_table else "",
                f"{rows[part].made:,}" if is_table else "",
                *_cpu(first, part),
                f"{seconds:.2f}",
                f"{first.peak_mb(part):.0f}",
                f"{later_rows[part].made:,}" if is_table else "",
                *_cpu(further, part),
            )
        table.add_section()
    table.add_row(
        "all",
        f"{sum(each.read for each in rows.values()):,}",
        f"{sum(each.made for each in rows.values()):,}",
        f"{first.of(lambda run: run.taken.cpu_s):.2f}",
        "100.0 %",
        f"{first.of(lambda run: run.taken.wall_s):.2f}",
        f"{first.of(lambda run: run.taken.peak_bytes) / 1e6:.0f}",
        f"{sum(each.made for each in later_rows.values()):,}",
        f"{further.of(lambda run: run.taken.cpu_s):.2f}",
        "100.0 %",
    )
    return table


def _cpu(rounds: Rounds, part: str) -> tuple[str, str]:
    """CPU of a part, and its share of the whole."""
    share = rounds.cpu_s(part) / rounds.of(lambda run: run.taken.cpu_s)
    return f"{rounds.cpu_s(part):.2f}", f"{share * 100:.1f} %"


def _goals(first: Rounds, further: Rounds) -> Iterator[tuple[str, bool]]:
    for rounds, what, limit_s in (
        (first, "first load", FIRST_LOAD_S),
        (further, "further day", FURTHER_DAY_S),
    ):
        seconds = rounds.of(lambda run: run.taken.wall_s)
        yield f"{what} {seconds:.1f} s (at most {limit_s})", seconds <= limit_s
    peak_mb = first.of(lambda run: run.taken.peak_bytes) / 1e6
    yield f"peak {peak_mb:.0f} MB (below {PEAK_MB})", peak_mb < PEAK_MB
