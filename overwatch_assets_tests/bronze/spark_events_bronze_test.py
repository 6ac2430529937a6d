import polars as pl

from overwatch_assets.bronze.spark_events_bronze import COLUMNS, spark_events_bronze
from overwatch_assets.bronze.spark_events_processedfiles import PROCESSED_FILES
from overwatch_assets.bronze.spark_events_rejected import REJECTED
from overwatch_assets.module import RUN_COLUMNS, Window
from overwatch_assets.sources.file_tracker import TRACKER_SCHEMA
from overwatch_assets.sources.spark_event_logs.records import SCHEMA
from overwatch_assets.sources.spark_event_logs.reports import LOG_SCHEMA, REJECTED_SCHEMA
from overwatch_assets_tests.frames import ms, table, utc

Row = dict[str, object]
DAY = Window(since=utc("2024-05-06"), until=utc("2024-05-07"))
AT = ms("2024-05-06 08:00")


def task_end(**values: object) -> Row:
    return {
        "Event": "SparkListenerTaskEnd",
        "SparkContextID": "c",
        "eventTimeMS": AT,
        "filename": "d/eventlog",
        "StageID": 1,
        "TaskInfo": {"TaskID": 7, "Attempt": 0},
        "TaskEndReason": {"Reason": "Success"},
        **values,
    }


def united(*read: Row, stored: tuple[Row, ...] = ()) -> pl.DataFrame:
    events = table("spark_events_bronze", *read)
    rows = table("spark_events_bronze", *stored)
    return spark_events_bronze(events, rows, window=DAY).collect()


def test_an_event_read_again_is_the_stored_one() -> None:
    assert united(task_end(), stored=(task_end(),)).height == 1


def test_stored_events_stay_when_their_log_is_gone() -> None:
    assert united(stored=(task_end(),)).height == 1


def test_the_rolled_file_names_an_event_that_the_live_file_holds_too() -> None:
    live, rolled = task_end(filename="d/eventlog"), task_end(filename="d/eventlog-z.gz")
    growing = task_end(filename="a/app-1.inprogress")
    for rows in ((live, rolled, growing), (growing, rolled, live)):
        assert united(*rows)["filename"].to_list() == ["d/eventlog-z.gz"]


def test_of_two_final_files_the_smallest_path_names_an_event() -> None:
    assert united(task_end(filename="b/x"), task_end(filename="a/x"))["filename"].item() == "a/x"


def test_a_copy_that_names_its_cluster_wins_over_one_that_does_not() -> None:
    rows = task_end(clusterId=None), task_end(clusterId="k-2"), task_end(clusterId="k-1")
    assert united(*rows)["clusterId"].to_list() == ["k-1"]


def test_two_attempts_of_an_application_are_two_contexts() -> None:
    assert united(task_end(SparkContextID="a_1"), task_end(SparkContextID="a_2")).height == 2


def test_a_resubmitted_task_ends_twice() -> None:
    again = task_end(TaskEndReason={"Reason": "Resubmitted"})
    assert united(task_end(), again).height == 2


def test_attempts_executors_and_times_tell_events_apart() -> None:
    rows = (
        task_end(),
        task_end(TaskInfo={"TaskID": 7, "Attempt": 1}),
        task_end(ExecutorID="2"),
        task_end(StageAttemptID=1),
        task_end(eventTimeMS=AT + 1),
        task_end(Event="SparkListenerTaskStart"),
    )
    assert united(*rows).height == len(rows)


def test_the_source_hands_over_what_the_table_declares() -> None:
    declared = {column.name: column.dtype for column in COLUMNS}
    assert dict(SCHEMA) == declared


def test_tracker_and_rejects_are_what_the_source_tells() -> None:
    tracker = pl.Schema({c.name: c.dtype for c in PROCESSED_FILES.columns})
    assert {**TRACKER_SCHEMA, **LOG_SCHEMA, "delta_version": pl.Int64()} == tracker
    assert pl.Schema({c.name: c.dtype for c in REJECTED.columns}) == REJECTED_SCHEMA


def test_columns_of_the_run_are_left_to_the_machinery() -> None:
    names = united(task_end()).columns
    assert not {column.name for column in RUN_COLUMNS} & set(names)
