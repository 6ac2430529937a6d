from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from overwatch_assets.errors import MissingDay
from overwatch_assets.execution.load import Loader
from overwatch_assets.execution.records import Record
from overwatch_assets.execution.run import Run
from overwatch_assets.module import (
    PARTITION_DATE,
    Column,
    FromSource,
    Grain,
    Module,
    Scope,
    Stored,
    Window,
    module,
)
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets_tests.memory import MadeUpWorkspace, MemoryLedger, MemoryStore, UtcCalendar

MONDAY, TUESDAY, WEDNESDAY = (date(2024, 5, day) for day in (6, 7, 8))
WEEK = (MONDAY, TUESDAY, WEDNESDAY)


@module(
    module_id=1098,
    name="Bronze_Queries",
    scope=Scope.DBSQL,
    grain=Grain.OBSERVATION,
    columns=(Column("query_id", pl.String, "Query."),),
    keys=("query_id",),
    reads={"queries": FromSource("queries"), "stored": Stored()},
    decided_by=PARTITION_DATE.name,
    builds_on_day_before=True,
    asked_at_once=True,
)
def queries_bronze(queries: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window) -> pl.LazyFrame:
    del window
    return pl.concat([queries.select("query_id"), stored.select("query_id")]).unique()


@dataclass
class Queries:
    """One query of each day."""

    asked: list[Request] = field(default_factory=list[Request])

    def gather(self, request: Request) -> Gathered:
        self.asked.append(request)
        rows = {each.day: pl.LazyFrame({"query_id": [str(each.day)]}) for each in request.days}
        return Gathered(rows=rows, rejected={}, processed=pl.DataFrame())


@dataclass
class Deployment:
    source: Queries = field(default_factory=Queries)
    store: MemoryStore = field(default_factory=MemoryStore)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    module: Module = queries_bronze

    def load(
        self, *days: date, now: datetime | None = None, is_retry: bool = False
    ) -> list[Record]:
        loader = Loader(
            store=self.store,
            ledger=self.ledger,
            modules={"queries_bronze": self.module},
            calendar=UtcCalendar(),
            sources={"queries": lambda _: self.source},
            chunk_days=1,
        )
        snapshot = now or datetime(2024, 6, 1, tzinfo=UTC)
        run = Run(run_id="run", snapshot=snapshot, retry=is_retry)
        records = loader.load(self.module, MadeUpWorkspace(), days, run)
        self.ledger.write(records)
        return records

    @property
    def days_asked(self) -> list[list[date]]:
        return [[each.day for each in request.days] for request in self.source.asked]


def test_a_source_that_is_asked_at_once_is_asked_for_all_days_whatever_the_chunks() -> None:
    deployment = Deployment()
    assert [record.rows for record in deployment.load(*WEEK)] == [1, 1, 1]
    assert deployment.days_asked == [list(WEEK)]


def test_any_other_source_is_asked_chunk_by_chunk() -> None:
    deployment = Deployment(module=replace(queries_bronze, asked_at_once=False))
    deployment.load(*WEEK)
    assert deployment.days_asked == [[MONDAY], [TUESDAY], [WEDNESDAY]]


def test_a_day_that_builds_on_the_day_before_needs_it() -> None:
    deployment = Deployment()
    with pytest.raises(MissingDay, match="materialise 2024-05-06 first"):
        deployment.load(TUESDAY)
    assert deployment.source.asked == []
    deployment.load(MONDAY, now=datetime(2024, 5, 6, 10, tzinfo=UTC))
    with pytest.raises(MissingDay, match="2024-05-06 was cut at"):
        deployment.load(TUESDAY)
    deployment.load(MONDAY)
    assert [record.rows for record in deployment.load(TUESDAY, WEDNESDAY)] == [1, 1]


def test_any_other_day_is_asked_for_without_the_day_before() -> None:
    deployment = Deployment(module=replace(queries_bronze, builds_on_day_before=False))
    assert [record.rows for record in deployment.load(TUESDAY)] == [1]


def test_a_source_is_told_whether_only_what_is_owed_is_wanted() -> None:
    deployment = Deployment()
    deployment.load(MONDAY)
    deployment.load(MONDAY, is_retry=True)
    assert [request.is_retry for request in deployment.source.asked] == [False, True]
