from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.gold.jobruncostpotentialfact_gold import SUMMED, jobruncostpotentialfact_gold
from overwatch_assets_tests.frames import Row
from overwatch_assets_tests.gold.cost_frames import (
    DAY_S,
    NOTHING,
    RUNNING,
    at,
    day,
    facts,
    run,
    spark_job,
    state,
    task,
)

AMOUNTS = (*SUMMED, "total_driver_cost", "total_worker_cost", "total_compute_cost")
TOTALS = (*AMOUNTS, "total_dbu_cost", "total_cost")

COMES_UP, RUNS = state(0, 300, "STARTING"), state(300, 2100)
A, B = run(1, 100, 1500), run(2, 900, 2100)


def worth(usd: float) -> dict[str, object]:
    """Amounts of a state in which the driver's machine costs something and nothing else does."""
    return {**NOTHING, "driver_compute_cost": usd}


def costs(rows: pl.DataFrame) -> list[float | None]:
    return rows["total_cost"].to_list()


def reasons(rows: pl.DataFrame) -> list[str | None]:
    return rows["cost_reason"].to_list()


def on(cluster: str, *rows: Row) -> list[Row]:
    """The same on a cluster of its own."""
    return [{**row, "cluster_id": cluster} for row in rows]


def test_cases_on_clusters_of_their_own_come_out_together_as_each_alone() -> None:
    few = {**NOTHING, "driver_dbu_cost": 0.1, "worker_dbu_cost": 0.1, "total_dbus": 0.2}
    small = {**RUNNING, "worker_potential_core_H": 0.3}
    states = [
        *on("shared", COMES_UP, RUNS),
        *on("repriced", state(0, 60, dbu_rate=0.5, **few), state(60, 120, dbu_rate=2.0, **NOTHING)),
        *on("gaps", state(100, 200, **worth(1.0)), state(300, 300.001, **worth(1.0))),
        *on("night", state(0, DAY_S + 60)),
        *on("open", state(2 * DAY_S - 1800, 2 * DAY_S, is_open=True, **worth(1.0))),
        *on("unknown", state(0, 60, driver_compute_cost=None, cost_reason="b"), state(60, 120)),
        *on("thirds", *(state(n, n + 1, **small) for n in range(3))),
    ]
    runs = [
        *on("shared", A, B),
        *on("repriced", run(3, 0, 120)),
        *on("gaps", run(4, 0, 450)),
        *on("night", run(5, 0, DAY_S + 60)),
        *on("open", run(6, 2 * DAY_S - 900)),
        *on("unknown", run(7, 0, 120)),
        *on("thirds", run(8, 0, 3), run(9, 0, 1), run(10, 2.5, 1)),
        run(11, None, 60),
        run(12, 0, 60, cluster_id=None),
        *on("shared", run(13, 0, 60, cluster_type="sqlWarehouse")),
        *on("nowhere", run(14, 0, 60, cluster_type="new")),
    ]
    jobs = [
        spark_job(1, 100, 1500, 7),
        spark_job(2, 0, None, 8, db_id_in_job="8"),
        spark_job(3, 0, 60, 9, db_job_id="11"),
    ]
    ignored = [task(7, 200, 5, end_imputed=True), task(7, 200, 5, is_open=True), task(8, 3, 9)]
    tasks = [task(7, 200, 4320), task(8, 1, 36), task(9, 1, 1), *ignored]
    rows = facts(runs, states, jobs=jobs, tasks=tasks, window=day(1))
    told = rows.select(
        "run_id",
        pl.col("total_cost").round(6),
        "run_cluster_states",
        pl.col("avg_cluster_share"),
        pl.col("avg_overlapping_runs"),
        "uncovered_S",
        "dbu_rate",
        "job_run_cluster_util",
        "cluster_type",
        pl.col("running_days").list.len(),
        "cost_reason",
    )
    there, made = "interactive", "automated"
    assert told.rows() == [
        (1, 0.84875, 2, 0.875, 0.5, 0.0, 0.55, 0.45, there, 1, None),
        (2, 0.79125, 1, 0.75, 1.0, 0.0, 0.55, None, there, 1, None),
        (3, 0.2, 2, 1.0, 0.0, 0.0, 1.0, None, there, 1, None),
        (4, 2.0, 2, 1.0, 0.0, 349.999, 0.55, None, there, 1, None),
        (5, 1.5825, 1, 1.0, 0.0, 0.0, 0.55, None, there, 2, None),
        (6, 0.5, 1, 1.0, 0.0, 0.0, 0.55, None, there, 1, None),
        (7, None, 2, 1.0, 0.0, 0.0, 0.55, None, there, 1, "b"),
        (8, 3.956250, 3, 0.8333, 0.67, 0.0, 0.55, 0.0111, there, 1, None),
        (9, 0.79125, 1, 0.5, 1.0, 0.0, 0.55, None, there, 1, None),
        (10, 0.0, 1, 1.0, 0.0, 0.0, 0.55, None, there, 1, None),
        (11, None, 0, None, None, None, None, None, there, None, "never_started"),
        (12, None, 0, None, None, None, None, None, there, 1, "no_cluster"),
        (13, None, 0, None, None, None, None, None, there, 1, "sql_warehouse"),
        (14, None, 0, None, None, 60.0, None, None, made, 1, "no_cluster_states"),
    ]


def test_the_worked_example_comes_out_to_the_figure() -> None:
    tasks = [task(7, 200, 4320)]
    rows = facts([A, B], [COMES_UP, RUNS], jobs=[spark_job(1, 100, 1500, 7)], tasks=tasks)
    first, second = rows.to_dicts()
    expected = {
        "driver_compute_cost": 0.076667,
        "worker_compute_cost": 0.153333,
        "driver_dbu_cost": 0.20625,
        "worker_dbu_cost": 0.4125,
        "total_driver_cost": 0.282917,
        "total_worker_cost": 0.565833,
        "total_compute_cost": 0.23,
        "total_dbu_cost": 0.61875,
        "total_dbus": 1.125,
        "total_cost": 0.84875,
        "avg_cluster_share": 0.875,
        "weighted_cluster_share": 0.8,
        "avg_overlapping_runs": 0.5,
        "max_overlapping_runs": 1,
        "run_cluster_states": 2,
        "worker_potential_core_H": 2.666667,
        "shared_worker_potential_core_H": 2.0,
        "spark_task_runtimeMS": 4_320_000,
        "spark_task_runtime_H": 1.2,
        "job_run_cluster_util": 0.45,
        "dbu_rate": 0.55,
        "uncovered_S": 0.0,
    }
    assert {name: first[name] for name in expected} == pytest.approx(expected, abs=5e-7)
    of_second = {"total_cost": 0.79125, "avg_cluster_share": 0.75, "run_cluster_states": 1}
    assert {name: second[name] for name in of_second} == pytest.approx(of_second, abs=5e-7)
    assert second["spark_task_runtimeMS"] is None
    in_s2 = first["total_cost"] - 0.0575 + second["total_cost"]
    assert in_s2 == pytest.approx(1.5825, rel=1e-12)


def test_a_run_within_a_longer_one_is_shared_and_the_state_is_borne_whole() -> None:
    rows = facts([run(1, 0, 3600), run(2, 600, 1200)], [state(0, 3600)])
    assert rows["avg_cluster_share"].to_list() == [0.9167, 0.5]
    assert sum(rows["total_cost"]) == pytest.approx(1.5825, rel=1e-12)
    assert rows["weighted_cluster_share"][0] == pytest.approx(3300 / 3600)


def test_totals_are_sums_of_their_parts() -> None:
    for row in facts([A, B], [COMES_UP, RUNS]).to_dicts():
        driver = row["driver_compute_cost"] + row["driver_dbu_cost"]
        worker = row["worker_compute_cost"] + row["worker_dbu_cost"]
        compute = row["driver_compute_cost"] + row["worker_compute_cost"]
        dbu = row["driver_dbu_cost"] + row["worker_dbu_cost"]
        assert row["total_driver_cost"] == pytest.approx(driver)
        assert row["total_worker_cost"] == pytest.approx(worker)
        assert row["total_compute_cost"] == pytest.approx(compute)
        assert row["total_dbu_cost"] == pytest.approx(dbu)
        assert row["total_cost"] == pytest.approx(compute + dbu)


def test_a_run_closed_before_shares_with_one_that_is_still_open_and_with_one_that_ended_later() -> (
    None
):
    first_day = facts([run(1, 0, 3600), run(2, 0)], [state(0, DAY_S, is_open=True)])
    states = [state(0, 2 * DAY_S, **worth(48.0))]
    second_day = facts(
        [run(2, 0, DAY_S + 3600)],
        states,
        co_runs=[run(1, 0, 3600), run(2, 0, DAY_S + 3600)],
        window=day(1),
    )
    assert first_day["avg_overlapping_runs"].to_list() == [1.0, 1.0]
    assert costs(second_day) == [pytest.approx(0.5 + 23 + 1)]
    [of_each_day] = second_day["daily_costs"].to_list()
    found = [(each["date"], each["driver_compute_cost"]) for each in of_each_day]
    assert found == [(date(2024, 5, 6), pytest.approx(23.5)), (date(2024, 5, 7), 1.0)]


def test_a_run_keeps_one_row_with_all_its_cost_when_tags_and_prices_change() -> None:
    before = state(0, 1800, dbu_rate=0.5, custom_tags='{"team":"a"}', node_type_id="small")
    after = state(
        1800,
        3600,
        dbu_rate=1.0,
        custom_tags='{"team":"b"}',
        node_type_id="large",
        driver_dbu_cost=0.75,
        worker_dbu_cost=1.5,
    )
    [row] = facts([run(1, 0, 3600)], [after, before]).to_dicts()
    assert row["total_cost"] == pytest.approx(1.5825 + 0.345 + 2.25)
    assert (row["cluster_tags"], row["node_type_id"]) == ('{"team":"b"}', "large")
    assert row["dbu_rate"] == pytest.approx((1.2375 + 2.25) / 4.5)


def test_a_rate_that_changed_is_that_of_the_dbus_however_few() -> None:
    few = {"driver_dbu_cost": 0.1, "worker_dbu_cost": 0.1, "total_dbus": 0.2}
    states = [
        state(0, 60, dbu_rate=0.5, **{**NOTHING, **few}),
        state(60, 120, dbu_rate=2.0, **NOTHING),
    ]
    assert facts([run(1, 0, 120)], states)["dbu_rate"].to_list() == [1.0]


def test_a_state_over_midnight_is_one_state() -> None:
    rows = facts([run(1, 0, DAY_S + 60)], [state(0, DAY_S + 60)], window=day(1))
    found = rows.select("run_cluster_states", "avg_cluster_share", "weighted_cluster_share")
    assert found.rows() == [(1, 1.0, 1.0)]
    assert rows["worker_potential_core_H"].to_list() == [4.0]


def test_means_over_states_have_the_digits_they_are_said_to_have() -> None:
    states = [state(n, n + 1) for n in range(3)]
    rows = facts([run(1, 0, 3), run(2, 0, 1)], states)
    found = rows.select("avg_cluster_share", "avg_overlapping_runs", "max_overlapping_runs")
    assert found.row(0) == (0.8333, 0.33, 1)


def test_utilisation_has_four_digits_however_small_the_capacity() -> None:
    small = state(0, 100, **{**RUNNING, "worker_potential_core_H": 0.3})
    jobs, tasks = [spark_job(1, 0, 100, 7)], [task(7, 10, 36)]
    rows = facts([run(1, 0, 100)], [small], jobs=jobs, tasks=tasks)
    assert rows["job_run_cluster_util"].to_list() == [0.0333]


def test_the_rate_is_that_of_the_state_where_no_dbu_was_used() -> None:
    states = [state(0, 60, dbu_rate=0.5, **NOTHING), state(60, 120, dbu_rate=0.7, **NOTHING)]
    assert facts([run(1, 0, 120)], states)["dbu_rate"].to_list() == [0.7]


def test_a_run_after_the_last_known_state_costs_nothing_known_and_never_less_than_nothing() -> None:
    rows = facts([run(1, 5000, 6000)], [COMES_UP, RUNS])
    assert (costs(rows), reasons(rows)) == ([None], ["no_cluster_states"])
    assert rows.select("run_cluster_states", "uncovered_S").rows() == [(0, 1000.0)]


def test_a_state_that_begins_after_the_run_is_none_of_its_own() -> None:
    rows = facts([run(1, 0, 100)], [state(200, 300)])
    assert reasons(rows) == ["no_cluster_states"]


def test_time_without_a_known_state_is_told() -> None:
    states = [state(100, 200, **worth(1.0)), state(300, 400, **worth(1.0))]
    rows = facts([run(1, 0, 450)], states)
    assert (costs(rows), rows["uncovered_S"].to_list()) == ([2.0], [250.0])


def test_the_beginning_that_a_run_bears_before_its_start_covers_none_of_its_time() -> None:
    rows = facts([run(1, 200, 400)], [COMES_UP])
    assert rows["uncovered_S"].to_list() == [100.0]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"cluster_id": None}, "no_cluster"),
        ({"cluster_type": "sqlWarehouse"}, "sql_warehouse"),
        ({"cluster_id": "elsewhere"}, "no_cluster_states"),
    ],
)
def test_a_run_without_cluster_states_has_a_row_that_says_why(
    told: dict[str, object], reason: str
) -> None:
    rows = facts([run(1, 100, 1500, **told), B], [COMES_UP, RUNS])
    assert reasons(rows) == [reason, None]
    assert rows.select(TOTALS).row(0) == (None,) * len(TOTALS)
    assert rows["avg_overlapping_runs"].to_list() == [None, 0.0]


def test_a_run_that_never_started_has_a_row_and_shares_nothing() -> None:
    rows = facts([run(1, None, 1500, startEpochMS=at(100)), B], [COMES_UP, RUNS])
    assert reasons(rows) == ["never_started", None]
    assert rows.select("running_days", "uncovered_S").row(0) == (None, None)
    assert rows["avg_cluster_share"].to_list() == [None, 1.0]


def test_a_run_whose_start_no_event_told_is_not_said_never_to_have_started() -> None:
    rows = facts([run(1, None, 1500, startEpochMS=at(1500), terminal_state="Succeeded")], [RUNS])
    assert reasons(rows) == ["start_unknown"]
    assert rows.select(TOTALS).row(0) == (None,) * len(TOTALS)


def test_a_run_on_a_warehouse_of_the_same_id_shares_no_cluster() -> None:
    rows = facts([run(1, 100, 1500, cluster_type="sqlWarehouse"), B], [COMES_UP, RUNS])
    assert rows["avg_cluster_share"].to_list() == [None, 1.0]


def test_uncovered_time_is_told_only_of_runs_that_have_a_cluster() -> None:
    rows = facts([run(1, 0, 60, cluster_id=None), run(2, 0, 60, cluster_type="sqlWarehouse")], [])
    assert rows["uncovered_S"].to_list() == [None, None]


def test_a_part_that_is_unknown_makes_the_sum_unknown_and_says_why() -> None:
    unknown = state(0, 300, worker_compute_cost=None, cost_reason="no price of node type x")
    [row] = facts([run(1, 0, 2100)], [unknown, RUNS]).to_dicts()
    assert (row["worker_compute_cost"], row["total_worker_cost"], row["total_cost"]) == (None,) * 3
    assert row["driver_compute_cost"] == pytest.approx(0.23)
    assert row["cost_reason"] == "no price of node type x"
    [of_day] = row["daily_costs"]
    assert of_day["worker_compute_cost"] is None


def test_what_is_unknown_on_one_day_leaves_the_other_days_known() -> None:
    unknown = state(0, DAY_S, driver_compute_cost=None)
    states = [unknown, state(DAY_S, DAY_S + 60, **worth(1.0))]
    [row] = facts([run(1, DAY_S - 60, DAY_S + 60)], states, window=day(1)).to_dicts()
    found = [each["driver_compute_cost"] for each in row["daily_costs"]]
    assert (found, row["driver_compute_cost"], row["cost_reason"]) == (
        [None, 1.0],
        None,
        "unknown_cost",
    )


def test_every_reason_is_told_once_and_in_order() -> None:
    states = [
        state(60 * n, 60 * n + 60, total_dbus=None, cost_reason=reason)
        for n, reason in enumerate(["b, c", "a", "a, b"])
    ]
    assert reasons(facts([run(1, 0, 180)], states)) == ["a, b, c"]


def test_what_is_unknown_of_a_state_that_a_run_does_not_bear_does_not_matter() -> None:
    unknown = state(0, 100, driver_compute_cost=None, cost_reason="x")
    rows = facts([run(1, 50, 50), run(2, 100, 200)], [unknown, state(100, 200, **worth(1.0))])
    assert costs(rows) == [0.0, 1.0]
    assert reasons(rows) == [None, None]


def test_an_open_run_has_cost_until_the_end_of_the_day() -> None:
    [row] = facts(
        [run(1, DAY_S - 1800)],
        [state(DAY_S - 3600, DAY_S, is_open=True)],
    ).to_dicts()
    assert (row["openRun"], row["is_open"]) == (True, True)
    assert row["total_cost"] == pytest.approx(1.5825 / 2)
    assert row["running_days"] == [date(2024, 5, 6)]
    assert row["task_runtime"]["endEpochMS"] is None


def test_a_day_that_is_cut_ends_what_is_open_there() -> None:
    rows = facts([run(1, 0)], [state(0, 600, is_open=True)], window=day(until=300))
    assert costs(rows) == [pytest.approx(1.5825 / 2)]


def test_a_state_of_one_millisecond_is_borne_whole() -> None:
    states = [state(0, 0.001, **worth(1.0)), state(0.001, 1, **worth(3.0))]
    assert costs(facts([run(1, 0, 1)], states)) == [4.0]


def test_a_run_that_ends_before_it_starts_takes_no_time() -> None:
    rows = facts([run(1, 1000, 900)], [RUNS])
    assert (costs(rows), rows["run_cluster_states"].to_list()) == ([0.0], [1])
    assert rows["uncovered_S"].to_list() == [0.0]
    assert rows.select("avg_cluster_share", "weighted_cluster_share").rows() == [(1.0, 1.0)]


def test_running_days_are_those_from_start_to_end() -> None:
    rows = facts([run(1, DAY_S - 1, 2 * DAY_S + 1)], [], window=day(2))
    assert rows["running_days"].to_list() == [[date(2024, 5, n) for n in (6, 7, 8)]]


def test_clusters_that_are_made_for_jobs_are_told_from_others() -> None:
    kinds = ["new", "job_cluster", "existing", None]
    rows = facts([run(n, 0, 1, cluster_type=kind) for n, kind in enumerate(kinds)], [])
    assert rows["cluster_type"].to_list() == [
        "automated",
        "automated",
        "interactive",
        "interactive",
    ]


def test_node_types_come_from_the_prices_where_the_state_names_none() -> None:
    specs = {"driverSpecs": {"API_Name": "i3.xlarge"}, "workerSpecs": {"API_Name": "m5.large"}}
    unnamed = state(0, 60, driver_node_type_id=None, node_type_id=None, **specs)
    rows = facts([run(1, 0, 60)], [unnamed])
    assert rows.select("driver_node_type_id", "node_type_id").rows() == [("i3.xlarge", "m5.large")]


def test_tasks_after_midnight_of_a_job_that_began_before_count() -> None:
    rows = facts(
        [run(1, DAY_S - 60, DAY_S + 600)],
        [],
        jobs=[spark_job(1, DAY_S - 60, DAY_S + 600, 7)],
        tasks=[task(7, DAY_S - 30, 20), task(7, DAY_S + 10, 40)],
        window=day(1),
    )
    assert rows["spark_task_runtimeMS"].to_list() == [60_000]


def test_a_stage_that_several_jobs_list_counts_its_tasks_once() -> None:
    jobs = [
        spark_job(1, 0, 100, 7),
        spark_job(2, 50, 200, 7, 8, db_id_in_job="2"),
        spark_job(3, 300, 400, 7, db_id_in_job="2"),
    ]
    tasks = [task(7, 60, 10), task(7, 150, 20), task(7, 350, 30), task(8, 60, 40)]
    rows = facts([run(1, 0, 500), run(2, 0, 500)], [], jobs=jobs, tasks=tasks)
    assert rows["spark_task_runtimeMS"].to_list() == [10_000, 90_000]


def test_a_long_run_keeps_the_task_time_of_all_its_days() -> None:
    jobs = [spark_job(n, n * DAY_S, n * DAY_S + 100, n) for n in range(20)]
    tasks = [task(n, n * DAY_S + 1, 60) for n in range(20)]
    rows = facts([run(1, 0, 20 * DAY_S)], [], jobs=jobs, tasks=tasks, window=day(20))
    assert rows["spark_task_runtimeMS"].to_list() == [20 * 60_000]


def test_tasks_that_started_after_the_run_or_whose_end_is_not_told_do_not_count() -> None:
    tasks = [
        task(7, 10, 5),
        task(7, 100, 1),
        task(7, 20, 5, end_imputed=True),
        task(7, 20, 5, is_open=True),
    ]
    rows = facts([run(1, 0, 100)], [], jobs=[spark_job(1, 0, None, 7)], tasks=tasks)
    assert rows["spark_task_runtimeMS"].to_list() == [5_000]


def test_work_of_another_job_with_the_same_run_id_is_not_the_runs() -> None:
    other = spark_job(1, 0, 100, 7, db_job_id="11")
    rows = facts([run(1, 0, 100)], [], jobs=[other], tasks=[task(7, 10, 5)])
    assert rows["spark_task_runtimeMS"].to_list() == [None]


def test_a_run_on_unknown_capacity_has_task_time_and_no_utilisation() -> None:
    jobs, tasks = [spark_job(1, 0, 100, 7)], [task(7, 10, 36)]
    idle = state(0, 100, **{**RUNNING, "worker_potential_core_H": 0.0})
    for states in ([], [idle]):
        rows = facts([run(1, 0, 100)], states, jobs=jobs, tasks=tasks)
        found = rows.select("spark_task_runtime_H", "job_run_cluster_util").rows()
        assert found == [(0.01, None)]


def test_the_declared_columns_come_out_of_no_rows_at_all() -> None:
    rows = facts([], [])
    declared = {each.name: each.dtype for each in jobruncostpotentialfact_gold.table.columns}
    assert {name: rows.schema[name] for name in declared} == declared


SECONDS = st.integers(0, 2 * DAY_S // 600 - 1).map(lambda n: n * 600.0)
LENGTHS = st.integers(1, 60).map(lambda n: n * 600.0)


@st.composite
def clusters(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """A day's runs on a cluster, and its states up to the end of the second day, without gaps."""
    cuts = sorted({0.0, 2.0 * DAY_S, *draw(st.lists(SECONDS, max_size=5))})
    states = [
        state(a, b, draw(st.sampled_from(["STARTING", "RUNNING"])), **worth(draw(st.floats(0, 50))))
        for a, b in pairwise(cuts)
    ]
    runs = [
        run(n, since, min(since + length, 2.0 * DAY_S))
        for n, (since, length) in enumerate(draw(st.lists(st.tuples(SECONDS, LENGTHS), max_size=5)))
    ]
    return runs, states


LAW = settings(max_examples=12, deadline=None)


@LAW
@given(clusters())
def test_runs_together_never_cost_more_than_their_cluster(
    world: tuple[list[Row], list[Row]],
) -> None:
    runs, states = world
    rows = facts(runs, states, window=day(1))
    whole = sum(float(str(each["driver_compute_cost"])) for each in states)
    assert rows.height == len(runs)
    assert sum(rows["total_cost"]) <= whole * (1 + 1e-12)
    busy = facts([*runs, run(99, 0, 2 * DAY_S)], states, window=day(1))
    assert sum(busy["total_cost"]) == pytest.approx(whole, rel=1e-9)


@LAW
@given(clusters())
def test_the_days_of_a_run_add_up_to_the_run(world: tuple[list[Row], list[Row]]) -> None:
    rows = facts(*world, window=day(1))
    for row in rows.to_dicts():
        for name in SUMMED:
            of_days = sum(each[name] for each in row["daily_costs"])
            assert of_days == pytest.approx(row[name], rel=1e-12)


@LAW
@given(clusters(), st.integers(1, 100))
def test_prices_times_a_number_are_costs_times_that_number(
    world: tuple[list[Row], list[Row]], factor: int
) -> None:
    runs, states = world
    dearer = [
        {**each, "driver_compute_cost": float(str(each["driver_compute_cost"])) * factor}
        for each in states
    ]
    plain, raised = (
        costs(facts(runs, states, window=day(1))),
        costs(facts(runs, dearer, window=day(1))),
    )
    assert raised == pytest.approx([(cost or 0.0) * factor for cost in plain], rel=1e-9)


@LAW
@given(clusters(), st.data())
def test_cutting_a_run_in_two_moves_no_cost(
    world: tuple[list[Row], list[Row]], data: st.DataObject
) -> None:
    runs, states = world
    lone = run(50, 0, 2 * DAY_S)
    cut = data.draw(st.integers(1, 2 * DAY_S - 1))
    whole = facts([*runs, lone], states, window=day(1))
    halves: Sequence[Row] = [run(50, 0, cut), run(51, cut, 2 * DAY_S)]
    parts = facts([*runs, *halves], states, window=day(1))
    others = pl.col("run_id") < 50
    assert costs(parts.filter(others)) == pytest.approx(costs(whole.filter(others)), rel=1e-9)
    assert sum(parts["total_cost"]) == pytest.approx(sum(whole["total_cost"]), rel=1e-9)
