"""Three small modules over a source in memory: a union, a fold and a copy."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import polars as pl

from overwatch_assets.execution.load import Loader
from overwatch_assets.execution.records import Record
from overwatch_assets.execution.run import Run
from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.module import (
    Carried,
    Column,
    Day,
    FromSource,
    Grain,
    History,
    Module,
    Scope,
    Stored,
    Window,
    module,
)
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets_tests.memory import MadeUpWorkspace, MemoryLedger, MemoryStore, UtcCalendar

MONDAY, TUESDAY, WEDNESDAY = date(2024, 5, 6), date(2024, 5, 7), date(2024, 5, 8)

EVENTS = (
    Column("instance_id", pl.String, "Instance."),
    Column("timestamp", pl.Int64, "Epoch ms."),
    Column("event_type", pl.String, "START or STOP."),
)
INTERVALS = (
    Column("instance_id", pl.String, "Instance."),
    Column("started", pl.Int64, "Epoch ms of the start; null: not seen."),
    Column("stopped", pl.Int64, "Epoch ms of the stop; null while open."),
)


@module(
    module_id=1099,
    name="Bronze_InstanceEvents",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.EVENT,
    columns=EVENTS,
    keys=("instance_id", "timestamp", "event_type"),
    reads={"events": FromSource("instances"), "stored": Stored()},
    decided_by="timestamp",
)
def instance_events_bronze(
    events: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    del window
    columns = ("instance_id", "timestamp", "event_type")
    return pl.concat([events.select(columns), stored.select(columns)]).unique(columns)


def orphans(instance_events_bronze: pl.LazyFrame, carried: pl.LazyFrame) -> pl.LazyFrame:
    of_day = instance_events_bronze.filter(pl.col("event_type") == "START")
    opened = pl.concat([carried.select("instance_id"), of_day.select("instance_id")])
    stops = instance_events_bronze.filter(pl.col("event_type") == "STOP").select("instance_id")
    return stops.join(opened, on="instance_id", how="anti").unique()


@module(
    module_id=2099,
    name="Silver_InstanceRuns",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=INTERVALS,
    keys=("instance_id",),
    reads={
        "instance_events_bronze": Day(),
        "carried": Carried(),
        "closed": History(wanted=orphans, columns=("instance_id",)),
    },
    provisional=("stopped",),
)
def instance_runs_silver(
    instance_events_bronze: pl.LazyFrame,
    carried: pl.LazyFrame,
    closed: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    del window
    of_day = instance_events_bronze.group_by("instance_id", "event_type").agg(
        pl.col("timestamp").min()
    )
    starts = of_day.filter(pl.col("event_type") == "START").select(
        "instance_id", started="timestamp"
    )
    stops = of_day.filter(pl.col("event_type") == "STOP").select("instance_id", stopped="timestamp")
    opened = pl.concat([carried.select("instance_id", "started"), starts]).unique(
        "instance_id", keep="first", maintain_order=True
    )
    known = closed.with_columns(_left_out=pl.lit("repeated_end"))
    return (
        opened.join(stops, on="instance_id", how="full", coalesce=True)
        .join(known, on="instance_id", how="left")
        .with_columns(is_open=pl.col("stopped").is_null(), _decided_ms="stopped")
    )


@module(
    module_id=3099,
    name="Gold_InstanceRuns",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=(*INTERVALS, Column("hours", pl.Float64, "Length; null while open.")),
    keys=("instance_id",),
    reads={"instance_runs_silver": Day()},
    decided_by="partition_date",
)
def instance_runs_gold(instance_runs_silver: pl.LazyFrame, *, window: Window) -> pl.LazyFrame:
    del window
    return instance_runs_silver.with_columns(
        hours=quotient(pl.col("stopped") - pl.col("started"), 3_600_000)
    )


MODULES: tuple[Module, ...] = (instance_events_bronze, instance_runs_silver, instance_runs_gold)


@dataclass
class Instances:
    """The source: events as (instance, epoch ms, type)."""

    events: list[tuple[str, int, str]] = field(default_factory=list[tuple[str, int, str]])

    def gather(self, request: Request) -> Gathered:
        rows = pl.DataFrame(
            self.events, schema=["instance_id", "timestamp", "event_type"], orient="row"
        )
        rows = rows.cast({"instance_id": pl.String, "timestamp": pl.Int64, "event_type": pl.String})
        of_days = {
            each.day: rows.lazy().filter(each.window.contains_ms(pl.col("timestamp")))
            for each in request.days
        }
        return Gathered(rows=of_days, rejected={}, processed=pl.DataFrame())


@dataclass
class Toy:
    """A deployment of the toy modules."""

    source: Instances = field(default_factory=Instances)
    store: MemoryStore = field(default_factory=MemoryStore)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    workspace: MadeUpWorkspace = field(default_factory=MadeUpWorkspace)
    chunk_days: int = 7

    def __post_init__(self) -> None:
        self.loader = Loader(
            store=self.store,
            ledger=self.ledger,
            modules={each.table.name: each for each in MODULES},
            calendar=UtcCalendar(),
            sources={"instances": self._source},
            chunk_days=self.chunk_days,
        )

    def _source(self, _organization_id: str) -> Instances:
        return self.source

    def load(
        self,
        *days: date,
        modules: Sequence[Module] = MODULES,
        snapshot: datetime = datetime(2024, 6, 1, tzinfo=UTC),
        redo: bool = False,
    ) -> list[Record]:
        run = Run(run_id=f"run-{len(self.ledger.records)}", snapshot=snapshot, redo=redo)
        written: list[Record] = []
        for each in modules:
            records = self.loader.load(each, self.workspace, days, run)
            self.ledger.write(records)
            written += records
        return written

    def rows(self, each: Module) -> pl.DataFrame:
        declared = [column.name for column in each.table.columns]
        frame = self.store.scan(each.table).collect()
        if "is_open" in frame.columns:
            declared.append("is_open")
        return frame.select("partition_date", *declared).sort(pl.all())
