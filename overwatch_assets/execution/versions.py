"""Order-free hashes of what a day holds, and of what a day read.

Equal rows give equal versions, whatever their order, so a reload that changes nothing stops by
itself. A version says that something changed, never what.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date

import polars as pl

from overwatch_assets.execution.records import ReadKind, ReadRecord, Record

EXACT_ROWS = 100_000
"""Days of more rows are identified by their keys (bronze) or by what they were made from: to
hash 500,000 tasks costs 0.7 s of CPU, more than to make them."""

_MASK = 2**64 - 1


def version_of_rows(rows: pl.DataFrame) -> int:
    """Hash of a frame's rows; 0 for no rows."""
    if rows.is_empty():
        return 0
    hashes = rows.hash_rows(seed=0)
    return _mixed((int(hashes.sum()), rows.height))


def version_of_versions(versions: Iterable[tuple[str, int]]) -> int:
    """Hash of named versions, in any order."""
    return _mixed(_mixed((_text_hash(name), version)) for name, version in sorted(versions))


def version_read(
    kind: ReadKind, table: str, first: date, last: date, records: Mapping[date, Record]
) -> int:
    """Version of what a read of `[first, last]` sees.

    Args:
        kind: `carried` sees the open rows of `last`; `day` all rows of `last`, `closed` the
            closed ones; `as_of` the open rows of the day before the last and the closed ones of
            the last; `captures` the rows of `first` and `last`; `history` the closed rows of all
            days; `overlap` the closed rows of all days and the open ones of the last.
        table: Table read.
        first: First day read.
        last: Last day read.
        records: Newest records of the days read; a day without one counts as empty.
    """
    seen: list[tuple[str, int]] = []
    for day, record in records.items():
        if not first <= day <= last:
            continue
        version = _version_seen(kind, record, is_last=day == last, is_first=day == first)
        if version:
            seen.append((f"{table}/{day}", version))
    return version_of_versions(seen)


def _version_seen(kind: ReadKind, record: Record, *, is_last: bool, is_first: bool) -> int:
    match kind:
        case ReadKind.CARRIED:
            return record.open_version
        case ReadKind.AS_OF if not is_last:
            return record.open_version
        case ReadKind.DAY:
            return record.rows_version
        case ReadKind.CAPTURES:
            return record.rows_version if is_first or is_last else 0
        case ReadKind.OVERLAP if is_last:
            return record.rows_version
        case _:
            return record.closed_version


def stale_reads(
    record: Record,
    records: Callable[[str, Collection[date]], Mapping[date, Record]],
    closing: Callable[[str, date], date | None],
) -> Sequence[ReadRecord]:
    """The reads of a loaded day that would see something else now; references never do.

    Args:
        record: The loaded day.
        records: Newest records of days of a table, those of this run first.
        closing: The day of the closing capture of a table and day; None: there is none yet.
    """
    return tuple(read for read in record.reads if _is_stale(read, records, closing))


def _is_stale(
    read: ReadRecord,
    records: Callable[[str, Collection[date]], Mapping[date, Record]],
    closing: Callable[[str, date], date | None],
) -> bool:
    if read.kind is ReadKind.REFERENCE:
        return False
    last = read.last
    if read.kind is ReadKind.CAPTURES:
        last = closing(read.table, read.first) or read.first
    if last != read.last:
        return True
    found = records(read.table, days_of(read))
    return version_read(read.kind, read.table, read.first, read.last, found) != read.version


def days_of(read: ReadRecord) -> list[date]:
    """The days a read covers, ascending."""
    return [
        date.fromordinal(each) for each in range(read.first.toordinal(), read.last.toordinal() + 1)
    ]


def _text_hash(text: str) -> int:
    return _mixed(text.encode())


def _mixed(parts: Iterable[int]) -> int:
    mixed = 0xCBF29CE484222325
    for part in parts:
        mixed = ((mixed ^ (part & _MASK)) * 0x100000001B3) & _MASK
        mixed ^= mixed >> 29
    return mixed
