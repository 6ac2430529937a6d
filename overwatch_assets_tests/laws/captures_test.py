"""The laws of bronze, tried on made-up captures for every table of captures."""

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.module import Grain, Module
from overwatch_assets.registry import MODULES, in_load_order
from overwatch_assets_tests.laws.capture_world import captures_of
from overwatch_assets_tests.laws.harness import World, WorldSource, midnight_after
from overwatch_assets_tests.laws.laws_test import WORLDS, seeds, split
from overwatch_assets_tests.laws.spark_world import DAYS

CAPTURES = [module for module in MODULES if module.table.grain is Grain.CAPTURE]
LOOKED_UP = {name for module in CAPTURES for name in module.dependencies}
LOADED = [m for m in in_load_order() if m in CAPTURES or m.table.name in LOOKED_UP]
Rows = Mapping[str, pl.DataFrame]


def made_up(seed: int) -> Rows:
    return {str(module.source): captures_of(module, seed) for module in CAPTURES}


def world_of(rows: Rows, chunk_days: int = 7) -> World:
    sources = {name: WorldSource(each, "captured_at_ms") for name, each in rows.items()}
    return World(sources, modules=LOADED, chunk_days=chunk_days)


def differing(one: World, other: World, day: date | None = None) -> list[str]:
    return [
        module.table.name
        for module in CAPTURES
        if not one.rows(module, day).equals(other.rows(module, day))
    ]


@WORLDS
@given(seeds, st.integers(1, 3), st.sets(st.sampled_from(DAYS[1:])))
def test_every_split_of_a_range_gives_the_same_rows(
    seed: int, chunk_days: int, cuts: set[date]
) -> None:
    rows = made_up(seed)
    together, apart = world_of(rows), world_of(rows, chunk_days)
    together.load(*DAYS)
    for part in split(cuts):
        apart.load(*part)
    assert differing(together, apart) == []
    assert all(together.rows(module).height >= len(DAYS) for module in CAPTURES)


@WORLDS
@given(seeds, st.integers(0, 100))
def test_order_repeats_and_what_comes_later_do_not_matter(seed: int, salt: int) -> None:
    rows = made_up(seed)
    mixed = {
        name: pl.concat([each, each]).sample(fraction=1.0, shuffle=True, seed=seed)
        for name, each in rows.items()
    }
    is_late = pl.int_range(pl.len()).hash(seed=salt) % 3 == 0
    whole, later = world_of(rows), world_of({n: each.filter(~is_late) for n, each in rows.items()})
    whole.load(*DAYS)
    later.load(*DAYS)
    later.sources = world_of(mixed).sources
    later.load(*DAYS)
    assert differing(whole, later) == []


@WORLDS
@given(seeds, st.integers(1, 23))
def test_a_day_captured_again_equals_a_day_captured_once(seed: int, hour: int) -> None:
    rows = made_up(seed)
    once, again = world_of(rows), world_of(rows)
    once.load(*DAYS)
    again.load(*DAYS[:-1])
    again.load(DAYS[-1], until=midnight_after(DAYS[-2]) + timedelta(hours=hour))
    again.load(DAYS[-1])
    assert differing(once, again) == []


@WORLDS
@given(seeds)
def test_what_comes_after_a_day_does_not_change_it(seed: int) -> None:
    rows = made_up(seed)
    whole = world_of(rows)
    whole.load(*DAYS)
    until_ms = round(midnight_after(DAYS[1]).timestamp() * 1000)
    past = world_of(
        {n: each.filter(pl.col("captured_at_ms") < until_ms) for n, each in rows.items()}
    )
    past.load(*DAYS[:2])
    assert differing(past, whole, DAYS[1]) == []


@pytest.mark.parametrize("module", CAPTURES, ids=lambda module: module.table.name)
def test_every_object_is_there_once_a_day_as_it_was_seen_last(module: Module) -> None:
    world = world_of(made_up(11))
    world.load(*DAYS)
    [key] = module.table.keys
    newest = (
        captures_of(module, 11)
        .group_by(pl.col("captured_at_ms") // 86_400_000, key)
        .agg(pl.col("captured_at_ms").max().alias("newest"))
        .select(key, "newest")
    )
    found = world.rows(module).select(key, "captured_at_ms")
    assert sorted(found.rows()) == sorted(newest.rows())
