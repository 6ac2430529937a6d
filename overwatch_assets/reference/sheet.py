"""A price file as cells of text with the line of each row, before anything is made of them.

CSV means: UTF-8, commas between fields, a point before decimals. A spreadsheet of another
language writes otherwise; that is refused with what to do, never guessed.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from overwatch_assets.reference.problems import Problem, told

LARGEST_BYTES = 256_000_000
MOST_ROWS = 1_000_000

LINE = "_line"
_NULL = "null"
_TOO_MANY = (f"the file has more than {MOST_ROWS:,} rows", "Leave out what is no price")
_OTHER_MARKS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of a file.

    Attributes:
        place: The file, as messages name it.
        header: Names of the columns, as written.
        cells: A column of text per name of the header, called by its number, and `LINE`.
            Blank cells, and those that say null, are null.
        problems: What is wrong with it as a file; rows in question are left out.
        is_table: It is no file of lines.
    """

    place: str
    header: tuple[str, ...]
    cells: pl.DataFrame
    problems: tuple[Problem, ...] = ()
    is_table: bool = False


def unusable(place: str, what: str, remedy: str, line: int | None = None) -> Sheet:
    """The sheet of a file that nothing can be read from."""
    return Sheet(place, (), pl.DataFrame(), (Problem(place, line, "", what, remedy),))


def sheet_of_csv(place: str, chunks: Iterable[bytes]) -> Sheet:
    """Rows of a CSV file.

    Args:
        place: The file, as messages name it.
        chunks: Its bytes.
    """
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > LARGEST_BYTES:
            what = f"the file is larger than {LARGEST_BYTES // 1_000_000} MB"
            return unusable(place, what, "Leave out what is no price, or name a Delta table")
    if bytes(content[:2]) in {b"\xff\xfe", b"\xfe\xff"}:
        return unusable(place, "the file is UTF-16 text", "Save it as CSV UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return unusable(place, "the file is not UTF-8 text", "Save it as CSV UTF-8", line)
    return _sheet_of_text(place, text)


def sheet_of_rows(place: str, rows: pl.DataFrame) -> Sheet:
    """Rows of a table; they have no lines. Instants become days, what is nested becomes null."""
    texts = (_as_text(rows[name]).alias(str(n)) for n, name in enumerate(rows.columns))
    cells = pl.DataFrame(list(texts)).select(_blank_to_null(pl.all()))
    cells = cells.with_columns(pl.lit(None, pl.Int64).alias(LINE))
    problems: tuple[Problem, ...] = ()
    if rows.is_empty():
        problems = (_empty(place),)
    elif rows.height > MOST_ROWS:
        return unusable(place, *_TOO_MANY)
    return Sheet(place, tuple(rows.columns), cells, problems, is_table=True)


def _as_text(values: pl.Series) -> pl.Series:
    if values.dtype.is_nested():
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(values))
    if isinstance(values.dtype, pl.Datetime):
        values = values.cast(pl.Date)
    return values.cast(pl.String)


def _sheet_of_text(place: str, text: str) -> Sheet:
    problems: list[Problem] = []
    records = _records(place, text, problems)
    line, names = next(records, (1, list[str]()))
    header = tuple(name.strip() for name in names)
    if not header:
        return Sheet(place, (), pl.DataFrame(), tuple(problems or [_empty(place)]))
    for mark, name in _OTHER_MARKS.items() if len(header) == 1 else ():
        if mark in header[0]:
            what = f"the fields are separated by {name}"
            remedy = "Save it with commas between fields and points before decimals"
            return unusable(place, what, remedy, line)
    columns: list[list[str]] = [[] for _ in header]
    lines: list[int] = []
    ragged: list[tuple[int, int]] = []
    for line, fields in records:
        if len(lines) + len(ragged) == MOST_ROWS:
            return unusable(place, *_TOO_MANY, line)
        if len(fields) != len(header):
            ragged.append((line, len(fields)))
            continue
        lines.append(line)
        for column, value in zip(columns, fields, strict=True):
            column.append(value)

    def problem(found: tuple[int, int]) -> Problem:
        line, width = found
        what = f"the line has {width} fields, the header has {len(header)}"
        remedy = "Write one field per column, text that holds a comma in double quotes"
        return Problem(place, line, "", what, remedy)

    problems += told(place, ragged, len(ragged), problem)
    if not lines and not problems:
        problems.append(_empty(place))
    return Sheet(place, header, _cells(columns, lines), tuple(problems))


def _cells(columns: Sequence[Sequence[str]], lines: Sequence[int]) -> pl.DataFrame:
    series = (pl.Series(str(n), values, pl.String) for n, values in enumerate(columns))
    cells = pl.DataFrame([*series, pl.Series(LINE, lines, pl.Int64)])
    return cells.with_columns(_blank_to_null(pl.exclude(LINE))) if lines else cells


def _records(place: str, text: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """Records with the line each begins in; blank ones are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = f"this is no CSV: {error}"
            remedy = "Close the quotes there, and double those inside a field"
            problems.append(Problem(place, line, "", what, remedy))
            return
        if any(field.strip() for field in fields):
            yield line, fields


def _empty(place: str) -> Problem:
    remedy = "Write a header and rows, or take the file out of the configuration"
    return Problem(place, None, "", "the file holds no rows", remedy)


def _blank_to_null(cells: pl.Expr) -> pl.Expr:
    trimmed = cells.str.strip_chars()
    is_blank = (trimmed == "") | (trimmed.str.to_lowercase() == _NULL)
    return pl.when(~is_blank).then(trimmed)
