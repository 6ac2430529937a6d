from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from overwatch_assets.module import DECIDED_MS, Window
from overwatch_assets.silver.jobrun_silver import jobrun_silver
from overwatch_assets_tests.frames import ms, table, utc
from overwatch_assets_tests.laws.cluster_world import audit_event
from overwatch_assets_tests.silver.job_days import JobDays, Json, capture, event

MONDAY, TUESDAY, WEDNESDAY = "2024-05-06", "2024-05-07", "2024-05-08"
DAY_MS = 86_400_000
START = pl.col("TaskRunTime").struct.field("startEpochMS").alias("start")
END = pl.col("TaskRunTime").struct.field("endEpochMS").alias("end")
STATE = pl.col("terminalState")
TIMES = pl.col("timeDetails").struct


def loaded(events: Sequence[Json], captures: Sequence[Json] = (), **more: Any) -> JobDays:
    return JobDays(jobrun_silver, events, captures, **more).load()


def runs(days: JobDays, *columns: str | pl.Expr) -> list[tuple[object, ...]]:
    rows = days.rows().filter(pl.col("row_kind") == "run")
    return rows.sort("partition_date", "runId").select(*columns).rows()


def job_runs(days: JobDays, *columns: str | pl.Expr) -> list[tuple[object, ...]]:
    rows = days.rows().filter(pl.col("row_kind") == "job_run")
    return rows.sort("partition_date", "runId").select(*columns).rows()


def triggered(at: str | int, run: int = 500, **more: Any) -> Json:
    return event(at, "runTriggered", runId=run, jobId=10, jobTriggerType="cron", **more)


def started(at: str | int, run: int = 501, parent: int | None = 500, **more: Any) -> Json:
    named: dict[str, Any] = {
        "jobId": 10,
        "taskKey": "a",
        "clusterId": "c-1",
        "jobClusterType": "existing",
    }
    told = {**named, **more}
    return event(at, "runStart", None, runId=run, multitaskParentRunId=parent, **told)


def ended(at: str | int, run: int = 501, parent: int | None = 500, **more: Any) -> Json:
    told: dict[str, Any] = {"jobTerminalState": "Succeeded", **more}
    return event(at, "runSucceeded", None, runId=run, multitaskParentRunId=parent, **told)


def echo(at: str | int, run: int = 500, state: str = "Succeeded") -> Json:
    """The end of the job's run."""
    return ended(at, run, None, jobTerminalState=state)


def defined(at: str | int, by: str = "zoe", **settings: Any) -> Json:
    return event(at, "create", by, result={"job_id": 10}, **settings)


def test_the_worked_example_with_a_midnight_where_the_first_window_ends() -> None:
    tasks = [
        {"task_key": "a", "job_cluster_key": "jc"},
        {"task_key": "b", "sql_task": {"warehouse_id": "w9"}},
    ]
    zero = ms(TUESDAY) - 6000
    events = [
        defined(zero, name="etl", tasks=tasks),
        triggered(zero + 1000),
        started(zero + 1100, jobClusterType="job_cluster"),
        ended(zero + 4900),
        started(zero + 5000, 502, taskKey="b", taskDependencies=["a"], clusterId=None),
        triggered(zero + 5500, 600),
        event(zero + 7000, "cancel", run_id=502),
        ended(zero + 7200, 502, jobTerminalState="Canceled"),
        echo(zero + 7300, state="Canceled"),
    ]
    days = loaded(events, days=2)
    found = runs(
        days, "runId", "jobRunId", "taskKey", "clusterId", "clusterType",
        pl.col("startEpochMS") - zero, END - zero, STATE, "jobTriggerType", "cluster_name",
        "is_open",
    )  # fmt: skip
    of_b = (502, 500, "b", "w9", "sqlWarehouse", 5000)
    assert found == [
        (501, 500, "a", "c-1", "job_cluster", 1100, 4900, "Succeeded", "cron", "jc", False),
        (*of_b, None, None, "cron", "b", True),
        (*of_b, 7200, "Cancelled", "cron", "b", False),
    ]
    dependencies = pl.col("taskDependencies").list.join(",")
    assert runs(days, dependencies, "jobName") == [(None, "etl"), ("a", "etl"), ("a", "etl")]
    assert job_runs(days, "runId", "is_open") == [
        (500, True),
        (600, True),
        (500, False),
        (600, True),
    ]
    assert days.counted() == {"end_of_job_run": 1}
    once = days.world.rows(jobrun_silver)
    assert days.load().world.rows(jobrun_silver).equals(once)


def test_a_run_is_there_whether_or_not_it_was_asked_for() -> None:
    events = [started(f"{MONDAY} 10:00"), ended(f"{MONDAY} 11:00")]
    [row] = runs(loaded(events), "runId", "jobId", STATE, "jobTriggerType", "submission")
    assert row == (501, 10, "Succeeded", None, None)


def test_a_run_that_never_started_lies_on_the_day_of_its_end_and_was_nowhere() -> None:
    tasks = [{"task_key": "a", "existing_cluster_id": "c-1"}]
    events = [
        defined(f"{MONDAY} 08:00", tasks=tasks),
        triggered(f"{MONDAY} 23:59"),
        ended(f"{TUESDAY} 00:01", 500, None, jobId=10, jobTerminalState="Skipped"),
        ended(f"{TUESDAY} 00:02", 700, None, jobId=10, jobTerminalState="Failed"),
    ]
    days = loaded(events, days=2)
    assert runs(days, "runId", "startEpochMS", START, END, "clusterId", STATE, "end_imputed") == [
        (500, ms(f"{MONDAY} 23:59"), None, ms(f"{TUESDAY} 00:01"), None, "Skipped", False),
        (700, ms(f"{TUESDAY} 00:02"), None, ms(f"{TUESDAY} 00:02"), None, "Failed", False),
    ]


def test_a_run_asked_for_in_two_ways_is_one_row() -> None:
    events = [
        event(f"{MONDAY} 10:00:01", "runNow", "amy", result={"run_id": 500}, job_id=10,
              notebook_params={"day": "1"}, jar_params=["x"]),
        triggered(f"{MONDAY} 10:00:00"),
        started(f"{MONDAY} 10:01", 500, None),
        ended(f"{MONDAY} 11:00", 500, None),
    ]  # fmt: skip
    override = pl.col("manual_override_params").struct
    by = pl.col("requestDetails").struct.field("submissionRequest").struct.field("submittedBy")
    found = runs(
        loaded(events), "runId", "jobTriggerType", TIMES.field("submissionTime"), by,
        override.field("notebook_params").map.get("day"), override.field("jar_params").list.first(),
    )  # fmt: skip
    assert found == [(500, "cron", ms(f"{MONDAY} 10:00"), "amy", "1", "x")]


def test_a_queued_run_is_no_run_until_it_starts_or_ends() -> None:
    events = [
        event(f"{MONDAY} 23:00", "runNow", result={"run_id": 500}, job_id=10),
        event(f"{MONDAY} 23:01", "cancel", run_id=500),
        started(f"{WEDNESDAY} 01:00", 500, None),
        ended(f"{WEDNESDAY} 02:00", 500, None, jobTerminalState="Canceled"),
    ]
    days = loaded(events, days=3)
    found = runs(days, "runId", "jobTriggerType", TIMES.field("submissionTime"), STATE)
    assert found == [(500, "manual", ms(f"{MONDAY} 23:00"), "Cancelled")]
    assert job_runs(days, "partition_date", "is_open") == [
        (date(2024, 5, 6), True),
        (date(2024, 5, 7), True),
        (date(2024, 5, 8), False),
    ]


def test_each_repair_stands_with_the_runs_that_it_made() -> None:
    def repair(at: str, number: int, status: int = 200) -> Json:
        said: dict[str, Any] = {"run_id": 500, "rerun_tasks": ["a"], "latest_repair_id": None}
        made = {"repair_id": number}
        return event(at, "repairRun", "bob", result=made, status=status, **said)

    events = [
        triggered(f"{MONDAY} 10:00"),
        started(f"{MONDAY} 10:01"),
        ended(f"{MONDAY} 10:02", jobTerminalState="Failed"),
        echo(f"{MONDAY} 10:03", state="Failed"),
        repair(f"{MONDAY} 11:00", 7),
        started(f"{MONDAY} 11:01", 502, repairId=7),
        ended(f"{MONDAY} 11:02", 502, repairId=7, jobTerminalState="Failed"),
        echo(f"{MONDAY} 11:03", state="Failed"),
        repair(f"{TUESDAY} 23:50", 8, status=400),
        repair(f"{TUESDAY} 23:59", 8),
        started(f"{WEDNESDAY} 00:01", 503, repairId=8),
        ended(f"{WEDNESDAY} 00:02", 503, repairId=8),
        echo(f"{WEDNESDAY} 00:03"),
    ]
    days = loaded(events, days=3)
    details = pl.col("repair_details")
    times = details.list.eval(pl.element().struct.field("repair_timestamp"))
    found = runs(days, "runId", "repairId", times, TIMES.field("submissionTime"), "jobTriggerType")
    asked = ms(f"{MONDAY} 10:00")
    assert found == [
        (501, None, None, asked, "cron"),
        (502, 7, [ms(f"{MONDAY} 11:00")], asked, "cron"),
        (503, 8, [ms(f"{TUESDAY} 23:59")], asked, "cron"),
    ]
    assert days.counted() == {"end_of_job_run": 3}


def test_a_cancelled_job_run_does_not_mark_its_tasks() -> None:
    events = [
        started(f"{MONDAY} 10:00"),
        event(f"{MONDAY} 10:01", "cancel", run_id=500),
        event(f"{MONDAY} 10:01", "cancel", status=403, run_id=501),
        ended(f"{MONDAY} 10:02", jobTerminalState="Canceled"),
    ]
    days = loaded(events)
    assert runs(days, STATE, TIMES.field("cancellationTime")) == [("Canceled", None)]
    assert days.counted() == {"refused_cancel": 1}


def test_what_comes_after_the_first_end_changes_nothing() -> None:
    events = [
        triggered(f"{MONDAY} 22:00"),
        started(f"{MONDAY} 23:00"),
        ended(f"{MONDAY} 23:50"),
        event(f"{MONDAY} 23:55", "cancel", run_id=501),
        started(f"{MONDAY} 23:56"),
        event(f"{TUESDAY} 00:10", "cancel", run_id=501),
        ended(f"{TUESDAY} 00:11", jobTerminalState="Canceled"),
        started(f"{TUESDAY} 00:12"),
        ended(f"{WEDNESDAY} 00:11", jobTerminalState="Canceled"),
    ]
    days = loaded(events, days=3)
    assert runs(days, "partition_date", END, STATE) == [
        (date(2024, 5, 6), ms(f"{MONDAY} 23:50"), "Succeeded")
    ]
    assert days.counted() == {"repeated_start": 2, "repeated_end": 2}


def test_a_task_of_the_next_day_knows_who_asked_although_none_was_running_at_midnight() -> None:
    events = [
        event(f"{MONDAY} 23:00", "runNow", "amy", result={"run_id": 500}, job_id=10),
        started(f"{MONDAY} 23:01"),
        ended(f"{MONDAY} 23:50"),
        started(f"{TUESDAY} 00:04", 502),
        ended(f"{TUESDAY} 00:30", 502),
        echo(f"{TUESDAY} 00:31"),
    ]
    days = loaded(events, days=2)
    by = pl.col("requestDetails").struct.field("submissionRequest").struct.field("submittedBy")
    assert runs(days, "runId", by, "is_open") == [(501, "amy", False), (502, "amy", False)]
    assert job_runs(days, "partition_date", "is_open") == [
        (date(2024, 5, 6), True),
        (date(2024, 5, 7), False),
    ]


def test_the_end_of_a_job_run_is_no_run_even_days_after_its_tasks() -> None:
    events = [
        started(f"{MONDAY} 10:00"),
        ended(f"{MONDAY} 23:59"),
        echo(f"{TUESDAY} 00:05"),
        echo(f"{WEDNESDAY} 00:05"),
    ]
    days = loaded(events, days=3)
    assert runs(days, "runId") == [(501,)]
    assert days.counted() == {"end_of_job_run": 2}


def test_a_lost_end_is_that_of_the_job_run_once_an_hour_has_passed() -> None:
    events = [
        started(f"{MONDAY} 22:00"),
        started(f"{MONDAY} 22:30", 502),
        started(f"{MONDAY} 22:40", 503),
        echo(f"{MONDAY} 23:30", state="TimedOut"),
        ended(f"{MONDAY} 23:45", 502),
        ended(f"{TUESDAY} 00:31", 503),
    ]
    days = loaded(events, days=2)
    closed = runs(days, "partition_date", "runId", END, STATE, "end_imputed", "is_open")
    lost = (ms(f"{MONDAY} 23:30"), "TimedOut", True, False)
    assert closed == [
        (date(2024, 5, 6), 501, None, None, False, True),
        (date(2024, 5, 6), 502, ms(f"{MONDAY} 23:45"), "Succeeded", False, False),
        (date(2024, 5, 6), 503, None, None, False, True),
        (date(2024, 5, 7), 501, *lost),
        (date(2024, 5, 7), 503, *lost),
    ]
    assert days.counted() == {"end_of_job_run": 1, "repeated_end": 1}


def test_an_end_of_the_job_run_before_a_repair_ends_nothing_of_the_repair() -> None:
    events = [
        echo(f"{MONDAY} 10:00", state="Failed"),
        started(f"{MONDAY} 12:00", repairId=7),
        ended(f"{MONDAY} 15:00", repairId=7),
    ]
    assert runs(loaded(events), END) == [(ms(f"{MONDAY} 15:00"),)]


def test_a_run_of_which_nothing_more_is_heard_is_lost_after_a_year() -> None:
    begun = ms(f"{MONDAY} 10:00")
    carried = {
        "runId": 501,
        "row_kind": "run",
        "jobRunId": 500,
        "TaskRunTime": {"startEpochMS": begun},
        "is_open": True,
        "carry": {"startRequestId": "r"},
    }

    def day_of_year(number: int) -> pl.DataFrame:
        since = utc(MONDAY) + timedelta(days=number)
        made = jobrun_silver(
            table("audit_log_bronze"),
            table("job_status_silver"),
            table("cluster_spec_silver"),
            table("jobrun_silver", carried),
            table("jobrun_silver").select("runId", "jobRunId", "row_kind", "submission"),
            table("jobrun_silver").select("runId", "row_kind"),
            window=Window(since, since + timedelta(days=1)),
        )
        return made.select("terminalState", END, "end_imputed", "is_open", DECIDED_MS).collect()

    year_later = begun + 365 * DAY_MS
    assert day_of_year(364).rows() == [(None, None, False, True, None)]
    assert day_of_year(365).rows() == [("Lost", year_later, True, False, year_later)]


def test_what_is_known_of_a_job_run_is_kept_for_a_week_of_silence() -> None:
    days = loaded([triggered(f"{MONDAY} 10:00")], days=9)
    found = job_runs(days, "partition_date", "is_open")
    week = [(date(2024, 5, 6) + timedelta(days=number), number < 7) for number in range(8)]
    assert found == week


def test_a_request_told_after_the_start_is_taken_while_the_run_is_open() -> None:
    events = [
        started(f"{MONDAY} 23:59", 500, None),
        started(f"{MONDAY} 23:00", 600, None),
        ended(f"{MONDAY} 23:30", 600, None),
        triggered(f"{TUESDAY} 00:01"),
        triggered(f"{TUESDAY} 00:01", 600),
        ended(f"{TUESDAY} 01:00", 500, None),
    ]
    days = loaded(events, days=2)
    found = runs(days, "runId", TIMES.field("submissionTime"), "jobTriggerType")
    assert found == [
        (500, None, None),
        (600, None, None),
        (500, ms(f"{TUESDAY} 00:01"), "cron"),
    ]


def test_a_run_keeps_what_its_job_was_when_it_started() -> None:
    first, later = {"task_key": "a", "max_retries": 1}, {"task_key": "a", "max_retries": 9}
    events = [
        defined(f"{MONDAY} 08:00", name="etl", tags={"team": "x"}, tasks=[first]),
        started(f"{MONDAY} 10:00"),
        event(f"{MONDAY} 11:00", "reset", job_id=10, new_settings={"name": "b", "tasks": [later]}),
        event(f"{TUESDAY} 09:00", "delete", job_id=10),
        ended(f"{TUESDAY} 10:00"),
        started(f"{MONDAY} 11:00", 502),
        ended(f"{MONDAY} 11:30", 502),
    ]
    found = runs(
        loaded(events, days=2), "runId", "jobName", pl.col("tags").map.get("team"), "max_retries",
        "created_by",
    )  # fmt: skip
    before = ("etl", "x", 1, "zoe")
    assert found == [(501, *before), (502, *before), (501, *before)]


def test_an_unknown_job_is_looked_up_again_while_the_run_is_open() -> None:
    shown = {"name": "etl", "tasks": [{"task_key": "a", "existing_cluster_id": "c-9"}]}
    created = ms("2024-05-05 12:00")
    events = [started(f"{MONDAY} 10:00", clusterId=None), ended(f"{WEDNESDAY} 10:00")]
    known = capture(f"{TUESDAY} 06:00", 10, shown, created_time=created)
    days = loaded(events, [known], first_day=date(2024, 5, 5), days=4)
    assert runs(days, "partition_date", "jobName", "clusterId") == [
        (date(2024, 5, 6), None, None),
        (date(2024, 5, 7), "etl", "c-9"),
        (date(2024, 5, 8), "etl", "c-9"),
    ]


def test_the_only_task_of_a_job_is_that_of_a_run_without_one() -> None:
    cluster = {"num_workers": 4, "custom_tags": {"team": "x"}}
    shared = [{"job_cluster_key": "main", "new_cluster": cluster}]
    work = {"notebook_path": "/a", "base_parameters": {"p": "1"}}
    task = {"task_key": "a", "job_cluster_key": "main", "notebook_task": work}
    events = [
        defined(f"{MONDAY} 08:00", tasks=[task], job_clusters=shared),
        started(f"{MONDAY} 10:00", 500, None, taskKey=None, jobClusterType="jobCluster"),
    ]
    place = pl.col("job_cluster").struct
    path = pl.col("task_detail").struct.field("notebook_task").struct.field("notebook_path")
    found = runs(
        loaded(events), "taskKey", "clusterType", "job_cluster_key", place.field("num_workers"),
        place.field("custom_tags").map.get("team"), path,
    )  # fmt: skip
    assert found == [("a", "job_cluster", "main", 4, "x", "/a")]


def test_a_submitted_run_brings_its_own_definition() -> None:
    there = {
        "task_key": "t",
        "existing_cluster_id": "c-7",
        "spark_python_task": {"python_file": "f"},
    }
    own = {"num_workers": 2}

    def submitted(at: str, run: int, **more: Any) -> Json:
        return event(at, "submitRun", "amy", result={"run_id": run}, run_name="adhoc", **more)

    bare: dict[str, Any] = {"jobId": None, "clusterId": None, "jobClusterType": None}
    events = [
        submitted(f"{MONDAY} 10:00", 500, tasks=[there], timeout_seconds=60),
        started(f"{MONDAY} 10:01", taskKey="t", **bare),
        submitted(f"{MONDAY} 10:00", 600, new_cluster=own, notebook_task={"notebook_path": "/n"}),
        started(f"{MONDAY} 10:01", 600, None, taskKey=None, **bare),
        submitted(f"{MONDAY} 10:00", 700, existing_cluster_id="c-8"),
        started(f"{MONDAY} 10:01", 700, None, taskKey=None, **bare),
    ]
    work = pl.col("task_detail").struct.field("spark_python_task").struct.field("python_file")
    legacy = (
        pl.col("task_detail_legacy").struct.field("notebook_task").struct.field("notebook_path")
    )
    workers = pl.col("submitRun_details").struct.field("new_cluster").struct.field("num_workers")
    found = runs(
        loaded(events), "runId", "clusterId", "clusterType", "run_name", "jobName", work, legacy,
        workers, TIMES.field("timeout_seconds"), "existing_cluster_id",
    )  # fmt: skip
    named = ("adhoc", "adhoc")
    assert found == [
        (501, "c-7", None, *named, "f", None, None, 60, None),
        (600, None, "new", *named, None, "/n", 2, None, None),
        (700, "c-8", None, *named, None, None, None, None, "c-8"),
    ]


def test_a_cluster_has_the_name_that_it_had_at_the_start() -> None:
    made = audit_event(
        ms(f"{MONDAY} 08:00"),
        "clusters.create",
        {"cluster_name": "shared"},
        result='{"cluster_id":"c-1"}',
    )
    renamed = {"cluster_id": "c-1", "cluster_name": "renamed"}
    edited = audit_event(ms(f"{MONDAY} 11:00"), "clusters.edit", renamed)
    events = [
        made,
        edited,
        started(f"{MONDAY} 10:00"),
        ended(f"{TUESDAY} 12:00"),
        started(f"{MONDAY} 10:00", 502, clusterId="unknown"),
    ]
    found = runs(loaded(events, days=2), "runId", "cluster_name")
    assert found == [(501, "shared"), (502, "a"), (501, "shared"), (502, "a")]


def test_a_repeated_delivery_counts_once_and_milliseconds_are_kept() -> None:
    begun = f"{MONDAY} 10:00:00.123"
    events = [started(begun), started(begun), ended(f"{MONDAY} 10:00:01.5")]
    [row] = runs(loaded(events), "TaskRunTime")
    assert row[0] == {
        "startEpochMS": ms(begun),
        "startTS": datetime(2024, 5, 6, 10, 0, 0, 123_000, tzinfo=UTC),
        "endEpochMS": ms(begun) + 1377,
        "endTS": datetime(2024, 5, 6, 10, 0, 1, 500_000, tzinfo=UTC),
        "runTimeMS": 1377,
        "runTimeS": 1.377,
        "runTimeM": 1.377 / 60,
        "runTimeH": 1377 / 3_600_000,
    }


def test_requests_and_answers_stand_with_the_run() -> None:
    events = [
        triggered(f"{MONDAY} 09:59", request="ask"),
        started(f"{MONDAY} 10:00", request="start"),
        event(f"{MONDAY} 10:30", "cancel", "bob", request="stop", run_id=501),
        ended(f"{TUESDAY} 11:00", request="end", jobTerminalState="Canceled"),
    ]
    days = loaded(events, days=2)
    asked = pl.col("requestDetails").struct
    ids = [
        asked.field(part).struct.field(f"{name}RequestId")
        for part, name in (
            ("submissionRequest", "submit"),
            ("startRequest", "start"),
            ("cancellationRequest", "cancellation"),
            ("completionRequest", "completion"),
        )
    ]
    assert runs(days, *ids) == [("ask", "start", None, None), ("ask", "start", "stop", "end")]
    cancelled = (ms(f"{MONDAY} 10:30"), ms(f"{TUESDAY} 11:00"))
    times = [TIMES.field(name) for name in ("cancellationTime", "completionTime")]
    assert runs(days, *times) == [(None, None), cancelled]
    by = asked.field("cancellationRequest").struct.field("cancelledBy")
    assert runs(days, by, "terminalState") == [(None, None), ("bob", "Cancelled")]
