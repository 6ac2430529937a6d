"""Laws of warehouses' states and costs beyond those of every table: nothing is lost or gained."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from overwatch_assets.expressions.state_costs import WAREHOUSE_AMOUNTS
from overwatch_assets.presentation.calendar_days import calendar_days, per_day
from overwatch_assets.presentation.warehousestatefactdaily import VIEW
from overwatch_assets.registry import MODULES, in_load_order
from overwatch_assets_tests.laws.harness import World
from overwatch_assets_tests.laws.laws_test import made_up
from overwatch_assets_tests.laws.spark_world import DAYS

BY_TABLE = {module.table.name: module for module in MODULES}
SILVER, GOLD = (
    BY_TABLE[name] for name in ("warehouse_state_detail_silver", "warehousestatefact_gold")
)


def needed() -> set[str]:
    """Tables that the costs of warehouses are made of."""
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
    made = [World(made_up(seed), modules=modules) for seed in range(2)]
    for world in made:
        world.load(*DAYS)
    return made


def test_every_state_is_priced_once_and_takes_its_whole_time(worlds: Sequence[World]) -> None:
    columns = [*GOLD.table.keys, "unixTimeMS_state_end", "is_open", "partition_date"]
    for world in worlds:
        of_both = [world.rows(each).select(columns).sort(columns) for each in (SILVER, GOLD)]
        assert of_both[0].equals(of_both[1])
        assert of_both[0].height > 0


def test_a_warehouses_time_is_that_of_its_states(worlds: Sequence[World]) -> None:
    for world in worlds:
        shown = world.shown(SILVER, DAYS[-1]).sort("warehouse_id", "unixTimeMS_state_start", "seq")
        for _, states in shown.group_by("warehouse_id", maintain_order=True):
            for before, after in pairwise(states.iter_rows(named=True)):
                stop = before["unixTimeMS_state_end"] + 1
                assert not before["is_open"]
                if before["state"] == "PERMENANT_DELETE":
                    assert stop <= after["unixTimeMS_state_start"]
                else:
                    assert stop == after["unixTimeMS_state_start"]


def test_costs_are_known_or_have_a_reason_and_days_add_up(worlds: Sequence[World]) -> None:
    for world in worlds:
        facts = world.shown(GOLD, DAYS[-1])
        is_null = pl.col("driver_dbus").is_null() | pl.col("total_dbu_cost").is_null()
        assert facts.filter(is_null != pl.col("cost_reason").is_not_null()).is_empty()
        stopped = facts.filter(~pl.col("databricks_billable"))
        assert stopped["total_dbu_cost"].to_list() == [0.0] * stopped.height
        assert VIEW.per_day is not None
        for zone in ("UTC", "America/Los_Angeles"):
            days = calendar_days(date(2024, 3, 1), date(2024, 4, 30), ZoneInfo(zone))
            parts = per_day(facts.lazy(), days, VIEW.per_day).collect()
            for name in WAREHOUSE_AMOUNTS:
                assert parts[name].sum() == pytest.approx(facts[name].sum(), rel=1e-9)


def test_the_worlds_have_states_of_every_kind(worlds: Sequence[World]) -> None:
    facts = pl.concat([world.rows(GOLD) for world in worlds])
    assert {"TERMINATING_IMPUTED", "PERMENANT_DELETE", "NEVER_HEARD_OF"} <= set(facts["state"])
    assert facts.filter("end_imputed", "databricks_billable").height > 0
    assert facts["cost_reason"].null_count() not in (0, facts.height)
    assert (facts["total_dbu_cost"] > 0).any()
