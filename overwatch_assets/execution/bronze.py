"""Bronze days: what a source handed over, united with what is stored.

A re-read never deletes: sources expire, so the rows of a day are the union of all that was
ever read of it, one per key. A day too large to unite at once is split by key. Where something
is to be redacted, it is before anything is united.
"""

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from overwatch_assets.execution.parts import divided
from overwatch_assets.execution.tables import AnyTables, Staged
from overwatch_assets.execution.versions import EXACT_ROWS
from overwatch_assets.module import (
    ORGANIZATION_ID,
    PARTITION_DATE,
    DayWindow,
    FromSource,
    Module,
    Parts,
    Stored,
    Table,
)
from overwatch_assets.redaction.fingerprints import key_without_hashes, without_former
from overwatch_assets.redaction.redaction import Redaction
from overwatch_assets.sources.gathering import Gathered, Request, Source

SHARD_ROWS = 500_000
"""Rows united at once: 0.5 to 1 GB of task events."""

FAILURES_TOLD = 5


@dataclass(frozen=True, slots=True)
class MadeDay:
    """The rows of a day, in shards that share no key.

    Attributes:
        shards: Frames in the declared columns.
        reason: Why there are none, when there are none.
        details: For the day's record.
    """

    table: Table
    shards: Iterator[pl.DataFrame]
    reason: str
    rows_offered: int
    details: Mapping[str, int | str]

    def identity(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The columns that tell whether a shard changed: all, or the keys of many rows."""
        if self.rows_offered > EXACT_ROWS:
            return rows.select(self.table.key_columns)
        return rows.select(c.name for c in self.table.columns if c.name in rows.columns)


@dataclass(frozen=True, slots=True)
class SideRows:
    """Rows for the tracker and the rejects, to be committed after the rows they speak of."""

    rows: Sequence[tuple[Table, Mapping[date, pl.DataFrame]]]
    run_columns: Mapping[str, pl.Expr]
    redaction: Redaction | None = None

    def commit(
        self, store: AnyTables, organization_id: str, version: int, metadata: Mapping[str, str]
    ) -> None:
        """Unite with what is stored and commit, table by table."""
        for table, by_day in self.rows:
            store.create(table)
            staged: list[Staged] = []
            for day, frame in by_day.items():
                stored = store.scan(table, organization_id, [day])
                united = self._united(table, stored, frame, version)
                staged += store.stage(table, organization_id, day, united)
            if by_day:
                store.replace(table, organization_id, list(by_day), staged, metadata)

    def _united(
        self, table: Table, stored: pl.LazyFrame, rows: pl.DataFrame, version: int
    ) -> pl.DataFrame:
        names = [n for n in table.schema if n not in (ORGANIZATION_ID.name, PARTITION_DATE.name)]
        new = rows.with_columns(**self.run_columns)
        if "delta_version" in names:
            new = new.with_columns(delta_version=pl.lit(version, dtype=pl.Int64))
        if self.redaction is not None:
            stored = self.redaction.rows(table, stored)
        return pl.concat([stored.select(names).collect(), new.select(names)]).unique(
            table.keys, keep="last", maintain_order=True
        )


@dataclass(frozen=True, slots=True)
class BronzeDays:
    """Gathers days of a bronze module's source and unites them with what is stored.

    Attributes:
        redaction: What is done to rows before they are united; None: nothing.
    """

    module: Module
    store: AnyTables
    organization_id: str
    first_ms: int
    now_ms: int
    stored_days: Collection[date]
    zone: ZoneInfo
    run_columns: Mapping[str, pl.Expr] = field(default_factory=dict[str, pl.Expr])
    redaction: Redaction | None = None

    def telling(self) -> AbstractContextManager[None]:
        """Within it no error tells what would be redacted."""
        return nullcontext() if self.redaction is None else self.redaction.told()

    def gather(
        self,
        source: Source,
        days: Sequence[DayWindow],
        *,
        coverage: pl.DataFrame,
        processed: Sequence[pl.DataFrame],
        scratch: Path,
        is_retry: bool = False,
    ) -> Gathered:
        """Ask the source for days.

        Args:
            source: The module's source.
            days: The days.
            coverage: What to ask for.
            processed: What this run read for the days before, not yet in the tracker.
            scratch: Folder for records that need not fit in memory.
            is_retry: Ask only for what earlier runs could not get.
        """
        gathered = source.gather(
            Request(
                organization_id=self.organization_id,
                days=days,
                first_ms=self.first_ms,
                now_ms=self.now_ms,
                known=self._known(processed),
                coverage=coverage,
                scratch=scratch,
                zone=self.zone,
                schema=pl.Schema({c.name: c.dtype for c in self.module.table.columns}),
                is_retry=is_retry,
                stored_as=str if self.redaction is None else self.redaction.texts.told,
            )
        )
        if self.redaction is None:
            return gathered
        return self.redaction.gathered(self.module, gathered)

    def unite(self, gathered: Gathered, day: DayWindow) -> MadeDay:
        """The day's rows: those handed over and those stored, one per key."""
        table = self.module.table
        if day.day not in gathered.rows and day.day not in self.stored_days:
            reason = self._why_empty(gathered, day.day)
            return MadeDay(table, iter(()), reason, 0, _told_of(gathered, day))
        nothing = pl.LazyFrame(schema=table.schema)
        stored, offered = nothing, gathered.rows.get(day.day, nothing)
        if day.day in self.stored_days:
            stored = self.store.scan(table, self.organization_id, [day.day])
        counts = [_height(offered), _height(stored)]
        shards = -(-sum(counts) // SHARD_ROWS)
        return MadeDay(
            table=table,
            shards=self._shards(offered, stored, day, shards),
            reason=self._why_empty(gathered, day.day),
            rows_offered=sum(counts),
            details={
                "rows_read": counts[0],
                "rows_stored_before": counts[1],
                **_told_of(gathered, day),
            },
        )

    def side_rows(self, gathered: Gathered, days: Sequence[DayWindow]) -> SideRows:
        """What goes to the tracker and the rejects."""
        rows: list[tuple[Table, Mapping[date, pl.DataFrame]]] = []
        if self.module.rejected is not None:
            rows.append((self.module.rejected, gathered.rejected))
        if self.module.errors is not None:
            rows.append((self.module.errors, gathered.errors))
        if self.module.tracker is not None and not gathered.processed.is_empty():
            rows.append((self.module.tracker, _by_day(gathered.processed, days[-1].day)))
        return SideRows(rows=rows, run_columns=self.run_columns, redaction=self.redaction)

    def _known(self, processed: Sequence[pl.DataFrame]) -> pl.DataFrame:
        tracker = self.module.tracker
        if tracker is None:
            return pl.DataFrame()
        self.store.create(tracker)
        stored = self.store.scan(tracker, self.organization_id)
        if self.redaction is not None:
            stored = self.redaction.rows(tracker, stored)
        fresh = [each.with_columns(**self.run_columns) for each in processed if each.height]
        return pl.concat([stored.collect(), *fresh], how="diagonal")

    def _shards(
        self, offered: pl.LazyFrame, stored: pl.LazyFrame, day: DayWindow, count: int
    ) -> Iterator[pl.DataFrame]:
        frames = {
            parameter: offered if isinstance(read, FromSource) else stored
            for parameter, read in self.module.reads.items()
            if isinstance(read, FromSource | Stored)
        }
        if count == 1:
            yield self._united(frames, day)
        if count > 1:
            keys = {parameter: self._shard_key(rows) for parameter, rows in frames.items()}
            parts = Parts(inputs=keys, rows=pl.struct(self.module.table.key_columns))
            with tempfile.TemporaryDirectory(prefix="overwatch-") as scratch:
                of_day = divided(parts, frames, count, Path(scratch))
                for number in range(count):
                    yield self._united(of_day.inputs(number), day)

    def _shard_key(self, rows: pl.LazyFrame) -> pl.Expr:
        """What rows of one event have in common, whether or not they are redacted already."""
        table = self.module.table
        if self.redaction is None:
            return pl.struct(key_without_hashes(table))
        return self.redaction.shard_key(table, rows)

    def _united(self, frames: Mapping[str, pl.LazyFrame], day: DayWindow) -> pl.DataFrame:
        """A shard of the day, as it is stored."""
        given = {parameter: self._redacted(rows) for parameter, rows in frames.items()}
        for parameter, offered in given.items():
            if isinstance(self.module.reads[parameter], FromSource):
                given = {
                    name: rows if name == parameter else self._not_former(rows, offered)
                    for name, rows in given.items()
                }
        made = self.module.transform(**given, window=day.window)
        return made.collect(engine="in-memory")

    def _redacted(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        if self.redaction is None:
            return rows
        redacted = self.redaction.rows(self.module.table, rows)
        return redacted.collect(engine="in-memory").lazy()

    def _not_former(self, stored: pl.LazyFrame, offered: pl.LazyFrame) -> pl.LazyFrame:
        """What is stored, without what another key or none told of what is offered anew."""
        tag = None if self.redaction is None else self.redaction.texts.pseudonyms.tag
        return without_former(self.module.table, stored, offered, tag)

    def _why_empty(self, gathered: Gathered, day: date) -> str:
        if day in gathered.reasons:
            return gathered.reasons[day]
        if gathered.failures:
            return f"nothing could be read: {gathered.failures[0]}"
        return "the source has no records of that day"


def _by_day(processed: pl.DataFrame, newest: date) -> Mapping[date, pl.DataFrame]:
    """Rows for the tracker by the partition they belong to."""
    if PARTITION_DATE.name not in processed.columns:
        return {newest: processed}
    parts = processed.partition_by(PARTITION_DATE.name, as_dict=True, include_key=False)
    return {day: rows for (day,), rows in parts.items()}


def _told_of(gathered: Gathered, day: DayWindow) -> dict[str, int | str]:
    """What could not be read, for the day's record."""
    rejected = gathered.rejected.get(day.day)
    told: dict[str, int | str] = {"rejected": 0 if rejected is None else rejected.height}
    if day.day in gathered.errors:
        told["errors"] = gathered.errors[day.day].height
    if gathered.failures:
        told["failures"] = len(gathered.failures)
        told["first_failures"] = "; ".join(gathered.failures[:FAILURES_TOLD])
    return told


def _height(rows: pl.LazyFrame) -> int:
    return rows.select(pl.len()).collect().item()
