"""Intervals of a price file: half-open, and no two of a key at the same instant."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl

from overwatch_assets.reference.layout import FROM, IS_ACTIVE, OWNER, UNTIL
from overwatch_assets.reference.problems import Problem, shown_key, told
from overwatch_assets.reference.sheet import LINE

KEY, KEY_TEXT = "_key", "_key_text"

BEGINNING, ENDLESS = date.min, date.max
"""Stand for a validity without begin or end while intervals are compared."""

_GROUP = ["_owner", KEY]
_Row = dict[str, Any]
_Telling = Callable[[_Row], tuple[str, str]]


def validity_problems(place: str, rows: pl.DataFrame) -> tuple[Problem, ...]:
    """What is wrong with the intervals of the rows.

    Args:
        place: Their file, as messages name it.
        rows: `KEY`, `KEY_TEXT`, `LINE`, the owner and the validity of each row.
    """
    bounded = rows.select(
        pl.col(OWNER).fill_null("").alias("_owner"),
        KEY,
        KEY_TEXT,
        LINE,
        IS_ACTIVE,
        pl.col(FROM).fill_null(BEGINNING),
        pl.col(UNTIL).fill_null(ENDLESS),
    )
    is_open = pl.col(UNTIL) == ENDLESS
    is_empty = pl.col(FROM) >= pl.col(UNTIL)
    paired = _with_earlier(bounded.filter(~is_empty))
    same = (pl.col(FROM) == pl.col("_held_from")) & (pl.col(UNTIL) == pl.col("_held_until"))
    overlap = (pl.col(FROM) < pl.col("_held_until")) & ~same
    both_open = is_open & (pl.col("_held_until") == ENDLESS)
    alone = {_never_valid: is_empty, _contradicted: pl.col(IS_ACTIVE) != is_open}
    beside = {
        _repeated: same,
        _both_open: overlap & both_open,
        _overlapping: overlap & ~both_open,
        _after_a_gap: pl.col(FROM) > pl.col("_held_until"),
    }
    return (*_found(place, bounded, alone), *_found(place, paired, beside))


def interval_text(begin: date, end: date) -> str:
    """An interval as messages show it."""
    since = "the beginning" if begin == BEGINNING else begin.isoformat()
    return f"from {since} on" if end == ENDLESS else f"from {since} until {end.isoformat()}"


def _with_earlier(rows: pl.DataFrame) -> pl.DataFrame:
    """Each row beside the one before it in its key that reaches furthest."""
    ordered = rows.sort(*_GROUP, FROM, UNTIL, LINE, nulls_last=True).with_row_index("_row")
    furthest = pl.col(UNTIL) == pl.col(UNTIL).cum_max().over(_GROUP)
    earlier = ordered.select(_held="_row", _held_from=FROM, _held_until=UNTIL, _held_line=LINE)
    return (
        ordered.with_columns(pl.when(furthest).then("_row").alias("_held"))
        .with_columns(pl.col("_held").forward_fill().shift(1).over(_GROUP))
        .join(earlier, on="_held", how="left")
    )


def _found(place: str, rows: pl.DataFrame, kinds: Mapping[_Telling, pl.Expr]) -> Iterator[Problem]:
    """A problem per row and kind that is true of it."""
    flags = rows.select(is_so.alias(tell.__name__) for tell, is_so in kinds.items())
    for tell in kinds:
        is_so = flags[tell.__name__]
        if is_so.any():
            yield from _problems(place, rows.filter(is_so), tell)


def _problems(place: str, rows: pl.DataFrame, tell: _Telling) -> Iterator[Problem]:
    def problem(row: _Row) -> Problem:
        what, remedy = tell(row)
        key = shown_key(row[KEY_TEXT])
        return Problem(place, row[LINE], key, what, remedy, tell is _after_a_gap)

    ordered = rows.sort(LINE, nulls_last=True).iter_rows(named=True)
    yield from told(place, ordered, rows.height, problem)


def _own(row: _Row) -> str:
    return interval_text(row[FROM], row[UNTIL])


def _held(row: _Row) -> str:
    where = "another row" if row["_held_line"] is None else f"line {row['_held_line']}"
    return f"{where} ({interval_text(row['_held_from'], row['_held_until'])})"


def _never_valid(row: _Row) -> tuple[str, str]:
    what = f"activeFrom {row[FROM]} is not before activeUntil {row[UNTIL]}, so it is never valid"
    return what, "activeUntil is the first day on which the row no longer holds"


def _contradicted(row: _Row) -> tuple[str, str]:
    active = str(row[IS_ACTIVE]).lower()
    what = f"isActive is {active}, but the row is valid {_own(row)}"
    return what, "Active are rows without activeUntil; leave the column isActive out"


def _repeated(row: _Row) -> tuple[str, str]:
    what = f"the row ({_own(row)}) has the key and the interval of {_held(row)}"
    return what, "Keep one of the two; blanks around a key and capital letters do not count"


def _both_open(row: _Row) -> tuple[str, str]:
    what = f"the row ({_own(row)}) and {_held(row)} are both open: neither has activeUntil"
    return what, _closing(row)


def _overlapping(row: _Row) -> tuple[str, str]:
    return f"the row ({_own(row)}) overlaps {_held(row)}", _closing(row)


def _closing(row: _Row) -> str:
    if row[FROM] == row["_held_from"]:
        return "Keep one of the two, or let one begin where the other ends"
    return f"Close the earlier one where this begins: activeUntil {row[FROM]}"


def _after_a_gap(row: _Row) -> tuple[str, str]:
    between = interval_text(row["_held_until"], row[FROM])
    what = f"the row ({_own(row)}) does not follow on {_held(row)}: nothing is given {between}"
    remedy = "What lies below the file applies there, if anything; write activeUntil"
    return what, f"{remedy} {row[FROM]} in the earlier row if that is not meant"
