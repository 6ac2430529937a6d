"""From the cells of a price file to typed rows: everything that is wrong with it, told at once."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from overwatch_assets.configuration.problems import nearest
from overwatch_assets.reference.layout import DTYPES, UNTIL, Field, Kind, Layout
from overwatch_assets.reference.problems import Problem, shown, shown_key, told
from overwatch_assets.reference.sheet import LINE, Sheet
from overwatch_assets.reference.validity import ENDLESS, KEY, KEY_TEXT, validity_problems

LARGEST_NUMBER = 1_000_000_000
LONGEST_TEXT = 200

_VALUE, _RULE = "_value", "_rule"
_DAY = "^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$|^9999-12-31$"


@dataclass(frozen=True, slots=True)
class Checked:
    """Rows of a price file.

    Attributes:
        place: The file, as messages name it.
        rows: Every column of the layout, `KEY` and `LINE`, without rows that hold a wrong cell.
        problems: What is wrong; the rows can be used if none of it is an error.
    """

    place: str
    rows: pl.DataFrame
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a cell may not be.

    Attributes:
        is_broken: Whether it is.
        what: Said after the name of the column and the value.
        remedy: From the value to what to write instead.
    """

    is_broken: pl.Expr
    what: str
    remedy: Callable[[str], str]


def checked(sheet: Sheet, layout: Layout) -> Checked:
    """Make rows of a sheet's cells."""
    found, problems = _found_columns(sheet, layout)
    problems = [*sheet.problems, *problems]
    if not set(layout.key_columns) <= found.keys():
        return Checked(sheet.place, _no_rows(layout), tuple(problems))
    key_cells = [pl.col(found[name]) for name in layout.key_columns]
    key_text = pl.concat_str(key_cells, separator=" ", ignore_nulls=True)
    cells = sheet.cells.with_columns(key_text.alias(KEY_TEXT))
    fields = [each for each in layout.columns if each.name in found]
    broken = cells.select(_broken_rule(each, found[each.name]) for each in fields)
    for field in fields:
        rules = broken[field.name]
        if rules.null_count() < len(rules):
            values = cells.select(LINE, KEY_TEXT, pl.col(found[field.name]).alias(_VALUE))
            wrong = values.with_columns(rules.alias(_RULE)).filter(rules.is_not_null())
            told_rows = wrong.iter_rows(named=True)
            telling = _telling(sheet.place, field)
            problems += told(sheet.place, told_rows, wrong.height, telling)
    is_sound = broken.select(pl.all_horizontal(pl.all().is_null())).to_series()
    rows = _typed(cells.filter(is_sound), layout, found)
    problems += validity_problems(sheet.place, rows)
    ordered = sorted(problems, key=lambda problem: problem.line or math.inf)
    return Checked(sheet.place, rows.drop(KEY_TEXT), tuple(ordered))


def _found_columns(sheet: Sheet, layout: Layout) -> tuple[dict[str, str], list[Problem]]:
    """Name of a field -> its column of cells; and what is wrong with the header."""
    names = {name.casefold(): each.name for each in layout.columns for name in each.names}
    passed_over = {name.casefold() for name in layout.passed_over}
    found: dict[str, str] = {}
    wrong: list[tuple[str, str]] = []
    for number, name in enumerate(sheet.header):
        known = names.get(name.casefold())
        if known is not None and known not in found:
            found[known] = str(number)
        elif known is not None:
            wrong.append((f"{shown(name)} is a second column {known}", "Keep one of the two"))
        elif not name and not sheet.cells[str(number)].is_null().all():
            wrong.append((f"column {number + 1} has no name", "Write one into the header"))
        elif name and name.casefold() not in passed_over:
            wrong.append((f"{shown(name)} is no column of {layout.name}", _meant(name, layout)))
    if sheet.header:
        required = (each.name for each in layout.columns if each.is_required)
        wrong += [
            (f"the column {name} is missing", "Write it into the header")
            for name in required
            if name not in found
        ]
    line = None if sheet.is_table else 1

    def problem(found: tuple[str, str]) -> Problem:
        return Problem(sheet.place, line, "", *found)

    return found, list(told(sheet.place, wrong, len(wrong), problem))


def _meant(name: str, layout: Layout) -> str:
    known = [each.name for each in layout.columns]
    meant = nearest(name, known)
    return f"Did you mean {meant}?" if meant else f"Leave it out; known are {', '.join(known)}"


def _broken_rule(field: Field, column: str) -> pl.Expr:
    """Number of the rule that a cell of a field breaks, called by the field; null: none."""
    broken = (
        pl.when(rule.is_broken).then(pl.lit(number, pl.Int8))
        for number, rule in enumerate(_rules(field, pl.col(column)))
    )
    return pl.coalesce(*broken).alias(field.name)


def _telling(place: str, field: Field) -> Callable[[dict[str, Any]], Problem]:
    rules = tuple(_rules(field, pl.col(_VALUE)))

    def problem(row: dict[str, Any]) -> Problem:
        number: int = row[_RULE]
        value: str = row[_VALUE] or ""
        rule = rules[number]
        what = " ".join(part for part in (field.name, value and shown(value), rule.what) if part)
        return Problem(place, row[LINE], shown_key(row[KEY_TEXT]), what, rule.remedy(value))

    return problem


def _rules(field: Field, cell: pl.Expr) -> Iterator[_Rule]:
    """What the cells of a field may not be, the plainest first."""
    value = _value_of(field, cell)
    if field.is_required:
        yield _Rule(cell.is_null(), "is blank", _always("Write it, or take the line out"))
    match field.kind:
        case Kind.TEXT:
            unprintable = cell.str.contains(r"\p{C}")
            yield _Rule(
                unprintable, "holds a character that is not printable", _always("Remove it")
            )
            is_long = cell.str.len_chars() > LONGEST_TEXT
            yield _Rule(is_long, f"is longer than {LONGEST_TEXT} characters", _always("Shorten it"))
            if field.known:
                unknown = cell.is_not_null() & value.is_null()
                yield _Rule(unknown, f"is an unknown {field.name}", _known(field))
        case Kind.FLAG:
            unread = cell.is_not_null() & value.is_null()
            yield _Rule(unread, "is neither true nor false", _always("Write true or false"))
        case Kind.DAY:
            unread = cell.is_not_null() & value.is_null()
            yield _Rule(unread, "is no day", _always("Write it as YYYY-MM-DD, from 1000-01-01 on"))
        case Kind.PRICE | Kind.AMOUNT | Kind.COUNT:
            number = _number(cell)
            remedy = "Write digits with a point before decimals, and nothing else"
            unread = cell.is_not_null() & number.is_null()
            yield _Rule(unread, "is no number", _always(remedy))
            unknown = _always("Leave the cell blank where the figure is not known")
            if field.kind is Kind.PRICE:
                yield _Rule(number < 0, "is a negative price", unknown)
            else:
                yield _Rule(number <= 0, "is not above 0", unknown)
            is_large = number > LARGEST_NUMBER
            yield _Rule(is_large, f"is above {LARGEST_NUMBER:,}", _always("Write it in its unit"))
            if field.kind is Kind.COUNT:
                is_broken = number != number.floor()
                yield _Rule(is_broken, "is no whole number", _always("Write a whole number"))


def _always(remedy: str) -> Callable[[str], str]:
    return lambda _: remedy


def _known(field: Field) -> Callable[[str], str]:
    def remedy(value: str) -> str:
        meant = nearest(value, field.known)
        return f"Did you mean {meant}?" if meant else f"Known are {', '.join(field.known)}"

    return remedy


def _number(cell: pl.Expr) -> pl.Expr:
    number = cell.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number + 0.0)


def _value_of(field: Field, cell: pl.Expr) -> pl.Expr:
    """What a cell means; null where it means nothing."""
    match field.kind:
        case Kind.TEXT if field.known:
            spelled = {each.casefold(): each for each in field.known}
            return cell.str.to_lowercase().replace_strict(spelled, default=None)
        case Kind.TEXT:
            return cell
        case Kind.FLAG:
            flags = {"true": True, "false": False}
            return cell.str.to_lowercase().replace_strict(
                flags, default=None, return_dtype=pl.Boolean
            )
        case Kind.DAY:
            day = cell.str.to_date("%Y-%m-%d", strict=False)
            return pl.when(cell.str.contains(_DAY)).then(day)
        case Kind.PRICE | Kind.AMOUNT | Kind.COUNT:
            return _number(cell)


@cache
def _no_rows(layout: Layout) -> pl.DataFrame:
    nothing = pl.DataFrame(schema={LINE: pl.Int64, KEY_TEXT: pl.String})
    return _typed(nothing, layout, {}).drop(KEY_TEXT)


def _typed(cells: pl.DataFrame, layout: Layout, found: Mapping[str, str]) -> pl.DataFrame:
    """Rows of cells that break no rule."""
    values = (
        _value_of(each, pl.col(found[each.name])) if each.name in found else pl.lit(None)
        for each in layout.columns
    )
    typed = (
        value.cast(DTYPES[each.kind]).alias(each.name)
        for each, value in zip(layout.columns, values, strict=True)
    )
    rows = cells.select(*typed, LINE, KEY_TEXT)
    ends = pl.when(pl.col(UNTIL) != ENDLESS).then(UNTIL)
    return rows.with_columns(layout.key().alias(KEY), ends.alias(UNTIL))
