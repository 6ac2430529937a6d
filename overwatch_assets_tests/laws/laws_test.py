"""The laws of the tables, tried on made-up worlds for every registered module.

Days are those of a zone whose clocks are put forward on one of them.
"""

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overwatch_assets.execution.records import Record
from overwatch_assets.module import PARTITION_DATE, Grain, Module
from overwatch_assets.registry import MODULES
from overwatch_assets_tests.laws.account_world import account_sources
from overwatch_assets_tests.laws.api_world import api_sources
from overwatch_assets_tests.laws.cluster_event_world import cluster_event_sources
from overwatch_assets_tests.laws.cluster_world import cluster_sources
from overwatch_assets_tests.laws.harness import World, WorldSource, midnight_after
from overwatch_assets_tests.laws.job_world import job_sources
from overwatch_assets_tests.laws.spark_world import DAYS, SparkWorld
from overwatch_assets_tests.laws.warehouse_world import warehouse_sources

WORLDS = settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
SEEDS = (
    [3, 1_117, 8_020] if os.environ.get("CI") else random.SystemRandom().sample(range(10_000), 3)
)
"""Worlds that the laws share: other ones each time, but for those by which a change is judged."""
seeds = st.sampled_from(SEEDS)
ZONE = "Europe/Berlin"


Sources = Mapping[str, WorldSource]


def world_of(sources: Sources, chunk_days: int = 7) -> World:
    return World(sources, chunk_days=chunk_days, zone=ZONE)


def made_up(seed: int) -> Sources:
    """Everything that a workspace's sources tell, by the name of the source."""
    spark = WorldSource(SparkWorld(seed).frame(), "eventTimeMS")
    of_audit = (
        cluster_sources(seed),
        job_sources(seed),
        warehouse_sources(seed),
        account_sources(seed),
    )
    audit = pl.concat([each["audit_logs"].rows for each in of_audit])
    return {
        "spark_event_logs": spark,
        **api_sources(seed),
        **cluster_event_sources(seed),
        **{name: each for sources in of_audit for name, each in sources.items()},
        "audit_logs": WorldSource(audit, "timestamp"),
    }


@cache
def loaded(seed: int) -> World:
    """A world that was loaded whole, at once; nothing more is loaded into it."""
    world = world_of(made_up(seed))
    world.load(*DAYS)
    return world


def assert_equal(one: World, other: World, modules: Sequence[Module] = MODULES) -> None:
    for module in modules:
        left, right = one.rows(module), other.rows(module)
        assert left.equals(right), f"{module.table.name}:\n{left}\n{right}"


def stands_once(module: Module) -> bool:
    """Whether a key stands in one day only: captures and queries that go on come again."""
    decided_by_day = module.decided_by == PARTITION_DATE.name and module.source is not None
    return module.table.grain is not Grain.CAPTURE and not decided_by_day


def closed(world: World, module: Module) -> pl.DataFrame:
    rows = world.store.scan(module.table).collect()
    return rows.filter(~pl.col("is_open")) if module.table.has_open_rows else rows


@WORLDS
@given(seeds)
def test_deleting_all_that_comes_after_a_day_does_not_change_it(seed: int) -> None:
    sources, whole = made_up(seed), loaded(seed)
    day = DAYS[1]
    until_ms = round(midnight_after(day, ZONE).timestamp() * 1000)
    past = world_of({name: each.before(until_ms, ZONE) for name, each in sources.items()})
    past.load(*DAYS[:2])
    for module in MODULES:
        assert past.rows(module, day).equals(whole.rows(module, day)), module.table.name


@WORLDS
@given(seeds, st.integers(1, 3), st.sets(st.sampled_from(DAYS[1:])))
def test_every_split_of_a_range_gives_the_same_rows(
    seed: int, chunk_days: int, cuts: set[date]
) -> None:
    apart = world_of(made_up(seed), chunk_days=chunk_days)
    for part in split(cuts):
        apart.load(*part)
    assert_equal(loaded(seed), apart)


@WORLDS
@given(seeds)
def test_order_and_repeats_do_not_matter(seed: int) -> None:
    mixed = world_of({name: each.mixed(seed) for name, each in made_up(seed).items()})
    mixed.load(*DAYS)
    assert_equal(loaded(seed), mixed)


@WORLDS
@given(seeds)
def test_no_key_closes_twice_and_what_is_open_stays_until_it_closes(seed: int) -> None:
    world = loaded(seed)
    for module in MODULES:
        table = module.table
        of_day = [] if stands_once(module) else [pl.col(PARTITION_DATE.name)]
        done = closed(world, module).select(*table.key_columns, *of_day)
        assert not done.is_duplicated().any(), table.name
        if table.grain is not Grain.INTERVAL:
            continue
        rows = world.store.scan(table).collect()
        for day, following in pairwise(DAYS):
            of_day = rows.filter(pl.col("partition_date") == day, pl.col("is_open"))
            of_next = rows.filter(pl.col("partition_date") == following)
            keys = list(table.keys)
            lost = of_day.join(of_next, on=keys, how="anti", nulls_equal=True)
            assert lost.is_empty(), f"{table.name}: {lost}"


@WORLDS
@given(seeds)
def test_columns_that_are_not_provisional_never_change(seed: int) -> None:
    world = loaded(seed)
    for module in MODULES:
        if module.table.grain is not Grain.INTERVAL:
            continue
        final = [
            column.name
            for column in module.table.columns
            if column.name not in (*module.provisional, *module.table.keys)
        ]
        rows = world.store.scan(module.table).collect()
        for name in final:
            if rows.schema[name].is_nested():
                text = pl.struct(name).struct.json_encode()
                rows = rows.with_columns(pl.when(pl.col(name).is_not_null()).then(text).alias(name))
            several = (
                rows.drop_nulls(name)
                .group_by(module.table.keys)
                .agg(pl.col(name).n_unique().alias("different"))
                .filter(pl.col("different") > 1)
            )
            assert several.is_empty(), f"{module.table.name}.{name}: {several}"


@WORLDS
@given(seeds, st.sampled_from(DAYS))
def test_a_table_as_of_a_day_is_the_load_stopped_there(seed: int, as_of: date) -> None:
    whole, stopped = loaded(seed), world_of(made_up(seed))
    stopped.load(*[day for day in DAYS if day <= as_of])
    for module in MODULES:
        assert whole.shown(module, as_of).equals(stopped.shown(module, as_of)), module.table.name


@WORLDS
@given(seeds, st.integers(1, 23))
def test_a_cut_day_completed_later_equals_a_day_never_cut(seed: int, hour: int) -> None:
    later = world_of(made_up(seed))
    later.load(*DAYS[:-1])
    cut_at = midnight_after(DAYS[-2], ZONE) + timedelta(hours=hour)
    later.load(DAYS[-1], until=cut_at)
    later.load(DAYS[-1])
    assert_equal(loaded(seed), later)


@WORLDS
@given(seeds, st.integers(0, 100))
def test_late_events_redone_by_plan_equal_a_complete_load(seed: int, salt: int) -> None:
    sources = made_up(seed)
    is_late = pl.int_range(pl.len()).hash(seed=salt) % 5 == 0
    late_days = sorted(
        {
            day
            for each in sources.values()
            for day in replace(each, rows=each.rows.filter(is_late)).days(ZONE)
            if day in DAYS
        }
    )
    in_time = {
        name: replace(each, rows=each.rows.filter(~is_late)) for name, each in sources.items()
    }
    mended = world_of(in_time)
    mended.load(*DAYS)
    mended.sources = sources
    for day in late_days:
        mended.load_bronze(day)
    mended.load(*DAYS, redo=True)
    assert_equal(loaded(seed), mended)


@WORLDS
@given(seeds)
def test_redoing_everything_changes_nothing_that_the_plan_left_out(seed: int) -> None:
    world = world_of(made_up(seed))
    world.load(*DAYS)
    assert world.load(*DAYS, redo=True) == []


@WORLDS
@given(seeds)
def test_every_task_end_counts_once(seed: int) -> None:
    world = loaded(seed)
    records = world.ledger.records.values()
    tables = {module.table.name: module for module in MODULES}
    bronze = world.store.scan(tables["spark_events_bronze"].table).collect()
    ends = bronze.filter(pl.col("Event") == "SparkListenerTaskEnd").height
    silver = tables["spark_tasks_silver"]
    by_event = closed(world, silver).filter(pl.col("end_reason") == "event").height
    counted = [record.counted for record in records if record.table == silver.table.name]
    repeated = sum(each.get("repeated_end", 0) for each in counted)
    too_late = sum(each.get("after_application_end", 0) for each in counted)
    assert by_event + repeated <= ends <= by_event + repeated + too_late


@cache
def without_input() -> tuple[World, dict[str, Record]]:
    """A day of a world that tells nothing, and its records by table."""
    world = World({})
    return world, {record.table: record for record in world.load(DAYS[0])}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.table.name)
def test_a_day_without_input_gives_an_empty_table_that_says_why(module: Module) -> None:
    world, records = without_input()
    record = records[module.table.name]
    assert (record.rows, record.status) == (0, "EMPTY")
    assert record.reason
    assert world.store.scan(module.table).collect().schema == module.table.schema


def split(cuts: set[date]) -> list[list[date]]:
    parts: list[list[date]] = [[]]
    for day in DAYS:
        if day in cuts:
            parts.append([])
        parts[-1].append(day)
    return [part for part in parts if part]
