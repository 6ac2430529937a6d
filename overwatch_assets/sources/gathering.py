"""What a day's loading asks of a source of files or pages, and what it gets.

Sources hand over raw records, cut to days by the records' own time, and know no table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import polars as pl

from overwatch_assets.module import DayWindow


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a source, for one workspace and adjacent days.

    Attributes:
        organization_id: The workspace.
        days: Days asked for, ascending, each with its window.
        first_ms: Epoch ms of the workspace's first day; nothing before it is kept.
        now_ms: Epoch ms of the run's snapshot time.
        known: Rows of the source's tracker for this workspace.
        coverage: What to ask for, found in other tables: log destinations, clusters, queries;
            empty for a source that needs none.
        schema: Columns that the table declares, for a source that shapes objects to them.
        scratch: Folder of the caller's, for records that need not fit in memory.
        zone: Time zone whose midnights divide the days.
        is_retry: Only what earlier runs could not get is asked for.
        stored_as: From a path to how it stands in the tracker, which redaction may change.
    """

    organization_id: str
    days: Sequence[DayWindow]
    first_ms: int
    now_ms: int
    known: pl.DataFrame
    coverage: pl.DataFrame
    scratch: Path
    zone: ZoneInfo
    schema: pl.Schema = field(default_factory=pl.Schema)
    is_retry: bool = False
    stored_as: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a source handed over.

    Attributes:
        rows: Per day a frame of raw records; a day that is missing has none.
        rejected: Per day the lines and files that could not be read, with file, line, reason.
        processed: One row per file opened or fetch made, for the tracker; by `partition_date`
            where it has that column, else in the newest day asked for.
        counts: What was seen and not kept, by reason, for the materialisation's metadata.
        failures: What could not be read this time, one sentence each; the rest was read.
        errors: Per day the objects that could not be fetched.
        reasons: Why a day has no rows, where the source knows better than "none".
    """

    rows: Mapping[date, pl.LazyFrame]
    rejected: Mapping[date, pl.DataFrame]
    processed: pl.DataFrame
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    failures: Sequence[str] = ()
    errors: Mapping[date, pl.DataFrame] = field(default_factory=dict[date, pl.DataFrame])
    reasons: Mapping[date, str] = field(default_factory=dict[date, str])


class Source(Protocol):
    """Something that can be asked for the raw records of days."""

    def gather(self, request: Request) -> Gathered:
        """Read what the days need.

        Raises:
            SourceError: The source can't be read at all.
        """
        ...
