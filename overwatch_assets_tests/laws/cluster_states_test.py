"""Laws of cluster states and their costs beyond those of every table: nothing is lost or gained."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from overwatch_assets.expressions.state_costs import CLUSTER_AMOUNTS
from overwatch_assets.presentation.calendar_days import calendar_days, per_day
from overwatch_assets.presentation.clusterstatefactdaily import VIEW
from overwatch_assets.registry import MODULES, in_load_order
from overwatch_assets_tests.laws.harness import World
from overwatch_assets_tests.laws.laws_test import made_up
from overwatch_assets_tests.laws.spark_world import DAY, DAYS, START

BY_TABLE = {module.table.name: module for module in MODULES}
SILVER, GOLD = BY_TABLE["cluster_state_detail_silver"], BY_TABLE["clusterstatefact_gold"]
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu")


def needed() -> set[str]:
    """Tables that the costs of clusters are made of."""
    names = {GOLD.table.name}
    for module in reversed(in_load_order()):
        if module.table.name in names:
            names |= {*module.dependencies}
    return names


NEEDED = needed()


@pytest.fixture(scope="module")
def worlds() -> Sequence[World]:
    """Some worlds, loaded once; tests only read them."""
    modules = [module for module in in_load_order() if module.table.name in NEEDED]
    made = [World(made_up(seed), modules=modules) for seed in range(3)]
    for world in made:
        world.load(*DAYS)
    return made


@pytest.fixture(params=range(3))
def world(request: pytest.FixtureRequest, worlds: Sequence[World]) -> World:
    number: int = request.param
    return worlds[number]


def test_every_state_is_priced_once_and_takes_its_whole_time(world: World) -> None:
    columns = [*GOLD.table.keys, "unixTimeMS_state_end", "is_open", "partition_date"]
    silver, gold = (world.rows(module).select(columns).sort(columns) for module in (SILVER, GOLD))
    assert silver.equals(gold)
    assert gold.height > 0


def test_a_clusters_time_is_that_of_its_states(world: World) -> None:
    shown = world.shown(SILVER, DAYS[-1]).sort("cluster_id", "unixTimeMS_state_start", "seq")
    for _, states in shown.group_by("cluster_id", maintain_order=True):
        for before, after in pairwise(states.iter_rows(named=True)):
            stop = before["unixTimeMS_state_end"] + 1
            is_forgotten = before["end_imputed"] and not before["isRunning"]
            is_deleted = before["state"] == "PERMENANT_DELETE"
            if is_forgotten or is_deleted:
                assert stop <= after["unixTimeMS_state_start"]
            else:
                assert stop == after["unixTimeMS_state_start"]
            assert not before["is_open"]


@pytest.mark.parametrize("zone", ZONES)
def test_days_add_up_to_states_in_every_zone(world: World, zone: str) -> None:
    facts = world.shown(GOLD, DAYS[-1])
    days = calendar_days(DAYS[0].replace(day=1), DAYS[-1].replace(day=28), ZoneInfo(zone))
    assert VIEW.per_day is not None
    parts = per_day(facts.lazy(), days, VIEW.per_day).collect()
    whole = sums(facts)
    assert sums(parts) == pytest.approx(whole, rel=1e-9)
    assert parts.select("share_of_state").sum().item() == pytest.approx(facts.height)
    for name in ("cluster_id", "sku", "date"):
        cut = [sums(each)["total_cost"] for _, each in parts.group_by(name)]
        assert sum(cut) == pytest.approx(whole["total_cost"], rel=1e-9)


def test_costs_are_sums_of_their_parts_or_not_known(world: World) -> None:
    facts = world.rows(GOLD)
    sums_of = {
        "total_compute_cost": ("driver_compute_cost", "worker_compute_cost"),
        "total_DBU_cost": ("driver_dbu_cost", "worker_dbu_cost"),
        "total_driver_cost": ("driver_compute_cost", "driver_dbu_cost"),
        "total_worker_cost": ("worker_compute_cost", "worker_dbu_cost"),
        "total_dbus": ("driver_dbus", "worker_dbus"),
        "total_cost": ("total_driver_cost", "total_worker_cost"),
    }
    for total, parts in sums_of.items():
        is_known = pl.all_horizontal(pl.col(parts).is_not_null())
        assert facts.filter(is_known != pl.col(total).is_not_null()).is_empty()
        known = facts.filter(is_known)
        expected = known.select(pl.sum_horizontal(parts)).to_series()
        assert known[total].to_list() == pytest.approx(expected.to_list())
    is_null = pl.any_horizontal(pl.col(CLUSTER_AMOUNTS).exclude("core_hours").is_null())
    is_explained = pl.col("cost_reason").is_not_null()
    costs = facts.filter(is_null != is_explained).select("state", *CLUSTER_AMOUNTS, "cost_reason")
    assert costs.is_empty(), costs.to_dicts()
    stopped = facts.filter(~pl.col("cloud_billable"))
    assert stopped["total_cost"].to_list() == [0.0] * stopped.height


def test_the_worlds_have_states_of_every_kind(worlds: Sequence[World]) -> None:
    facts = pl.concat([world.rows(GOLD) for world in worlds])
    assert {"TERMINATING", "TERMINATING_IMPUTED", "PERMENANT_DELETE"} <= set(facts["state"])
    assert facts["end_imputed"].any()
    assert facts["cost_reason"].null_count() not in (0, facts.height)
    assert {"interactive", "automated"} <= set(facts["sku"])
    assert {1.0, 2.0} <= set(facts["photon_multiplier"])
    assert facts.filter(pl.col("unixTimeMS_state_start") < START + DAY).height > 0


def sums(rows: pl.DataFrame) -> Mapping[str, float]:
    return dict(zip(CLUSTER_AMOUNTS, rows.select(CLUSTER_AMOUNTS).sum().row(0), strict=True))
