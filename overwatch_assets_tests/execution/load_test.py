from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.errors import LawBroken, MissingDay
from overwatch_assets.execution.redo import downstream_steps
from overwatch_assets.module import DayWindow, Scope, Window
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets_tests.execution.toy import (
    MODULES,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    Instances,
    Toy,
    instance_events_bronze,
    instance_runs_gold,
    instance_runs_silver,
)
from overwatch_assets_tests.memory import MadeUpWorkspace

YEAR = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = (MONDAY, TUESDAY, WEDNESDAY)


def at(day: date, hour: int) -> int:
    return round(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp() * 1000)


def events(*of: tuple[str, int, str]) -> Instances:
    return Instances(list(of))


def test_an_open_row_is_carried_until_the_day_that_ends_it() -> None:
    toy = Toy(events(("i-1", at(MONDAY, 8), "START"), ("i-1", at(WEDNESDAY, 9), "STOP")))
    toy.load(*WEEK)
    assert toy.rows(instance_runs_gold).select("partition_date", "is_open", "hours").rows() == [
        (MONDAY, True, None),
        (TUESDAY, True, None),
        (WEDNESDAY, False, 49.0),
    ]


def test_a_day_without_the_day_before_names_it() -> None:
    toy = Toy()
    toy.load(*WEEK, modules=(instance_events_bronze,))
    toy.load(MONDAY, modules=(instance_runs_silver,))
    with pytest.raises(MissingDay, match="materialise 2024-05-07 first"):
        toy.load(WEDNESDAY, modules=(instance_runs_silver,))


def test_a_day_after_a_failed_day_names_it() -> None:
    toy = Toy()
    toy.load(*WEEK[:2])
    toy.ledger.failures.add(("instance_runs_silver", toy.workspace.organization_id, TUESDAY))
    with pytest.raises(MissingDay, match="failed last: materialise 2024-05-07 first"):
        toy.load(WEDNESDAY)


def test_a_day_after_a_cut_day_names_it_and_when_it_was_cut() -> None:
    toy = Toy()
    toy.load(MONDAY, snapshot=datetime(2024, 5, 6, 10, 12, tzinfo=UTC))
    with pytest.raises(MissingDay, match=r"2024-05-06 was cut at .*; materialise 2024-05-06 again"):
        toy.load(TUESDAY)


def test_a_day_whose_input_is_missing_names_the_input() -> None:
    toy = Toy()
    with pytest.raises(MissingDay, match="reads instance_events_bronze of that day"):
        toy.load(MONDAY, modules=(instance_runs_silver,))


def test_a_day_before_the_first_day_names_the_first_day() -> None:
    with pytest.raises(MissingDay, match="first day is 2024-05-06"):
        Toy().load(date(2024, 5, 5))


def test_a_day_that_has_not_begun_is_refused() -> None:
    with pytest.raises(MissingDay, match="has not begun"):
        Toy().load(MONDAY, snapshot=datetime(2024, 5, 6, tzinfo=UTC))


def test_a_cut_day_completed_later_equals_a_day_never_cut() -> None:
    source = events(
        ("i-1", at(MONDAY, 8), "START"),
        ("i-2", at(MONDAY, 9), "START"),
        ("i-1", at(MONDAY, 12), "STOP"),
    )
    never, later = Toy(source), Toy(source)
    never.load(MONDAY)
    later.load(MONDAY, snapshot=datetime(2024, 5, 6, 10, tzinfo=UTC))
    assert later.rows(instance_runs_gold)["is_open"].to_list() == [True, True]
    later.load(MONDAY)
    assert later.rows(instance_runs_gold).equals(never.rows(instance_runs_gold))


def test_an_input_that_reaches_further_is_cut_to_the_shortest() -> None:
    toy = Toy(events(("i-1", at(MONDAY, 8), "START"), ("i-1", at(MONDAY, 12), "STOP")))
    toy.load(MONDAY, modules=(instance_events_bronze,))
    noon = datetime(2024, 5, 6, 11, tzinfo=UTC)
    toy.load(MONDAY, modules=(instance_runs_silver,), snapshot=noon)
    assert toy.rows(instance_runs_silver)["is_open"].to_list() == [True]


def test_a_repeated_end_is_counted_and_not_stored() -> None:
    toy = Toy(
        events(
            ("i-1", at(MONDAY, 8), "START"),
            ("i-1", at(MONDAY, 9), "STOP"),
            ("i-1", at(WEDNESDAY, 9), "STOP"),
        )
    )
    records = toy.load(*WEEK)
    assert toy.rows(instance_runs_silver)["partition_date"].to_list() == [MONDAY]
    counted = {r.day: dict(r.counted) for r in records if r.table == "instance_runs_silver"}
    assert counted == {MONDAY: {}, TUESDAY: {}, WEDNESDAY: {"repeated_end": 1}}


def test_an_empty_day_says_why() -> None:
    records = Toy().load(MONDAY)
    assert {record.table: record.reason for record in records} == {
        "instance_events_bronze": "the source has no records of that day",
        "instance_runs_silver": "no rows on that day in instance_events_bronze",
        "instance_runs_gold": "no rows on that day in instance_runs_silver",
    }


def test_a_scope_that_is_switched_off_leaves_its_tables_alone_and_says_so() -> None:
    source = events(("i-1", at(MONDAY, 8), "START"))
    toy = Toy(source)
    toy.load(MONDAY)
    before = toy.rows(instance_runs_gold)
    toy.workspace = MadeUpWorkspace(scopes=frozenset({Scope.AUDIT}))
    [*_, record] = toy.load(MONDAY)
    assert record.reason == "scope sparkEvents is switched off for this workspace"
    assert toy.rows(instance_runs_gold).equals(before)


def test_bronze_never_shrinks() -> None:
    toy = Toy(events(("i-1", at(MONDAY, 8), "START")))
    toy.load(MONDAY)
    toy.source.events = [("i-2", at(MONDAY, 9), "START")]
    toy.load(MONDAY)
    assert toy.rows(instance_events_bronze)["instance_id"].to_list() == ["i-1", "i-2"]


def test_records_of_another_day_are_never_written() -> None:
    class Careless(Instances):
        def gather(self, request: Request) -> Gathered:
            whole = [
                DayWindow(each.day, Window(YEAR, YEAR.replace(year=2025))) for each in request.days
            ]
            return super().gather(replace(request, days=whole))

    toy = Toy(Careless([("i-1", at(TUESDAY, 8), "START")]))
    with pytest.raises(LawBroken, match="decided outside the day: 1 rows"):
        toy.load(MONDAY)
    assert not toy.store.rows["instance_events_bronze"]


def test_one_commit_covers_all_days_of_a_run() -> None:
    toy = Toy(chunk_days=1)
    toy.load(*WEEK)
    assert [write for write in toy.store.writes if write[0] == "instance_runs_gold"] == [
        ("instance_runs_gold", WEEK)
    ]


def test_a_key_that_comes_out_twice_is_never_written() -> None:
    def doubling(
        instance_events_bronze: pl.LazyFrame,
        carried: pl.LazyFrame,
        closed: pl.LazyFrame,
        *,
        window: Window,
    ) -> pl.LazyFrame:
        made = instance_runs_silver(instance_events_bronze, carried, closed, window=window)
        return pl.concat([made, made])

    toy = Toy(events(("i-1", at(MONDAY, 8), "START")))
    toy.load(MONDAY, modules=(instance_events_bronze,))
    with pytest.raises(LawBroken, match=r"key not unique: 2 rows, for example .*i-1"):
        toy.load(MONDAY, modules=(replace(instance_runs_silver, transform=doubling),))
    assert not toy.store.rows["instance_runs_silver"]


def test_losing_an_open_row_is_never_written() -> None:
    def forgetful(
        instance_events_bronze: pl.LazyFrame,
        carried: pl.LazyFrame,
        closed: pl.LazyFrame,
        *,
        window: Window,
    ) -> pl.LazyFrame:
        nothing = carried.clear()
        return instance_runs_silver(instance_events_bronze, nothing, closed, window=window)

    toy = Toy(events(("i-1", at(MONDAY, 8), "START")))
    toy.load(MONDAY)
    toy.load(TUESDAY, modules=(instance_events_bronze,))
    with pytest.raises(LawBroken, match="open row of the day before lost: 1 rows"):
        toy.load(TUESDAY, modules=(replace(instance_runs_silver, transform=forgetful),))


Happening = tuple[str, int, str]


@st.composite
def happenings(draw: st.DrawFn) -> list[Happening]:
    name, kind = st.sampled_from(["i-1", "i-2", "i-3"]), st.sampled_from(["START", "STOP"])
    which = draw(st.sets(st.tuples(name, kind)))
    hours = [draw(st.integers(0, 71)) for _ in which]
    return [
        (name, at(MONDAY, 0) + hour * 3_600_000, kind)
        for (name, kind), hour in zip(sorted(which), hours, strict=True)
    ]


@settings(max_examples=25, deadline=None)
@given(happenings(), st.integers(1, 3))
def test_a_range_equals_its_days_one_by_one(of: list[Happening], chunk_days: int) -> None:
    together, apart = Toy(events(*of), chunk_days=chunk_days), Toy(events(*of))
    together.load(*WEEK)
    for day in WEEK:
        apart.load(day)
    for each in MODULES:
        assert together.rows(each).equals(apart.rows(each))


@settings(max_examples=25, deadline=None)
@given(happenings(), st.data())
def test_late_records_redone_by_plan_equal_a_complete_load(
    of: list[Happening], data: st.DataObject
) -> None:
    late = data.draw(st.sets(st.sampled_from(of))) if of else set[Happening]()
    complete, mended = Toy(events(*of)), Toy(events(*[each for each in of if each not in late]))
    complete.load(*WEEK)
    mended.load(*WEEK)
    mended.source.events = of
    days = sorted({datetime.fromtimestamp(each[1] / 1000, UTC).date() for each in late})
    for day in days:
        mended.load(day, modules=(instance_events_bronze,))
    asked = {"instance_events_bronze": days}
    org = mended.workspace.organization_id
    plan = {
        step.module.table.name: step.days
        for step in downstream_steps(MODULES, mended.ledger, org, asked)
    }
    redone = mended.load(*WEEK, redo=True)
    for each in MODULES:
        assert mended.rows(each).equals(complete.rows(each))
    assert all(record.day in plan[record.table] for record in redone)


def test_a_redo_of_unchanged_days_writes_nothing() -> None:
    toy = Toy(events(("i-1", at(MONDAY, 8), "START")))
    toy.load(*WEEK)
    toy.store.writes.clear()
    assert toy.load(*WEEK, redo=True) == []
    assert toy.store.writes == []
