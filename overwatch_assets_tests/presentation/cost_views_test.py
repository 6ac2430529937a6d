from dataclasses import replace
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.expressions.cost_sums import SUMMED
from overwatch_assets.presentation import (
    clusteridlecostdaily,
    failedruncostdaily,
    jobruncostdaily,
    jobruncostpotentialfact,
    tagcostdaily,
    usercostdaily,
)
from overwatch_assets.presentation.calendar_days import calendar_days, per_day
from overwatch_assets.view import DerivedView, PerDay
from overwatch_assets_tests.frames import Row, declared
from overwatch_assets_tests.gold.cost_frames import (
    DAY_S,
    NOTHING,
    day,
    facts,
    run,
    state,
    stored_facts,
    stored_states,
)
from overwatch_assets_tests.presentation.engines import assert_same_rows, by_sql

MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)
VIEWS = [
    each.VIEW
    for each in (
        jobruncostdaily,
        clusteridlecostdaily,
        usercostdaily,
        tagcostdaily,
        failedruncostdaily,
    )
]

World = tuple[list[Row], list[Row]]
"""Runs and states."""

Tables = dict[str, pl.LazyFrame]


def priced(since: float, until: float, usd: float | None, **more: object) -> Row:
    """A state in which the driver's machine costs something and nothing else does."""
    return state(since, until, **{**NOTHING, "driver_compute_cost": usd, **more})


def asked(run_id: int, since: float, until: float | None, by: str, **more: object) -> Row:
    """A run that somebody asked for."""
    request = {"submissionRequest": {"submittedBy": by}}
    return run(run_id, since, until, request_detail=request, **more)


def tables(runs: list[Row], states: list[Row], number: int = 1, zone: str = "UTC") -> Tables:
    rows = facts(runs, states, window=replace(day(number), zone=zone))
    return {
        "clusterstatefact_gold": stored_states(*states),
        "jobruncostpotentialfact_gold": stored_facts(rows),
    }


def shown(view: DerivedView, made: Tables, zone: str = "UTC") -> pl.DataFrame:
    rows = view.made_of({name: made[name] for name in view.tables}, zone).collect()
    assert_same_rows(rows, by_sql(view, made, zone))
    return rows


RUNS = [
    asked(1, 0, DAY_S + 3600, "ann", terminal_state="Failed", job_id=1),
    asked(2, DAY_S, DAY_S + 7200, "bob", terminal_state="Succeeded", job_id=2),
]
STATES = [
    priced(0, DAY_S, 24.0, custom_tags='{"team":"ops"}', cluster_name="etl"),
    priced(DAY_S, DAY_S + 14400, 8.0, custom_tags='{"env":"x","team":"web"}', cluster_name="etl"),
]


def test_a_run_costs_on_each_day_what_its_states_cost_there() -> None:
    rows = shown(jobruncostdaily.VIEW, tables(RUNS, STATES))
    found = rows.sort("run_id", "date").select("run_id", "date", "total_cost", "submitted_by")
    assert found.rows() == [
        (1, MONDAY, 24.0, "ann"),
        (1, TUESDAY, 1.0, "ann"),
        (2, TUESDAY, pytest.approx(3.0), "bob"),
    ]


def test_rows_in_several_chunks_of_which_one_has_none_left_cost_the_same() -> None:
    made = tables([*RUNS, run(3, None, 5), run(4, 0, 60, cluster_id=None)], STATES)
    whole = made["jobruncostpotentialfact_gold"].collect()
    chunks = pl.concat([whole.filter(run_id=each) for each in (4, 1, 3, 2)], rechunk=False).lazy()
    is_shown = pl.col("run_id") != 4
    split = {**made, "jobruncostpotentialfact_gold": chunks.filter(is_shown)}
    expected = shown(jobruncostdaily.VIEW, made).filter(is_shown).sort("run_id", "date")
    assert shown(jobruncostdaily.VIEW, split).sort("run_id", "date").equals(expected)


BERLIN = "Europe/Berlin"
"""Two hours before UTC on that Monday."""


def test_days_are_those_of_the_configured_time_zone() -> None:
    runs, states = [asked(1, 20 * 3600, DAY_S, "ann")], [priced(20 * 3600, DAY_S, 4.0)]
    made = tables(runs, states, zone=BERLIN)
    for view, amount in (
        (jobruncostdaily.VIEW, "total_cost"),
        (clusteridlecostdaily.VIEW, "run_cost"),
        (usercostdaily.VIEW, "total_cost"),
        (tagcostdaily.VIEW, "total_cost"),
    ):
        rows = shown(view, made, BERLIN).filter(pl.col(amount) != 0).group_by("date")
        by_day = rows.agg(pl.col(amount).max()).sort("date").rows()
        assert by_day == [(MONDAY, 2.0), (TUESDAY, 2.0)], view.name


def test_a_run_touches_the_day_of_its_start_and_none_that_begins_with_its_end() -> None:
    runs = [asked(1, DAY_S - 60, DAY_S, "ann"), asked(2, DAY_S, DAY_S, "ann")]
    rows = shown(jobruncostdaily.VIEW, tables(runs, STATES))
    assert rows.sort("run_id").select("run_id", "date").rows() == [(1, MONDAY), (2, TUESDAY)]


def test_no_day_is_touched_that_the_zone_does_not_count() -> None:
    made = tables([asked(1, 22.5 * 3600, 23 * 3600, "ann")], [priced(0, DAY_S, 24.0)], zone=BERLIN)
    rows = shown(jobruncostdaily.VIEW, made, BERLIN)
    assert rows.select("date", "total_cost", "cost_reason").rows() == [(TUESDAY, 0.5, None)]


@pytest.mark.parametrize("zone", ["UTC", BERLIN, "America/Santiago"])
def test_clusters_cost_by_day_what_their_states_do(zone: str) -> None:
    spans = [(0.0, 5 * 3600), (5 * 3600, 3.3 * DAY_S), (3.3 * DAY_S, 200 * DAY_S)]
    states = [priced(since, until, until - since) for since, until in spans]
    made = tables([], states, zone=zone)
    spread = PerDay("unixTimeMS_state_start", "unixTimeMS_state_end", ("driver_compute_cost",))
    days = calendar_days(date(2024, 5, 4), date(2024, 11, 30), ZoneInfo(zone))
    of_states = per_day(made["clusterstatefact_gold"], days, spread).group_by("date")
    expected = dict(of_states.agg(pl.col("driver_compute_cost").sum()).collect().iter_rows())
    found = dict(shown(clusteridlecostdaily.VIEW, made, zone).select("date", "total_cost").rows())
    assert found == pytest.approx(expected)
    assert sum(found.values()) == pytest.approx(200 * DAY_S)


def test_what_a_run_bears_of_its_clusters_start_lies_on_the_day_of_the_start() -> None:
    start = {**priced(DAY_S - 60, DAY_S + 60, 2.0), "state": "STARTING"}
    rows = shown(jobruncostdaily.VIEW, tables([run(1, DAY_S + 30, DAY_S + 60)], [start]))
    assert rows.sort("date").select("date", "total_cost").rows() == [(MONDAY, 1.0), (TUESDAY, 1.0)]


def test_a_day_of_a_run_without_a_known_state_has_a_row_that_says_so() -> None:
    runs = [run(1, DAY_S - 60, DAY_S + 60), run(2, DAY_S, DAY_S + 60, cluster_id=None)]
    rows = shown(jobruncostdaily.VIEW, tables(runs, [priced(DAY_S, DAY_S + 60, 2.0)]))
    found = rows.sort("run_id", "date").select("run_id", "date", "total_cost", "cost_reason")
    assert found.rows() == [
        (1, MONDAY, None, "no_cluster_states"),
        (1, TUESDAY, 2.0, None),
        (2, TUESDAY, None, "no_cluster"),
    ]


def test_a_run_that_never_started_touches_no_day() -> None:
    assert shown(jobruncostdaily.VIEW, tables([run(1, None, 5)], STATES)).is_empty()


def test_idle_is_what_the_runs_of_a_cluster_leave_of_its_day() -> None:
    rows = shown(clusteridlecostdaily.VIEW, tables(RUNS, STATES)).sort("date")
    found = rows.select("date", "cluster_name", "total_cost", "run_cost", "idle_cost").rows()
    assert found == [
        (MONDAY, "etl", 24.0, 24.0, 0.0),
        (TUESDAY, "etl", 8.0, pytest.approx(4.0), pytest.approx(4.0)),
    ]


def test_a_cluster_without_runs_is_idle_all_the_time() -> None:
    rows = shown(clusteridlecostdaily.VIEW, tables([], [state(0, 1800)], 0))
    found = rows.select("total_cost", "run_cost", "idle_cost", "idle_compute_cost").row(0)
    assert found == pytest.approx((1.5825, 0.0, 1.5825, 0.345))
    assert rows.select("idle_dbus", "idle_dbu_cost").row(0) == pytest.approx((2.25, 1.2375))


def test_runs_that_bear_more_than_their_cluster_cost_show_as_idle_below_zero() -> None:
    made = tables(RUNS, STATES)
    doubled = pl.col("daily_costs").list.eval(
        pl.struct(
            pl.element().struct.field("date"),
            *(pl.element().struct.field(name) * 2 for name in SUMMED),
            pl.element().struct.field("shared_worker_potential_core_H", "cost_reason"),
        )
    )
    made["jobruncostpotentialfact_gold"] = made["jobruncostpotentialfact_gold"].with_columns(
        doubled.alias("daily_costs")
    )
    rows = shown(clusteridlecostdaily.VIEW, made).sort("date")
    assert rows["idle_cost"].to_list() == [-24.0, pytest.approx(0.0)]


def test_a_day_of_a_cluster_with_an_unknown_part_is_unknown_and_says_why() -> None:
    states = [*STATES, priced(DAY_S + 14400, DAY_S + 15000, None, cost_reason="no price")]
    rows = shown(clusteridlecostdaily.VIEW, tables(RUNS, states)).sort("date")
    assert rows["idle_cost"].to_list() == [0.0, None]
    assert rows["cost_reason"].to_list() == [None, "no price"]


def test_states_of_a_millisecond_count_and_states_of_no_length_do_not() -> None:
    states = [priced(0, 100, 1.0), priced(100, 100, 0.0), priced(100, 100.001, 2.0)]
    rows = shown(clusteridlecostdaily.VIEW, tables([], states, 0))
    assert rows.select("total_cost", "is_open").rows() == [(3.0, False)]


def test_a_run_that_met_no_state_on_the_day_leaves_the_others_known() -> None:
    runs = [run(1, DAY_S, DAY_S + 60), run(2, DAY_S + 100, DAY_S + 200)]
    rows = shown(clusteridlecostdaily.VIEW, tables(runs, [priced(DAY_S, DAY_S + 60, 2.0)]))
    assert rows.select("run_cost", "idle_cost").rows() == [(2.0, 0.0)]


def test_a_cluster_that_was_renamed_has_one_row_a_day() -> None:
    states = [priced(0, 60, 1.0, cluster_name="a"), priced(60, 120, 1.0, cluster_name="b")]
    rows = shown(clusteridlecostdaily.VIEW, tables([], states, 0))
    assert rows.select("cluster_name", "total_cost").rows() == [("b", 2.0)]


def test_every_row_that_lacks_something_is_counted() -> None:
    states = [
        priced(0, 60, 1.0),
        priced(60, 120, None),
        priced(120, 180, 3.0, total_dbus=None),
        priced(180, 240, 4.0, is_open=True),
    ]
    rows = shown(tagcostdaily.VIEW, {"clusterstatefact_gold": stored_states(*states)})
    found = rows.select("unknown_rows", "driver_compute_cost", "total_dbus", "is_open")
    assert found.rows() == [(2, 8.0, 0.0, True)]
    assert rows["cost_reason"].to_list() == ["unknown_cost"]


def test_an_open_state_or_run_makes_a_day_provisional() -> None:
    states = [priced(0, 100, 1.0), priced(DAY_S, 2 * DAY_S, 1.0, is_open=True)]
    rows = shown(clusteridlecostdaily.VIEW, tables([run(1, 50, None)], states)).sort("date")
    assert rows["is_open"].to_list() == [True, True]
    rows = shown(clusteridlecostdaily.VIEW, tables([run(1, 50, 90)], states)).sort("date")
    assert rows["is_open"].to_list() == [False, True]


def test_users_bear_what_they_asked_for_and_nobody_bears_the_rest() -> None:
    rows = shown(usercostdaily.VIEW, tables(RUNS, STATES))
    found = rows.sort("date", "submitted_by", nulls_last=True)
    assert found.select("date", "submitted_by", "spent_on", "total_cost").rows() == [
        (MONDAY, "ann", "job_runs", 24.0),
        (MONDAY, None, "idle", 0.0),
        (TUESDAY, "ann", "job_runs", 1.0),
        (TUESDAY, "bob", "job_runs", pytest.approx(3.0)),
        (TUESDAY, None, "idle", pytest.approx(4.0)),
    ]


def test_a_users_runs_of_unknown_cost_are_counted_beside_those_that_are_known() -> None:
    runs = [*RUNS, asked(3, DAY_S, DAY_S + 60, "bob", cluster_type="sqlWarehouse")]
    rows = shown(usercostdaily.VIEW, tables(runs, STATES)).filter(pl.col("submitted_by") == "bob")
    assert rows.select("total_cost", "unknown_rows", "cost_reason").rows() == [
        (pytest.approx(3.0), 1, "sql_warehouse")
    ]


def test_a_user_of_whose_runs_nothing_is_known_has_no_cost_and_not_none_of_it() -> None:
    runs = [asked(3, DAY_S, DAY_S + 60, "bob", cluster_type="sqlWarehouse")]
    rows = shown(usercostdaily.VIEW, tables(runs, []))
    assert rows.select("total_cost", "total_dbus", "unknown_rows").rows() == [(None, None, 1)]


def test_a_run_nobody_asked_for_is_that_of_whom_it_runs_as_or_of_who_made_the_job() -> None:
    people = {"run_as_user_name": "robot", "created_by": "ann"}
    runs = [run(1, 0, 60, **people), run(2, 0, 60, created_by="ann")]
    assert facts(runs, [])["submitted_by"].to_list() == ["robot", "ann"]


def test_each_tag_shares_out_the_whole_cost_with_a_row_for_clusters_without_it() -> None:
    rows = shown(tagcostdaily.VIEW, tables(RUNS, STATES)).sort("tag_key", "date")
    assert rows.select("tag_key", "date", "tag_value", "total_cost").rows() == [
        ("env", MONDAY, None, 24.0),
        ("env", TUESDAY, "x", 8.0),
        ("team", MONDAY, "ops", 24.0),
        ("team", TUESDAY, "web", 8.0),
    ]


def test_tags_of_one_workspace_are_no_tags_of_another() -> None:
    other = {**STATES[1], "organization_id": "2"}
    made = {"clusterstatefact_gold": stored_states(STATES[0], other)}
    found = shown(tagcostdaily.VIEW, made).select("organization_id", "tag_key").sort(pl.all())
    assert found.rows() == [("1", "team"), ("2", "env"), ("2", "team")]


def test_runs_that_failed_are_told_by_job_and_day() -> None:
    runs = [
        *RUNS,
        asked(3, DAY_S, DAY_S + 60, "bob", cluster_id=None, terminal_state="Failed", job_id=1),
        asked(4, DAY_S, None, "bob", cluster_id=None),
        asked(5, DAY_S, DAY_S + 1, "bob", cluster_id=None),
    ]
    rows = shown(failedruncostdaily.VIEW, tables(runs, STATES)).sort("date", "terminal_state")
    found = rows.select("date", "job_id", "terminal_state", "runs", "total_cost", "unknown_rows")
    assert found.rows() == [
        (MONDAY, 1, "Failed", 1, 24.0, 0),
        (TUESDAY, 10, None, 1, None, 1),
        (TUESDAY, 1, "Failed", 2, 1.0, 1),
    ]


def test_workspaces_with_the_same_cluster_and_run_ids_stay_apart() -> None:
    one, other = tables(RUNS, STATES), tables(RUNS, STATES)
    both = {
        name: pl.concat(
            [rows, other[name].with_columns(organization_id=pl.lit("2"))], how="vertical"
        )
        for name, rows in one.items()
    }
    for view in VIEWS:
        alone = shown(view, one)
        together = shown(view, both).filter(pl.col("organization_id") == "2")
        columns = [name for name in alone.columns if name != "organization_id"]
        assert together.select(columns).sort(pl.all()).equals(alone.select(columns).sort(pl.all()))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_the_declared_columns_come_out_of_no_rows_at_all(view: DerivedView) -> None:
    rows = shown(view, tables([], []))
    assert dict(rows.schema) == {column.name: column.dtype for column in view.columns}
    assert [column.name for column in view.columns if not column.doc.endswith(".")] == []
    assert view.doc


def test_the_fact_is_shown_with_every_column_but_the_hidden_ones() -> None:
    view = jobruncostpotentialfact.VIEW
    shown_columns = [column.name for column in declared(view.table).columns]
    hidden = {"openRun", "daily_costs"}
    assert view.columns == (
        "organization_id",
        "workspace_name",
        *(name for name in shown_columns if name not in hidden),
    )


HOURS = st.integers(0, 47).map(lambda hour: hour * 3600.0)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Runs of some users on two clusters, and the clusters' states over two days."""
    runs: list[Row] = []
    states: list[Row] = []
    for cluster in ("a", "b"):
        cuts = sorted({0.0, 2.0 * DAY_S, *draw(st.lists(HOURS, max_size=4))})
        for since, until in pairwise(cuts):
            told = {
                "custom_tags": draw(
                    st.sampled_from([None, "{}", '{"t":"1"}', '{"t":"2","u":"3"}'])
                ),
                "driver_compute_cost": draw(st.floats(0, 9)),
                "worker_dbu_cost": draw(st.floats(0, 9)),
            }
            name = draw(st.sampled_from(["STARTING", "RUNNING"]))
            states.append(state(since, until, name, **{**NOTHING, **told, "cluster_id": cluster}))
        for since, hours in draw(st.lists(st.tuples(HOURS, st.integers(1, 20)), max_size=4)):
            user = draw(st.sampled_from(["ann", "bob"]))
            until = min(since + hours * 3600, 2.0 * DAY_S)
            runs.append(asked(len(runs), since, until, user, cluster_id=cluster))
    return runs, states


@settings(max_examples=10, deadline=None)
@given(worlds())
def test_every_cut_of_the_cost_sums_to_the_same_total(world: World) -> None:
    runs, states = world
    made = tables(runs, states)
    whole = sum(
        float(str(each["driver_compute_cost"])) + float(str(each["worker_dbu_cost"]))
        for each in states
    )
    idle = shown(clusteridlecostdaily.VIEW, made)
    of_runs = shown(jobruncostdaily.VIEW, made)["total_cost"].sum()
    tags = shown(tagcostdaily.VIEW, made).group_by("tag_key").agg(pl.col("total_cost").sum())
    near = pytest.approx(whole, rel=1e-9, abs=1e-9)
    assert idle["total_cost"].sum() == near
    assert float(idle["idle_cost"].sum()) + float(of_runs) == near
    assert idle["run_cost"].sum() == pytest.approx(of_runs, rel=1e-9, abs=1e-9)
    assert shown(usercostdaily.VIEW, made)["total_cost"].sum() == near
    assert tags["total_cost"].to_list() == [near] * tags.height
    assert idle.filter(pl.col("idle_cost") < -1e-9).is_empty()
