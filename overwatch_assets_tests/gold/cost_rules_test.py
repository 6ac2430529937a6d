"""Faults planted in what runs and clusters cost: each turns a rule red, what is right does not."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import polars as pl
import pytest

from overwatch_assets.cost_rules import jobruncostpotentialfact as rules
from overwatch_assets.execution.records import Check
from overwatch_assets.execution.rules import RuleBroken
from overwatch_assets.expressions.cost_sums import SUMMED, with_totals
from overwatch_assets.gold import jobruncostpotentialfact_gold as fact
from overwatch_assets.gold.clusterstatefact_gold import clusterstatefact_gold
from overwatch_assets.gold.jobruncostpotentialfact_gold import jobruncostpotentialfact_gold
from overwatch_assets.module import Window
from overwatch_assets_tests.frames import Row, ms, table
from overwatch_assets_tests.gold.clusterstatefact_gold_test import (
    AWS,
    AZURE,
    DS3,
    I3,
    MONDAY,
    TUESDAY,
    definition,
    priced,
)
from overwatch_assets_tests.gold.clusterstatefact_gold_test import (
    state as silver_state,
)
from overwatch_assets_tests.gold.cost_frames import (
    DAY_S,
    NOTHING,
    day,
    facts,
    run,
    spark_job,
    state,
    stored_states,
    task,
    timed,
)
from overwatch_assets_tests.ruled import Fault, checks_of, with_values
from overwatch_assets_tests.silver.cluster_days import window as window_of

States = Sequence[Row]

with_running = partial(with_values, "RUNNING")
"""Other values in the state that runs."""

RUNS = [run(1, 100, 1500), run(2, 900, 2100)]
STATES = [state(0, 300, "STARTING"), state(300, 2100), state(2100, 2400)]
JOBS = [spark_job(1, 100, 1500, 7), spark_job(2, 900, 2100, 8, db_id_in_job="2")]
TASKS = [task(7, 200, 60), task(8, 1000, 30), task(8, 1100, 30)]


def right(rows: pl.DataFrame) -> pl.DataFrame:
    return rows


def of_runs(
    runs: Sequence[Row] = RUNS,
    states: States = STATES,
    *,
    fault: Fault = right,
    jobs: Sequence[Row] = JOBS,
    tasks: Sequence[Row] = TASKS,
    window: Window | None = None,
    co_runs: Sequence[Row] | None = None,
    earlier: pl.DataFrame | None = None,
) -> dict[str, Check]:
    """The rules of costs of runs, on rows in which a fault was planted."""
    of_day = window or day()
    rows = facts(runs, states, jobs=jobs, tasks=tasks, window=of_day, co_runs=co_runs)
    inputs = {
        "jobrun_gold": timed("jobrun_gold", "task_runtime", runs),
        "clusterstatefact_gold": stored_states(*states),
        "sparkjob_gold": timed("sparkjob_gold", "job_runtime", jobs),
        "sparktask_gold": timed("sparktask_gold", "task_runtime", tasks),
    }
    return checks_of(jobruncostpotentialfact_gold, fault(rows), inputs, of_day, earlier)


def times(factor: float) -> Fault:
    """Every amount of the runs is several times as much, on its days too: still sums of parts."""

    def multiplied(rows: pl.DataFrame) -> pl.DataFrame:
        of_day = pl.col("daily_costs").list.eval(
            pl.struct(
                pl.element().struct.field("date"),
                *(pl.element().struct.field(name) * factor for name in SUMMED),
                pl.element().struct.field("shared_worker_potential_core_H", "cost_reason"),
            )
        )
        more = rows.lazy().with_columns(pl.col(SUMMED) * factor, daily_costs=of_day)
        return more.pipe(with_totals).collect()

    return multiplied


def test_right_costs_keep_every_rule_and_both_sums_are_told() -> None:
    checks = of_runs()
    assert {name for name, each in checks.items() if not each.holds} == set()
    idle = checks["idle_is_not_negative"]
    cluster = 0.0575 + 1.5825 + 1.5825
    assert idle.figures == {
        "cluster_cost": pytest.approx(cluster),
        "runs_cost": pytest.approx(0.84875 + 0.79125),
        "idle_cost": pytest.approx(cluster - 1.64),
        "cluster_dbus": pytest.approx(4.5),
        "runs_dbus": pytest.approx(2.25),
    }
    assert checks["task_time_is_kept"].figures == {
        "run_ms": 120_000,
        "task_ms": 120_000,
        **dict.fromkeys(
            ("no_job_ms", "no_run_ms", "other_run_ms", "after_run_ms", "stages_owned_twice"), 0
        ),
    }


def test_runs_that_overlap_unshared_make_idle_negative_which_names_cluster_day_and_sums() -> None:
    with pytest.raises(RuleBroken) as raised:
        of_runs(fault=times(2), tasks=[])
    told = str(raised.value)
    assert (
        "jobruncostpotentialfact_gold, workspace 1, 2024-05-06: rule idle_is_not_negative" in told
    )
    assert "cluster_id c, date 2024-05-06: cluster_cost 3.2225, runs_cost 3.28" in told
    assert "idle_cost -0.0575" in told
    assert "together with jobrun_gold and clusterstatefact_gold" in told
    assert [each.rule for each in raised.value.checks if not each.holds] == ["idle_is_not_negative"]


def test_runs_of_earlier_days_count_with_those_of_the_day() -> None:
    states = [state(0, 2 * DAY_S, **{**NOTHING, "driver_compute_cost": 48.0})]
    over_night, before = run(2, 0, DAY_S + 3600), run(1, 0, DAY_S / 2)
    first = facts([before], states, co_runs=[before])
    unshared = first.with_columns(pl.lit("1").alias("organization_id"))
    shared = facts([before], states, co_runs=[before, over_night])
    kept = of_runs(
        [over_night], states, co_runs=[before, over_night], window=day(1), earlier=shared, tasks=[]
    )
    assert kept["idle_is_not_negative"].figures["runs_cost"] == pytest.approx(25.0)
    with pytest.raises(RuleBroken, match=r"date 2024-05-06: cluster_cost 24, runs_cost 30"):
        of_runs(
            [over_night],
            states,
            co_runs=[before, over_night],
            window=day(1),
            earlier=unshared,
            tasks=[],
        )


def test_earlier_rows_of_other_clusters_and_of_days_before_the_earliest_start_do_not_count() -> (
    None
):
    states = [state(DAY_S, DAY_S + 3600)]
    earlier = pl.concat(
        [
            facts([run(3, 0, 3600)], [state(0, 3600)]),
            facts(
                [run(4, DAY_S, DAY_S + 60, cluster_id="d")],
                [state(DAY_S, DAY_S + 60, cluster_id="d")],
            ),
        ]
    )
    checks = of_runs([run(1, DAY_S, DAY_S + 60)], states, window=day(1), earlier=earlier, tasks=[])
    assert checks["idle_is_not_negative"].compared == 1


def test_what_is_unknown_is_not_said_to_be_more_than_the_cluster_cost() -> None:
    states = [*STATES[:2], state(2100, 2400, driver_compute_cost=None, cost_reason="x")]
    assert of_runs(states=states)["idle_is_not_negative"].figures["cluster_cost"] == 0


def test_a_cost_on_a_day_without_a_state_is_more_than_the_cluster_cost() -> None:
    with pytest.raises(RuleBroken, match="cluster_id c, date 2024-05-07: cluster_cost null"):
        of_runs(fault=lambda rows: rows.with_columns(daily_costs=moved_a_day()), tasks=[])


def moved_a_day() -> pl.Expr:
    fields = (*SUMMED, "shared_worker_potential_core_H", "cost_reason")
    later = pl.element().struct.field("date").dt.offset_by("1d")
    return pl.col("daily_costs").list.eval(pl.struct(later, pl.element().struct.field(*fields)))


def broken_by(fault: Fault, **more: Any) -> list[str]:
    """Names of the rules that a fault turns red."""
    with pytest.raises(RuleBroken) as raised:
        of_runs(fault=fault, **more)
    return [each.rule for each in raised.value.checks if not each.holds and not each.is_warning]


def with_first(**values: object) -> Fault:
    """Other values in the row of run 1."""
    is_first = pl.col("run_id") == 1

    def changed(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(
            pl.when(is_first).then(pl.lit(value, rows.schema[name])).otherwise(name).alias(name)
            for name, value in values.items()
        )

    return changed


FAULTS: dict[str, tuple[Fault, str]] = {
    "a run is lost": (lambda rows: rows.filter(pl.col("run_id") != 1), "rows_are_kept"),
    "a run is made up": (with_first(run_id=9), "rows_are_kept"),
    "a total is no sum": (with_first(total_cost=1.0), "costs_are_sums"),
    "a total of compute is no sum": (with_first(total_compute_cost=1.0), "costs_are_sums"),
    "a part is not that of the days": (with_first(total_dbus=9.0), "costs_are_sums"),
    "the capacity is not that of the days": (
        with_first(shared_worker_potential_core_H=9.0),
        "costs_are_sums",
    ),
    "the unknown costs nothing": (with_first(cost_reason="dbu_price_unknown"), "costs_are_sums"),
    "a total is lost": (with_first(total_cost=None), "costs_are_sums"),
    "a cost is negative": (times(-1), "costs_are_sums"),
    "tags of another cluster": (with_first(cluster_tags='{"team":"x"}'), "shares_repeat_states"),
    "another node type": (with_first(node_type_id="other"), "shares_repeat_states"),
    "a rate that no state has": (with_first(dbu_rate=0.7), "shares_repeat_states"),
    "a rate below that of all states": (with_first(dbu_rate=0.1), "shares_repeat_states"),
    "a task counts twice": (with_first(spark_task_runtimeMS=120_000), "task_time_is_kept"),
    "tasks are lost": (with_first(spark_task_runtimeMS=None), "task_time_is_kept"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_turns_its_rule_red(fault: str) -> None:
    planted, rule = FAULTS[fault]
    assert rule in broken_by(planted)


@pytest.mark.parametrize("reason", [None, "no price"])
def test_a_null_without_a_reason_and_a_reason_without_a_null_are_red(reason: str | None) -> None:
    unknown = [state(0, 2400, worker_compute_cost=None, cost_reason="no price")]
    assert of_runs(states=unknown)["costs_are_sums"].holds
    states = unknown if reason is None else STATES
    assert broken_by(with_first(cost_reason=reason), states=states) == ["costs_are_sums"]


def test_a_zero_in_the_place_of_an_unknown_cost_is_red() -> None:
    unknown = [state(0, 2400, worker_compute_cost=None, cost_reason="no price")]
    assert "costs_are_sums" in broken_by(with_first(worker_compute_cost=0.0), states=unknown)


def test_tasks_of_no_run_are_told_by_reason_and_together_they_are_all() -> None:
    jobs = [
        *JOBS,
        spark_job(3, 0, 4000, 9, db_id_in_job=None),
        spark_job(4, 0, 4000, 10, db_id_in_job="77"),
    ]
    tasks = [
        *TASKS,
        task(6, 200, 1),
        task(7, 1600, 2),
        task(9, 200, 4),
        task(10, 200, 8),
        task(11, 200, 16, is_open=True),
    ]
    late = [spark_job(1, 100, 2000, 7), *jobs[1:]]
    figures = of_runs(jobs=late, tasks=tasks)["task_time_is_kept"].figures
    assert figures == {
        "run_ms": 120_000,
        "task_ms": 135_000,
        "no_job_ms": 1000,
        "after_run_ms": 2000,
        "no_run_ms": 4000,
        "other_run_ms": 8000,
        "stages_owned_twice": 0,
    }


def test_a_stage_that_several_jobs_list_counts_its_tasks_once() -> None:
    jobs = [
        spark_job(1, 100, 1500, 7),
        spark_job(2, 150, 1400, 7, db_id_in_job="2"),
        spark_job(3, 1000, 2100, 7, db_id_in_job="2"),
    ]
    checks = of_runs(jobs=jobs, tasks=[task(7, 200, 60), task(7, 1450, 5), task(7, 1600, 7)])
    assert checks["task_time_is_kept"].figures["run_ms"] == 72_000


def test_jobs_that_both_go_on_own_a_stage_one_after_the_other() -> None:
    jobs = [spark_job(1, 100, None, 7), spark_job(2, 150, None, 7, db_id_in_job="2")]
    assert of_runs(jobs=jobs, tasks=[task(7, 200, 60)])["task_time_is_kept"].holds


def test_a_stage_with_two_owners_at_a_time_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_jobs_list_them(jobs: pl.LazyFrame) -> pl.LazyFrame:
        listed = jobs.explode("stage_ids").rename({"stage_ids": "stage_id"})
        return listed.with_columns(
            _owned_since_ms="unixTimeMS",
            _owned_until_ms=pl.col("job_runtime").struct.field("endEpochMS"),
        )

    for each in (fact, rules):
        monkeypatch.setattr(each, "owned_stages", as_jobs_list_them)
    jobs = [spark_job(1, 100, 1500, 7), spark_job(2, 150, 1400, 7, db_id_in_job="2")]
    with pytest.raises(RuleBroken, match=r"run_id null: .*no_job_ms -60000, stages_owned_twice 1"):
        of_runs(jobs=jobs, tasks=[task(7, 200, 60)])


def test_costs_that_should_be_known_are_warned_of_and_those_that_cannot_be_are_not() -> None:
    runs = [
        run(1, 0, 60),
        run(2, None, 60),
        run(3, 0, 60, cluster_id=None),
        run(4, 0, 60, cluster_type="sqlWarehouse"),
        run(5, 0, 60, cluster_id="nowhere"),
    ]
    check = of_runs(runs, tasks=[])["costs_are_known"]
    assert (check.is_warning, check.examples) == (
        True,
        ("cost_reason no_cluster_states: rows 1, DBU 0",),
    )


SILVER = [
    silver_state(),
    silver_state(
        f"{MONDAY} 09:00",
        state="TERMINATING",
        cloud_billable=False,
        databricks_billable=False,
        current_num_workers=0,
        target_num_workers=0,
    ),
]


def of_states(
    *states: Row, fault: Fault = right, figures: Any = AWS, versions: Sequence[Row] | None = None
) -> dict[str, Check]:
    """The rules of costs of states, on rows in which a fault was planted."""
    told = states or SILVER
    rows = priced(told, versions or [definition(**I3)], figures=figures).rows
    inputs = {"cluster_state_detail_silver": table("cluster_state_detail_silver", *told)}
    window = window_of(ms(MONDAY), ms(TUESDAY))
    return checks_of(clusterstatefact_gold, fault(rows), inputs, window)


def test_right_costs_of_states_keep_every_rule() -> None:
    checks = of_states()
    assert all(each.holds for each in checks.values())
    figures = checks["costs_are_sums"].figures
    assert figures["total_cost"] == pytest.approx(figures["cost_by_prices"])
    assert checks["rows_are_kept"].figures["state_ms_here"] == 7_200_000


DOUBLED = {
    name: pl.col(name) * 2
    for name in ("driver_compute_cost", "total_compute_cost", "total_driver_cost")
}
OF_STATES: dict[str, tuple[Fault, str]] = {
    "a state is lost": (lambda rows: rows.filter(pl.col("state") != "RUNNING"), "rows_are_kept"),
    "a state is longer": (
        with_running(unixTimeMS_state_end=pl.col("unixTimeMS_state_end") + 1),
        "rows_are_kept",
    ),
    "a total is no sum": (
        with_running(total_cost=pl.col("total_cost") * 1.001),
        "costs_are_sums",
    ),
    "a total of workers is no sum": (
        with_running(total_worker_cost=0.0),
        "costs_are_sums",
    ),
    "machines cost twice their price": (with_running(**DOUBLED), "costs_are_sums"),
    "DBUs cost another rate": (with_running(dbu_rate=9.0), "costs_are_sums"),
    "DBUs are no sum": (with_running(total_dbus=0.0), "costs_are_sums"),
    "DBUs are used in a state that is not billed": (
        with_running(databricks_billable=False),
        "costs_are_sums",
    ),
    "machines cost in a state that does not run": (
        with_running(cloud_billable=False),
        "costs_are_sums",
    ),
    "a known cost is null": (with_running(driver_compute_cost=None), "unknown_is_null"),
    "a reason without a null": (
        with_running(cost_reason="driver_price_unknown"),
        "unknown_is_null",
    ),
}


@pytest.mark.parametrize("fault", OF_STATES)
def test_each_fault_in_states_turns_its_rule_red(fault: str) -> None:
    planted, rule = OF_STATES[fault]
    with pytest.raises(RuleBroken) as raised:
        of_states(fault=planted)
    assert rule in [each.rule for each in raised.value.checks if not each.holds]
    if rule != "rows_are_kept":
        assert f"cluster_id 0506-1, unixTimeMS_state_start {ms(f'{MONDAY} 08:00')}" in str(
            raised.value
        )


UNKNOWN: dict[str, tuple[dict[str, Any], str]] = {
    "driver_compute_cost": ({"driver_node_type_id": "new.large"}, "driver_node_type_unknown"),
    "worker_compute_cost": ({"node_type_id": "new.large"}, "worker_node_type_unknown"),
    "driver_dbus": ({"driver_node_type_id": "new.large"}, "driver_node_type_unknown"),
    "worker_dbus": ({"node_type_id": "new.large"}, "worker_node_type_unknown"),
}


@pytest.mark.parametrize("amount", UNKNOWN)
def test_a_zero_where_the_node_type_is_not_known_is_red_and_null_with_a_reason_is_not(
    amount: str,
) -> None:
    told, reason = UNKNOWN[amount]
    versions = [definition(**{**I3, **told})]
    checks = of_states(versions=versions)
    assert checks["unknown_is_null"].figures["amounts_unknown"] > 0
    [example] = checks["prices_are_known"].examples
    assert example.startswith(f"cost_reason {reason}, ")
    assert "new.large" in example
    with pytest.raises(RuleBroken, match="rule unknown_is_null"):
        of_states(versions=versions, fault=with_running(**{amount: 0.0}))


@pytest.mark.parametrize("amount", ["driver_dbu_cost", "worker_dbu_cost"])
def test_a_zero_where_the_price_of_dbus_is_not_known_is_red(amount: str) -> None:
    unpriced = {**AWS, "dbucostdetails": AWS["dbucostdetails"].clear()}
    checks = of_states(figures=unpriced)
    warned = checks["prices_are_known"]
    assert warned.figures == {"rows": 1, "DBU": 3.0, "hours": 1.0}
    assert (warned.is_warning, warned.holds) == (True, False)
    with pytest.raises(RuleBroken, match="rule unknown_is_null"):
        of_states(figures=unpriced, fault=with_running(**{amount: 0.0}))


def test_costs_of_machines_whose_price_is_not_known_are_not_zero() -> None:
    nodes = AZURE["instancedetails"].with_columns(Compute_Contract_Price=pl.lit(None, pl.Float64))
    figures, versions = {**AZURE, "instancedetails": nodes}, [definition(**DS3)]
    assert of_states(figures=figures, versions=versions)["unknown_is_null"].holds
    with pytest.raises(RuleBroken, match="rule unknown_is_null"):
        of_states(
            figures=figures,
            versions=versions,
            fault=with_running(worker_compute_cost=0.0),
        )
