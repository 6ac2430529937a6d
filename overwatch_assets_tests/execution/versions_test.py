"""Versions of entities: what holds on a day, found in a week's rows and in captures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.errors import MissingDay
from overwatch_assets.execution.load import Loader
from overwatch_assets.execution.records import Record
from overwatch_assets.execution.redo import downstream_steps
from overwatch_assets.execution.run import Run
from overwatch_assets.module import (
    AsOf,
    Captures,
    Carried,
    Column,
    Day,
    FromSource,
    Grain,
    Module,
    Reference,
    Scope,
    Stored,
    Timeline,
    Window,
    module,
)
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets_tests.memory import MadeUpWorkspace, MemoryLedger, MemoryStore, UtcCalendar

FIRST = date(2024, 5, 8)
"""A Wednesday: the anchors are this day and the Mondays after it."""

DAYS = [FIRST + timedelta(days=number) for number in range(12)]
DAY_MS = 86_400_000
FORGOTTEN_DAYS = 3

CHANGES = (
    Column("pool_id", pl.String, "Pool."),
    Column("timestamp", pl.Int64, "Epoch ms."),
    Column("size", pl.Int64, "Size; null: the change doesn't say."),
    Column("action", pl.String, "edit or delete."),
)
NAMES = ("pool_id", "timestamp", "size", "action")


@module(
    module_id=1097,
    name="Bronze_PoolChanges",
    scope=Scope.POOLS,
    grain=Grain.EVENT,
    columns=CHANGES,
    keys=("pool_id", "timestamp"),
    reads={"records": FromSource("changes"), "stored": Stored()},
    decided_by="timestamp",
)
def pool_changes_bronze(
    records: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    del window
    rows = pl.concat([records.select(NAMES), stored.select(NAMES)])
    return rows.unique(["pool_id", "timestamp"], keep="any")


@module(
    module_id=1098,
    name="Bronze_PoolCaptures",
    scope=Scope.POOLS,
    grain=Grain.CAPTURE,
    columns=(CHANGES[0], CHANGES[2], Column("captured_at_ms", pl.Int64, "Epoch ms.")),
    keys=("pool_id",),
    reads={"objects": FromSource("captures"), "stored": Stored()},
    decided_by="captured_at_ms",
)
def pool_captures_bronze(
    objects: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    del window
    names = ("pool_id", "size", "captured_at_ms")
    rows = pl.concat([objects.select(names), stored.select(names)])
    return rows.sort("captured_at_ms").unique("pool_id", keep="last")


def _forgotten(until_ms: int) -> pl.Expr:
    is_old = pl.col("timestamp") < until_ms - FORGOTTEN_DAYS * DAY_MS
    return (pl.col("action") == "delete") & is_old


@module(
    module_id=2098,
    name="Silver_Pools",
    scope=Scope.POOLS,
    grain=Grain.VERSION,
    columns=CHANGES,
    keys=("pool_id", "timestamp"),
    reads={
        "pool_changes_bronze": Day(),
        "pool_captures_bronze": Captures(),
        "carried": Carried(),
    },
    decided_by="timestamp",
    timeline=Timeline(entity=("pool_id",), order=("timestamp",), forgotten=_forgotten),
)
def pools_silver(
    pool_changes_bronze: pl.LazyFrame,
    pool_captures_bronze: pl.LazyFrame,
    carried: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """A size that a change doesn't say is that of the version before, else of a capture."""
    del window
    captured = pool_captures_bronze.sort("captured_at_ms").unique("pool_id", keep="first")
    before = carried.select(NAMES).with_columns(is_new=pl.lit(value=False))
    new = pool_changes_bronze.select(NAMES).with_columns(is_new=pl.lit(value=True))
    filled = (
        pl.concat([before, new])
        .sort("timestamp")
        .with_columns(pl.col("size").forward_fill().over("pool_id", order_by="timestamp"))
    )
    return (
        filled.filter("is_new")
        .join(captured.select("pool_id", of_capture="size"), on="pool_id", how="left")
        .select("pool_id", "timestamp", pl.coalesce("size", "of_capture").alias("size"), "action")
    )


@module(
    module_id=3098,
    name="Gold_PoolUse",
    scope=Scope.POOLS,
    grain=Grain.EVENT,
    columns=(
        CHANGES[0],
        CHANGES[1],
        Column("size", pl.Int64, "Size that held before."),
        Column("price", pl.Float64, "Price."),
    ),
    keys=("pool_id", "timestamp"),
    reads={"uses_bronze": Day(), "pools_silver": AsOf(), "prices": Reference()},
    decided_by="timestamp",
)
def pool_use_gold(
    uses_bronze: pl.LazyFrame,
    pools_silver: pl.LazyFrame,
    prices: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    del window
    versions = pools_silver.select("pool_id", "timestamp", "size").sort("timestamp")
    uses = uses_bronze.select("pool_id", "timestamp").sort("timestamp")
    held = uses.join_asof(
        versions,
        on="timestamp",
        by="pool_id",
        strategy="backward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    return held.join(prices, how="cross")


@module(
    module_id=1096,
    name="Bronze_Uses",
    scope=Scope.POOLS,
    grain=Grain.EVENT,
    columns=CHANGES[:2],
    keys=("pool_id", "timestamp"),
    reads={"records": FromSource("uses"), "stored": Stored()},
    decided_by="timestamp",
)
def uses_bronze(records: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window) -> pl.LazyFrame:
    del window
    names = ("pool_id", "timestamp")
    return pl.concat([records.select(names), stored.select(names)]).unique()


@module(
    module_id=3099,
    name="Gold_Pools",
    scope=Scope.POOLS,
    grain=Grain.EVENT,
    columns=CHANGES,
    keys=("pool_id", "timestamp"),
    reads={"pools_silver": Day()},
    decided_by="timestamp",
)
def pools_gold(pools_silver: pl.LazyFrame, *, window: Window) -> pl.LazyFrame:
    del window
    return pools_silver.select(*NAMES, "partition_date")


MODULES: tuple[Module, ...] = (
    pool_changes_bronze,
    pool_captures_bronze,
    uses_bronze,
    pools_silver,
    pool_use_gold,
    pools_gold,
)
Change = tuple[str, int, int | None, str]


@dataclass
class Records:
    """Records with a time, handed over on the day of it."""

    names: Sequence[str]
    at: str
    rows: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])

    def gather(self, request: Request) -> Gathered:
        schema = {name: kind for name, kind in request.schema.items() if name in self.names}
        rows = pl.DataFrame(self.rows, schema=schema, orient="row").lazy()
        of_days = {
            each.day: rows.filter(each.window.contains_ms(pl.col(self.at))) for each in request.days
        }
        return Gathered(rows=of_days, rejected={}, processed=pl.DataFrame())


@dataclass
class Pools:
    """A deployment of the modules above."""

    changes: list[Change] = field(default_factory=list[Change])
    captures: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])
    uses: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    price: float = 1.0
    store: MemoryStore = field(default_factory=MemoryStore)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    chunk_days: int = 7
    workspace: MadeUpWorkspace = field(
        default_factory=lambda: MadeUpWorkspace(first_day=FIRST, scopes=frozenset(Scope))
    )

    def load(
        self, *days: date, modules: Sequence[Module] = MODULES, redo: bool = False
    ) -> list[Record]:
        sources = {
            "changes": Records(NAMES, "timestamp", [*self.changes]),
            "captures": Records(
                ("pool_id", "size", "captured_at_ms"), "captured_at_ms", [*self.captures]
            ),
            "uses": Records(("pool_id", "timestamp"), "timestamp", [*self.uses]),
        }
        loader = Loader(
            store=self.store,
            ledger=self.ledger,
            modules={each.table.name: each for each in MODULES},
            calendar=UtcCalendar(),
            sources={name: lambda _, source=source: source for name, source in sources.items()},
            chunk_days=self.chunk_days,
            references={"prices": lambda _: pl.DataFrame({"price": [self.price]})},
        )
        now = datetime(2024, 7, 1, tzinfo=UTC)
        run = Run(run_id=f"run-{len(self.ledger.records)}", snapshot=now, redo=redo)
        written: list[Record] = []
        for each in modules:
            records = loader.load(each, self.workspace, days, run)
            self.ledger.write(records)
            written += records
        return written

    def rows(self, each: Module) -> pl.DataFrame:
        frame = self.store.scan(each.table).collect()
        names = [column.name for column in each.table.columns]
        open_ = ["is_open"] if "is_open" in frame.columns else []
        return frame.select("partition_date", *names, *open_).sort(pl.all())


def at(number: int, hour: float = 12.0) -> int:
    """Hour of the day of that number, epoch ms."""
    midnight = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=number)
    return round((midnight.timestamp() + hour * 3600) * 1000)


def sizes(pools: Pools) -> list[int | None]:
    return pools.rows(pool_use_gold).sort("timestamp")["size"].to_list()


def test_a_version_is_stored_on_its_day_and_again_on_anchors() -> None:
    pools = Pools([("p", at(0), 1, "edit"), ("p", at(1), 2, "edit")])
    pools.load(*DAYS)
    stored = pools.rows(pools_silver).select("partition_date", "size", "is_open").rows()
    assert stored == [
        (DAYS[0], 1, False),
        (DAYS[0], 1, True),
        (DAYS[1], 2, False),
        (DAYS[5], 2, True),
    ]
    assert [DAYS[5].weekday(), DAYS[0].weekday()] == [0, 2]


def test_copies_of_anchors_are_no_versions_to_a_reader() -> None:
    pools = Pools([("p", at(0), 1, "edit")])
    pools.load(*DAYS)
    assert pools.rows(pools_gold)["partition_date"].to_list() == [DAYS[0]]


def test_the_version_before_an_instant_holds_however_long_ago_it_came() -> None:
    uses = [("p", at(0, 11)), ("p", at(0, 13)), ("p", at(4)), ("p", at(11))]
    pools = Pools([("p", at(0), 1, "edit"), ("p", at(4), 2, "edit")], uses=uses)
    pools.load(*DAYS)
    assert sizes(pools) == [None, 1, 1, 2]


def test_a_gap_is_filled_from_the_version_before_across_anchors() -> None:
    pools = Pools([("p", at(0), 7, "edit"), ("p", at(9), None, "edit")])
    pools.load(*DAYS)
    assert pools.rows(pools_gold)["size"].to_list() == [7, 7]


def test_the_first_capture_after_a_day_is_its_closing_one() -> None:
    captures = [("p", 5, at(3)), ("p", 6, at(4))]
    pools = Pools([("p", at(1), None, "edit")], captures=captures)
    pools.load(*DAYS)
    assert pools.rows(pools_gold)["size"].to_list() == [5]


def test_a_capture_that_comes_later_redoes_the_days_it_closes_and_no_other() -> None:
    pools = Pools([("p", at(1), None, "edit"), ("p", at(6), None, "edit")])
    pools.load(*DAYS[:8])
    assert pools.rows(pools_gold)["size"].to_list() == [None, None]
    pools.captures = [("p", 5, at(3))]
    pools.load(DAYS[3], modules=(pool_captures_bronze,))
    asked = {"pool_captures_bronze": [DAYS[3]]}
    org = pools.workspace.organization_id
    plan = {
        step.module.table.name: step.days
        for step in downstream_steps(MODULES, pools.ledger, org, asked)
    }
    redone = pools.load(*DAYS[:8], redo=True)
    assert pools.rows(pools_gold)["size"].to_list() == [5, 5]
    assert all(record.day in plan[record.table] for record in redone)
    of_silver = {record.day for record in redone if record.table == "pools_silver"}
    assert of_silver == {*DAYS[:8]}
    of_gold = {record.day for record in redone if record.table == "pools_gold"}
    assert of_gold == {DAYS[1], DAYS[6]}


def test_a_capture_after_the_closing_one_redoes_nothing() -> None:
    captures = [("p", 5, at(3))]
    pools = Pools([("p", at(1), None, "edit")], captures=captures)
    pools.load(*DAYS[:4])
    org = pools.workspace.organization_id

    def planned(day: date) -> set[date]:
        asked = {"pool_captures_bronze": [day]}
        steps = downstream_steps(MODULES, pools.ledger, org, asked)
        return {day for step in steps if step.module is pools_silver for day in step.days}

    assert planned(DAYS[4]) == {DAYS[3]}
    assert planned(DAYS[3]) == {*DAYS[:4]}
    assert planned(DAYS[2]) == {*DAYS[:4]}


def test_an_entity_that_is_gone_is_forgotten() -> None:
    pools = Pools([("p", at(0), 1, "edit"), ("p", at(1), None, "delete")])
    pools.load(*DAYS)
    assert pools.rows(pools_silver).filter("is_open")["partition_date"].to_list() == [DAYS[0]]


def test_a_reader_of_versions_needs_the_days_since_the_anchor() -> None:
    pools = Pools([("p", at(0), 1, "edit")], uses=[("p", at(3))])
    pools.load(*DAYS[:4], modules=[each for each in MODULES if each is not pool_use_gold])
    del pools.ledger.records["pools_silver", pools.workspace.organization_id, DAYS[1]]
    with pytest.raises(MissingDay, match=f"looks back in pools_silver, whose {DAYS[1]} is not"):
        pools.load(DAYS[3], modules=(pool_use_gold,))


def test_a_changed_reference_redoes_nothing_by_itself() -> None:
    pools = Pools([("p", at(0), 1, "edit")], uses=[("p", at(1))])
    pools.load(*DAYS[:3])
    pools.price = 2.0
    assert pools.load(*DAYS[:3], redo=True) == []
    pools.load(DAYS[1], modules=(pool_use_gold,))
    assert pools.rows(pool_use_gold)["price"].to_list() == [2.0]


pool_ids = st.sampled_from(["p", "q"])
instants = st.integers(0, len(DAYS) * 24 - 1).map(lambda hour: at(0, hour))


@st.composite
def worlds(draw: st.DrawFn) -> Pools:
    changes: dict[tuple[str, int], Change] = {}
    for _ in range(draw(st.integers(0, 7))):
        pool, instant = draw(pool_ids), draw(instants)
        size = draw(st.none() | st.integers(1, 9))
        action = draw(st.sampled_from(["edit", "edit", "delete"]))
        changes[pool, instant] = (pool, instant, size, action)
    captures = draw(st.lists(st.tuples(pool_ids, st.integers(1, 9), instants), max_size=3))
    one_a_time = {(pool, instant): (pool, size, instant) for pool, size, instant in captures}
    uses = draw(st.sets(st.tuples(pool_ids, instants), max_size=5))
    return Pools([*changes.values()], [*one_a_time.values()], sorted(uses))


def same(one: Pools, other: Pools) -> None:
    for each in MODULES:
        assert one.rows(each).equals(other.rows(each)), each.table.name


@settings(max_examples=15)
@given(worlds(), st.integers(1, 12), st.data())
def test_however_days_are_split_the_tables_are_equal(
    world: Pools, chunk_days: int, data: st.DataObject
) -> None:
    together = Pools(world.changes, world.captures, world.uses, chunk_days=chunk_days)
    together.load(*DAYS)
    apart = Pools(world.changes, world.captures, world.uses)
    bronze = [each for each in MODULES if each.source]
    apart.load(*DAYS, modules=bronze)
    cut = data.draw(st.integers(0, len(DAYS)))
    above = [each for each in MODULES if not each.source]
    for part in (DAYS[:cut], DAYS[cut:]):
        if part:
            apart.load(*part, modules=above)
    same(together, apart)
    alone = Pools(world.changes, world.captures, world.uses)
    alone.load(*DAYS, modules=bronze)
    for day in DAYS:
        alone.load(day, modules=above)
    same(together, alone)


@settings(max_examples=15)
@given(worlds(), st.data())
def test_late_records_redone_by_plan_equal_a_complete_load(
    world: Pools, data: st.DataObject
) -> None:
    complete = Pools(world.changes, world.captures, world.uses)
    complete.load(*DAYS)
    late_changes: set[Change] = set()
    if world.changes:
        late_changes = data.draw(st.sets(st.sampled_from(world.changes)))
    late_captures: set[tuple[str, int, int]] = set()
    if world.captures:
        late_captures = data.draw(st.sets(st.sampled_from(world.captures)))
    mended = Pools(
        [each for each in world.changes if each not in late_changes],
        [each for each in world.captures if each not in late_captures],
        world.uses,
    )
    mended.load(*DAYS)
    mended.changes, mended.captures = world.changes, world.captures
    asked: dict[str, list[date]] = {"pool_changes_bronze": [], "pool_captures_bronze": []}
    for table, instants_ms in (
        ("pool_changes_bronze", {each[1] for each in late_changes}),
        ("pool_captures_bronze", {each[2] for each in late_captures}),
    ):
        days = {datetime.fromtimestamp(each / 1000, UTC).date() for each in instants_ms}
        asked[table] = sorted(days)
        for day in asked[table]:
            of_table = [each for each in MODULES if each.table.name == table]
            mended.load(day, modules=of_table)
    org = mended.workspace.organization_id
    plan = {
        step.module.table.name: step.days
        for step in downstream_steps(MODULES, mended.ledger, org, asked)
    }
    redone = mended.load(*DAYS, redo=True)
    same(mended, complete)
    assert all(record.day in plan[record.table] for record in redone)
