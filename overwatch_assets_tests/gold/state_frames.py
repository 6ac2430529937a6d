"""States with their costs in frames of a test, for clusters and for SQL warehouses alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from overwatch_assets.expressions.durations import timestamp_of
from overwatch_assets.module import LEFT_OUT, Module
from overwatch_assets_tests.frames import Row, ms, table


@dataclass
class Priced:
    """States with their costs, and what was only counted."""

    rows: pl.DataFrame
    counted: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def only(self) -> dict[str, Any]:
        [row] = self.rows.to_dicts()
        return row

    def of(self, *columns: str) -> list[tuple[object, ...]]:
        return self.rows.sort("unixTimeMS_state_start", "seq").select(columns).rows()


def running(at: str, seconds: float, **more: Any) -> Row:
    """A state that runs and is billed; its last millisecond is its end."""
    begin = ms(at)
    return {
        "state": "RUNNING",
        "seq": 0,
        "unixTimeMS_state_start": begin,
        "unixTimeMS_state_end": begin + round(seconds * 1000) - (not more.get("is_open")),
        "cloud_billable": True,
        "databricks_billable": True,
        "end_imputed": False,
        "is_open": False,
        **more,
    }


def silver_states(name: str, states: Sequence[Row]) -> pl.LazyFrame:
    """States as the silver table has them on the day."""
    start, end = (pl.col(f"unixTimeMS_state_{each}") for each in ("start", "end"))
    return table(name, *states).with_columns(
        timestamp_state_start=timestamp_of(start),
        timestamp_state_end=timestamp_of(end),
        partition_date=pl.lit(date(2024, 5, 6)),
    )


def counted_apart(made: pl.LazyFrame) -> Priced:
    """What a transform made, rows and counts."""
    rows = made.collect(engine="in-memory")
    left_out = rows.filter(pl.col(LEFT_OUT).is_not_null())
    counted = dict(left_out.group_by(LEFT_OUT).len().iter_rows())
    return Priced(rows.filter(pl.col(LEFT_OUT).is_null()).drop(LEFT_OUT), counted)


def carried_on(module: Module, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as the loader would carry them into the next day."""
    known = [name for name in module.table.schema if name in rows.columns]
    empty = pl.DataFrame(schema=module.table.schema)
    return pl.concat([empty, rows.select(known)], how="diagonal")
