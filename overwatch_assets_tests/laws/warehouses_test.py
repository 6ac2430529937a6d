"""The laws of every table, tried on more worlds for the tables of SQL warehouses alone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.registry import MODULES, in_load_order
from overwatch_assets_tests.laws.harness import World, WorldSource, midnight_after
from overwatch_assets_tests.laws.laws_test import assert_equal, made_up, seeds, split
from overwatch_assets_tests.laws.spark_world import DAYS

WORLDS = settings(max_examples=4, deadline=None, print_blob=True)
LAST = ("warehouse_gold",)
Sources = Mapping[str, WorldSource]


def needed() -> set[str]:
    """Tables that the last ones are made of."""
    names = set(LAST)
    for module in reversed(in_load_order()):
        if module.table.name in names:
            names |= {*module.dependencies}
    return names


NEEDED = needed()
OF_WAREHOUSES = [each for each in MODULES if each.table.name in NEEDED and each.module_id > 2000]


def world_of(sources: Sources, chunk_days: int = 7) -> World:
    modules = [module for module in in_load_order() if module.table.name in NEEDED]
    return World(sources, modules=modules, chunk_days=chunk_days)


@WORLDS
@given(seeds, st.integers(1, 3), st.sets(st.sampled_from(DAYS[1:])))
def test_every_split_in_any_order_gives_the_same_rows(
    seed: int, chunk_days: int, cuts: set[date]
) -> None:
    sources = made_up(seed)
    together = world_of(sources)
    apart = world_of({n: each.mixed(seed) for n, each in sources.items()}, chunk_days)
    together.load(*DAYS)
    for part in split(cuts):
        apart.load(*part)
    assert_equal(together, apart, OF_WAREHOUSES)
    assert all(together.rows(module).height for module in OF_WAREHOUSES)


@WORLDS
@given(seeds, st.integers(0, 2))
def test_what_comes_after_a_day_does_not_change_it(seed: int, number: int) -> None:
    sources, day = made_up(seed), DAYS[number]
    whole = world_of(sources)
    whole.load(*DAYS)
    until_ms = round(midnight_after(day).timestamp() * 1000)
    past = world_of({name: each.before(until_ms) for name, each in sources.items()})
    past.load(*DAYS[: number + 1])
    for module in OF_WAREHOUSES:
        assert past.rows(module, day).equals(whole.rows(module, day)), module.table.name


@WORLDS
@given(seeds, st.integers(0, 100))
def test_late_events_redone_by_plan_equal_a_complete_load(seed: int, salt: int) -> None:
    sources = made_up(seed)
    is_late = pl.int_range(pl.len()).hash(seed=salt) % 5 == 0
    in_time = {n: replace(each, rows=each.rows.filter(~is_late)) for n, each in sources.items()}
    late_days = {
        datetime.fromtimestamp(at / 1000, UTC).date()
        for each in sources.values()
        for at in each.rows.filter(is_late)[each.instant_ms]
    }
    complete, mended = world_of(sources), world_of(in_time)
    complete.load(*DAYS)
    mended.load(*DAYS)
    mended.sources = complete.sources
    for day in sorted(late_days):
        mended.load_bronze(day)
    mended.load(*DAYS, redo=True)
    assert_equal(complete, mended, OF_WAREHOUSES)
