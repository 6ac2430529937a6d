from overwatch_assets.silver.spark_executors_silver import spark_executors_silver
from overwatch_assets_tests.frames import Row, ms
from overwatch_assets_tests.silver.spark_days import application_end, days_from, event, load

MONDAY, TUESDAY, WEDNESDAY = DAYS = days_from("2024-05-06", 3)
STATE = ("ExecutorID", "addedTimestamp", "is_open", "end_reason")


def added(at: str, executor_id: str = "2") -> Row:
    info = {"Host": "10.0.0.1", "TotalCores": 4, "LogUrls": {"stdout": "http://10.0.0.1"}}
    return event("SparkListenerExecutorAdded", at, ExecutorID=executor_id, executorInfo=info)


def removed(at: str, executor_id: str = "2") -> Row:
    return event(
        "SparkListenerExecutorRemoved", at, ExecutorID=executor_id, RemovedReason="worker lost"
    )


def test_an_executor_lives_from_added_to_removed() -> None:
    events = [added("2024-05-06 09:00"), removed("2024-05-08 09:00")]
    loaded = load(spark_executors_silver, events, DAYS)
    assert [frame["is_open"].to_list() for frame in loaded.days.values()] == [
        [True],
        [True],
        [False],
    ]
    [row] = loaded.closed.to_dicts()
    assert (row["executorInfo"]["TotalCores"], row["RemovedReason"]) == (4, "worker lost")
    alive = row["ExecutorAliveTime"]
    assert (alive["AddedEpochMS"], alive["RemovedEpochMS"]) == (
        ms("2024-05-06 09:00"),
        ms("2024-05-08 09:00"),
    )
    assert alive["uptimeH"] == 48.0


def test_an_executor_added_again_is_another_row() -> None:
    events = [
        added("2024-05-06 09:00"),
        removed("2024-05-06 10:00"),
        added("2024-05-06 11:00"),
    ]
    loaded = load(spark_executors_silver, events, [MONDAY])
    assert loaded.rows(MONDAY, *STATE) == [
        ("2", ms("2024-05-06 09:00"), False, "event"),
        ("2", ms("2024-05-06 11:00"), True, None),
    ]


def test_a_removal_at_the_instant_of_the_addition_ends_it() -> None:
    events = [added("2024-05-06 09:00"), removed("2024-05-06 09:00")]
    loaded = load(spark_executors_silver, events, [MONDAY])
    assert loaded.rows(MONDAY, *STATE) == [("2", ms("2024-05-06 09:00"), False, "event")]


def test_a_removal_that_finds_nothing_is_a_row_without_a_start() -> None:
    events = [removed("2024-05-06 08:00"), added("2024-05-06 09:00")]
    loaded = load(spark_executors_silver, events, [MONDAY])
    assert loaded.rows(MONDAY, *STATE) == [
        ("2", ms("2024-05-06 09:00"), True, None),
        ("2", None, False, "start_missing"),
    ]
    assert loaded.reads[MONDAY] == [("ctx-1", "2")]


def test_further_removals_are_counted_on_the_same_and_on_later_days() -> None:
    events = [
        added("2024-05-06 09:00"),
        removed("2024-05-06 10:00"),
        removed("2024-05-06 11:00"),
        removed("2024-05-07 11:00"),
        removed("2024-05-06 11:00", executor_id="3"),
        removed("2024-05-06 12:00", executor_id="3"),
        removed("2024-05-08 12:00", executor_id="3"),
    ]
    loaded = load(spark_executors_silver, events, DAYS)
    assert loaded.closed.select("ExecutorID", "end_reason").sort("ExecutorID").rows() == [
        ("2", "event"),
        ("3", "start_missing"),
    ]
    assert loaded.counted == {
        MONDAY: {"repeated_end": 2},
        TUESDAY: {"repeated_end": 1},
        WEDNESDAY: {"repeated_end": 1},
    }


def test_executors_never_removed_close_with_their_context() -> None:
    events = [added("2024-05-06 09:00"), application_end("2024-05-06 12:00")]
    [row] = load(spark_executors_silver, events, [MONDAY]).closed.to_dicts()
    assert (row["end_imputed"], row["end_reason"]) == (True, "application_end")
    assert (row["ExecutorAliveTime"]["uptimeH"], row["RemovedReason"]) == (3.0, None)
