"""Objects of the API as rows of the days they belong to, on disk until the day takes them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

import polars as pl

from overwatch_assets.module import ORGANIZATION_ID
from overwatch_assets.sources.gathering import Request
from overwatch_assets.sources.json_shapes import Shaper

ROWS_HELD = 10_000
"""Objects held as they came before they are shaped and written: some ten MB."""

Object = Mapping[str, object]


@dataclass
class DayRows:
    """Takes the objects of one table.

    Attributes:
        columns: What the table declares, without the workspace.
        folder: Where rows are written.
    """

    columns: pl.Schema
    folder: Path
    _lost: Counter[str] = field(default_factory=Counter[str])
    _held: dict[date, list[Object]] = field(default_factory=dict[date, list[Object]])
    _written: dict[date, list[Path]] = field(default_factory=dict[date, list[Path]])
    _holding: int = 0

    @classmethod
    def of(cls, request: Request) -> "DayRows":
        """Rows for the table and the days of a request."""
        columns = {n: t for n, t in request.schema.items() if n != ORGANIZATION_ID.name}
        return cls(pl.Schema(columns), request.scratch)

    def take(self, day: date, each: Object) -> None:
        """Keep an object for a day."""
        self._held.setdefault(day, []).append(each)
        self._holding += 1
        if self._holding >= ROWS_HELD:
            self._write_held()

    def take_rows(self, day: date, rows: pl.DataFrame) -> None:
        """Keep rows for a day."""
        if rows.height:
            paths = self._written.setdefault(day, [])
            path = self.folder / f"{day}-{len(paths)}.parquet"
            rows.select(self.columns.names()).write_parquet(
                path, compression="lz4", statistics=False
            )
            paths.append(path)

    def of_day(self, day: date) -> pl.LazyFrame:
        """What was kept for a day."""
        self._write_held()
        if day not in self._written:
            return pl.LazyFrame(schema=self.columns)
        return pl.scan_parquet(self._written[day])

    def by_day(self) -> Mapping[date, pl.LazyFrame]:
        """What was kept for each day that anything was kept for."""
        self._write_held()
        return {day: self.of_day(day) for day in sorted(self._written)}

    def counts(self) -> Mapping[str, int]:
        """How many values did not fit the declared type, by field."""
        return {f"unfit_{name}": count for name, count in sorted(self._lost.items())}

    @cached_property
    def _shaper(self) -> Shaper:
        return Shaper(self.columns)

    def _write_held(self) -> None:
        held, self._held, self._holding = self._held, {}, 0
        for day, objects in held.items():
            shaped = self._shaper.shape(objects)
            self._lost.update(shaped.lost)
            self.take_rows(day, shaped.rows)
