"""Tables of people's doings hold what an event-by-event reading of the rules gives, over nine days.

A rule switched off must make them differ: what proves that the comparison can fail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given

from overwatch_assets.module import Module, Window
from overwatch_assets.registry import in_load_order
from overwatch_assets_tests.laws.account_oracle import (
    attempts_to_come_in,
    ids_of_users,
    names_of_notebooks,
)
from overwatch_assets_tests.laws.account_world import account_sources
from overwatch_assets_tests.laws.harness import World
from overwatch_assets_tests.laws.laws_test import WORLDS, seeds
from overwatch_assets_tests.laws.spark_world import FIRST_DAY

NEEDED = {
    "audit_log_bronze",
    "account_login_silver",
    "account_mods_silver",
    "notebook_silver",
}
DAYS = [FIRST_DAY + timedelta(days=number) for number in range(9)]
"""From a Monday on; the second Monday holds copies of what is known then."""

SEEDS = range(8)
Frames = dict[str, pl.LazyFrame]
Rows = set[tuple[object, ...]]


@dataclass(frozen=True)
class Comparison:
    """A table, the columns that are compared, and what they must hold."""

    table: str
    columns: tuple[str, ...]
    expected: Callable[[Sequence[Mapping[str, object]]], Rows]


COMPARISONS = {
    each.table: each
    for each in (
        Comparison(
            "account_login_silver",
            ("hashKey", "requestId", "login_type", "user_email", "sourceIPAddress"),
            attempts_to_come_in,
        ),
        Comparison(
            "account_mods_silver",
            ("hashKey", "requestId", "user_name", "user_id"),
            ids_of_users,
        ),
        Comparison(
            "notebook_silver",
            ("hashKey", "requestId", "effective_name", "effective_path"),
            names_of_notebooks,
        ),
    )
}


def modules() -> list[Module]:
    return [module for module in in_load_order() if module.table.name in NEEDED]


def differs(seed: int, table: str, made: Sequence[Module], *splits: Sequence[object]) -> bool:
    """Whether a table is not that of the rules."""
    sources = account_sources(seed, len(DAYS))
    world = World(sources, modules=made)
    for part in splits or [DAYS]:
        world.load(*part)  # pyright: ignore[reportArgumentType] - days
    comparison = COMPARISONS[table]
    [stored] = [module.table for module in made if module.table.name == table]
    rows = world.store.scan(stored).collect()
    rows = rows.filter(~pl.col("is_open")) if stored.has_open_rows else rows
    expected = comparison.expected(sources["audit_logs"].rows.to_dicts())
    assert expected
    return set(rows.select(comparison.columns).iter_rows()) != expected


@WORLDS
@given(seeds)
@pytest.mark.parametrize("table", COMPARISONS)
def test_rows_are_those_of_the_rules_read_event_by_event(table: str, seed: int) -> None:
    assert not differs(seed, table, modules(), DAYS[:5], DAYS[5:])


def altered(name: str, change: Callable[[Frames], Frames]) -> list[Module]:
    """The modules, one of them given other frames."""

    def alter(module: Module) -> Module:
        def transform(*, window: Window, **frames: pl.LazyFrame) -> pl.LazyFrame:
            return module.transform(**change(frames), window=window)

        return replace(module, transform=transform) if module.table.name == name else module

    return [alter(module) for module in modules()]


@dataclass(frozen=True)
class Mutant:
    """A rule switched off in what a transform is given."""

    name: str
    table: str
    change: Callable[[Frames], Frames]


def without(name: str) -> Callable[[Frames], Frames]:
    def change(frames: Frames) -> Frames:
        return {**frames, name: frames[name].clear()}

    return change


def refused_ones_too(frames: Frames) -> Frames:
    status = pl.col("response").struct.with_fields(pl.lit(200, pl.Int64).alias("statusCode"))
    rows = frames["audit_log_bronze"].with_columns(response=status)
    return {**frames, "audit_log_bronze": rows}


MUTANTS = (
    Mutant("users' ids are forgotten", "account_mods_silver", without("history")),
    Mutant("notebooks are forgotten", "notebook_silver", without("carried")),
    Mutant("refused requests count", "notebook_silver", refused_ones_too),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_rule_switched_off_is_noticed(mutant: Mutant) -> None:
    made = altered(mutant.table, mutant.change)
    assert any(differs(seed, mutant.table, made) for seed in SEEDS)
