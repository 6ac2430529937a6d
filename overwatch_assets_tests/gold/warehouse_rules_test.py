"""Faults planted in what warehouses did and cost: each turns a rule red, what is right does not."""

from collections.abc import Mapping, Sequence

import polars as pl
import pytest

from overwatch_assets.execution.records import Check
from overwatch_assets.execution.rules import RuleBroken
from overwatch_assets.gold.sql_query_history_gold import sql_query_history_gold
from overwatch_assets.gold.warehouse_gold import warehouse_gold
from overwatch_assets.gold.warehousestatefact_gold import warehousestatefact_gold
from overwatch_assets.module import LEFT_OUT
from overwatch_assets.silver.warehouse_state_detail_silver import warehouse_state_detail_silver
from overwatch_assets_tests.frames import Row, ms, table
from overwatch_assets_tests.gold.warehousestatefact_gold_test import AWS, priced, state
from overwatch_assets_tests.gold.warehousestatefact_gold_test import version as specified
from overwatch_assets_tests.ruled import Fault, checks_of, with_values
from overwatch_assets_tests.silver.cluster_days import whole_days, window
from overwatch_assets_tests.silver.warehouse_days import Told, event, load, version

MONDAY, TUESDAY = "2024-05-06", "2024-05-07"
DAY = window(ms(MONDAY), ms(TUESDAY))
HOUR = 3_600_000
EVENTS = (
    event("STARTING", f"{MONDAY} 08:00", 0),
    event("RUNNING", f"{MONDAY} 08:05", 1),
    event("STOPPING", f"{MONDAY} 10:00", 0),
    event("STARTING", f"{MONDAY} 12:00", 0, "w-2"),
)
SILVER = (
    state(seconds=1800),
    state(f"{MONDAY} 08:30", 5400, state="STOPPED", databricks_billable=False),
)


def right(rows: pl.DataFrame) -> pl.DataFrame:
    return rows


def of_states(fault: Fault = right, *later: Row, versions: Sequence[Row] = ()) -> dict[str, Check]:
    """The rules of states, on rows in which a fault was planted."""
    told = (*EVENTS, *later)
    loaded = load(Told(told, versions), whole_days(MONDAY, 1))
    ignored = pl.DataFrame(
        [("w-1", reason) for reason, n in loaded.counted[MONDAY].items() for _ in range(n)],
        schema={"warehouse_id": pl.String, LEFT_OUT: pl.String},
        orient="row",
    )
    rows = pl.concat([fault(loaded.days[MONDAY]), ignored], how="diagonal")
    inputs = {"warehouse_events_bronze": table("warehouse_events_bronze", *told)}
    return checks_of(warehouse_state_detail_silver, rows, inputs, DAY)


def test_states_are_all_of_a_warehouses_time_and_events_open_them() -> None:
    checks = of_states()
    of_time, of_events = checks["state_time_is_warehouse_time"], checks["events_open_states"]
    assert of_time.figures == {"warehouse_ms": 28 * HOUR, "states_ms": 28 * HOUR}
    assert of_events.figures == {"events": 4, "states_opened": 4, "events_ignored": 0}


def test_events_after_a_deletion_are_counted_and_the_rules_hold() -> None:
    gone = version("deleteWarehouse", f"{MONDAY} 10:30")
    checks = of_states(right, event("RUNNING", f"{MONDAY} 11:00", 1), versions=(gone,))
    figures = checks["events_open_states"].figures
    assert (figures["events"], figures["events_ignored"]) == (5, 1)


def without_row(of: str) -> Fault:
    return lambda rows: rows.filter(pl.col("state") != of)


LATER_END = {"unixTimeMS_state_end": pl.col("unixTimeMS_state_end") + 1}


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (with_values("RUNNING", **LATER_END), "state_time_is_warehouse_time"),
        (without_row("RUNNING"), "state_time_is_warehouse_time"),
        (without_row("STOPPING"), "events_open_states"),
    ],
)
def test_a_state_that_is_lost_or_too_long_is_red(fault: Fault, rule: str) -> None:
    with pytest.raises(RuleBroken, match=rf"rule {rule} is broken in 1 of 2"):
        of_states(fault)


def of_costs(
    fault: Fault = right,
    *,
    figures: Mapping[str, pl.DataFrame] = AWS,
    versions: Sequence[Row] | None = None,
) -> dict[str, Check]:
    """The rules of costs, on rows in which a fault was planted."""
    told = [specified()] if versions is None else versions
    rows = priced(SILVER, told, figures=figures).rows
    inputs = {"warehouse_state_detail_silver": table("warehouse_state_detail_silver", *SILVER)}
    return checks_of(warehousestatefact_gold, fault(rows), inputs, DAY)


def test_right_costs_keep_every_rule() -> None:
    checks = of_costs()
    assert all(each.holds for each in checks.values())
    figures = checks["costs_are_products"].figures
    assert figures["total_dbu_cost"] == pytest.approx(5.28)
    assert figures["cost_by_prices"] == pytest.approx(5.28)
    assert checks["rows_are_kept"].figures["state_ms_here"] == 2 * HOUR


FAULTS: dict[str, tuple[Fault, str]] = {
    "a state is lost": (without_row("STOPPED"), "rows_are_kept"),
    "a state is longer": (with_values("RUNNING", **LATER_END), "rows_are_kept"),
    "DBUs of one cluster": (
        with_values("RUNNING", driver_dbus=12.0, total_dbu_cost=2.64),
        "costs_are_products",
    ),
    "DBUs cost another rate": (with_values("RUNNING", dbu_rate=9.0), "costs_are_products"),
    "what is stopped costs": (with_values("STOPPED", total_dbu_cost=1.0), "costs_are_products"),
    "a state that is not billed costs": (
        with_values("RUNNING", databricks_billable=False),
        "costs_are_products",
    ),
    "less than nothing": (
        with_values("RUNNING", worker_potential_core_H=-1.0),
        "costs_are_products",
    ),
    "a known cost is null": (with_values("RUNNING", total_dbu_cost=None), "unknown_is_null"),
    "a reason without a null": (
        with_values("RUNNING", cost_reason="dbu_price_unknown"),
        "unknown_is_null",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_in_costs_turns_its_rule_red(fault: str) -> None:
    planted, rule = FAULTS[fault]
    with pytest.raises(RuleBroken) as raised:
        of_costs(planted)
    assert rule in [each.rule for each in raised.value.checks if not each.holds]


def test_a_zero_where_the_size_is_not_known_is_red_and_null_with_a_reason_is_not() -> None:
    versions = [specified(cluster_size="Gigantic")]
    warned = of_costs(versions=versions)["prices_are_known"]
    assert (warned.is_warning, warned.holds) == (True, False)
    [example] = warned.examples
    assert example.startswith("cost_reason cluster_size_unknown, cluster_size Gigantic")
    for amount in ("driver_dbus", "total_dbu_cost"):
        with pytest.raises(RuleBroken, match="rule unknown_is_null"):
            of_costs(with_values("RUNNING", **{amount: 0.0}), versions=versions)


def test_a_zero_where_the_price_is_not_known_is_red() -> None:
    unpriced = {**AWS, "dbucostdetails": AWS["dbucostdetails"].clear()}
    assert of_costs(figures=unpriced)["unknown_is_null"].holds
    with pytest.raises(RuleBroken, match="rule unknown_is_null"):
        of_costs(with_values("RUNNING", total_dbu_cost=0.0), figures=unpriced)


def test_a_version_or_a_query_that_gold_loses_is_red() -> None:
    specs = table("warehouse_spec_silver", {"warehouse_id": "w-1"}, {"warehouse_id": "w-1"})
    queries = table(
        "sql_query_history_silver",
        {"warehouse_id": "w-1", "task_total_time_ms": 5},
        {"warehouse_id": None, "task_total_time_ms": None},
    )
    for module, name, silver in (
        (warehouse_gold, "warehouse_spec_silver", specs),
        (sql_query_history_gold, "sql_query_history_silver", queries),
    ):
        rows = module(silver, window=DAY).collect()
        assert checks_of(module, rows, {name: silver}, DAY)["rows_are_kept"].holds
        with pytest.raises(RuleBroken, match="rule rows_are_kept"):
            checks_of(module, rows.head(1), {name: silver}, DAY)
