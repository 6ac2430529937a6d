import random
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.demo.company import Person
from overwatch_assets.demo.estate import (
    QueryEnding,
    SqlQuery,
    SqlStatement,
    Warehouse,
    WarehouseSettings,
)
from overwatch_assets.demo.warehouse_engine import (
    QUERIES_PER_CLUSTER,
    STOPPED_ERROR,
    QueryPlan,
    WarehouseEngine,
)

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
UNTIL_MS = 24 * HOUR_MS
SETTINGS = WarehouseSettings("wh", "Small", 1, 3, auto_stop_minutes=10)
ANN = Person("ann@tidewater.example", 1, "203.0.113.1")
STATEMENT = SqlStatement("select 1", "SELECT", 1000, 10**9, 1000, 1, 10)
UP = {"RUNNING", "SCALED_UP", "SCALED_DOWN"}

Life = tuple[Warehouse, tuple[SqlQuery, ...]]


def engine(*, is_new: bool = False, settings: WarehouseSettings = SETTINGS) -> WarehouseEngine:
    rng = random.Random(4)  # noqa: S311 - a made-up world keeps no secret
    return WarehouseEngine("w-1", ANN, settings, 0, UNTIL_MS, rng, is_new=is_new)


def plan(minute: int, minutes: float, ending: QueryEnding = QueryEnding.FINISHED) -> QueryPlan:
    run_ms = round(minutes * MINUTE_MS)
    return QueryPlan(minute * MINUTE_MS, ANN, ANN, "editor", STATEMENT, run_ms, ending)


def played(*plans: QueryPlan) -> Life:
    planned = engine()
    for each in plans:
        planned.ask(each)
    return planned.play()


def statuses(warehouse: Warehouse) -> list[str]:
    return [state.status.value for state in warehouse.states]


def test_a_query_starts_the_warehouse_and_waits_for_it() -> None:
    warehouse, (query,) = played(plan(60, 5))
    assert statuses(warehouse)[:3] == ["STOPPED", "STARTING", "RUNNING"]
    assert query.has_waited_for_start
    started_ms = warehouse.states[2].since_ms
    assert started_ms > query.submitted_ms
    assert (query.running_ms, query.ended_ms) == (started_ms, started_ms + 5 * MINUTE_MS)


def test_a_new_warehouse_starts_at_once_and_stops_after_its_idle_minutes() -> None:
    warehouse, _ = engine(is_new=True).play()
    assert statuses(warehouse) == ["STARTING", "RUNNING", "STOPPING", "STOPPED"]
    running = warehouse.states[1]
    assert running.until_ms == running.since_ms + 10 * MINUTE_MS
    assert warehouse.states[-1].until_ms is None


def test_what_arrives_while_it_stops_starts_it_again() -> None:
    planned = engine(is_new=True)
    planned.stop(HOUR_MS)
    planned.ask(plan(59, 0.1))
    planned.ask(replace(plan(60, 1), at_ms=HOUR_MS + 1))
    warehouse, queries = planned.play()
    assert statuses(warehouse).count("STARTING") == 3
    assert [query.ending for query in queries] == [QueryEnding.FAILED, QueryEnding.FINISHED]


def test_waiting_queries_bring_clusters_and_quiet_takes_them_away() -> None:
    warehouse, _ = played(*(plan(60, 20) for _ in range(6)), plan(60, 60))
    counts = [state.clusters for state in warehouse.states if state.status.value in UP]
    assert counts == [1, 2, 3, 2, 1]
    assert statuses(warehouse)[3:7] == ["SCALED_UP", "SCALED_UP", "SCALED_DOWN", "SCALED_DOWN"]


def test_a_stop_by_hand_breaks_off_what_runs_and_what_waits() -> None:
    planned = engine(settings=replace(SETTINGS, max_clusters=1))
    for _ in range(QUERIES_PER_CLUSTER + 1):
        planned.ask(plan(60, 50))
    planned.stop(64 * MINUTE_MS + 30_000)
    _, queries = planned.play()
    assert {(query.ending, query.error) for query in queries} == {
        (QueryEnding.FAILED, STOPPED_ERROR)
    }
    assert [query.metrics is None for query in queries] == [False, False, True]


def test_a_deleted_warehouse_ends_then_and_there() -> None:
    planned = engine()
    planned.ask(plan(60, 50))
    planned.delete(70 * MINUTE_MS)
    warehouse, (query,) = planned.play()
    assert warehouse.deleted_ms == 70 * MINUTE_MS == query.ended_ms
    assert warehouse.states[-1].until_ms == warehouse.deleted_ms
    assert warehouse.state_at(70 * MINUTE_MS + 1) is None


def test_a_new_size_shows_when_the_warehouse_starts_again() -> None:
    planned = engine(is_new=True)
    planned.edit(MINUTE_MS, replace(SETTINGS, size="Large"))
    planned.start(HOUR_MS)
    warehouse, _ = planned.play()
    sizes = [state.size for state in warehouse.states if state.status.value == "RUNNING"]
    assert sizes == ["Small", "Large"]


def test_what_lasts_when_the_world_ends_has_no_end() -> None:
    warehouse, (query,) = played(plan(23 * 60, 120))
    assert query.running_ms is not None
    assert (query.ended_ms, query.fetched_ms, query.ending) == (None, None, None)
    assert warehouse.states[-1].until_ms is None


@given(
    st.lists(
        st.builds(
            plan, st.integers(1, 24 * 60), st.floats(0.01, 90), st.sampled_from(list(QueryEnding))
        ),
        max_size=25,
    ),
    st.lists(st.integers(1, UNTIL_MS), max_size=3),
)
def test_a_life_has_no_gap_and_a_cluster_no_more_than_it_can(
    plans: list[QueryPlan], stops: list[int]
) -> None:
    planned = engine()
    for each in plans:
        planned.ask(each)
    for at_ms in stops:
        planned.stop(at_ms)
    warehouse, queries = planned.play()
    for state, following in pairwise(warehouse.states):
        assert state.until_ms == following.since_ms
        assert (state.clusters == 0) == (state.status.value not in UP)
        assert state.clusters <= SETTINGS.max_clusters
    for query in queries:
        times = (query.submitted_ms, query.running_ms, query.ended_ms, query.fetched_ms)
        known = [each for each in times if each is not None]
        assert known == sorted(known)
        assert all(each < UNTIL_MS for each in known)
    for state in warehouse.states:
        busy = sum(is_running(query, state.since_ms) for query in queries)
        assert busy <= state.clusters * QUERIES_PER_CLUSTER


def is_running(query: SqlQuery, at_ms: int) -> bool:
    if query.running_ms is None or query.running_ms > at_ms:
        return False
    return query.ended_ms is None or query.ended_ms > at_ms
