"""A table store and a ledger in memory, for tests that load thousands of generated days."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from overwatch_assets.configuration.days import window_of
from overwatch_assets.execution.records import Record
from overwatch_assets.module import Scope, Table, Window

PARTITION = ("organization_id", "partition_date")


@dataclass(frozen=True)
class StagedRows:
    organization_id: str
    day: date
    frame: pl.DataFrame

    @property
    def rows(self) -> int:
        return self.frame.height

    @property
    def size(self) -> int:
        return int(self.frame.estimated_size())


@dataclass
class MemoryStore:
    """Rows by table, workspace and day; refuses what the real store refuses."""

    rows: dict[str, dict[tuple[str, date], pl.DataFrame]] = field(
        default_factory=dict[str, dict[tuple[str, date], pl.DataFrame]]
    )
    writes: list[tuple[str, tuple[date, ...]]] = field(
        default_factory=list[tuple[str, tuple[date, ...]]]
    )

    def create(self, table: Table) -> None:
        self.rows.setdefault(table.name, {})

    def stage(
        self, table: Table, organization_id: str, day: date, frame: pl.DataFrame | pl.LazyFrame
    ) -> Sequence[StagedRows]:
        stored = {name: dtype for name, dtype in table.schema.items() if name not in PARTITION}
        rows = frame.lazy().collect()
        assert rows.schema == pl.Schema(stored), f"{table.name}: {rows.schema} is not {stored}"
        return [StagedRows(organization_id, day, rows)] if rows.height else []

    def replace(
        self,
        table: Table,
        organization_id: str,
        days: Collection[date],
        staged: Sequence[StagedRows],
        metadata: Mapping[str, str],
    ) -> int:
        assert metadata["overwatch.run_id"]
        stored = self.rows[table.name]
        for day in days:
            frames = [each.frame for each in staged if each.day == day]
            stored.pop((organization_id, day), None)
            if frames:
                stored[organization_id, day] = pl.concat(frames)
        self.writes.append((table.name, tuple(days)))
        return len(self.writes)

    def partitions(self, table: Table, organization_id: str | None = None) -> pl.DataFrame:
        days = [
            (day, frame.height)
            for (org, day), frame in self.rows.get(table.name, {}).items()
            if organization_id in (None, org)
        ]
        schema = {"partition_date": pl.Date, "rows": pl.Int64}
        return pl.DataFrame(days, schema=schema, orient="row")

    def scan(
        self,
        table: Table,
        organization_id: str | None = None,
        days: Collection[date] | None = None,
        staged: Sequence[StagedRows] = (),
    ) -> pl.LazyFrame:
        stored = dict(self.rows.get(table.name, {}))
        for day in {each.day for each in staged}:
            frames = [each.frame for each in staged if each.day == day]
            stored[staged[0].organization_id, day] = pl.concat(frames)
        frames = [
            frame.with_columns(
                pl.lit(org).alias("organization_id"), pl.lit(day).alias("partition_date")
            ).select(table.schema.names())
            for (org, day), frame in stored.items()
            if organization_id in (None, org) and (days is None or day in days)
        ]
        return pl.concat([pl.DataFrame(schema=table.schema), *frames]).lazy()


@dataclass
class MemoryLedger:
    records: dict[tuple[str, str, date], Record] = field(
        default_factory=dict[tuple[str, str, date], Record]
    )
    failures: set[tuple[str, str, date]] = field(default_factory=set[tuple[str, str, date]])

    def latest(
        self, table: str, organization_id: str, days: Collection[date]
    ) -> Mapping[date, Record]:
        return {
            day: self.records[table, organization_id, day]
            for day in days
            if (table, organization_id, day) in self.records
        }

    def days(self, table: str, organization_id: str) -> Sequence[date]:
        return sorted(
            day for name, org, day in self.records if (name, org) == (table, organization_id)
        )

    def failed(self, table: str, organization_id: str, day: date) -> bool:
        return (table, organization_id, day) in self.failures

    def write(self, records: Sequence[Record]) -> None:
        for record in records:
            text = record.to_json()
            self.records[record.table, record.organization_id, record.day] = Record.from_json(text)


@dataclass(frozen=True)
class UtcCalendar:
    @property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo("UTC")

    def window_of(self, day: date) -> Window:
        since = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return Window(since=since, until=since + timedelta(days=1))

    def day_of(self, instant: datetime) -> date:
        return instant.astimezone(UTC).date()


@dataclass(frozen=True)
class ZonedCalendar:
    timezone: ZoneInfo

    def window_of(self, day: date) -> Window:
        return window_of(day, self.timezone)

    def day_of(self, instant: datetime) -> date:
        return instant.astimezone(self.timezone).date()


@dataclass(frozen=True)
class MadeUpWorkspace:
    organization_id: str = "5206439413157315"
    name: str = "acme-prod"
    first_day: date = date(2024, 5, 6)
    retired_on: date | None = None
    scopes: frozenset[Scope] = frozenset(Scope)
