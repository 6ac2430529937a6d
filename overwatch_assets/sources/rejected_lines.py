"""Lines and files that were no records: which, why, and how they begin.

A bad record never stops a day; it is kept where somebody can look at it. Its day is that of
the accepted record before it in the file, else of the one after it, else of the file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from overwatch_assets.sources.canonical_json import without_secrets
from overwatch_assets.sources.json_lines import KEPT_BYTES
from overwatch_assets.sources.signed_hash import signed_hash

KEPT_LINES = 10_000
"""Rejected lines of one file that are kept; more are only counted."""

REJECTED_SCHEMA = pl.Schema(
    {
        "route": pl.String,
        "reason": pl.String,
        "record_hash": pl.Int64,
        "record": pl.String,
        "filename": pl.String,
        "line_number": pl.Int64,
    }
)


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that was no record, or a whole file.

    Attributes:
        line_number: From 1; None for a whole file.
        reason: Why it was none.
        record: The line's beginning, or the file's path.
        at_ms: Time of the accepted record before it in the file; None if there was none.
    """

    filename: str
    line_number: int | None
    reason: str
    record: str
    at_ms: int | None

    @classmethod
    def of_line(
        cls, filename: str, line_number: int | None, text: bytes, reason: str, at_ms: int | None
    ) -> "RejectedLine":
        """Keep the line's first kilobyte, without the values of secrets."""
        record = without_secrets(text[:KEPT_BYTES].decode(errors="replace"))
        return cls(filename, line_number, reason, record, at_ms)


def frames_by_day(
    rejected: Sequence[tuple[RejectedLine, int]], route: str, day_of: Callable[[int], date]
) -> Mapping[date, pl.DataFrame]:
    """Rejected lines as frames of `REJECTED_SCHEMA`, by day.

    Args:
        rejected: Lines, each with the time that counts when none came before it.
        route: Where the lines came from, for the key.
        day_of: Day of an epoch in ms.
    """
    by_day: dict[date, list[tuple[object, ...]]] = {}
    for line, otherwise_ms in rejected:
        at_ms = otherwise_ms if line.at_ms is None else line.at_ms
        by_day.setdefault(day_of(at_ms), []).append(
            (
                route,
                line.reason,
                signed_hash(line.record.encode()),
                line.record,
                line.filename,
                line.line_number,
            )
        )
    return {
        day: pl.DataFrame(rows, schema=REJECTED_SCHEMA, orient="row")
        for day, rows in by_day.items()
    }
