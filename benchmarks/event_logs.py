"""Compares this project with other ways to read Spark event logs."""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click
from rich.console import Console

from benchmarks.exit_codes import GOAL_MISSED, NOT_COMPARABLE
from benchmarks.logs import DATA_VARIABLE, GB, made_up_log, real_logs
from benchmarks.measuring import ContenderFailed, Taken
from benchmarks.report import Logs, Report
from benchmarks.runs import (
    CONTENDERS,
    OVERWATCH,
    PYSPARK,
    PYSPARK_VARIABLE,
    WHOLE_WAY,
    Contender,
    Measurement,
    WrongAnswer,
    pyspark_python,
    run_rounds,
)

CONSOLE = Console(width=None if sys.stdout.isatty() else 160)


@click.command("event-logs")
@click.option("--size", "size_gb", default=1.0, show_default=True, help="GB of the made-up log.")
@click.option("--rounds", default=3, show_default=True, help="Runs of each; medians are shown.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([each.key for each in CONTENDERS]),
    help="Only these; else all.",
)
@click.option(
    "--scratch",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder for logs and tables, about five times the size; else a temporary one.",
)
@click.option("--no-spark", is_flag=True, help="Leave PySpark out.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write this file.")
def event_logs(
    size_gb: float,
    rounds: int,
    only: Sequence[str],
    scratch: Path | None,
    json_file: Path | None,
    *,
    no_spark: bool,
) -> None:
    """Measure CPU and memory of several ways from Spark event logs to Delta tables."""
    contenders = _contenders(only, no_spark=no_spark)
    with tempfile.TemporaryDirectory(prefix="overwatch-benchmarks-", dir=scratch) as folder:
        logs = _logs(Path(folder), round(size_gb * GB))
        measurements = list(_measurements(contenders, logs))
        try:
            run_rounds(measurements, rounds, Path(folder), _Progress(rounds).tell)
        except (ContenderFailed, WrongAnswer) as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(NOT_COMPARABLE)
    report = Report(logs, measurements)
    CONSOLE.print(report.table())
    if json_file:
        json_file.write_text(json.dumps([_as_json(each) for each in measurements], indent=2))
    sys.exit(0 if all(goal.is_met for goal in report.goals()) else GOAL_MISSED)


class _Progress:
    """A line per measurement."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds

    def tell(self, measurement: Measurement, number: int, taken: Taken) -> None:
        what = f"{measurement.log.name}, {measurement.contender.shown}"
        took = f"{taken.cpu_s:.2f} CPU s, {taken.peak_bytes / 1e6:.0f} MB, {taken.wall_s:.1f} s"
        CONSOLE.print(f"round {number}/{self._rounds}: {what}: {took}", highlight=False)


def _contenders(only: Sequence[str], *, no_spark: bool) -> list[Contender]:
    wanted = {each.key: each for each in CONTENDERS if not only or each.key in only}
    if no_spark:
        wanted.pop(PYSPARK, None)
    if PYSPARK in wanted:
        python = pyspark_python()
        if python is None:
            CONSOLE.print(
                f"PySpark is left out: no Java, or neither {PYSPARK_VARIABLE} names an "
                "interpreter with pyspark nor is it importable here"
            )
            wanted.pop(PYSPARK)
        else:
            wanted[PYSPARK] = replace(wanted[PYSPARK], python=python)
    return list(wanted.values())


def _logs(scratch: Path, size_bytes: int) -> Logs:
    logs = Logs(
        large=made_up_log(scratch, size_bytes),
        twice=made_up_log(scratch, size_bytes * 2),
        quarter=made_up_log(scratch, size_bytes // 4),
        real=real_logs(scratch),
    )
    if logs.real is None:
        CONSOLE.print(
            f"The real logs are left out: {DATA_VARIABLE} names no folder with `spark-events`"
        )
    return logs


def _measurements(contenders: Sequence[Contender], logs: Logs) -> Iterator[Measurement]:
    by_key = {each.key: each for each in contenders}
    pairs = [(each, logs.large) for each in contenders]
    pairs += [(each, logs.real) for each in contenders if each.key != WHOLE_WAY and logs.real]
    pairs += [(by_key[OVERWATCH], logs.twice)] if OVERWATCH in by_key else []
    pairs += [(by_key[each], logs.quarter) for each in (OVERWATCH, WHOLE_WAY) if each in by_key]
    yield from (Measurement(contender, log) for contender, log in pairs if log)


def _as_json(measurement: Measurement) -> dict[str, object]:
    answer = measurement.answer
    return {
        "log": measurement.log.name,
        "contender": measurement.contender.key,
        "bytes": measurement.log.size_bytes,
        "expected": asdict(measurement.log.facts),
        "found": asdict(answer.facts) if answer else None,
        "cpu_s": [taken.cpu_s for taken in measurement.taken],
        "peak_bytes": [taken.peak_bytes for taken in measurement.taken],
        "wall_s": [taken.wall_s for taken in measurement.taken],
    }
