"""However the cost of clusters is cut, by whatever day, zone, owner or tag, it is the same cost;
and work within other work counts once.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from overwatch_assets.gold.jobrun_gold import jobrun_gold
from overwatch_assets.presentation import (
    clusteridlecostdaily,
    jobruncostdaily,
    tagcostdaily,
    usercostdaily,
)
from overwatch_assets_tests.frames import Row, table
from overwatch_assets_tests.gold.cost_frames import (
    DAY_S,
    MONDAY,
    NOTHING,
    day,
    facts,
    run,
    state,
    stored_facts,
    stored_states,
)
from overwatch_assets_tests.presentation.cost_views_test import Tables, asked, shown

World = tuple[list[Row], list[Row]]

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
)
"""Whole hours, half hours, and clocks put back and forward by one hour or half an hour."""


def first_second(of: date) -> float:
    """A day as `cost_frames` counts seconds."""
    return (datetime(of.year, of.month, of.day, tzinfo=UTC) - MONDAY).total_seconds()


BEGIN = (
    0.0,
    first_second(date(2024, 9, 7)),
    first_second(date(2024, 10, 5)),
    first_second(date(2024, 10, 26)),
    first_second(date(2024, 11, 2)),
    first_second(date(2025, 3, 30)),
)
"""Days before clocks are changed somewhere, and one before they are not."""

MINUTES = st.integers(0, 3 * 24 * 60).map(lambda minute: minute * 60.0)
SPAN = 3.0 * DAY_S


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Runs of some users on two clusters, with states that cost, over three days."""
    begin = draw(st.sampled_from(BEGIN))
    runs: list[Row] = []
    states: list[Row] = []
    for cluster in ("a", "b"):
        cuts = sorted({0.0, SPAN, *draw(st.lists(MINUTES, max_size=3))})
        for since, until in pairwise(cuts):
            told = {
                "custom_tags": draw(st.sampled_from([None, '{"t":"1"}', '{"t":"2","u":"3"}'])),
                "driver_compute_cost": draw(st.floats(0, 9)),
                "worker_dbu_cost": draw(st.floats(0, 9)),
                "total_dbus": draw(st.floats(0, 9)),
            }
            name = draw(st.sampled_from(["STARTING", "RUNNING"]))
            states.append(
                state(
                    begin + since, begin + until, name, **{**NOTHING, **told, "cluster_id": cluster}
                )
            )
        for since, minutes in draw(st.lists(st.tuples(MINUTES, st.integers(1, 2000)), max_size=4)):
            until = min(since + minutes * 60, SPAN)
            user = draw(st.sampled_from(["ann", "bob"]))
            job = draw(st.integers(1, 2))
            runs.append(
                asked(len(runs), begin + since, begin + until, user, cluster_id=cluster, job_id=job)
            )
    return runs, states


def stored(runs: Sequence[Row], states: Sequence[Row], zone: str = "UTC") -> Tables:
    made = facts(runs, states, window=replace(day(400), zone=zone))
    return {
        "clusterstatefact_gold": stored_states(*states),
        "jobruncostpotentialfact_gold": stored_facts(made),
    }


def whole(states: Sequence[Row]) -> float:
    return sum(float(str(each["driver_compute_cost"])) for each in states) + sum(
        float(str(each["worker_dbu_cost"])) for each in states
    )


def near(usd: float) -> object:
    return pytest.approx(usd, rel=1e-9, abs=1e-9)


def sums(rows: pl.DataFrame, *by: pl.Expr | str) -> float:
    """The total over groups, each added up for itself."""
    return float(rows.group_by(*by).agg(pl.col("total_cost").sum())["total_cost"].sum())


WEEK, MONTH = pl.col("date").dt.truncate("1w"), pl.col("date").dt.truncate("1mo")


@settings(max_examples=12, deadline=None)
@given(worlds(), st.sampled_from(ZONES))
def test_days_weeks_months_owners_and_tags_add_up_to_what_the_clusters_cost_in_any_zone(
    world: World, zone: str
) -> None:
    runs, states = world
    made = stored(runs, states, zone)
    total = near(whole(states))
    users = shown(usercostdaily.VIEW, made, zone)
    clusters = shown(clusteridlecostdaily.VIEW, made, zone)
    tags = shown(tagcostdaily.VIEW, made, zone)
    for cut in (pl.col("date"), WEEK, MONTH, pl.col("submitted_by"), pl.col("spent_on")):
        assert sums(users, cut) == total
    for cut in (pl.col("date"), WEEK, MONTH, pl.col("cluster_id")):
        assert sums(clusters, cut) == total
    for (tag,) in tags.select("tag_key").unique().iter_rows():
        of_tag = tags.filter(pl.col("tag_key") == tag)
        for cut in (pl.col("date"), WEEK, MONTH, pl.col("tag_value")):
            assert sums(of_tag, cut) == total


@settings(max_examples=8, deadline=None)
@given(worlds(), st.sampled_from(ZONES))
def test_the_total_is_the_same_with_idle_apart_shared_out_or_hidden(
    world: World, zone: str
) -> None:
    runs, states = world
    made = stored(runs, states, zone)
    clusters = shown(clusteridlecostdaily.VIEW, made, zone)
    of_runs = shown(jobruncostdaily.VIEW, made, zone)
    total = near(whole(states))
    for owner in ("submitted_by", "job_id", "cluster_id", "date"):
        apart = sums(of_runs, owner) + float(clusters["idle_cost"].sum())
        assert apart == total
        shared = of_runs.join(clusters, on=["cluster_id", "date"], how="left").with_columns(
            total_cost=pl.col("total_cost") * pl.col("total_cost_right") / pl.col("run_cost")
        )
        used = clusters.filter(pl.col("run_cost") > 1e-12)
        unused = clusters.filter(pl.col("run_cost") <= 1e-12)
        kept = shared.join(used, on=["cluster_id", "date"], how="semi")
        assert sums(kept, owner) + float(unused["total_cost"].sum()) == total
        hidden = float(clusters["total_cost"].sum()) - sums(of_runs, owner)
        assert hidden == near(float(clusters["idle_cost"].sum()))
        assert hidden > -1e-9


@settings(max_examples=12, deadline=None)
@given(worlds(), st.floats(0.1, 0.9))
def test_a_run_that_is_cut_in_two_costs_as_much_and_its_neighbours_do_too(
    world: World, where: float
) -> None:
    runs, states = world
    assume(runs)
    first = runs[0]
    since, until = int(str(first["_since"])), int(str(first["_until"]))
    middle = since + round((until - since) * where)
    parts = [{**first, "_until": middle}, {**first, "run_id": 99, "_since": middle}]
    one, two = (
        facts(runs, states, window=day(400)),
        facts([*parts, *runs[1:]], states, window=day(400)),
    )
    for amount in ("total_cost", "total_dbus"):
        cut = two.filter(pl.col("run_id").is_in([0, 99]))[amount]
        assert cut.sum() == near(float(one.filter(pl.col("run_id") == 0)[amount].sum()))
        others = [each.filter(~pl.col("run_id").is_in([0, 99])) for each in (one, two)]
        of_others = [each[amount].fill_null(-1.0).to_list() for each in others]
        assert of_others[0] == near_all(of_others[1])


def near_all(amounts: list[float]) -> object:
    return pytest.approx(amounts, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("zone", "of", "hours"),
    [
        ("Europe/Berlin", date(2024, 10, 27), 25),
        ("Europe/Berlin", date(2025, 3, 30), 23),
        ("Australia/Lord_Howe", date(2024, 10, 6), 23.5),
        ("America/Santiago", date(2024, 9, 8), 23),
        ("America/New_York", date(2024, 11, 3), 25),
    ],
)
def test_a_day_on_which_clocks_change_has_the_cost_of_its_hours(
    zone: str, of: date, hours: float
) -> None:
    begin = first_second(of) - 3 * DAY_S
    states = [
        state(
            begin,
            begin + 6 * DAY_S,
            **{**NOTHING, "driver_compute_cost": 6 * 24.0, "cluster_id": "c"},
        )
    ]
    runs = [asked(1, begin, begin + 6 * DAY_S, "ann")]
    made = stored(runs, states, zone)
    for view, amount in (
        (clusteridlecostdaily.VIEW, "run_cost"),
        (jobruncostdaily.VIEW, "total_cost"),
        (tagcostdaily.VIEW, "total_cost"),
    ):
        rows = shown(view, made, zone)
        assert rows.filter(pl.col("date") == of)[amount].to_list() == [near(hours)], view.name
        assert rows[amount].sum() == near(6 * 24.0)


RUNNING = [state(0, 3600, **{**NOTHING, "driver_compute_cost": 12.0})]


def cost(runs: Sequence[Row]) -> dict[int, float]:
    """What runs cost on a cluster of 12 USD the hour."""
    rows = facts(runs, RUNNING)
    return dict(rows.select("run_id", pl.col("total_cost").round(9)).iter_rows())


def test_tasks_of_a_job_bear_its_cost_and_the_jobs_own_run_is_no_row() -> None:
    told = [(500, "job_run", None), (501, "run", 500), (502, "run", 500)]
    silver = table(
        "jobrun_silver",
        *(
            {"runId": each, "row_kind": kind, "multitaskParentRunId": parent, "is_open": False}
            for each, kind, parent in told
        ),
    )
    gold = jobrun_gold(silver, window=day()).collect()
    assert gold["run_id"].to_list() == [501, 502]
    tasks = [
        run(501, 0, 1800, multitask_parent_run_id=500),
        run(502, 900, 2700, multitask_parent_run_id=500),
    ]
    assert cost(tasks) == {501: 3.0 + 1.5, 502: 1.5 + 3.0}


def test_a_repair_costs_its_own_time_beside_what_failed_and_the_rest_is_idle() -> None:
    runs = [
        run(501, 0, 600, terminal_state="Failed"),
        run(502, 0, 600),
        run(601, 1800, 2400, repair_id=7),
    ]
    assert cost(runs) == {501: 1.0, 502: 1.0, 601: 2.0}
    idle = shown(clusteridlecostdaily.VIEW, stored(runs, RUNNING))["idle_cost"].sum()
    assert idle == near(12.0 - 4.0)


def test_a_notebook_that_calls_another_shares_with_it_so_that_their_time_counts_once() -> None:
    caller, called = run(1, 0, 3600), run(2, 900, 1800, parent_run_id=1)
    deeper = run(3, 1200, 1500, parent_run_id=2)
    assert cost([caller]) == {1: 12.0}
    assert sum(cost([caller, called]).values()) == near(12.0)
    assert cost([caller, called, deeper]) == {
        1: near(9.0 + 1.0 + 1 / 3),
        2: near(1.0 + 1 / 3),
        3: near(1 / 3),
    }
