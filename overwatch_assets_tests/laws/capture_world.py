"""Made-up captures for every table of captures, generated from its declared columns."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from overwatch_assets.module import Module
from overwatch_assets.sources.json_shapes import Shaper
from overwatch_assets_tests.laws.spark_world import DAYS

MS_PER_DAY = 86_400_000
BEGIN = round(datetime(DAYS[0].year, DAYS[0].month, DAYS[0].day, tzinfo=UTC).timestamp() * 1000)


def captures_of(module: Module, seed: int) -> pl.DataFrame:
    """Captures of few objects on all days: several a day, at midnights, of one instant."""
    pick = random.Random(f"{seed} {module.table.name}")  # noqa: S311 - no secret
    instants = [BEGIN + day * MS_PER_DAY + _instant(pick) for day in range(len(DAYS))]
    instants += [BEGIN + day * MS_PER_DAY + _instant(pick) for day in range(len(DAYS))]
    rows = [_row(module, pick, instant) for instant in instants for _ in range(3)]
    columns = {column.name: column.dtype for column in module.table.columns}
    extra = columns.pop("_extra")
    shaped = Shaper(pl.Schema(columns)).shape(rows).rows
    texts = [pick.choice([None, "{}", "[]"]) for _ in rows]
    return shaped.with_columns(pl.Series("_extra", texts, dtype=extra))


def _row(module: Module, pick: random.Random, instant: int) -> dict[str, object]:
    row = _values({column.name: column.dtype for column in module.table.columns}, pick)
    [key] = module.table.keys
    number = pick.randrange(4)
    is_number = module.table.schema[key] == pl.Int64
    return {**row, key: number if is_number else f"o-{number}", "captured_at_ms": instant}


def _instant(pick: random.Random) -> int:
    return pick.choice([0, MS_PER_DAY - 1, 8 * 3_600_000, pick.randrange(MS_PER_DAY)])


def _values(fields: Mapping[str, object], pick: random.Random) -> dict[str, object]:
    """A value for most fields, null for the others."""
    return {
        name: None if pick.random() < 0.3 else _value(dtype, pick) for name, dtype in fields.items()
    }


def _value(dtype: object, pick: random.Random) -> object:
    match dtype() if isinstance(dtype, type) else dtype:
        case pl.Int64() | pl.Float64():
            return pick.randrange(2)
        case pl.Boolean():
            return pick.random() < 0.5
        case pl.List() as elements:
            return [_value(elements.inner, pick) for _ in range(pick.randrange(2))]
        case pl.Struct() as struct:
            return _values({each.name: each.dtype for each in struct.fields}, pick)
        case pl.Map():
            return {key: "v" for key in "ab" if pick.random() < 0.5}
        case _:
            return pick.choice(["a", "b"])
