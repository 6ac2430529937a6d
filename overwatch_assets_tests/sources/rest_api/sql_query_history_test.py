from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overwatch_assets.bronze.sql_query_history_bronze import sql_query_history_bronze
from overwatch_assets.errors import MissingDay
from overwatch_assets.module import Window
from overwatch_assets.sources.rest_api.api import ApiError
from overwatch_assets_tests.frames import table
from overwatch_assets_tests.sources.rest_api.query_world import (
    DAY,
    DAYS,
    HOUR,
    START,
    QueryApi,
    QueryDeployment,
    SqlQuery,
    made_up,
)

WORLDS = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
seeds = st.integers(0, 100_000)
MONDAY, TUESDAY, WEDNESDAY = DAYS[:3]
LONG_QUERY = SqlQuery("q-1", START + 20 * HOUR, START + DAY + 30 * HOUR)
"""From Monday 20:00 to Wednesday 06:00."""


def seen(deployment: QueryDeployment) -> list[tuple[object, ...]]:
    return deployment.rows().select("partition_date", "query_id", "status").rows()


def days_of(query: SqlQuery) -> list[date]:
    """Days on which a query started or had not ended when they began."""
    return [
        day
        for number, day in enumerate(DAYS)
        for begin in [START + number * DAY]
        if query.start_ms < begin + DAY
        and (query.start_ms >= begin or query.end_ms is None or query.end_ms >= begin)
    ]


@WORLDS
@given(seeds)
def test_a_query_stands_in_each_day_from_its_start_to_its_end(seed: int) -> None:
    queries = made_up(seed)
    expected = {(day, each.query_id) for each in queries for day in days_of(each)}
    daily, together = QueryDeployment(QueryApi(queries)), QueryDeployment(QueryApi(queries))
    for day in DAYS:
        daily.load(day)
    together.load(*DAYS)
    for deployment in (daily, together):
        rows = deployment.rows()
        assert set(rows.select("partition_date", "query_id").rows()) == expected
        assert rows.height == len(expected)


@WORLDS
@given(seeds)
def test_every_end_is_told_on_its_day_whatever_the_split(seed: int) -> None:
    queries = made_up(seed)
    daily = QueryDeployment(QueryApi(queries))
    for day in DAYS:
        daily.load(day)
    known = {
        (row["query_id"], row["partition_date"]): row["query_end_time_ms"]
        for row in daily.rows().iter_rows(named=True)
    }
    for each in queries:
        if each.end_ms is not None and each.end_ms < START + len(DAYS) * DAY:
            day = datetime.fromtimestamp(each.end_ms / 1000, UTC).date()
            assert known[each.query_id, day] == each.end_ms


@WORLDS
@given(seeds, st.sets(st.sampled_from(DAYS[1:])))
def test_asked_later_every_split_gives_the_same_rows(seed: int, cuts: set[date]) -> None:
    queries = made_up(seed)
    later = datetime(2024, 5, 20, tzinfo=UTC)
    together, apart = QueryDeployment(QueryApi(queries)), QueryDeployment(QueryApi(queries))
    together.load(*DAYS, now=later)
    part: list[date] = []
    for day in DAYS:
        if day in cuts:
            apart.load(*part, now=later)
            part = []
        part.append(day)
    apart.load(*part, now=later)
    assert apart.rows().equals(together.rows())


@WORLDS
@given(seeds)
def test_a_day_loaded_again_holds_what_is_known_best(seed: int) -> None:
    queries = made_up(seed)
    later = datetime(2024, 5, 20, tzinfo=UTC)
    once, again = QueryDeployment(QueryApi(queries)), QueryDeployment(QueryApi(queries))
    once.load(*DAYS, now=later)
    for day in DAYS:
        again.load(day)
    again.api.repeats = True
    again.load(*DAYS, now=later)
    assert again.rows().equals(once.rows())
    again.load(*DAYS, now=datetime(2024, 9, 1, tzinfo=UTC))
    assert again.rows().equals(once.rows())


def test_a_query_is_asked_for_by_its_id_on_each_day_it_runs_and_copied_once_it_has_ended() -> None:
    deployment = QueryDeployment(QueryApi([LONG_QUERY]))
    for day in (MONDAY, TUESDAY):
        deployment.load(day, now=datetime(2024, 5, 8, 3, tzinfo=UTC))
    assert seen(deployment) == [(MONDAY, "q-1", "RUNNING"), (TUESDAY, "q-1", "RUNNING")]
    asked = [each.get("filter_by.statement_ids") for each in deployment.api.asked]
    assert [ids for ids in asked if ids] == [["q-1"]]
    deployment.load(WEDNESDAY)
    assert seen(deployment)[-1] == (WEDNESDAY, "q-1", "FINISHED")


def test_a_query_known_to_end_on_a_later_day_is_copied_without_asking() -> None:
    deployment = QueryDeployment(QueryApi([LONG_QUERY]))
    deployment.load(*DAYS, now=datetime(2024, 5, 20, tzinfo=UTC))
    assert [row[0] for row in seen(deployment)] == [MONDAY, TUESDAY, WEDNESDAY]
    assert not any(each.get("filter_by.statement_ids") for each in deployment.api.asked)


def test_a_query_that_is_not_told_any_more_has_no_row() -> None:
    deployment = QueryDeployment(QueryApi([SqlQuery("q-1", START + HOUR, None)]))
    deployment.load(MONDAY)
    deployment.api.queries = []
    deployment.load(TUESDAY)
    assert seen(deployment) == [(MONDAY, "q-1", "RUNNING")]


def test_ids_are_asked_with_a_range_where_the_api_wants_one_and_that_is_told() -> None:
    deployment = QueryDeployment(QueryApi([LONG_QUERY], wants_range=True))
    deployment.load(MONDAY)
    [record] = deployment.load(TUESDAY, now=datetime(2024, 5, 8, 3, tzinfo=UTC))
    assert seen(deployment)[-1] == (TUESDAY, "q-1", "RUNNING")
    assert record.counted == {"queries_asked_with_a_range": 1}


def test_a_day_without_the_day_before_is_refused_because_its_queries_may_go_on() -> None:
    deployment = QueryDeployment(QueryApi([LONG_QUERY]))
    with pytest.raises(MissingDay, match="materialise 2024-05-06 first"):
        deployment.load(TUESDAY)


def test_a_failure_leaves_the_day_as_it_was() -> None:
    deployment = QueryDeployment(QueryApi([LONG_QUERY]))
    deployment.load(MONDAY)
    before = deployment.rows()
    deployment.api.failing = True
    with pytest.raises(ApiError, match="no answer"):
        deployment.load(MONDAY)
    assert deployment.rows().equals(before)


def test_what_the_api_no_longer_remembers_is_not_asked_for_and_stays() -> None:
    deployment = QueryDeployment(QueryApi([LONG_QUERY]))
    deployment.load(*DAYS[:2])
    before = deployment.rows()
    deployment.api.asked.clear()
    first, second = deployment.load(*DAYS[:2], now=datetime(2024, 9, 1, tzinfo=UTC))
    assert deployment.rows().equals(before)
    assert (first.rows, second.rows) == (1, 1)
    assert [each for each in deployment.api.asked if "filter_by.statement_ids" not in each] == []


def test_a_day_that_was_never_asked_in_time_says_so() -> None:
    [record] = QueryDeployment(QueryApi([])).load(MONDAY, now=datetime(2024, 9, 1, tzinfo=UTC))
    assert record.reason == "the API remembers the queries of 30 days only"


def test_a_query_is_followed_for_thirty_days() -> None:
    endless = SqlQuery("q-1", START, None)
    deployment = QueryDeployment(QueryApi([endless], remembered_ms=99 * DAY))
    for number in range(32):
        deployment.load(MONDAY + timedelta(days=number))
    assert deployment.rows()["partition_date"].n_unique() == 30


def test_metrics_stand_beside_the_other_fields_which_win_and_the_rest_is_kept_as_text() -> None:
    class Told(QueryApi):
        def get(self, path: str, query: object = None) -> dict[str, object]:
            del path, query
            metrics = {"read_bytes": 7, "duration": 1, "runnable_tasks": 3}
            query_of = SqlQuery("q-1", START, START + 5).told(START + 6)
            return {"res": [{**query_of, "metrics": metrics, "warehouse_id": None,
                             "endpoint_id": "w-9", "execution_end_time_ms": 0}]}  # fmt: skip

    deployment = QueryDeployment(Told([]))
    deployment.load(MONDAY)
    [row] = deployment.rows().to_dicts()
    assert (row["read_bytes"], row["duration"], row["warehouse_id"]) == (7, 5, "w-9")
    assert (row["execution_end_time_ms"], row["_extra"]) == (None, '{"runnable_tasks":3}')


def test_what_is_no_query_is_rejected_and_its_neighbours_land() -> None:
    class Told(QueryApi):
        def get(self, path: str, query: object = None) -> dict[str, object]:
            del path, query
            good = SqlQuery("q-1", START, START + 5).told(START + 6)
            return {"res": [None, {**good, "query_id": " "}, good, {"query_id": "q-2"}]}

    deployment = QueryDeployment(Told([]))
    [record] = deployment.load(MONDAY)
    assert [row[1] for row in seen(deployment)] == ["q-1"]
    [rejected] = deployment.store.rows["api_rejected"].values()
    assert sorted(rejected["reason"]) == ["no query_id", "no query_start_time_ms", "not an object"]
    assert set(rejected["table"]) == {"sql_query_history_bronze"}
    assert record.rows == 1


@given(st.permutations([0, 1, 2]))
def test_the_final_answer_wins_over_that_of_a_running_query(order: list[int]) -> None:
    key = {"warehouse_id": "w", "query_id": "q", "query_start_time_ms": START}
    answers = [
        {**key, "status": "RUNNING", "is_final": False, "query_end_time_ms": START + 9},
        {**key, "status": "FINISHED", "is_final": True, "query_end_time_ms": START + 5},
        {**key, "status": "CANCELED", "is_final": True, "query_end_time_ms": START + 4},
    ]
    frames = [table("sql_query_history_bronze", answers[number]) for number in order]
    window = Window(datetime(2024, 5, 6, tzinfo=UTC), datetime(2024, 5, 7, tzinfo=UTC))
    one, two, three = frames
    both = sql_query_history_bronze(one, two, window=window)
    rows = sql_query_history_bronze(three, both, window=window).collect()
    assert rows["status"].to_list() == ["FINISHED"]
