"""Tables of people's doings hold what an event-by-event reading of the rules gives, over nine days.

A rule switched off must make them differ: what proves that the comparison can fail.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given

from overwatch_assets.module import Module, Window
from overwatch_assets.registry import in_load_order
from overwatch_assets_tests.laws.account_oracle import (
    attempts_to_come_in,
    commands_told,
    dbu_cost,
    ids_of_users,
    names_of_notebooks,
)
from overwatch_assets_tests.laws.account_world import account_sources
from overwatch_assets_tests.laws.cluster_event_world import cluster_event_sources
from overwatch_assets_tests.laws.cluster_world import cluster_sources
from overwatch_assets_tests.laws.harness import World, WorldSource
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


def modules_of_commands() -> list[Module]:
    """What commands are made of, and what that is made of."""
    needed = {"notebookcommands_gold"}
    for module in reversed(in_load_order()):
        if module.table.name in needed:
            needed |= {*module.dependencies}
    return [module for module in in_load_order() if module.table.name in needed]


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


def world_of_commands(seed: int, made: Sequence[Module] | None = None) -> World:
    """Commands, and the clusters that they ran on."""
    days = len(DAYS)
    clusters, accounts = cluster_sources(seed, days), account_sources(seed, days)
    audit = pl.concat([each["audit_logs"].rows for each in (clusters, accounts)])
    sources = {
        **cluster_event_sources(seed, days),
        **clusters,
        "audit_logs": WorldSource(audit, "timestamp"),
    }
    return World(sources, modules=modules_of_commands() if made is None else made)


def commands_differ(seed: int, made: Sequence[Module] | None = None) -> bool:
    """Whether commands are not those of the rules."""
    world = world_of_commands(seed, made)
    world.load(*DAYS)
    tables = {module.table.name: module for module in world.modules}
    expected: dict[tuple[object, ...], float | None] = {}
    for each in commands_told(world.sources["audit_logs"].rows.to_dicts()):
        of_day = datetime.fromtimestamp(each.at / 1000, UTC).date()
        states = world.shown(tables["clusterstatefact_gold"], of_day).to_dicts()
        key = (each.notebook_id, each.command_id, each.at, each.name, each.path)
        expected[key] = dbu_cost(each, states)
    rows = world.rows(tables["notebookcommands_gold"]).select(
        "notebook_id", "command_id", "unixTimeMS", "notebook_name", "notebook_path",
        "estimated_dbu_cost",
    )  # fmt: skip
    found = {tuple(key): usd for *key, usd in rows.iter_rows()}
    assert expected
    return found.keys() != expected.keys() or not all(
        _is_alike(found[key], usd) for key, usd in expected.items()
    )


def _is_alike(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12)


@WORLDS
@given(seeds)
def test_commands_cost_what_the_rules_say_read_command_by_command(seed: int) -> None:
    assert not commands_differ(seed)


def altered(name: str, change: Callable[[Frames], Frames], made: Sequence[Module]) -> list[Module]:
    """Modules, one of them given other frames."""

    def alter(module: Module) -> Module:
        def transform(*, window: Window, **frames: pl.LazyFrame) -> pl.LazyFrame:
            return module.transform(**change(frames), window=window)

        return replace(module, transform=transform) if module.table.name == name else module

    return [alter(module) for module in made]


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
    made = altered(mutant.table, mutant.change, modules())
    assert any(differs(seed, mutant.table, made) for seed in SEEDS)


def without_past_names(frames: Frames) -> Frames:
    rows = frames["notebook_silver"]
    return {**frames, "notebook_silver": rows.filter(~pl.col("is_open"))}


def without_open_states(frames: Frames) -> Frames:
    rows = frames["clusterstatefact_gold"]
    return {**frames, "clusterstatefact_gold": rows.filter(~pl.col("is_open"))}


def without_past_states(frames: Frames) -> Frames:
    rows = frames["clusterstatefact_gold"]
    of_day = pl.col("partition_date") == pl.col("partition_date").max()
    return {**frames, "clusterstatefact_gold": rows.filter(of_day)}


@pytest.mark.parametrize("change", [without_past_names, without_open_states, without_past_states])
def test_a_rule_of_commands_switched_off_is_noticed(change: Callable[[Frames], Frames]) -> None:
    made = altered("notebookcommands_gold", change, modules_of_commands())
    assert any(commands_differ(seed, made) for seed in SEEDS)
