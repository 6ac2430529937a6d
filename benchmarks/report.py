"""The table of ratios, and the goals they are held to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.table import Table

from benchmarks.logs import Log
from benchmarks.runs import OVERWATCH, PYSPARK, WHOLE_WAY, Measurement

PEAK_MB = 600
SAME_PEAK = 1.1
TIMES_BELOW_SPARK = 6
WHOLE_WAY_TIMES = 3
LINEAR_RATIO = 4.4


@dataclass(frozen=True, slots=True)
class Goal:
    """Something a measurement is held to.

    Attributes:
        measurement: What it is about.
        text: What was found and what is asked.
        is_met: Whether it is enough.
    """

    measurement: Measurement
    text: str
    is_met: bool


@dataclass(frozen=True)
class Logs:
    """The logs by their part in the comparison.

    Attributes:
        large: What all contenders read.
        twice: Twice its bytes.
        quarter: A quarter of its bytes.
        real: The real logs; None: they are not on this machine.
    """

    large: Log
    twice: Log
    quarter: Log
    real: Log | None


@dataclass(frozen=True)
class Report:
    """What was measured."""

    logs: Logs
    measurements: Sequence[Measurement]

    def goals(self) -> list[Goal]:
        """Every goal that the measurements decide."""
        return [*self._reader_goals(), *self._whole_way_goals()]

    def table(self) -> Table:
        """One row per contender and log."""
        table = Table(title="CPU and memory, medians; ratios to this project's reader")
        table.add_column("log")
        table.add_column("way")
        for heading in ("CPU s", "MB per CPU s", "CPU ratio", "peak MB"):
            table.add_column(heading, justify="right")
        table.add_column("goals")
        goals = self.goals()
        previous: Log | None = None
        for each in self.measurements:
            if previous and previous is not each.log:
                table.add_section()
            reader = self._of(OVERWATCH, each.log)
            ratio = f"{each.cpu_s / reader.cpu_s:.2f}" if reader else ""
            table.add_row(
                "" if previous is each.log else each.log.name,
                each.contender.shown,
                f"{each.cpu_s:.2f}",
                f"{each.mb_per_cpu_s:.0f}",
                ratio,
                f"{each.peak_bytes / 1e6:.0f}",
                "\n".join(_shown(goal) for goal in goals if goal.measurement is each),
            )
            previous = each.log
        return table

    def _of(self, key: str, log: Log | None) -> Measurement | None:
        fitting = (m for m in self.measurements if m.contender.key == key and m.log is log)
        return next(fitting, None)

    def _reader_goals(self) -> Iterator[Goal]:
        for log in (self.logs.large, self.logs.real):
            reader, spark = self._of(OVERWATCH, log), self._of(PYSPARK, log)
            if reader is None:
                continue
            peers = [
                m
                for m in self.measurements
                if m.log is log and m.contender.key not in {OVERWATCH, PYSPARK, WHOLE_WAY}
            ]
            if peers:
                best = min(peers, key=lambda m: m.cpu_s)
                ratio = reader.cpu_s / best.cpu_s
                text = f"{ratio:.2f} x CPU of {best.contender.shown} (at most 1)"
                yield Goal(reader, text, ratio <= 1)
            if spark is not None:
                ratio = spark.cpu_s / reader.cpu_s
                text = f"{ratio:.1f} x less CPU than Spark (at least {TIMES_BELOW_SPARK})"
                yield Goal(reader, text, ratio >= TIMES_BELOW_SPARK)
        reader, twice = (self._of(OVERWATCH, log) for log in (self.logs.large, self.logs.twice))
        for each in filter(None, (reader, twice)):
            peak_mb = each.peak_bytes / 1e6
            yield Goal(each, f"peak {peak_mb:.0f} MB (below {PEAK_MB})", peak_mb < PEAK_MB)
        if reader and twice:
            ratio = twice.peak_bytes / reader.peak_bytes
            text = f"peak {ratio:.2f} x that of half the bytes (at most {SAME_PEAK})"
            yield Goal(twice, text, ratio <= SAME_PEAK)

    def _whole_way_goals(self) -> Iterator[Goal]:
        whole = self._of(WHOLE_WAY, self.logs.large)
        reader = self._of(OVERWATCH, self.logs.large)
        quarter = self._of(WHOLE_WAY, self.logs.quarter)
        if whole and reader:
            ratio = whole.cpu_s / reader.cpu_s
            text = f"{ratio:.2f} x CPU of the reader (at most {WHOLE_WAY_TIMES})"
            yield Goal(whole, text, ratio <= WHOLE_WAY_TIMES)
        if whole and quarter:
            ratio = whole.cpu_s / quarter.cpu_s
            text = f"{ratio:.2f} x CPU of a quarter of the bytes (at most {LINEAR_RATIO})"
            yield Goal(whole, text, ratio <= LINEAR_RATIO)


def _shown(goal: Goal) -> str:
    return f"[green]met[/]: {goal.text}" if goal.is_met else f"[red]missed[/]: {goal.text}"
