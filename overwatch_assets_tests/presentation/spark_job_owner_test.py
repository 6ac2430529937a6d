from overwatch_assets.presentation.sparkjobowner import VIEW
from overwatch_assets_tests.frames import Row, table
from overwatch_assets_tests.presentation.engines import assert_same_rows, by_sql

RUN = {
    "organization_id": "1",
    "job_id": 10,
    "run_id": 501,
    "job_run_id": 500,
    "job_name": "etl",
    "task_key": "load",
    "request_detail": {"submissionRequest": {"submittedBy": "ann"}},
}
JOB = {"organization_id": "1", "job_id": 0, "db_job_id": "10", "db_id_in_job": "501"}


def owners(jobs: list[Row], runs: list[Row]) -> list[tuple[object, ...]]:
    tables = {
        "sparkjob_gold": table("sparkjob_gold", *jobs),
        "jobrun_gold": table("jobrun_gold", *runs),
    }
    shown = VIEW.made_of(tables, "UTC").collect()
    assert_same_rows(shown, by_sql(VIEW, tables, "UTC"))
    assert dict(shown.schema) == {column.name: column.dtype for column in VIEW.columns}
    return shown.sort("job_id").select("run_id", "job_run_id", "task_key", "user").rows()


def test_a_spark_job_belongs_to_the_task_of_the_run_that_it_names() -> None:
    assert owners([JOB], [RUN]) == [(501, 500, "load", "ann")]


def test_the_user_that_the_spark_job_tells_comes_before_who_asked_for_the_run() -> None:
    assert owners([{**JOB, "user_email": "bob"}], [RUN]) == [(501, 500, "load", "bob")]


def test_a_spark_job_of_no_known_run_keeps_its_row() -> None:
    outside = {**JOB, "job_id": 1, "db_job_id": None, "db_id_in_job": None}
    unknown = {**JOB, "job_id": 2, "db_id_in_job": "9"}
    other_job = {**JOB, "job_id": 3, "db_job_id": "11"}
    elsewhere = {**JOB, "job_id": 4, "organization_id": "2"}
    garbled = {**JOB, "job_id": 5, "db_id_in_job": "x"}
    assert owners([outside, unknown, other_job, elsewhere, garbled], [RUN]) == [
        (None, None, None, None),
        (9, None, None, None),
        (501, None, None, None),
        (501, None, None, None),
        (None, None, None, None),
    ]


def test_no_rows_give_the_declared_columns() -> None:
    assert owners([], []) == []
