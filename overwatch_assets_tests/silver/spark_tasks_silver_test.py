from overwatch_assets.silver.spark_tasks_silver import spark_tasks_silver
from overwatch_assets_tests.frames import Row, ms
from overwatch_assets_tests.silver.spark_days import application_end, days_from, event, load

MONDAY, TUESDAY = days_from("2024-05-06", 2)
STATE = ("TaskID", "is_open", "end_imputed", "end_reason")


def told(task_id: int, launched: str, attempt: int | None = 0) -> Row:
    info = {
        "TaskID": task_id,
        "Attempt": attempt,
        "ExecutorID": "2",
        "Host": "10.0.0.1",
        "LaunchTime": ms(launched),
    }
    return {"StageID": 3, "StageAttemptID": 0, "TaskInfo": info}


def started(at: str, task_id: int = 44, attempt: int | None = 0) -> Row:
    row = event("SparkListenerTaskStart", at, filenameGroup={"filename": "a"})
    return {**row, **told(task_id, at, attempt)}


def ended(
    at: str,
    launched: str,
    task_id: int = 44,
    attempt: int | None = 0,
    reason: str = "Success",
) -> Row:
    row = event(
        "SparkListenerTaskEnd",
        at,
        TaskType="ResultTask",
        TaskEndReason={"Reason": reason},
        TaskMetrics={"ExecutorRunTime": 3400, "InputMetrics": {"BytesRead": 7}},
        TaskExecutorMetrics={"JVMHeapMemory": 5},
        filenameGroup={"filename": "b"},
    )
    return {**row, **told(task_id, launched, attempt)}


def test_a_task_is_one_row_with_what_its_end_tells() -> None:
    events = [
        started("2024-05-06 10:02:00"),
        ended("2024-05-06 10:02:03.500", "2024-05-06 10:02:00"),
    ]
    [row] = load(spark_tasks_silver, events, [MONDAY]).days[MONDAY].to_dicts()
    assert (row["StageID"], row["StageAttemptID"], row["TaskID"], row["TaskAttempt"]) == (
        3,
        0,
        44,
        0,
    )
    assert (row["ExecutorID"], row["Host"], row["clusterId"]) == ("2", "10.0.0.1", "0506-1")
    assert row["TaskRunTime"]["runTimeS"] == 3.5
    assert (row["TaskType"], row["TaskEndReason"]["Reason"]) == ("ResultTask", "Success")
    assert row["TaskMetrics"]["InputMetrics"]["BytesRead"] == 7
    assert row["TaskExecutorMetrics"]["JVMHeapMemory"] == 5
    assert row["TaskInfo"]["LaunchTime"] == row["startTimestamp"] == ms("2024-05-06 10:02:00")
    assert (row["startFilenameGroup"]["filename"], row["endFilenameGroup"]["filename"]) == (
        "b",
        "b",
    )
    assert (row["is_open"], row["end_reason"], str(row["startDate"])) == (False, "event", MONDAY)


def test_a_task_over_midnight_is_open_with_its_launch_and_then_closed() -> None:
    events = [started("2024-05-06 23:59"), ended("2024-05-07 00:01", "2024-05-06 23:59")]
    loaded = load(spark_tasks_silver, events, [MONDAY, TUESDAY])
    [monday] = loaded.days[MONDAY].to_dicts()
    assert (monday["is_open"], monday["startFilenameGroup"]["filename"]) == (True, "a")
    assert (monday["TaskMetrics"], monday["TaskType"], monday["Host"]) == (None, None, "10.0.0.1")
    assert (monday["TaskInfo"]["LaunchTime"], monday["TaskInfo"]["Failed"]) == (
        ms("2024-05-06 23:59"),
        None,
    )
    [tuesday] = loaded.days[TUESDAY].to_dicts()
    assert (tuesday["is_open"], tuesday["TaskRunTime"]["runTimeM"]) == (False, 2.0)


def test_an_end_alone_makes_a_complete_row() -> None:
    loaded = load(spark_tasks_silver, [ended("2024-05-06 10:03", "2024-05-06 10:02")], [MONDAY])
    assert loaded.rows(MONDAY, *STATE) == [(44, False, False, "event")]
    assert loaded.reads[MONDAY] == [("ctx-1", 3, 0, 44, 0, "2")]


def test_a_repeated_end_is_counted_on_the_same_and_on_a_later_day() -> None:
    launched = "2024-05-06 10:02"
    events = [
        started(launched),
        ended("2024-05-06 10:04", launched, reason="Resubmitted"),
        ended("2024-05-06 10:03", launched),
        ended("2024-05-07 10:03", launched, reason="Resubmitted"),
    ]
    loaded = load(spark_tasks_silver, events, [MONDAY, TUESDAY])
    [row] = loaded.closed.to_dicts()
    assert (row["TaskEndReason"]["Reason"], row["TaskRunTime"]["runTimeM"]) == ("Success", 1.0)
    assert loaded.counted == {MONDAY: {"repeated_end": 1}, TUESDAY: {"repeated_end": 1}}


def test_at_the_same_time_any_end_comes_before_a_resubmission() -> None:
    launched = "2024-05-06 10:02"
    for reason in ("Success", "TaskKilled", "UnknownReason"):
        ends = [
            ended("2024-05-06 10:03", launched, reason=each) for each in ("Resubmitted", reason)
        ]
        for order in (ends, ends[::-1]):
            loaded = load(spark_tasks_silver, order, [MONDAY])
            reasons = loaded.closed["TaskEndReason"].struct.field("Reason").to_list()
            assert reasons == [reason]


def test_a_task_that_never_ended_closes_with_its_context() -> None:
    events = [
        started("2024-05-06 22:00"),
        started("2024-05-07 01:00", task_id=45),
        application_end("2024-05-07 02:00"),
    ]
    loaded = load(spark_tasks_silver, events, [MONDAY, TUESDAY])
    assert loaded.rows(TUESDAY, *STATE) == [
        (44, False, True, "application_end"),
        (45, False, True, "application_end"),
    ]
    hours = loaded.closed.sort("TaskID")["TaskRunTime"].struct.field("runTimeH").to_list()
    assert hours == [4.0, 1.0]


def test_attempts_without_a_number_are_told_apart_by_their_task() -> None:
    events = [
        started("2024-05-06 10:00", task_id=1, attempt=None),
        started("2024-05-06 10:00", task_id=2, attempt=None),
        ended("2024-05-06 10:01", "2024-05-06 10:00", task_id=2, attempt=None),
    ]
    loaded = load(spark_tasks_silver, events, [MONDAY])
    assert loaded.rows(MONDAY, "TaskID", "TaskAttempt", "is_open") == [
        (1, None, True),
        (2, None, False),
    ]
