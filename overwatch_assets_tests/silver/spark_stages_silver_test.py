from overwatch_assets.silver.spark_stages_silver import spark_stages_silver
from overwatch_assets_tests.frames import Row, ms
from overwatch_assets_tests.silver.spark_days import application_end, days_from, event, load

MONDAY, TUESDAY = days_from("2024-05-06", 2)


def submitted(at: str, attempt: int = 0, **info: object) -> Row:
    stage = {"SubmissionTime": ms(at), **info}
    return event(
        "SparkListenerStageSubmitted", at, StageID=3, StageAttemptID=attempt, StageInfo=stage
    )


def completed(at: str, attempt: int = 0, **info: object) -> Row:
    stage = {"CompletionTime": ms(at), **info}
    return event(
        "SparkListenerStageCompleted", at, StageID=3, StageAttemptID=attempt, StageInfo=stage
    )


def test_a_stage_takes_its_outcome_from_the_completion_and_the_rest_from_the_submission() -> None:
    events = [
        submitted("2024-05-06 10:01", Details="at cmd-1", NumberofTasks=9, ParentIDs=[1]),
        completed(
            "2024-05-06 10:05",
            Details="at cmd-2",
            NumberofTasks=8,
            ParentIDs=[2],
            FailureReason="lost",
            Accumulables=[{"ID": 1, "Name": "rows", "Value": "5"}],
        ),
    ]
    [row] = load(spark_stages_silver, events, [MONDAY]).closed.to_dicts()
    info = row["StageInfo"]
    assert (info["Details"], info["ParentIDs"]) == ("at cmd-1", [1])
    assert (info["NumberofTasks"], info["FailureReason"]) == (8, "lost")
    assert info["Accumulables"][0]["Name"] == "rows"
    assert (info["SubmissionTime"], info["CompletionTime"]) == (
        ms("2024-05-06 10:01"),
        ms("2024-05-06 10:05"),
    )
    assert row["StageRunTime"]["runTimeMS"] == 240_000


def test_an_open_stage_tells_what_its_submission_told_on_every_day() -> None:
    first = submitted("2024-05-06 10:01", Details="at cmd-1", NumberofTasks=9, ParentIDs=[1])
    loaded = load(spark_stages_silver, [first], [MONDAY, TUESDAY])
    monday, tuesday = (frame["StageInfo"].to_list() for frame in loaded.days.values())
    assert monday == tuesday
    assert (monday[0]["NumberofTasks"], monday[0]["Details"]) == (9, "at cmd-1")
    assert (monday[0]["CompletionTime"], monday[0]["Accumulables"]) == (None, None)


def test_a_completion_alone_makes_a_complete_row() -> None:
    end = completed(
        "2024-05-06 10:05", SubmissionTime=ms("2024-05-06 10:01"), Details="at cmd-1", ParentIDs=[]
    )
    [row] = load(spark_stages_silver, [end], [MONDAY]).closed.to_dicts()
    assert (row["end_reason"], row["startTimestamp"]) == ("event", ms("2024-05-06 10:01"))
    assert row["StageInfo"]["Details"] == "at cmd-1"
    assert (row["startFilenameGroup"], str(row["startDate"])) == (None, MONDAY)


def test_a_stage_that_never_was_submitted_has_no_start() -> None:
    [row] = load(spark_stages_silver, [completed("2024-05-06 10:05")], [MONDAY]).closed.to_dicts()
    assert (row["end_reason"], row["startTimestamp"]) == ("start_missing", None)


def test_attempts_of_a_stage_are_rows_of_their_own() -> None:
    events = [
        submitted("2024-05-06 10:01"),
        completed("2024-05-06 10:05", FailureReason="fetch failed"),
        submitted("2024-05-06 10:06", attempt=1),
    ]
    loaded = load(spark_stages_silver, events, [MONDAY])
    assert loaded.rows(MONDAY, "StageID", "StageAttemptID", "is_open") == [
        (3, 0, False),
        (3, 1, True),
    ]


def test_a_stage_left_open_closes_with_its_context() -> None:
    events = [submitted("2024-05-06 10:01", NumberofTasks=9), application_end("2024-05-06 11:01")]
    [row] = load(spark_stages_silver, events, [MONDAY]).closed.to_dicts()
    assert (row["end_imputed"], row["end_reason"]) == (True, "application_end")
    assert (row["StageRunTime"]["runTimeH"], row["StageInfo"]["NumberofTasks"]) == (1.0, 9)
