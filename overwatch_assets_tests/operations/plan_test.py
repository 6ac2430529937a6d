from datetime import date, timedelta

import polars as pl

from overwatch_assets.execution.records import ReadKind, ReadRecord, Record, Status
from overwatch_assets.execution.redo import Reason
from overwatch_assets.module import (
    Captures,
    Column,
    Day,
    FromSource,
    Grain,
    Module,
    Scope,
    Stored,
    module,
)
from overwatch_assets.operations.plan import plan_run
from overwatch_assets_tests.memory import MemoryLedger

FRIDAY_BEFORE, SATURDAY_BEFORE = date(2024, 5, 3), date(2024, 5, 4)
MONDAY, TUESDAY, WEDNESDAY = date(2024, 5, 6), date(2024, 5, 7), date(2024, 5, 8)
KEY = Column("id", pl.String, "Object.")


def captured_on(day: date) -> Record:
    """A loaded day whose closing capture is the next day's."""
    read = ReadRecord("clusters_bronze", ReadKind.CAPTURES, day, day + timedelta(days=1), 1)
    return Record(
        table="made_silver",
        organization_id="1",
        day=day,
        since_ms=0,
        until_ms=1,
        day_end_ms=1,
        status=Status.SUCCESS,
        reason="",
        rows=1,
        open_rows=0,
        closed_version=1,
        open_version=0,
        snapshot_ms=1,
        run_id="run",
        delta_version=1,
        reads=(read,),
    )


def bronze(module_id: int, name: str, grain: Grain, looks_up: tuple[str, ...] = ()) -> Module:
    def transform(records: pl.LazyFrame, stored: pl.LazyFrame) -> pl.LazyFrame:
        return pl.concat([records, stored])

    transform.__name__ = name
    declare = module(
        module_id=module_id,
        name=name,
        scope=Scope.CLUSTERS,
        grain=grain,
        columns=(KEY,),
        keys=("id",),
        reads={"records": FromSource(name), "stored": Stored()},
        looks_up=looks_up,
    )
    return declare(transform)


@module(
    module_id=2099,
    name="silver",
    scope=Scope.CLUSTERS,
    grain=Grain.EVENT,
    columns=(KEY,),
    keys=("id",),
    reads={"audit_bronze": Day(), "clusters_bronze": Captures()},
)
def made_silver(audit_bronze: pl.LazyFrame, clusters_bronze: pl.LazyFrame) -> pl.LazyFrame:
    return pl.concat([audit_bronze, clusters_bronze], how="diagonal")


AUDIT = bronze(1004, "audit_bronze", Grain.EVENT)
CLUSTERS = bronze(1002, "clusters_bronze", Grain.CAPTURE, looks_up=("audit_bronze",))
MODULES = (AUDIT, CLUSTERS, made_silver)


def planned(captured: dict[str, date] | None) -> list[tuple[str, tuple[date, ...]]]:
    days = {"1": [MONDAY, TUESDAY]}
    plan = plan_run(MODULES, MODULES, MemoryLedger(), days, captured=captured)
    return [(step.module.table.name, step.days) for step in plan.steps]


def test_today_is_captured_after_what_it_looks_up_and_before_all_else() -> None:
    assert planned({"1": WEDNESDAY}) == [
        ("audit_bronze", (MONDAY, TUESDAY)),
        ("clusters_bronze", (WEDNESDAY,)),
        ("clusters_bronze", (MONDAY, TUESDAY)),
        ("made_silver", (MONDAY, TUESDAY)),
    ]


def test_without_an_api_the_days_are_loaded_alone() -> None:
    assert planned(None) == [
        (name, (MONDAY, TUESDAY)) for name in ("audit_bronze", "clusters_bronze", "made_silver")
    ]


def test_what_is_owed_comes_first_and_what_is_loaded_anyway_is_not_asked_for_twice() -> None:
    days = {"1": [TUESDAY, WEDNESDAY]}
    owed = {"1": {"audit_bronze": [FRIDAY_BEFORE, SATURDAY_BEFORE, MONDAY, TUESDAY]}}
    plan = plan_run(MODULES, MODULES, MemoryLedger(), days, owed=owed)
    assert [step.days for step in plan.owed] == [(FRIDAY_BEFORE, SATURDAY_BEFORE), (MONDAY,)]
    assert [step.days for step in plan.asked] == [(TUESDAY, WEDNESDAY)] * 3
    assert plan.steps[0].reason is Reason.OWED


def test_what_is_owed_to_a_table_that_is_not_chosen_waits() -> None:
    owed = {"1": {"audit_bronze": [MONDAY]}}
    plan = plan_run(MODULES, [made_silver], MemoryLedger(), {"1": [TUESDAY]}, owed=owed)
    assert plan.owed == []


def test_that_a_day_is_over_is_no_reason_to_redo_what_its_captures_closed() -> None:
    ledger = MemoryLedger()
    ledger.write([captured_on(MONDAY)])
    days = {"1": [TUESDAY]}
    daily = plan_run(MODULES, MODULES, ledger, days, captured={"1": WEDNESDAY})
    assert daily.downstream == []
    reload = plan_run(MODULES, MODULES, ledger, days)
    assert [step.days for step in reload.downstream] == [(MONDAY,)]
