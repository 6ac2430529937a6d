from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.bronze.job_runs_snapshot_bronze import job_runs_snapshot_bronze
from overwatch_assets.execution.load import Loader
from overwatch_assets.execution.records import Record
from overwatch_assets.execution.run import Run
from overwatch_assets.module import Window
from overwatch_assets.sources.gathering import Source
from overwatch_assets.sources.rest_api.answers import list_of, number_of, object_of
from overwatch_assets.sources.rest_api.api import ApiError, Json, Query
from overwatch_assets.sources.rest_api.job_runs import JobRuns
from overwatch_assets_tests.frames import table
from overwatch_assets_tests.memory import MadeUpWorkspace, MemoryLedger, MemoryStore, UtcCalendar

MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)
HOUR = 3_600_000
START = round(datetime(2024, 5, 6, tzinfo=UTC).timestamp() * 1000)


def run_of(run_id: int, start_ms: int, **more: object) -> Json:
    return {"job_id": 7, "run_id": run_id, "start_time": start_ms, **more}


@dataclass
class RunsApi:
    """`jobs/runs/list` and `get` of version 2.2, two runs or tasks at a time."""

    runs: Sequence[object]
    failing: bool = False
    asked: list[Query] = field(default_factory=list[Query])

    def get(self, path: str, query: Query | None = None) -> Json:
        assert query is not None
        self.asked.append(query)
        if self.failing:
            message = f"workspace acme-prod: GET {path}: no answer"
            raise ApiError(message)
        page = int(str(query.get("page_token", 0)))
        if path == "/api/2.2/jobs/runs/get":
            [run] = [each for each in self._objects() if each["run_id"] == query["run_id"]]
            tasks = list_of(run, "tasks", path)
            return {**run, "tasks": tasks[page * 2 : page * 2 + 2], **_more(page, len(tasks))}
        assert path == "/api/2.2/jobs/runs/list"
        since, until = query["start_time_from"], query["start_time_to"]
        found = [each for each in self.runs if _started(each, int(str(since)), int(str(until)))]
        return {
            "runs": [_listed(each) for each in found[page * 2 : page * 2 + 2]],
            **_more(page, len(found)),
        }

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        raise AssertionError(path, body)

    def download(self, path: str) -> Iterator[bytes]:
        raise AssertionError(path)

    def fetch(self, url: str) -> bytes:
        raise AssertionError(url)

    def _objects(self) -> list[Json]:
        return [told for each in self.runs if (told := object_of(each)) is not None]


def _started(run: object, since_ms: int, until_ms: int) -> bool:
    """Whether a list tells of a run; what is none is told in the first hours of the day."""
    at_ms = number_of((object_of(run) or {}).get("start_time"))
    return since_ms <= (START if at_ms is None else at_ms) <= until_ms


def _listed(run: object) -> object:
    told = object_of(run) or {}
    tasks = list_of(told, "tasks", "list")
    return {**told, "tasks": tasks[:2], "has_more": True} if len(tasks) > 2 else run


def _more(page: int, total: int) -> Json:
    return {"next_page_token": str(page + 1)} if (page + 1) * 2 < total else {}


@dataclass
class Deployment:
    api: RunsApi
    store: MemoryStore = field(default_factory=MemoryStore)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    def load(self, *days: date, now: datetime | None = None) -> list[Record]:
        def source(_organization_id: str) -> Source:
            return JobRuns(self.api, "job_runs_snapshot_bronze", threads=2)

        loader = Loader(
            store=self.store,
            ledger=self.ledger,
            modules={job_runs_snapshot_bronze.table.name: job_runs_snapshot_bronze},
            calendar=UtcCalendar(),
            sources={"job_runs": source},
        )
        run = Run(run_id="run", snapshot=now or datetime(2024, 5, 20, tzinfo=UTC))
        records = loader.load(job_runs_snapshot_bronze, MadeUpWorkspace(), days, run)
        self.ledger.write(records)
        return records

    def rows(self) -> pl.DataFrame:
        rows = self.store.scan(job_runs_snapshot_bronze.table).collect()
        return rows.sort("job_id", "run_id")


def test_a_run_belongs_to_the_day_it_started_on_whatever_the_pages() -> None:
    at = [0, 1, 6 * HOUR, 6 * HOUR - 1, 23 * HOUR, 24 * HOUR, 24 * HOUR, 30 * HOUR, 47 * HOUR]
    runs = [run_of(number, START + each) for number, each in enumerate(at)]
    deployment = Deployment(RunsApi(runs))
    deployment.load(MONDAY, TUESDAY)
    days = deployment.rows().select("run_id", "partition_date").rows()
    assert days == [(number, MONDAY if number < 5 else TUESDAY) for number in range(len(at))]


def test_a_run_of_many_tasks_is_completed_page_by_page() -> None:
    tasks = [{"task_key": f"t{number}", "run_id": number} for number in range(5)]
    deployment = Deployment(RunsApi([run_of(1, START, tasks=tasks), run_of(2, START)]))
    deployment.load(MONDAY)
    many, none = deployment.rows()["tasks"].to_list()
    assert [task["task_key"] for task in many] == ["t0", "t1", "t2", "t3", "t4"]
    assert none is None
    assert deployment.rows()["_extra"].to_list() == [None, None]


def test_columns_are_filled_and_the_rest_is_kept_as_text() -> None:
    run = run_of(
        1,
        START,
        state={"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"},
        cluster_spec={"new_cluster": {"num_workers": 2, "spark_conf": {"spark.a": "1"}}},
        overriding_parameters={"notebook_params": {"day": "today"}},
        queue_duration=5,
    )
    deployment = Deployment(RunsApi([run]))
    deployment.load(MONDAY)
    [row] = deployment.rows().to_dicts()
    assert row["state"]["result_state"] == "SUCCESS"
    assert row["cluster_spec"]["new_cluster"]["num_workers"] == 2
    assert row["overriding_parameters"]["notebook_params"] == {"day": "today"}
    assert row["_extra"] == '{"queue_duration":5}'


def test_what_is_no_run_is_rejected_and_its_neighbours_land() -> None:
    runs = [7, run_of(1, START), {"run_id": 2}, {"start_time": START}]
    deployment = Deployment(RunsApi(runs))
    deployment.load(MONDAY)
    assert deployment.rows()["run_id"].to_list() == [1]
    [rejected] = deployment.store.rows["api_rejected"].values()
    assert sorted(rejected["reason"]) == ["no run_id", "no start_time", "not an object"]


def test_a_run_that_was_running_is_told_anew_when_its_day_is_loaded_again() -> None:
    deployment = Deployment(RunsApi([run_of(1, START, end_time=0)]))
    deployment.load(MONDAY)
    deployment.api.runs = [run_of(1, START, end_time=START + 9)]
    deployment.load(MONDAY)
    deployment.api.runs = []
    deployment.load(MONDAY)
    assert deployment.rows()["end_time"].to_list() == [START + 9]


def test_days_of_more_than_sixty_days_ago_are_not_asked_for_and_say_so() -> None:
    deployment = Deployment(RunsApi([run_of(1, START)]))
    after = datetime(2024, 5, 7, tzinfo=UTC) + timedelta(days=60)
    [record] = deployment.load(MONDAY, now=after)
    assert (record.rows, record.reason) == (0, "the API remembers the job runs of 60 days only")
    assert deployment.api.asked == []
    [record] = deployment.load(MONDAY, now=after - timedelta(seconds=1))
    assert record.rows == 1


def test_a_failure_leaves_the_day_as_it_was() -> None:
    deployment = Deployment(RunsApi([run_of(1, START)]))
    deployment.load(MONDAY)
    deployment.api.failing = True
    with pytest.raises(ApiError, match="no answer"):
        deployment.load(MONDAY)
    assert deployment.rows().height == 1


@given(st.permutations([0, 1, 2]))
def test_the_ended_run_wins_over_the_running_one_then_the_later_end(order: list[int]) -> None:
    key = {"job_id": 7, "run_id": 1, "start_time": START}
    answers = [
        {**key, "state": {"life_cycle_state": "RUNNING"}, "run_name": "z"},
        {**key, "state": {"life_cycle_state": "TERMINATED"}, "end_time": START + 5},
        {**key, "end_time": START + 9, "run_name": "a"},
    ]
    one, two, three = (table("job_runs_snapshot_bronze", answers[number]) for number in order)
    window = Window(datetime(2024, 5, 6, tzinfo=UTC), datetime(2024, 5, 7, tzinfo=UTC))
    both = job_runs_snapshot_bronze(one, two, window=window)
    rows = job_runs_snapshot_bronze(three, both, window=window).collect()
    assert rows["end_time"].to_list() == [START + 9]
