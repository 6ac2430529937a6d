"""The tables of versions hold what an event-by-event reading of the rules gives, over nine days.

A rule switched off must make them differ: what proves that the comparison can fail.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given

from overwatch_assets.errors import LawBroken
from overwatch_assets.module import Module, Window
from overwatch_assets.registry import in_load_order
from overwatch_assets.silver import cluster_spec_silver as specs
from overwatch_assets_tests.laws.cluster_oracle import Replay, replayed
from overwatch_assets_tests.laws.cluster_world import cluster_sources
from overwatch_assets_tests.laws.harness import World
from overwatch_assets_tests.laws.laws_test import WORLDS, seeds
from overwatch_assets_tests.laws.spark_world import FIRST_DAY

NEEDED = {
    "audit_log_bronze",
    "clusters_snapshot_bronze",
    "pools_snapshot_bronze",
    "pools_silver",
    "cluster_spec_silver",
}
DAYS = [FIRST_DAY + timedelta(days=number) for number in range(9)]
"""From a Monday on; the second Monday holds copies of what is known then."""

SEEDS = range(12)
Frames = dict[str, pl.LazyFrame]


def modules() -> list[Module]:
    return [module for module in in_load_order() if module.table.name in NEEDED]


def loaded(seed: int, made: Sequence[Module], *splits: Sequence[date]) -> tuple[World, Replay]:
    sources = {"audit_logs": cluster_sources(seed, len(DAYS))["audit_logs"]}
    world = World(sources, modules=made)
    for part in splits or [DAYS]:
        world.load(*part)
    return world, replayed(sources["audit_logs"].rows.to_dicts())


def stored(world: World) -> set[tuple[object, ...]]:
    rows = world.store.scan(specs.cluster_spec_silver.table).filter(~pl.col("is_open")).collect()
    return {
        (
            *row[:9],
            json.dumps(None if row[9] is None else list(json.loads(row[9]).values())),
            *row[10:],
        )
        for row in rows.select(
            "cluster_id", "timestamp", "actionName", "cluster_name", "custom_tags",
            "spark_version", "instance_pool_id", "instance_pool_name", "num_workers", "autoscale",
            "createdBy", "lastEditedBy", "deleted_by",
        ).iter_rows()
    }  # fmt: skip


@WORLDS
@given(seeds)
def test_versions_are_those_of_the_rules_read_event_by_event(seed: int) -> None:
    world, replay = loaded(seed, modules(), DAYS[:5], DAYS[5:])
    assert stored(world) == replay.rows
    assert counted(world).get("no cluster id", 0) == replay.nameless


def counted(world: World) -> Counter[str]:
    """Rows that were left out, by reason."""
    name = specs.cluster_spec_silver.table.name
    found: Counter[str] = Counter()
    for record in world.ledger.latest(name, world.workspace.organization_id, DAYS).values():
        found.update(record.counted)
    return found


def differs(seed: int, made: Sequence[Module]) -> bool:
    """Whether the tables are not those of the rules, or a law refuses a day."""
    try:
        world, replay = loaded(seed, made)
    except LawBroken:
        return True
    return stored(world) != replay.rows


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


def without_carried(frames: Frames) -> Frames:
    return {**frames, "carried": frames["carried"].clear()}


def without_past_pools(frames: Frames) -> Frames:
    rows = frames["pools_silver"]
    return {**frames, "pools_silver": rows.filter(~pl.col("is_open"))}


def without_resizes(frames: Frames) -> Frames:
    rows = frames["audit_log_bronze"]
    return {**frames, "audit_log_bronze": rows.filter(pl.col("actionName") != "resize")}


def refused_ones_too(frames: Frames) -> Frames:
    accepted = pl.struct(
        pl.lit(200, pl.Int64).alias("statusCode"),
        pl.col("response").struct.field("errorMessage"),
        pl.lit('{"cluster_id":"0506-aaaa"}').alias("result"),
    )
    is_refused = pl.col("response").struct.field("statusCode") != 200
    rows = frames["audit_log_bronze"]
    told = pl.when(is_refused).then(accepted).otherwise("response").alias("response")
    return {**frames, "audit_log_bronze": rows.with_columns(told)}


MUTANTS = (
    Mutant("clusters are forgotten", "cluster_spec_silver", without_carried),
    Mutant("pools are forgotten", "pools_silver", without_carried),
    Mutant("pools of earlier days are not looked up", "cluster_spec_silver", without_past_pools),
    Mutant("resizes are dropped", "cluster_spec_silver", without_resizes),
    Mutant("refused requests count", "cluster_spec_silver", refused_ones_too),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_rule_switched_off_is_noticed(mutant: Mutant) -> None:
    assert any(differs(seed, altered(mutant.table, mutant.change)) for seed in SEEDS)


def test_a_deletion_that_ends_no_life_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_life(_entity: str) -> pl.Expr:
        return pl.lit(0)

    monkeypatch.setattr(specs, "life_number", one_life)
    assert any(differs(seed, modules()) for seed in SEEDS)


def test_another_order_within_a_millisecond_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    backwards = {"create": 3, "edit": 2, "resize": 1, "permanentDelete": 0}
    monkeypatch.setattr(specs, "RANKS", backwards)
    assert any(differs(seed, modules()) for seed in SEEDS)


def test_rules_that_are_on_are_not_called_broken() -> None:
    assert not any(differs(seed, modules()) for seed in SEEDS[:3])
