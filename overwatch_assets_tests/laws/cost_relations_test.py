"""How costs change when the world changes: what no figure can be known of, but its relation to
another one. Dearer prices, a later week, other names and a second workspace; each made-up world is
loaded from its sources to what runs and clusters cost, rules of the tables included.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache, reduce
from typing import Any, cast

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from overwatch_assets.expressions.state_costs import CLUSTER_AMOUNTS
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, PARTITION_DATE
from overwatch_assets.presentation import clusteridlecostdaily, tagcostdaily, usercostdaily
from overwatch_assets.registry import DERIVED_VIEWS, TABLES, in_load_order
from overwatch_assets.view import DerivedView
from overwatch_assets_tests.laws.cluster_event_world import cluster_event_sources
from overwatch_assets_tests.laws.cluster_world import cluster_sources
from overwatch_assets_tests.laws.harness import FIGURES, World, WorldSource
from overwatch_assets_tests.laws.job_world import job_sources
from overwatch_assets_tests.laws.spark_world import DAYS, FIRST_DAY
from overwatch_assets_tests.memory import MadeUpWorkspace

Sources = Mapping[str, WorldSource]

STATES, RUNS = "clusterstatefact_gold", "jobruncostpotentialfact_gold"
NEEDED = {
    "audit_log_bronze",
    "jobs_snapshot_bronze",
    "clusters_snapshot_bronze",
    "pools_snapshot_bronze",
    "cluster_events_bronze",
    "spark_events_bronze",
    "spark_applications_silver",
    "spark_jobs_silver",
    "spark_tasks_silver",
    "pools_silver",
    "cluster_spec_silver",
    "job_status_silver",
    "jobrun_silver",
    "cluster_state_detail_silver",
    STATES,
    "jobrun_gold",
    "sparkjob_gold",
    "sparktask_gold",
    RUNS,
}
MODULES = [module for module in in_load_order() if module.table.name in NEEDED]
COSTS = {
    STATES: (
        "cluster_id",
        "unixTimeMS_state_start",
        "state",
        "seq",
        *CLUSTER_AMOUNTS,
        "cost_reason",
    ),
    RUNS: (
        "run_id",
        "cluster_id",
        "total_compute_cost",
        "total_dbu_cost",
        "total_cost",
        "total_dbus",
        "weighted_cluster_share",
        "cost_reason",
    ),
}
DECLARED = {table.name: table for table in TABLES}
OTHER = MadeUpWorkspace("7", "other", first_day=FIRST_DAY)
WEEK = timedelta(days=7)
WEEK_MS = 7 * 86_400_000

RELATED = settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
"""A world takes seconds to load: few are, and those that fail are not made smaller."""

seeds = st.sampled_from([3, 15])
"""Worlds in which runs meet states that cost something."""


@cache
def made_up(seed: int) -> Sources:
    """What is told of clusters, jobs and runs, by the name of the source."""
    clusters, jobs = cluster_sources(seed), job_sources(seed)
    audit = pl.concat([each["audit_logs"].rows for each in (clusters, jobs)])
    return {
        **cluster_event_sources(seed),
        **clusters,
        **jobs,
        "audit_logs": WorldSource(audit, "timestamp"),
    }


def loaded(sources: Sources, days: tuple[date, ...] = tuple(DAYS), **more: Any) -> World:
    world = World(sources, modules=MODULES, **more)
    world.load(*days)
    return world


@cache
def plain(seed: int) -> World:
    """The world as it is."""
    return loaded(made_up(seed))


def shown(world: World, name: str) -> pl.LazyFrame:
    """What a view shows of a table: closed rows, and the open ones of the last day."""
    rows = world.store.scan(DECLARED[name])
    last = pl.col(PARTITION_DATE.name).max()
    return rows.filter(~pl.col(IS_OPEN.name) | (pl.col(PARTITION_DATE.name) == last))


def costs(world: World, name: str) -> pl.DataFrame:
    """What rows of a table cost, in an order that depends on them alone."""
    rows = shown(world, name).select(*COSTS[name]).collect()
    return rows.sort(COSTS[name][:4], nulls_last=True)


def viewed(world: World, view: DerivedView) -> pl.DataFrame:
    return view.made_of({name: shown(world, name) for name in view.tables}, "UTC").collect()


def assert_same_costs(one: World, other: World) -> None:
    for name in COSTS:
        assert_frame_equal(costs(one, name), costs(other, name), rel_tol=1e-9, abs_tol=1e-12)
        assert costs(one, name).height > 0


def usd(name: str) -> list[str]:
    """Columns of a table's costs that are USD."""
    return [each for each in COSTS[name] if each.endswith("_cost")]


@RELATED
@given(seeds, st.sampled_from([0.5, 3.0]))
def test_prices_several_times_as_high_make_costs_as_many_times_as_high(
    seed: int, times: float
) -> None:
    prices = {"instancedetails": "Compute_Contract_Price", "dbucostdetails": "contract_price"}
    dearer = {
        name: FIGURES[name].with_columns(pl.col(price) * times) for name, price in prices.items()
    }
    base, other = plain(seed), loaded(made_up(seed), references={**FIGURES, **dearer})
    for name in COSTS:
        expected = costs(base, name).with_columns(pl.col(usd(name)) * times)
        assert_frame_equal(costs(other, name), expected, rel_tol=1e-9, abs_tol=1e-12)


@RELATED
@given(seeds)
def test_a_week_later_everything_costs_the_same_a_week_later(seed: int) -> None:
    instants = ("timestamp", "captured_at_ms", "created_time", "start_time")

    def later(source: WorldSource) -> WorldSource:
        names = [name for name in source.rows.columns if name in instants]
        moved = source.rows.with_columns(pl.col(names) + WEEK_MS)
        return replace(source, rows=moved)

    workspace = MadeUpWorkspace(first_day=DAYS[0] + WEEK)
    sources = {name: later(each) for name, each in made_up(seed).items()}
    other = loaded(sources, tuple(day + WEEK for day in DAYS), workspace=workspace)
    base = costs(plain(seed), STATES).with_columns(pl.col("unixTimeMS_state_start") + WEEK_MS)
    assert_frame_equal(costs(other, STATES), base, rel_tol=1e-9, abs_tol=1e-12)
    assert_frame_equal(costs(other, RUNS), costs(plain(seed), RUNS), rel_tol=1e-9, abs_tol=1e-12)
    for view in (clusteridlecostdaily.VIEW, tagcostdaily.VIEW):
        of_base = viewed(plain(seed), view).with_columns(pl.col("date").dt.offset_by("7d"))
        assert_frame_equal(
            viewed(other, view), of_base, check_row_order=False, rel_tol=1e-9, abs_tol=1e-12
        )


NAMES = {
    "0506-aaaa": "9-new",
    "0506-bbbb": "8-new",
    "0506-cccc": "7-new",
    "0506-dddd": "6-new",
    "0506-eeee": "5-new",
}


@RELATED
@given(seeds)
def test_other_names_of_clusters_permute_the_rows_and_change_no_cost(seed: int) -> None:
    sources = {name: renamed(each) for name, each in made_up(seed).items()}
    back = {new: old for old, new in NAMES.items()}
    other = loaded(sources)
    for name in COSTS:
        found = costs(other, name).with_columns(pl.col("cluster_id").replace(back))
        expected = costs(plain(seed), name)
        order = list(COSTS[name][:4])
        assert_frame_equal(
            found.sort(order, nulls_last=True), expected, rel_tol=1e-9, abs_tol=1e-12
        )


def renamed(source: WorldSource) -> WorldSource:
    """A source that calls clusters otherwise, wherever it names them."""

    rows = [_renamed(row) for row in source.rows.to_dicts()]
    return replace(source, rows=pl.DataFrame(rows, schema=source.rows.schema))


def _renamed(value: object) -> Any:
    match value:
        case str():
            return reduce(lambda text, name: text.replace(*name), NAMES.items(), value)
        case dict():
            return {key: _renamed(each) for key, each in cast("dict[str, object]", value).items()}
        case list():
            return [_renamed(each) for each in cast("list[object]", value)]
        case _:
            return value


@RELATED
@given(seeds)
def test_two_workspaces_together_cost_what_each_does_alone(seed: int) -> None:
    one, two = plain(seed), loaded(made_up(seed + 1), workspace=OTHER)
    both = World({}, modules=MODULES)
    for name in DECLARED:
        both.store.rows[name] = {**one.store.rows.get(name, {}), **two.store.rows.get(name, {})}
    for view in (clusteridlecostdaily.VIEW, usercostdaily.VIEW, tagcostdaily.VIEW):
        apart = pl.concat([viewed(one, view), viewed(two, view)])
        together = viewed(both, view)
        assert_frame_equal(together, apart, check_row_order=False, rel_tol=1e-9, abs_tol=1e-12)
        assert together[ORGANIZATION_ID.name].n_unique() == 2


TIMES = ("busy_S", "core_hours", "execution_time_S")


@pytest.mark.parametrize("view", DERIVED_VIEWS, ids=lambda view: view.name)
def test_no_view_of_costs_adds_workspaces_or_usd_and_dbus_together(view: DerivedView) -> None:
    columns = {column.name: column for column in view.columns}
    assert ORGANIZATION_ID.name in columns
    for name, column in columns.items():
        if column.dtype == pl.Float64 and name not in TIMES:
            assert name.endswith(("_cost", "_dbus"))
            assert ("USD" in column.doc) == name.endswith("_cost")
