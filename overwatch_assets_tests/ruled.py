"""A module's rules on rows of a test, as they are asked for before a commit."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import polars as pl

from overwatch_assets.execution.records import Check
from overwatch_assets.execution.rules import require_kept
from overwatch_assets.execution.windows import Cell
from overwatch_assets.module import EARLIER, LEFT_OUT, MADE_FROM, NOT_STORED, ROWS, Module, Window

Fault = Callable[[pl.DataFrame], pl.DataFrame]

CELL_DAY = date(2024, 5, 6)


def checks_of(
    module: Module,
    rows: pl.DataFrame,
    inputs: Mapping[str, pl.LazyFrame],
    window: Window,
    earlier: pl.DataFrame | None = None,
) -> dict[str, Check]:
    """What comes of the rules, by their names.

    Args:
        module: Declaration with the rules.
        rows: What the transform made, counted rows included.
        inputs: What it was made from.
        window: The day.
        earlier: The table's rows of the days before; None: none.

    Raises:
        RuleBroken: As the loader would raise it.
    """
    not_stored = rows.clear()
    if LEFT_OUT in rows.columns:
        not_stored = rows.filter(pl.col(LEFT_OUT).is_not_null())
        rows = rows.filter(pl.col(LEFT_OUT).is_null())
    before = pl.DataFrame(schema=module.table.schema) if earlier is None else earlier
    frames = {
        **inputs,
        ROWS: rows.lazy(),
        NOT_STORED: not_stored.lazy(),
        EARLIER: before.lazy(),
    }
    given = {
        rule.name: {**frames, **({MADE_FROM: inputs[rule.made_from]} if rule.made_from else {})}
        for rule in module.rules
    }
    cell = Cell(module.table.name, "1", CELL_DAY)
    return {each.rule: each for each in require_kept(module, cell, given, window)}


def with_values(of: str, **values: Any) -> Fault:
    """Other values, or expressions, in the rows of a state."""

    def changed(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(
            pl.when(pl.col("state") == of)
            .then(value if isinstance(value, pl.Expr) else pl.lit(value))
            .otherwise(name)
            .cast(rows.schema[name])
            .alias(name)
            for name, value in values.items()
        )

    return changed
