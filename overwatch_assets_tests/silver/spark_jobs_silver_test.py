from overwatch_assets.silver.spark_jobs_silver import spark_jobs_silver
from overwatch_assets_tests.frames import ms
from overwatch_assets_tests.silver.spark_days import (
    application_end,
    days_from,
    job_end,
    job_start,
    load,
)

MONDAY, TUESDAY, WEDNESDAY = DAYS = days_from("2024-05-06", 3)
STATE = ("JobID", "is_open", "end_imputed", "end_reason")


def test_a_job_is_one_row_with_what_its_start_and_end_tell() -> None:
    properties = {
        "sparkjobGroupid": "5012_8033_job-1-run-2",
        "sparksqlexecutionid": "17",
        "user": "maria@acme.example",
        "sparkdatabricksclusterUsageTagsclusterName": "shared",
    }
    start = job_start("2024-05-06 10:00", StageIDs=[1, 2], Properties=properties)
    end = job_end("2024-05-06 11:00", JobResult={"Result": "JobSucceeded"})
    [row] = load(spark_jobs_silver, [end, start], [MONDAY]).days[MONDAY].to_dicts()
    assert (row["clusterId"], row["SparkContextID"], row["JobID"]) == ("0506-1", "ctx-1", 0)
    assert (row["JobGroupID"], row["ExecutionID"]) == ("5012_8033_job-1-run-2", "17")
    assert row["PowerProperties"]["UserEmail"] == "maria@acme.example"
    assert row["PowerProperties"]["ClusterDetails"]["Name"] == "shared"
    assert row["StageIDs"] == [1, 2]
    assert row["JobResult"]["Result"] == "JobSucceeded"
    assert row["JobRunTime"]["runTimeMS"] == 3_600_000
    assert row["startTimestamp"] == ms("2024-05-06 10:00")
    assert str(row["startDate"]) == MONDAY
    assert (row["is_open"], row["end_imputed"], row["end_reason"]) == (False, False, "event")


def test_a_job_over_midnight_is_open_on_its_first_day_and_closed_on_its_second() -> None:
    events = [
        job_start("2024-05-06 23:00", StageIDs=[1]),
        job_end("2024-05-07 01:00", JobResult={"Result": "JobFailed"}),
    ]
    loaded = load(spark_jobs_silver, events, DAYS)
    [monday] = loaded.days[MONDAY].to_dicts()
    assert (monday["is_open"], monday["JobResult"], monday["end_reason"]) == (True, None, None)
    assert monday["JobRunTime"]["endEpochMS"] is None
    [tuesday] = loaded.days[TUESDAY].to_dicts()
    assert (tuesday["is_open"], tuesday["StageIDs"]) == (False, [1])
    assert tuesday["JobRunTime"]["runTimeH"] == 2.0
    assert loaded.days[WEDNESDAY].is_empty()


def test_the_earliest_end_closes_and_later_ones_are_counted() -> None:
    events = [
        job_start("2024-05-06 10:00"),
        job_end("2024-05-06 12:00"),
        job_end("2024-05-06 11:00"),
        job_end("2024-05-07 11:00"),
    ]
    loaded = load(spark_jobs_silver, events, [MONDAY, TUESDAY])
    [row] = loaded.closed.to_dicts()
    assert row["JobRunTime"]["endEpochMS"] == ms("2024-05-06 11:00")
    assert loaded.counted == {MONDAY: {"repeated_end": 1}, TUESDAY: {"repeated_end": 1}}


def test_of_ends_at_the_same_time_the_content_decides() -> None:
    start = job_start("2024-05-06 10:00")
    ends = [
        job_end("2024-05-06 11:00", JobResult={"Result": result})
        for result in ("JobSucceeded", "JobFailed")
    ]
    forward = load(spark_jobs_silver, [start, *ends], [MONDAY])
    backward = load(spark_jobs_silver, [*reversed(ends), start], [MONDAY])
    assert forward.closed.height == 1
    assert forward.closed.equals(backward.closed)


def test_an_end_without_a_start_is_a_row_of_its_own() -> None:
    loaded = load(spark_jobs_silver, [job_end("2024-05-06 11:00")], [MONDAY])
    [row] = loaded.days[MONDAY].to_dicts()
    assert row["end_reason"] == "start_missing"
    assert (row["startTimestamp"], row["startDate"], row["JobGroupID"]) == (None, None, None)
    assert row["JobRunTime"]["endEpochMS"] == ms("2024-05-06 11:00")
    assert row["JobRunTime"]["runTimeMS"] is None


def test_only_ends_without_a_start_are_looked_up_in_the_past() -> None:
    events = [
        job_start("2024-05-06 10:00"),
        job_start("2024-05-06 10:00", job_id=1),
        job_end("2024-05-06 11:00", job_id=1),
        job_end("2024-05-06 11:00", job_id=2),
        job_end("2024-05-07 11:00"),
        job_end("2024-05-07 11:00", job_id=2),
    ]
    loaded = load(spark_jobs_silver, events, [MONDAY, TUESDAY])
    assert loaded.reads == {MONDAY: [("ctx-1", 2)], TUESDAY: [("ctx-1", 2)]}
    assert loaded.rows(TUESDAY, *STATE) == [(0, False, False, "event")]
    assert loaded.counted[TUESDAY] == {"repeated_end": 1}


def test_what_is_open_closes_with_its_context() -> None:
    events = [
        job_start("2024-05-06 10:00"),
        application_end("2024-05-06 23:30"),
        job_start("2024-05-06 23:40", job_id=1),
    ]
    loaded = load(spark_jobs_silver, events, [MONDAY, TUESDAY])
    assert loaded.rows(MONDAY, *STATE) == [(0, True, False, None), (1, True, False, None)]
    assert loaded.rows(TUESDAY, *STATE) == [
        (0, False, True, "application_end"),
        (1, False, True, "application_end"),
    ]
    ends = loaded.days[TUESDAY].sort("JobID")["JobRunTime"].struct.field("endEpochMS")
    assert ends.to_list() == [ms("2024-05-06 23:30"), ms("2024-05-06 23:40")]


def test_an_end_within_the_hour_after_the_application_ended_still_counts() -> None:
    events = [
        job_start("2024-05-06 10:00"),
        application_end("2024-05-06 11:00"),
        job_end("2024-05-06 11:00:00.012"),
    ]
    loaded = load(spark_jobs_silver, events, [MONDAY])
    assert loaded.rows(MONDAY, *STATE) == [(0, False, False, "event")]


def test_events_after_a_context_closed_are_only_counted() -> None:
    events = [
        job_start("2024-05-06 10:00"),
        application_end("2024-05-06 11:00"),
        job_end("2024-05-06 12:00"),
        job_start("2024-05-07 10:00", job_id=1),
    ]
    loaded = load(spark_jobs_silver, events, [MONDAY, TUESDAY])
    assert loaded.rows(MONDAY, *STATE) == [(0, False, True, "application_end")]
    assert loaded.days[TUESDAY].is_empty()
    assert loaded.counted == {
        MONDAY: {"after_application_end": 1},
        TUESDAY: {"after_application_end": 1},
    }


def test_a_job_started_twice_keeps_its_earliest_start() -> None:
    events = [job_start("2024-05-06 11:00"), job_start("2024-05-06 10:00")]
    loaded = load(spark_jobs_silver, [*events, job_start("2024-05-07 09:00")], [MONDAY, TUESDAY])
    assert loaded.rows(TUESDAY, "JobID", "startTimestamp") == [(0, ms("2024-05-06 10:00"))]


def test_the_same_job_of_two_contexts_is_two_jobs() -> None:
    events = [
        job_start("2024-05-06 10:00", context="app_1", clusterId=None),
        job_start("2024-05-06 10:30", context="app_2", clusterId=None),
        job_end("2024-05-06 11:00", context="app_2", clusterId=None),
    ]
    loaded = load(spark_jobs_silver, events, [MONDAY])
    assert loaded.rows(MONDAY, "SparkContextID", "is_open") == [("app_1", True), ("app_2", False)]
