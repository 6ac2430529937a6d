"""Which contender reads which log, each in a process of its own, in rounds that interleave them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median

from benchmarks.answers import Answer, flat_answer, gold_answer
from benchmarks.logs import Log
from benchmarks.measuring import ROOT, Taken, environment, measured

PYSPARK_VARIABLE = "BENCH_PYSPARK_PYTHON"


class WrongAnswer(Exception):
    """A contender found other numbers than the others, or than the log holds."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to read logs.

    Attributes:
        key: Name on the command line.
        shown: Name in the table.
        module: What is run, with the folder of its tables and the log's files as arguments.
        answer: Reads what it found from the folder of its tables.
        python: Interpreter.
    """

    key: str
    shown: str
    module: str
    answer: Callable[[Path], Answer] = flat_answer
    python: str = sys.executable

    def command(self, folder: Path, log: Log) -> list[str]:
        """What is run to read a log into tables below a folder."""
        program = [self.python, "-m", f"benchmarks.contenders.{self.module}", str(folder)]
        if self.key == WHOLE_WAY:
            return [*program, str(log.folder), log.first_day.isoformat(), log.last_day.isoformat()]
        return [*program, *map(str, log.files)]


OVERWATCH, WHOLE_WAY, PYSPARK = "overwatch", "whole-way", "pyspark"
CONTENDERS = (
    Contender(OVERWATCH, "this project's reader", "overwatch"),
    Contender("duckdb", "DuckDB read_ndjson", "duckdb_ndjson"),
    Contender("polars", "Polars lines, json_decode", "polars_lines"),
    Contender(PYSPARK, "PySpark text, from_json, to Parquet", "spark_text"),
    Contender(WHOLE_WAY, "the whole way to gold", "whole_way", gold_answer),
)


def pyspark_python() -> str | None:
    """An interpreter that has PySpark, on a machine that has Java; None: there is none."""
    python = os.environ.get(PYSPARK_VARIABLE) or sys.executable
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return None
    tried = subprocess.run(  # noqa: S603 - the interpreter that the user named
        [python, "-c", "import pyspark"], capture_output=True, check=False
    )
    return python if tried.returncode == 0 else None


@dataclass
class Measurement:
    """A contender and a log, and what its runs took and found."""

    contender: Contender
    log: Log
    taken: list[Taken] = field(default_factory=list[Taken])
    answer: Answer | None = None

    @cached_property
    def cpu_s(self) -> float:
        """Median seconds of CPU."""
        return median(each.cpu_s for each in self.taken)

    @cached_property
    def peak_bytes(self) -> float:
        """Median of the rounds' largest memory."""
        return median(each.peak_bytes for each in self.taken)

    @property
    def mb_per_cpu_s(self) -> float:
        """Uncompressed megabytes of JSON per second of CPU."""
        return self.log.size_bytes / 1e6 / self.cpu_s

    def run(self, scratch: Path) -> Taken:
        """Read the log once more.

        Raises:
            ContenderFailed: It ended with an error.
            WrongAnswer: It found other numbers than the log holds.
        """
        folder = scratch / "tables"
        folder.mkdir()
        try:
            taken = measured(
                self.contender.command(folder, self.log), ROOT, environment(), scratch / "output"
            )
            self.answer = self.contender.answer(folder)
        finally:
            shutil.rmtree(folder)
        if self.answer.facts != self.log.facts:
            found = f"found {self.answer.facts}, but the log holds {self.log.facts}"
            raise WrongAnswer(f"{self.contender.shown}, {self.log.name}: {found}")
        self.taken.append(taken)
        return taken


def run_rounds(
    measurements: Sequence[Measurement],
    rounds: int,
    scratch: Path,
    tell: Callable[[Measurement, int, Taken], None],
) -> None:
    """Run every measurement once per round, one after the other.

    Raises:
        ContenderFailed: One ended with an error.
        WrongAnswer: One found other numbers than another, or than the log holds.
    """
    for number in range(1, rounds + 1):
        for each in measurements:
            tell(each, number, each.run(scratch))
        _require_agreement(measurements)


def _require_agreement(measurements: Iterable[Measurement]) -> None:
    first: dict[str, Measurement] = {}
    for each in measurements:
        if each.answer is None or each.answer.sums is None:
            continue
        other = first.setdefault(each.log.name, each)
        if other.answer and other.answer.sums and (wrong := _different(each, other)):
            pair = f"{each.contender.shown} and {other.contender.shown}"
            raise WrongAnswer(f"{each.log.name}: {pair} differ in {', '.join(wrong)}")


def _different(one: Measurement, other: Measurement) -> list[str]:
    found, expected = ((m.answer and m.answer.sums) or {} for m in (one, other))
    return [
        f"{table}.{column} ({found[table][column]}, {values})"
        for table, columns in expected.items()
        for column, values in columns.items()
        if found[table][column] != values
    ]
