"""What a contender found: rows per table, and per column how many values and their sum."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.fields import JOBS, STAGES, TABLES, TASKS, Kind
from benchmarks.logs import Facts

Sums = Mapping[str, Mapping[str, tuple[int, int]]]
RUN_TIME = "ExecutorRunTime"
RESULT = "Result"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found.

    Attributes:
        facts: As the log's own.
        sums: By table and column: how many values, and their sum; of texts, of their lengths.
            None: the tables have other columns.
    """

    facts: Facts
    sums: Sums | None = None


def flat_answer(folder: Path) -> Answer:
    """What the three tables below a folder hold, Delta or Parquet."""
    sums = {table.name: _sums(folder / table.name) for table in TABLES}
    _values, run_time_ms = sums[TASKS.name][RUN_TIME]
    return Answer(
        Facts(
            tasks=sums[TASKS.name]["TaskID"][0],
            jobs=sums[JOBS.name][RESULT][0],
            stages=sums[STAGES.name]["StageID"][0],
            run_time_ms=run_time_ms,
        ),
        sums,
    )


def _sums(folder: Path) -> dict[str, tuple[int, int]]:
    [table] = (each for each in TABLES if each.name == folder.name)
    is_delta = (folder / "_delta_log").exists()
    rows = pl.scan_delta(folder) if is_delta else pl.scan_parquet(folder / "*.parquet")
    numbers = rows.select(
        pl.col(field.name).str.len_bytes() if field.kind is Kind.TEXT else pl.col(field.name)
        for field in table.fields
    ).cast(pl.Int64)
    found = numbers.select(
        pl.all().count().name.suffix(" values"), pl.all().sum().name.suffix(" sum")
    ).collect()
    [row] = found.to_dicts()
    return {name: (row[f"{name} values"], row[f"{name} sum"]) for name in table.names}


def gold_answer(folder: Path) -> Answer:
    """What the gold tables below a folder hold of entities whose end an event told."""
    tasks, jobs, stages = (
        pl.scan_delta(folder / f"spark{entity}_gold").filter(
            pl.col("end_reason").is_in(["event", "start_missing"])
        )
        for entity in ("task", "job", "stage")
    )
    run_time = pl.col("task_metrics").struct.field(RUN_TIME).sum()
    counted, run_time_ms = tasks.select(pl.len(), run_time).collect().row(0)
    return Answer(
        Facts(
            tasks=counted,
            jobs=jobs.select(pl.len()).collect().item(),
            stages=stages.select(pl.len()).collect().item(),
            run_time_ms=run_time_ms,
        )
    )
