from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.presentation import (
    sqlquerycostdaily,
    sqlusercostdaily,
    warehouseidlecostdaily,
)
from overwatch_assets.view import DerivedView
from overwatch_assets_tests.frames import Row, ms, table
from overwatch_assets_tests.presentation.engines import assert_same_rows, by_sql

MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)
BEGIN = ms("2024-05-06")
MINUTE, HOUR, DAY_MS = 60_000, 3_600_000, 86_400_000
BERLIN = "Europe/Berlin"
"""Two hours before UTC on that Monday."""

Tables = dict[str, pl.LazyFrame]


def at(hours: float) -> int:
    """Epoch ms of an hour of the Monday."""
    return BEGIN + round(hours * HOUR)


def state(since: float, until: float, usd: float | None = 0.0, **more: object) -> Row:
    """A state between two hours of the Monday; its end is stored a millisecond early."""
    is_open = bool(more.get("is_open"))
    return {
        "organization_id": "1",
        "workspace_name": "prod",
        "warehouse_id": "w-1",
        "warehouse_name": "bi",
        "state": "RUNNING",
        "unixTimeMS_state_start": at(since),
        "unixTimeMS_state_end": at(until) - (not is_open),
        "driver_dbus": None if usd is None else 10 * usd,
        "total_dbu_cost": usd,
        "cost_reason": "cluster_size_unknown" if usd is None else None,
        "is_open": is_open,
        **more,
    }


def query(
    number: int, since: float | None, until: float | None, user: str = "ann", **more: object
) -> Row:
    """A query that was executed between two hours; received half an hour before."""
    begin = None if since is None else at(since)
    return {
        "organization_id": "1",
        "workspace_name": "prod",
        "warehouse_id": "w-1",
        "query_id": f"q-{number}",
        "query_start_time_ms": at(12) if begin is None else begin - 30 * MINUTE,
        "query_compilation_start_timestamp": begin,
        "execution_end_time_ms": None if until is None else at(until),
        "query_end_time_ms": None if until is None else at(until) + 5 * MINUTE,
        "user_name": user,
        "status": "RUNNING" if until is None else "FINISHED",
        "task_total_time_ms": None if until is None else 2 * HOUR,
        "is_open": until is None,
        "end_reason": None if until is None else "event",
        "partition_date": MONDAY,
        **more,
    }


def tables(queries: Sequence[Row], states: Sequence[Row]) -> Tables:
    return {
        "sql_query_history_gold": table("sql_query_history_gold", *queries),
        "warehousestatefact_gold": table("warehousestatefact_gold", *states),
    }


def shown(view: DerivedView, made: Tables, zone: str = "UTC") -> pl.DataFrame:
    rows = view.made_of(made, zone).collect()
    assert_same_rows(rows, by_sql(view, made, zone))
    return rows


def of_queries(
    queries: Sequence[Row], states: Sequence[Row], *columns: str, zone: str = "UTC"
) -> list[tuple[object, ...]]:
    rows = shown(sqlquerycostdaily.VIEW, tables(queries, states), zone)
    return rows.sort("query_id", "date").select("query_id", "date", *columns).rows()


def test_queries_share_each_moment_evenly_and_the_rest_is_idle() -> None:
    """The worked example: 12 USD for four hours, two queries that overlap for one hour."""
    queries = [query(1, 8, 10), query(2, 9, 11, "bob")]
    states = [state(8, 12, 12.0)]
    assert of_queries(queries, states, "total_dbu_cost", "total_dbus", "cost_reason") == [
        ("q-1", MONDAY, pytest.approx(4.5), pytest.approx(45.0), None),
        ("q-2", MONDAY, pytest.approx(4.5), pytest.approx(45.0), None),
    ]
    [row] = shown(warehouseidlecostdaily.VIEW, tables(queries, states)).to_dicts()
    figures = ("total_cost", "query_cost", "idle_cost", "total_dbus", "query_dbus", "idle_dbus")
    assert [row[name] for name in figures] == pytest.approx([12.0, 9.0, 3.0, 120.0, 90.0, 30.0])
    assert (row["warehouse_name"], row["is_open"], row["cost_reason"]) == ("bi", False, None)


def test_users_cost_what_their_queries_do_and_idle_has_a_row_of_its_own() -> None:
    queries = [query(1, 8, 10), query(2, 9, 11, "bob"), query(3, 11, 12, "bob")]
    rows = shown(sqlusercostdaily.VIEW, tables(queries, [state(8, 14, 18.0)]))
    columns = ("user_name", "spent_on", "queries", "busy_S", "core_hours", "total_dbu_cost")
    found = rows.sort("user_name", nulls_last=True).select(columns).rows()
    assert found == [
        ("ann", "queries", 1, 7200.0, 2.0, pytest.approx(4.5)),
        ("bob", "queries", 2, 10800.0, 4.0, pytest.approx(7.5)),
        (None, "idle", 0, 0.0, 0.0, pytest.approx(6.0)),
    ]
    assert rows["unknown_rows"].to_list() == [0, 0, 0]


def test_waiting_and_fetching_the_result_bear_nothing() -> None:
    """Received at 7:30, taken at 8, over at 9, fetched at 9:05."""
    states = [state(7, 8, 1.0), state(8, 9, 2.0), state(9, 10, 4.0)]
    assert of_queries([query(1, 8, 9)], states, "total_dbu_cost", "busy_S") == [
        ("q-1", MONDAY, pytest.approx(2.0), 3600.0)
    ]


@pytest.mark.parametrize("what", ["overloading", "provisioning"])
def test_a_query_that_no_cluster_took_costs_nothing_on_the_day_it_was_received(what: str) -> None:
    waited: dict[str, Any] = {f"{what}_queue_start_timestamp": at(12), "task_total_time_ms": None}
    given = query(1, None, 13, status="CANCELED", **waited)
    columns = ("total_dbu_cost", "busy_S", "core_hours", "cost_reason", "has_started")
    assert of_queries([given], [state(8, 14, 6.0)], *columns) == [
        ("q-1", MONDAY, 0.0, 0.0, None, None, True)
    ]


def test_where_the_time_it_was_taken_is_not_told_a_query_counts_from_its_start() -> None:
    given = query(1, None, 13)
    assert of_queries([given], [state(8, 14, 6.0)], "total_dbu_cost") == [
        ("q-1", MONDAY, pytest.approx(1.0))
    ]


def test_a_query_that_took_no_time_costs_nothing_and_did_its_work_when_it_was_received() -> None:
    columns = ("total_dbu_cost", "busy_S", "core_hours", "cost_reason")
    assert of_queries([query(1, 8, 8)], [state(6, 14, 8.0)], *columns) == [
        ("q-1", MONDAY, 0.0, 0.0, 2.0, None)
    ]


def test_a_failed_query_counts_up_to_the_end_that_is_told() -> None:
    given = query(1, 8, 9, status="FAILED", execution_end_time_ms=None)
    [(_, _, usd)] = of_queries([given], [state(8, 14, 6.0)], "total_dbu_cost")
    assert usd == pytest.approx(1 + 5 / 60)


def test_a_query_over_midnight_has_a_row_a_day_of_the_configured_zone() -> None:
    queries, states = [query(1, 20, 26, partition_date=TUESDAY)], [state(19, 27, 8.0)]
    columns = ("total_dbu_cost", "busy_S", "core_hours", "has_started")
    assert of_queries(queries, states, *columns) == [
        ("q-1", MONDAY, pytest.approx(4.0), 14_400.0, pytest.approx(4 / 3), True),
        ("q-1", TUESDAY, pytest.approx(2.0), 7_200.0, pytest.approx(2 / 3), False),
    ]
    assert of_queries(queries, states, "total_dbu_cost", zone=BERLIN) == [
        ("q-1", MONDAY, pytest.approx(2.0)),
        ("q-1", TUESDAY, pytest.approx(4.0)),
    ]
    by_day = shown(warehouseidlecostdaily.VIEW, tables(queries, states)).sort("date")
    assert by_day.select("date", "total_cost", "idle_cost").rows() == [
        (MONDAY, pytest.approx(5.0), pytest.approx(1.0)),
        (TUESDAY, pytest.approx(3.0), pytest.approx(1.0)),
    ]
    assert shown(sqlusercostdaily.VIEW, tables(queries, states))["queries"].sum() == 1


def test_a_query_that_waits_over_midnight_is_counted_on_the_day_it_was_received() -> None:
    queries = [query(1, 24.25, 25.25, partition_date=TUESDAY)]
    columns = ("total_dbu_cost", "busy_S", "core_hours", "has_started")
    assert of_queries(queries, [state(20, 28, 8.0)], *columns) == [
        ("q-1", MONDAY, 0.0, 0.0, 0.0, True),
        ("q-1", TUESDAY, pytest.approx(1.0), 3600.0, 2.0, False),
    ]


def test_a_running_query_bears_what_is_known_up_to_the_end_of_the_day() -> None:
    given = query(1, None, None)
    columns = ("total_dbu_cost", "core_hours", "is_open")
    assert of_queries([given], [state(10, 24, 14.0, is_open=True)], *columns) == [
        ("q-1", MONDAY, pytest.approx(12.0), None, True)
    ]


def test_a_running_query_that_waits_still_bears_nothing() -> None:
    given = query(1, None, None, overloading_queue_start_timestamp=at(12))
    columns = ("total_dbu_cost", "cost_reason", "is_open")
    assert of_queries([given], [state(10, 24, 14.0, is_open=True)], *columns) == [
        ("q-1", MONDAY, 0.0, None, True)
    ]


def test_a_query_whose_warehouse_has_no_known_state_has_no_cost_and_says_so() -> None:
    of_other = [state(8, 12, 3.0, warehouse_id="w-2"), state(8, 12, 3.0, organization_id="2")]
    columns = ("total_dbu_cost", "cost_reason", "busy_S")
    expected = [("q-1", MONDAY, None, "no_warehouse_states", 3600.0)]
    for states in ([], of_other, [state(1, 2, 3.0)]):
        assert of_queries([query(1, 8, 9)], states, *columns) == expected


def test_a_query_without_a_warehouse_has_no_cost() -> None:
    given = query(1, 8, 9, warehouse_id=None)
    assert of_queries([given], [state(8, 12, 3.0)], "cost_reason") == [
        ("q-1", MONDAY, "no_warehouse_states")
    ]


def test_a_query_that_vanished_has_no_cost_and_says_so() -> None:
    given = query(1, None, None, is_open=False, end_reason="vanished")
    columns = ("total_dbu_cost", "cost_reason")
    assert of_queries([given], [state(8, 24, 3.0)], *columns) == [
        ("q-1", MONDAY, None, "end_unknown")
    ]


def test_an_unknown_state_makes_what_it_is_in_unknown_and_nothing_else() -> None:
    queries = [query(1, 8, 9), query(2, 10, 11), query(3, 8.5, 10.5, "bob")]
    states = [state(8, 10, 6.0), state(10, 12, None)]
    made = tables(queries, states)
    reason = "cluster_size_unknown"
    assert of_queries(queries, states, "total_dbu_cost", "cost_reason") == [
        ("q-1", MONDAY, pytest.approx(2.25), None),
        ("q-2", MONDAY, None, reason),
        ("q-3", MONDAY, None, reason),
    ]
    [idle] = shown(warehouseidlecostdaily.VIEW, made).to_dicts()
    assert (idle["total_cost"], idle["idle_cost"], idle["cost_reason"]) == (None, None, reason)
    users = shown(sqlusercostdaily.VIEW, made).sort("user_name", nulls_last=True)
    shown_columns = ("user_name", "total_dbu_cost", "unknown_rows", "cost_reason")
    assert users.select(shown_columns).rows() == [
        ("ann", pytest.approx(2.25), 1, reason),
        ("bob", None, 1, reason),
        (None, None, 1, reason),
    ]


def test_a_day_may_change_while_a_state_or_a_query_of_it_is_open() -> None:
    running = query(1, None, None)
    for queries, states, is_open in (
        ([query(1, 8, 9)], [state(8, 12, 1.0)], False),
        ([query(1, 8, 9)], [state(8, 24, 1.0, is_open=True)], True),
        ([query(1, 8, 9)], [state(8, 12, 1.0), state(12, 24, 1.0, is_open=True)], True),
        ([running], [state(8, 12, 1.0), state(12, 13, 1.0)], True),
        ([running, query(2, 8, 9)], [state(8, 13, 1.0)], True),
    ):
        [row] = shown(warehouseidlecostdaily.VIEW, tables(queries, states)).to_dicts()
        assert row["is_open"] is is_open


def test_many_kinds_of_days_in_one_frame() -> None:
    """A warehouse that nobody uses, one of two names, a state without length, a lost price."""
    states = [
        state(8, 9, 2.0, warehouse_id="unused"),
        state(8, 9, 1.0, warehouse_id="renamed", warehouse_name="a"),
        state(9, 9, 0.0, warehouse_id="renamed", warehouse_name="a"),
        state(9, 10, 1.0, warehouse_id="renamed", warehouse_name="b"),
        state(10, 24, 4.0, warehouse_id="renamed", warehouse_name="a", is_open=True),
        state(8, 9, warehouse_id="unpriced", total_dbu_cost=None, driver_dbus=5.0),
    ]
    queries = [
        query(1, 8.5, 9.5, warehouse_id="renamed"),
        query(2, None, None, warehouse_id="renamed", query_start_time_ms=at(23)),
        query(3, 8, 9, warehouse_id="unpriced"),
        query(4, 8, 9, warehouse_id="unpriced", total_time_ms=1),
    ]
    rows = shown(warehouseidlecostdaily.VIEW, tables(queries, states)).sort("warehouse_id")
    columns = ("warehouse_id", "warehouse_name", "total_cost", "query_cost", "idle_dbus", "is_open")
    assert rows.select(columns).rows() == [
        (
            "renamed",
            "b",
            pytest.approx(6.0),
            pytest.approx(1 + 4 / 14),
            pytest.approx(47.142857142857146),
            True,
        ),
        ("unpriced", "bi", None, None, pytest.approx(0.0), False),
        ("unused", "bi", 2.0, 0.0, 20.0, False),
    ]
    assert rows["cost_reason"].to_list() == [None, "unknown_cost", None]
    per_query = of_queries(queries, states, "total_dbus", "total_dbu_cost", "cost_reason")
    assert per_query[2:] == [
        ("q-3", MONDAY, 2.5, None, "unknown_cost"),
        ("q-4", MONDAY, 2.5, None, "unknown_cost"),
    ]


def test_what_a_query_did_that_no_cluster_took_counts_on_the_day_it_was_received() -> None:
    given = query(1, None, 13, overloading_queue_start_timestamp=at(12))
    assert of_queries([given], [state(8, 14, 6.0)], "core_hours", "total_dbu_cost") == [
        ("q-1", MONDAY, 2.0, 0.0)
    ]


hours = st.integers(0, 40).map(lambda quarter: 10 + quarter / 2)
spans = st.tuples(hours, st.integers(1, 12)).map(lambda each: (each[0], each[0] + each[1] / 4))


@st.composite
def lives(draw: st.DrawFn) -> list[Row]:
    """States that follow each other, with costs of all kinds."""
    cuts = sorted(draw(st.sets(hours, min_size=2, max_size=6)))
    usd, names = st.sampled_from([0.0, 1.0, 7.3]), st.sampled_from(["RUNNING", "STARTING"])
    return [state(since, until, draw(usd), state=draw(names)) for since, until in pairwise(cuts)]


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(spans, st.sampled_from(["ann", "bob", None])), max_size=6),
    lives(),
    st.sampled_from(["UTC", BERLIN, "America/Los_Angeles"]),
)
def test_what_queries_bear_and_what_is_idle_is_what_the_states_cost(
    asked: list[tuple[tuple[float, float], str | None]], states: list[Row], zone: str
) -> None:
    queries = [query(n, *span, user_name=user) for n, (span, user) in enumerate(asked)]
    made = tables(queries, states)
    whole = pytest.approx(sum(float(str(each["total_dbu_cost"])) for each in states), abs=1e-9)
    idle, users = shown(warehouseidlecostdaily.VIEW, made, zone), shown(sqlusercostdaily.VIEW, made)
    per_query = shown(sqlquerycostdaily.VIEW, made, zone)
    assert idle["total_cost"].sum() == whole
    assert float(idle["query_cost"].sum()) + float(idle["idle_cost"].sum()) == whole
    assert float(per_query["total_dbu_cost"].sum()) + float(idle["idle_cost"].sum()) == whole
    assert users["total_dbu_cost"].sum() == whole
    assert idle.filter(pl.col("idle_cost") < -1e-12).is_empty()
    assert users["queries"].sum() == len(queries)
    busy = sum(until - since for (since, until), _ in asked) * 3600
    assert per_query["busy_S"].sum() == pytest.approx(busy)
    assert per_query["core_hours"].sum() == pytest.approx(2 * len(queries))


@pytest.mark.parametrize(
    "view", [sqlquerycostdaily.VIEW, sqlusercostdaily.VIEW, warehouseidlecostdaily.VIEW]
)
def test_the_views_show_the_declared_types_of_nothing_and_of_something(view: DerivedView) -> None:
    declared = {column.name: column.dtype for column in view.columns}
    for made in (tables([], []), tables([query(1, 8, 9)], [state(8, 10, 1.0)])):
        assert shown(view, made).schema == pl.Schema(declared)
