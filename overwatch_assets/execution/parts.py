"""Days too large for memory, worked on in parts that share no key.

The rows that a day is made from are divided once, streamed to files, so that each is read twice
however many parts there are. What a part makes is checked and staged before the next begins.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from overwatch_assets.execution.records import Check, Record, Status
from overwatch_assets.module import Parts

PART_ROWS = 500_000
"""Rows that a part is made from: 0.5 to 1 GB of task events."""

_PART = "_part"
_MODULUS = 2**64


@dataclass(frozen=True, slots=True)
class DividedDay:
    """A day in parts.

    Attributes:
        parts: What divides it.
        count: How many parts there are.
        folders: Folder of the divided rows, by parameter.
    """

    parts: Parts
    count: int
    folders: Mapping[str, Path]

    def inputs(self, number: int) -> dict[str, pl.LazyFrame]:
        """The divided inputs of a part; their rows are read when they are needed."""
        return {
            parameter: pl.scan_parquet(folder / f"{number}.parquet")
            for parameter, folder in self.folders.items()
        }

    def rows(self, rows: pl.LazyFrame, number: int) -> pl.LazyFrame:
        """Those of the module's own rows that belong to a part."""
        return rows.filter(_part_of(self.parts.rows, self.count) == number)


def parts_for(rows: int) -> int:
    """How many parts a day is worked on in that is made from so many rows."""
    return max(1, -(-rows // PART_ROWS))


def divided(
    parts: Parts, inputs: Mapping[str, pl.LazyFrame], count: int, scratch: Path
) -> DividedDay:
    """Divide a day's rows into files below a folder."""
    folders: dict[str, Path] = {}
    for parameter, value in parts.inputs.items():
        folder = folders[parameter] = scratch / parameter
        folder.mkdir()
        rows = inputs[parameter]
        # A part that gets no rows is a file nevertheless.
        empty = pl.DataFrame(schema=rows.collect_schema())
        for number in range(count):
            empty.write_parquet(folder / f"{number}.parquet")
        rows.with_columns(_part_of(value, count).alias(_PART)).sink_parquet(
            pl.PartitionBy(
                folder,
                key=_PART,
                include_key=False,
                file_path_provider=lambda file: f"{file.partition_keys.item()}.parquet",
                approximate_bytes_per_file=None,
            ),
            engine="streaming",
        )
    return DividedDay(parts, count, folders)


def united(records: Sequence[Record]) -> Record:
    """The record of a day, from those of its parts."""
    rows = sum(each.rows for each in records)
    counted: Counter[str] = Counter()
    for each in records:
        counted.update(each.counted)
    return replace(
        records[-1],
        status=Status.SUCCESS if rows else Status.EMPTY,
        reason="" if rows else records[-1].reason,
        rows=rows,
        open_rows=sum(each.open_rows for each in records),
        closed_version=sum(each.closed_version for each in records) % _MODULUS,
        open_version=sum(each.open_version for each in records) % _MODULUS,
        reads=tuple(dict.fromkeys(read for each in records for read in each.reads)),
        counted=dict(counted),
        details={**_details(records), "parts": len(records)},
        checks=[
            _check(of_rule) for of_rule in zip(*(each.checks for each in records), strict=True)
        ],
    )


def _part_of(value: pl.Expr, count: int) -> pl.Expr:
    return value.hash(seed=0) % count


def _details(records: Sequence[Record]) -> dict[str, float | int | str]:
    """Sums, and what was read off a clock as the last part read it."""
    summed = ("inserts", "updates", "deletes", "bytes", "files")
    last = records[-1].details
    sums = {name: sum(int(each.details[name]) for each in records) for name in summed}
    return {**last, **sums}


def _check(checks: Sequence[Check]) -> Check:
    """Whether a rule holds in all parts; things in several of them count in each."""
    figures: dict[str, float | int] = {}
    for each in checks:
        for name, figure in each.figures.items():
            figures[name] = figures.get(name, 0) + figure
    return replace(
        checks[0],
        compared=sum(each.compared for each in checks),
        broken=sum(each.broken for each in checks),
        figures=figures,
        examples=tuple(example for each in checks for example in each.examples),
    )
