"""The laws a day's rows must keep before they may become visible.

Checked on the frame, before the commit: a day that breaks one is never seen, what was stored
stays, and the step is red. What a module keeps beside them is in its rules (`rules.py`).
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from overwatch_assets.errors import LawBroken
from overwatch_assets.execution.windows import Cell
from overwatch_assets.module import PARTITION_DATE, DayWindow, Grain, Module, Table

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken law: which, in how many rows, and some of their keys."""

    law: str
    rows: int
    examples: str

    def __str__(self) -> str:
        return f"{self.law}: {self.rows} rows, for example {self.examples}"


def require_lawful(
    module: Module, cell: Cell, rows: pl.DataFrame, day: DayWindow, carried: pl.DataFrame | None
) -> None:
    """Refuse rows that break a law.

    Args:
        module: Declaration of the rows' table and of what decides their day.
        cell: What messages name.
        rows: Rows of the day with the declared columns and the deciding instant.
        day: The day and its window.
        carried: Open rows of the day before that must not be lost; None: nothing is carried.

    Raises:
        LawBroken: With every law broken and examples.
    """
    broken = [
        each
        for each in (
            unique_keys(module.table, rows),
            decided_in_window(module, rows, day),
            openness(module.table, rows),
            continuity(module.table, rows, carried),
        )
        if each is not None
    ]
    if broken:
        what = "; ".join(map(str, broken))
        message = (
            f"{cell}: {what}. Nothing was written, the day keeps the rows it had. "
            "This is a defect of the transform or of its input; please report it with the keys"
        )
        raise LawBroken(message)


def unique_keys(table: Table, rows: pl.DataFrame) -> Broken | None:
    """No key twice in a partition.

    Hashes that all differ prove it, in an eighth of the time that keys take.
    """
    keys = rows.select(table.key_columns)
    if keys.is_empty() or keys.hash_rows(seed=0).n_unique() == keys.height:
        return None
    if keys.select(pl.struct(pl.all()).n_unique()).item() == keys.height:
        return None
    return _broken("key not unique", table, rows.filter(keys.is_duplicated()))


def decided_in_window(module: Module, rows: pl.DataFrame, day: DayWindow) -> Broken | None:
    """A closed row's deciding event lies in the day's window."""
    if module.decided_by == PARTITION_DATE.name:
        return None
    inside = day.window.contains_ms(pl.col(module.decided_by)).fill_null(value=False)
    allowed = inside | pl.col("is_open") if module.table.grain is Grain.INTERVAL else inside
    return _broken("decided outside the day", module.table, rows.filter(~allowed))


def openness(table: Table, rows: pl.DataFrame) -> Broken | None:
    """An interval says whether it is open."""
    if table.grain is not Grain.INTERVAL:
        return None
    return _broken("is_open is null", table, rows.filter(pl.col("is_open").is_null()))


def continuity(table: Table, rows: pl.DataFrame, carried: pl.DataFrame | None) -> Broken | None:
    """What was open the day before is there, open or closed."""
    if carried is None or carried.is_empty() or table.grain is not Grain.INTERVAL:
        return None
    keys = rows.select(table.key_columns)
    lost = carried.select(table.key_columns).join(
        keys, on=list(table.keys), how="anti", nulls_equal=True
    )
    if lost.is_empty():
        return None
    return Broken("open row of the day before lost", lost.height, str(lost.head(EXAMPLES).rows()))


def _broken(law: str, table: Table, rows: pl.DataFrame) -> Broken | None:
    if rows.is_empty():
        return None
    examples = rows.head(EXAMPLES).select(table.key_columns).rows()
    return Broken(law, rows.height, str(examples))


def require_days(cell: Cell, found: set[date], asked: set[date]) -> None:
    """Refuse rows of days that were not asked for.

    Raises:
        LawBroken: A row came out for another day.
    """
    if strangers := found - asked:
        message = f"{cell}: rows of {sorted(map(str, strangers))} came out; nothing was written"
        raise LawBroken(message)
