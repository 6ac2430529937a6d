from collections.abc import Sequence
from datetime import date
from itertools import combinations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.expressions.cost_allocation import (
    CLUSTER,
    IDLE,
    JOB,
    KINDS,
    NOT_SHOWN,
    TAGS,
    USED,
    USER,
    WORKSPACE,
    By,
    Idle,
    Step,
    allocated,
)
from overwatch_assets_tests.frames import Row
from overwatch_assets_tests.gold.cost_frames import DAY_S
from overwatch_assets_tests.presentation.cost_views_test import (
    RUNS,
    STATES,
    World,
    asked,
    priced,
    tables,
    worlds,
)

MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)


def rows(
    runs: list[Row],
    states: list[Row],
    idle: Idle = Idle.SEPARATE,
    by: Sequence[By] = (),
    *,
    tags: Sequence[str] = (),
    step: Step = Step.WINDOW,
    first: date = MONDAY,
    last: date = TUESDAY,
) -> pl.DataFrame:
    made = tables(runs, states)
    return allocated(
        **made, zone="UTC", first=first, last=last, by=by, tag_keys=tags, step=step, idle=idle
    ).collect()


def told(found: pl.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return found.select(*columns, "spent_on", pl.col("total_cost").round(9)).rows()


def test_idle_time_is_a_row_of_its_own() -> None:
    assert told(rows(RUNS, STATES, by=[USER]), "user") == [
        ("ann", USED, 25.0),
        (None, IDLE, 4.0),
        ("bob", USED, 3.0),
    ]


def test_idle_time_is_borne_by_the_runs_beside_it_in_proportion() -> None:
    assert told(rows(RUNS, STATES, Idle.SHARE, [USER]), "user") == [
        ("ann", USED, 26.0),
        ("bob", USED, 6.0),
    ]


def test_idle_time_beside_which_nothing_ran_is_borne_by_nobody() -> None:
    elsewhere = priced(0, DAY_S, 5.0, cluster_id="d")
    found = rows(RUNS, [*STATES, elsewhere], Idle.SHARE, [CLUSTER])
    assert told(found, "cluster_id") == [("c", USED, 32.0), ("d", IDLE, 5.0)]


def test_what_is_hidden_is_one_row() -> None:
    elsewhere = priced(0, DAY_S, 5.0, cluster_id="d")
    found = rows(RUNS, [*STATES, elsewhere], Idle.HIDE, [CLUSTER])
    assert told(found, "cluster_id") == [("c", USED, 28.0), (None, NOT_SHOWN, 9.0)]


def test_what_is_not_known_is_counted_and_shared_by_nobody() -> None:
    states = [*STATES, priced(DAY_S + 14400, DAY_S + 15000, None, cost_reason="no price")]
    separate, share, hide = (rows(RUNS, states, each) for each in Idle)
    for found in (separate, share, hide):
        assert found["unknown_rows"].sum() == 1
        assert found["total_cost"].sum() == pytest.approx(28.0)


def test_one_tag_or_all_of_them_tell_rows_apart() -> None:
    assert told(rows(RUNS, STATES, by=[TAGS]), "tags") == [
        ('{"team":"ops"}', USED, 24.0),
        ('{"env":"x","team":"web"}', IDLE, 4.0),
        ('{"env":"x","team":"web"}', USED, 4.0),
        ('{"team":"ops"}', IDLE, 0.0),
    ]
    found = rows(RUNS, STATES, Idle.SHARE, tags=["team", "env"])
    assert told(found, "tag:team", "tag:env") == [
        ("ops", None, USED, 24.0),
        ("web", "x", USED, 8.0),
    ]


def test_rows_are_of_days_weeks_or_months() -> None:
    assert told(rows(RUNS, STATES, Idle.SHARE, step=Step.DAY), "date") == [
        (MONDAY, USED, 24.0),
        (TUESDAY, USED, 8.0),
    ]
    [week] = rows(RUNS, STATES, Idle.SHARE, step=Step.WEEK)["date"]
    [month] = rows(RUNS, STATES, Idle.SHARE, step=Step.MONTH)["date"]
    assert (week, month) == (MONDAY, date(2024, 5, 1))


def test_only_days_of_the_window_count() -> None:
    found = rows(RUNS, STATES, by=[JOB], first=TUESDAY)
    assert told(found, "date", "job_id") == [
        (TUESDAY, None, IDLE, 4.0),
        (TUESDAY, 2, USED, 3.0),
        (TUESDAY, 1, USED, 1.0),
    ]


def test_no_rows_cost_nothing() -> None:
    for idle in Idle:
        assert rows([], [], idle, [WORKSPACE, CLUSTER, JOB, USER, TAGS], tags=["t"]).is_empty()


CUTS = [cut for size in range(3) for cut in combinations(KINDS.values(), size)]


@settings(max_examples=8, deadline=None)
@given(worlds(), st.sampled_from(CUTS), st.sampled_from(Step), st.booleans())
def test_the_total_is_the_same_however_it_is_cut(
    world: World,
    cut: tuple[By, ...],
    step: Step,
    is_by_tag: bool,  # noqa: FBT001 - drawn
) -> None:
    runs, states = world
    whole = sum(
        float(str(each["driver_compute_cost"])) + float(str(each["worker_dbu_cost"]))
        for each in states
    )
    for idle in Idle:
        found = rows(runs, states, idle, cut, tags=["t"] if is_by_tag else [], step=step)
        assert found["total_cost"].sum() == pytest.approx(whole, rel=1e-9, abs=1e-9)
        assert found.filter(pl.col("total_cost") < -1e-9).is_empty()


def test_a_run_without_a_cluster_is_counted_in_every_way() -> None:
    runs = [*RUNS, asked(9, DAY_S, DAY_S + 60, "eve", cluster_id=None)]
    for idle in Idle:
        found = rows(runs, STATES, idle, [USER])
        assert found.filter(user="eve").select("total_cost", "unknown_rows").rows() == [(None, 1)]
        assert found["total_cost"].sum() == pytest.approx(32.0)
