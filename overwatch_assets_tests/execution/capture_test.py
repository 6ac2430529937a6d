from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import polars as pl
import pytest

from overwatch_assets.errors import MissingDay
from overwatch_assets.execution.load import Loader
from overwatch_assets.execution.records import Record
from overwatch_assets.execution.run import Run
from overwatch_assets.module import (
    Column,
    FromSource,
    Grain,
    Module,
    Scope,
    Stored,
    Table,
    Window,
    module,
)
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets_tests.memory import MadeUpWorkspace, MemoryLedger, MemoryStore, UtcCalendar

MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)
TRACKER = Table(
    name="pools_fetches",
    columns=(Column("endpoint", pl.String, "What was asked."),),
    keys=("endpoint",),
    grain=Grain.RECORD,
    doc="Fetches.",
)
ERRORS = Table(
    name="pools_errors_bronze",
    columns=(Column("pool_id", pl.String, "Pool."), Column("error", pl.String, "Why.")),
    keys=("pool_id",),
    grain=Grain.RECORD,
    doc="Errors.",
)


@module(
    module_id=1098,
    name="Bronze_Pools",
    scope=Scope.POOLS,
    grain=Grain.CAPTURE,
    columns=(
        Column("pool_id", pl.String, "Pool."),
        Column("captured_at_ms", pl.Int64, "Epoch ms of the capture."),
    ),
    keys=("pool_id",),
    reads={"objects": FromSource("pools"), "stored": Stored()},
    decided_by="captured_at_ms",
    tracker=TRACKER,
    errors=ERRORS,
)
def pools_bronze(objects: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window) -> pl.LazyFrame:
    del window
    columns = ("pool_id", "captured_at_ms")
    both = pl.concat([objects.select(columns), stored.select(columns)])
    return both.group_by("pool_id").agg(pl.col("captured_at_ms").max())


@dataclass
class Pools:
    """Tells the pools there are when it is asked on the day that has begun."""

    ids: list[str]
    asked: list[Request] = field(default_factory=list[Request])

    def gather(self, request: Request) -> Gathered:
        self.asked.append(request)
        today = [each for each in request.days if each.window.until_ms == request.now_ms + 1]
        rows = {
            each.day: pl.LazyFrame({"pool_id": self.ids}).with_columns(
                captured_at_ms=pl.lit(request.now_ms, dtype=pl.Int64)
            )
            for each in today
        }
        return Gathered(
            rows=rows,
            rejected={},
            processed=pl.DataFrame(
                {"endpoint": ["pools"], "partition_date": [request.days[0].day]}
            ),
            errors={each.day: pl.DataFrame({"pool_id": ["x"], "error": ["no"]}) for each in today},
            reasons={each.day: "past day, no capture" for each in request.days},
        )


@dataclass
class Deployment:
    source: Pools
    store: MemoryStore = field(default_factory=MemoryStore)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    def load(self, *days: date, now: datetime) -> list[Record]:
        loader = Loader(
            store=self.store,
            ledger=self.ledger,
            modules={"pools_bronze": pools_bronze},
            calendar=UtcCalendar(),
            sources={"pools": lambda _: self.source},
        )
        run = Run(run_id="run", snapshot=now.replace(hour=0), now=lambda: now)
        return loader.load(pools_bronze, MadeUpWorkspace(), days, run)

    def rows(self, of: Module | Table) -> pl.DataFrame:
        table = of if isinstance(of, Table) else of.table
        names = [column.name for column in table.columns]
        return self.store.scan(table).collect().select("partition_date", *names).sort(pl.all())


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, 0, 0, 123456, tzinfo=UTC)


def test_a_capture_belongs_to_the_instant_it_is_taken_though_the_run_began_before() -> None:
    deployment = Deployment(Pools(["p-1"]))
    [record] = deployment.load(MONDAY, now=noon(MONDAY))
    taken = round(noon(MONDAY).timestamp() * 1000)
    assert deployment.rows(pools_bronze).rows() == [(MONDAY, "p-1", taken)]
    assert (record.until_ms, record.is_complete) == (taken + 1, False)


def test_a_past_day_is_not_captured_later_and_keeps_what_it_has() -> None:
    deployment = Deployment(Pools(["p-1"]))
    deployment.load(MONDAY, now=noon(MONDAY))
    deployment.source.ids = ["p-2"]
    monday, tuesday = deployment.load(MONDAY, TUESDAY, now=noon(TUESDAY))
    assert deployment.rows(pools_bronze)["pool_id"].to_list() == ["p-1", "p-2"]
    assert (monday.rows, monday.is_complete, tuesday.rows) == (1, True, 1)


def test_a_day_without_a_capture_says_so() -> None:
    [record] = Deployment(Pools(["p-1"])).load(MONDAY, now=noon(TUESDAY))
    assert (record.rows, record.reason) == (0, "past day, no capture")


def test_of_several_captures_of_a_day_the_last_counts_and_what_vanished_stays() -> None:
    deployment = Deployment(Pools(["p-1", "p-2"]))
    deployment.load(MONDAY, now=noon(MONDAY))
    deployment.source.ids = ["p-2"]
    later = noon(MONDAY).replace(hour=18)
    deployment.load(MONDAY, now=later)
    first, last = (round(each.timestamp() * 1000) for each in (noon(MONDAY), later))
    assert deployment.rows(pools_bronze).rows() == [(MONDAY, "p-1", first), (MONDAY, "p-2", last)]


def test_a_day_that_has_not_begun_is_not_captured() -> None:
    with pytest.raises(MissingDay, match="has not begun"):
        Deployment(Pools([])).load(TUESDAY, now=noon(MONDAY))


def test_what_could_not_be_fetched_and_what_was_asked_is_kept_by_day() -> None:
    deployment = Deployment(Pools(["p-1"]))
    [_, record] = deployment.load(MONDAY, TUESDAY, now=noon(TUESDAY))
    assert deployment.rows(ERRORS).rows() == [(TUESDAY, "x", "no")]
    assert deployment.rows(TRACKER).rows() == [(MONDAY, "pools")]
    assert record.details["errors"] == 1


def test_a_source_is_told_the_columns_to_fill() -> None:
    deployment = Deployment(Pools([]))
    deployment.load(MONDAY, now=noon(MONDAY))
    [request] = deployment.source.asked
    assert request.schema == {"pool_id": pl.String, "captured_at_ms": pl.Int64}
