from datetime import date

import polars as pl

from overwatch_assets.gold.sparkjob_gold import sparkjob_gold
from overwatch_assets.module import Window
from overwatch_assets_tests.frames import Row, ms, table, utc

MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)
WINDOW = Window(since=utc("2024-05-06"), until=utc("2024-05-08"))


def job(job_id: int, group: str | None = None, **properties: object) -> Row:
    return {
        "SparkContextID": "ctx-1",
        "JobID": job_id,
        "JobGroupID": group,
        "ExecutionID": properties.get("ExecutionID"),
        "PowerProperties": properties,
        "startTimestamp": ms("2024-05-06 10:00") + job_id,
        "partition_date": MONDAY,
        "is_open": False,
    }


def gold(*rows: Row) -> pl.DataFrame:
    made = sparkjob_gold(table("spark_jobs_silver", *rows), window=WINDOW)
    return made.sort("partition_date", "job_id").collect()


def emails(*rows: Row) -> list[str | None]:
    return gold(*rows)["user_email"].to_list()


def test_a_job_carries_its_notebook_and_its_time() -> None:
    [row] = gold(job(7, NotebookID="33", NotebookPath="/Shared/a", sparkDBJobType="x")).to_dicts()
    assert (row["spark_context_id"], row["job_id"]) == ("ctx-1", 7)
    assert (row["notebook_id"], row["notebook_path"]) == ("33", "/Shared/a")
    assert (row["db_job_type"], row["partition_date"]) == ("x", MONDAY)
    assert row["unixTimeMS"] == ms("2024-05-06 10:00:00.007")
    assert row["timestamp"] == utc("2024-05-06 10:00:00.007")
    assert row["date"] == MONDAY


def test_a_job_whose_start_is_unknown_has_no_time() -> None:
    [row] = gold({**job(7), "startTimestamp": None, "end_reason": "start_missing"}).to_dicts()
    assert (row["unixTimeMS"], row["timestamp"], row["date"]) == (None, None, None)


def test_the_databricks_run_comes_from_the_properties_first() -> None:
    named = job(1, group="5012_8033_job-1-run-2", SparkDBJobID="123", SparkDBRunID="456")
    columns = ("db_job_id", "db_run_id", "db_id_in_job")
    assert gold(named).select(columns).rows() == [("123", "456", "456")]


def test_the_databricks_run_is_found_in_the_job_group_else_in_the_clusters_name() -> None:
    rows = [
        job(1, group="5012_8033_job-123-run-456-action-789"),
        job(2, group="a_b_c_job-123-run-456"),
        job(3, group="5012_8033_x", ClusterDetails={"Name": "job-7-run-8"}),
        job(4, group="5012_job-9", ClusterDetails={"Name": "shared"}),
        job(5, group="job-a-run-5", ClusterDetails={"Name": "job-7-run-8"}),
    ]
    made = gold(*rows).select("db_job_id", "db_run_id", "db_id_in_job").rows()
    assert made == [
        ("123", None, "456"),
        ("123", None, "456"),
        ("7", None, "8"),
        (None, None, None),
        ("7", None, "5"),
    ]


def test_an_email_spreads_within_session_group_and_execution() -> None:
    rows = [
        job(1, group="g", UserEmail="a@x", SparkDBIsolationID="i"),
        job(2, SparkDBIsolationID="i", ExecutionID="17"),
        job(3, group="g"),
        job(4, ExecutionID="17"),
        job(5, ExecutionID="18"),
    ]
    assert emails(*rows) == ["a@x", "a@x", "a@x", "a@x", None]


def test_of_several_emails_the_first_by_start_spreads() -> None:
    rows = [
        job(3, group="g"),
        job(2, group="g", UserEmail="b@x"),
        job(1, group="g", UserEmail="a@x"),
    ]
    assert emails(*rows) == ["a@x", "b@x", "a@x"]
    assert emails(*reversed(rows)) == ["a@x", "b@x", "a@x"]


def test_jobs_without_a_group_share_no_email() -> None:
    assert emails(job(1, UserEmail="a@x"), job(2), job(3, SparkDBREPLID="r")) == ["a@x", None, None]


def test_a_repl_passes_its_email_on_to_later_jobs_only() -> None:
    rows = [
        job(1, SparkDBREPLID="r"),
        job(2, SparkDBREPLID="r", UserEmail="a@x"),
        job(3, SparkDBREPLID="r"),
        job(4, SparkDBREPLID="r", UserEmail="b@x"),
        job(5, SparkDBREPLID="r"),
    ]
    assert emails(*rows) == [None, "a@x", "a@x", "b@x", "b@x"]


def test_a_principal_counts_on_azure_only_and_over_contexts() -> None:
    azure = {"CloudProvider": "Azure", "principalIdpObjectId": "p"}
    other = {"CloudProvider": "AWS", "principalIdpObjectId": "p"}
    rows = [
        job(1, UserEmail="a@x", **azure),
        {**job(2, **azure), "SparkContextID": "ctx-2"},
        job(3, **other),
    ]
    assert emails(*rows) == ["a@x", "a@x", None]


def test_days_loaded_together_give_what_each_gives_alone() -> None:
    monday = [job(1, group="g", UserEmail="a@x", SparkDBREPLID="r")]
    later = job(2, group="g"), job(3, SparkDBREPLID="r")
    tuesday = [{**each, "partition_date": TUESDAY} for each in later]
    alone = pl.concat([gold(*monday), gold(*tuesday)])
    assert gold(*monday, *tuesday).equals(alone)
    assert alone["user_email"].to_list() == ["a@x", None, None]
