"""Rules before the commit, on the small modules: what breaks one, and what is told of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from overwatch_assets.errors import LawBroken
from overwatch_assets.execution.records import Check, Record
from overwatch_assets.execution.rules import RuleBroken
from overwatch_assets.expressions.rules import agree, keeps_rows, within
from overwatch_assets.module import (
    HOLDS,
    LEFT_OUT,
    Column,
    Day,
    FromSource,
    Grain,
    Module,
    Rule,
    Scope,
    Window,
    module,
)
from overwatch_assets_tests.execution.toy import (
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

WEEK = (MONDAY, TUESDAY, WEDNESDAY)
SHORT_HOURS = 24.0


def at(day: date, hour: int) -> int:
    return round(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp() * 1000)


EVENTS = [
    ("i-1", at(MONDAY, 8), "START"),
    ("i-1", at(MONDAY, 9), "STOP"),
    ("i-2", at(MONDAY, 10), "START"),
    ("i-2", at(TUESDAY, 11), "STOP"),
    ("i-3", at(WEDNESDAY, 3), "START"),
]
KEPT = keeps_rows(
    "instance_runs_silver",
    by={"instance_id": pl.col("instance_id")},
    sums={"stop_ms": (pl.col("stopped"), pl.col("stopped"))},
)


def are_short(rows: pl.LazyFrame) -> pl.LazyFrame:
    is_short = (pl.col("hours") <= SHORT_HOURS).fill_null(value=True)
    return rows.select("instance_id", "hours", is_short.alias(HOLDS))


SHORT = Rule("runs_are_short", "no run is long", are_short, ("instance_id",), "Stop it earlier.")


def ruled(rules: Sequence[Rule], change: Callable[[pl.LazyFrame], pl.LazyFrame]) -> list[Module]:
    """The small modules, the last of them with rules and a fault."""

    def transform(instance_runs_silver: pl.LazyFrame, *, window: Window) -> pl.LazyFrame:
        return change(instance_runs_gold.transform(instance_runs_silver, window=window))

    gold = replace(instance_runs_gold, rules=tuple(rules), transform=transform)
    return [instance_events_bronze, instance_runs_silver, gold]


def sound(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows


def checks_of(records: Sequence[Record], day: date) -> tuple[Check, ...]:
    [record] = [each for each in records if each.day == day and each.table == "instance_runs_gold"]
    return tuple(record.checks)


def test_rules_that_hold_are_recorded_with_what_was_compared() -> None:
    records = Toy(Instances(EVENTS)).load(MONDAY, modules=ruled([KEPT, SHORT], sound))
    figures = {
        "rows_here": 2,
        "rows_there": 2,
        "stop_ms_here": at(MONDAY, 9),
        "stop_ms_there": at(MONDAY, 9),
    }
    assert checks_of(records, MONDAY) == (
        Check("rows_are_kept", compared=2, figures=figures),
        Check("runs_are_short", compared=2, figures={"hours": 1.0}),
    )


def test_a_row_lost_makes_the_day_red_and_names_workspace_table_day_key_and_both_sums() -> None:
    def losing(rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.filter(pl.col("instance_id") != "i-2")

    toy = Toy(Instances(EVENTS))
    toy.load(*WEEK, modules=ruled([KEPT], sound)[:2])
    with pytest.raises(RuleBroken) as raised:
        toy.load(*WEEK, modules=ruled([KEPT], losing)[2:])
    told = str(raised.value)
    assert told.startswith(
        "instance_runs_gold, workspace 5206439413157315, 2024-05-06: rule rows_are_kept is broken "
        "in 1 of 2 (each row of instance_runs_silver has one row, and times add up to the "
        "same), for example instance_id i-2: rows_here 0, rows_there 1, stop_ms_here 0, "
        "stop_ms_there 0. Nothing was written, the day keeps the rows it had. Load the days named"
    )
    assert isinstance(raised.value, LawBroken)
    assert raised.value.cell.day == MONDAY
    assert toy.rows(instance_runs_gold).is_empty()


def test_a_day_that_loses_all_of_its_rows_is_red_too() -> None:
    toy = Toy(Instances(EVENTS))
    with pytest.raises(RuleBroken, match="rows_here 0, rows_there 1"):
        toy.load(*WEEK, modules=ruled([KEPT], lambda rows: rows.filter(pl.lit(value=False))))


def test_what_was_stored_and_the_neighbours_stand_when_a_day_breaks_a_rule() -> None:
    toy = Toy(Instances(EVENTS))
    other = replace(toy, workspace=MadeUpWorkspace(organization_id="7"))
    modules = ruled([KEPT, SHORT], sound)
    toy.load(MONDAY, modules=modules)
    other.load(*WEEK[:2], modules=modules[:2])
    toy.load(TUESDAY, modules=modules[:2])
    stood = toy.rows(instance_runs_gold)
    for each in (toy, other):
        with pytest.raises(RuleBroken, match=r"instance_id i-2: hours 25\. .* Stop it earlier\."):
            each.load(TUESDAY, modules=modules[2:])
    assert toy.rows(instance_runs_gold).equals(stood)
    assert toy.ledger.days("instance_runs_gold", toy.workspace.organization_id) == [MONDAY]


def test_every_rule_broken_is_told_and_all_results_come_with_the_error() -> None:
    def doubled(rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.with_columns(pl.col("stopped") * 2, hours=pl.lit(99.0))

    toy = Toy(Instances(EVENTS))
    with pytest.raises(RuleBroken, match=r"rule rows_are_kept .*; rule runs_are_short") as raised:
        toy.load(MONDAY, modules=ruled([KEPT, SHORT], doubled))
    assert [each.broken for each in raised.value.checks] == [1, 2]
    assert raised.value.checks[1].examples == (
        "instance_id i-1: hours 99",
        "instance_id i-2: hours 99",
    )


def test_a_rule_that_only_warns_keeps_no_day_from_being_stored() -> None:
    modules = ruled([replace(SHORT, is_warning=True)], sound)
    toy = Toy(Instances(EVENTS))
    records = toy.load(*WEEK, modules=modules)
    [check] = checks_of(records, TUESDAY)
    assert (check.holds, check.is_warning, check.broken) == (False, True, 1)
    assert check.examples == ("instance_id i-2: hours 25",)
    assert toy.rows(instance_runs_gold).height == 4


def test_an_error_names_three_examples_and_the_check_keeps_twenty() -> None:
    events = [(f"i-{n:02}", at(MONDAY, hour), kind) for n in range(30) for hour, kind in ENDS]
    toy = Toy(Instances(events))

    def all_long(rows: pl.LazyFrame) -> pl.LazyFrame:
        return are_short(rows.with_columns(hours=pl.lit(99.0)))

    long = replace(SHORT, compared=all_long)
    with pytest.raises(RuleBroken) as raised:
        toy.load(MONDAY, modules=ruled([long], sound))
    assert str(raised.value).count("hours 99") == 3
    assert (raised.value.checks[0].broken, len(raised.value.checks[0].examples)) == (30, 20)


ENDS = ((8, "START"), (9, "STOP"))


def test_a_day_without_input_compares_nothing_and_holds() -> None:
    records = Toy(Instances(EVENTS)).load(*WEEK, modules=ruled([KEPT], sound))
    assert checks_of(records, WEDNESDAY)[0].compared == 1
    nothing = Toy(Instances([])).load(MONDAY, modules=ruled([KEPT, SHORT], sound))
    assert [(each.rule, each.compared, each.holds) for each in checks_of(nothing, MONDAY)] == [
        ("rows_are_kept", 0, True),
        ("runs_are_short", 0, True),
    ]


@pytest.mark.parametrize("chunk_days", [1, 7])
def test_earlier_rows_are_the_closed_ones_of_days_since_the_instant_and_of_the_same_run(
    chunk_days: int,
) -> None:
    def since_tuesday(rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.select(pl.lit(at(TUESDAY, 5)))

    def compared(rows: pl.LazyFrame, earlier: pl.LazyFrame) -> pl.LazyFrame:
        holding = pl.lit(value=True).alias(HOLDS)
        both = pl.concat([rows.select("instance_id"), earlier.select("instance_id")])
        return both.group_by("instance_id").agg(seen=pl.len()).with_columns(holding)

    rule = Rule("seen", "seen", compared, ("instance_id",), "None.", earlier=since_tuesday)
    toy = Toy(Instances(EVENTS), chunk_days=chunk_days)
    toy.load(MONDAY, modules=ruled([rule], sound))
    records = toy.load(TUESDAY, WEDNESDAY, modules=ruled([rule], sound))
    counted = [checks_of(records, day)[0].figures["seen"] for day in (TUESDAY, WEDNESDAY)]
    assert counted == [1, 2]


def test_a_record_keeps_its_checks_and_one_written_without_any_is_read() -> None:
    record = Toy(Instances(EVENTS)).load(MONDAY, modules=ruled([SHORT], sound))[-1]
    assert Record.from_json(record.to_json()) == record
    before = record.to_json().replace('"checks"', '"no_checks"')
    with pytest.raises(TypeError):
        Record.from_json(before)
    older = replace(record, checks=()).to_json().replace('"checks": [], ', "")
    assert Record.from_json(older).checks == ()


def test_rows_that_are_counted_and_not_stored_belong_to_what_was_read() -> None:
    def leaving_out(rows: pl.LazyFrame) -> pl.LazyFrame:
        why = pl.when(pl.col("instance_id") == "i-1").then(pl.lit("dull"))
        return rows.with_columns(why.alias(LEFT_OUT))

    by = {"instance_id": pl.col("instance_id")}
    counting = keeps_rows("instance_runs_silver", by=by, with_counted=True)
    records = Toy(Instances(EVENTS)).load(MONDAY, modules=ruled([counting], leaving_out))
    assert checks_of(records, MONDAY)[0].holds
    with pytest.raises(RuleBroken, match="instance_id i-1"):
        Toy(Instances(EVENTS)).load(MONDAY, modules=ruled([KEPT], leaving_out))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1.0, 1.0 + 1e-12, True),
        (1.0, 1.0 + 1e-6, False),
        (1e-9, 2e-9, False),
        (0.0, 0.0, True),
        (None, None, True),
        (None, 0.0, False),
        (0.0, None, False),
    ],
)
def test_amounts_agree_up_to_rounding_and_unknown_only_with_unknown(
    one: float | None, other: float | None, *, same: bool
) -> None:
    rows = pl.DataFrame({"a": [one], "b": [other]}, schema={"a": pl.Float64, "b": pl.Float64})
    assert rows.select(agree(pl.col("a"), pl.col("b"))).item() is same


@pytest.mark.parametrize(
    ("part", "whole", "is_within"),
    [
        (1.0, 1.0, True),
        (1.001, 1.0, False),
        (-5.0, 0.0, True),
        (None, 1.0, True),
        (1.0, None, True),
    ],
)
def test_a_part_is_within_the_whole_and_the_unknown_is_not_said_to_be_more(
    part: float | None, whole: float | None, *, is_within: bool
) -> None:
    schema = {"part": pl.Float64, "whole": pl.Float64}
    rows = pl.DataFrame({"part": [part], "whole": [whole]}, schema=schema)
    assert rows.select(within(pl.col("part"), pl.col("whole"))).item() is is_within


def declared(*rules: Rule, source: bool = False) -> Module:
    @module(
        module_id=3098,
        name="Gold_Ruled",
        scope=Scope.AUDIT,
        grain=Grain.EVENT,
        columns=(Column("instance_id", pl.String, "Instance."),),
        keys=("instance_id",),
        reads={
            "events": FromSource("instances") if source else Day(table="instance_events_bronze")
        },
        rules=rules,
    )
    def ruled_gold(events: pl.LazyFrame, *, window: Window) -> pl.LazyFrame:
        del window
        return events

    return ruled_gold


def test_a_rule_that_takes_what_there_is_not_cannot_be_declared() -> None:
    def asking(rows: pl.LazyFrame, prices: pl.LazyFrame) -> pl.LazyFrame:
        return pl.concat([rows, prices])

    with pytest.raises(TypeError, match=r"rule runs_are_short takes \['prices'\]"):
        declared(replace(SHORT, compared=asking))
    with pytest.raises(TypeError, match=r"takes \['instance_runs_silver'\]"):
        declared(KEPT)
    with pytest.raises(TypeError, match="two rules have the same name"):
        declared(SHORT, SHORT)
    with pytest.raises(TypeError, match="without rules"):
        declared(SHORT, source=True)
    assert declared(SHORT).rules == (SHORT,)
