from overwatch_assets.silver.spark_executions_silver import spark_executions_silver
from overwatch_assets_tests.silver.spark_days import SQL, days_from, event, load

MONDAY, TUESDAY = days_from("2024-05-06", 2)


def test_an_execution_is_one_row_with_its_description_and_call_stack() -> None:
    events = [
        event(
            f"{SQL}Start",
            "2024-05-06 10:00",
            executionId=9,
            description="select 1",
            details="collect at cmd-1",
        ),
        event(f"{SQL}End", "2024-05-06 10:07", executionId=9),
    ]
    [row] = load(spark_executions_silver, events, [MONDAY]).closed.to_dicts()
    assert (row["ExecutionID"], row["description"]) == (9, "select 1")
    assert row["details"] == "collect at cmd-1"
    assert (row["SqlExecutionRunTime"]["runTimeM"], row["end_reason"]) == (7.0, "event")


def test_an_execution_with_two_ends_ended_with_the_earlier_one() -> None:
    events = [
        event(f"{SQL}Start", "2024-05-06 23:00", executionId=9, description="select 1"),
        event(f"{SQL}End", "2024-05-07 02:00", executionId=9),
        event(f"{SQL}End", "2024-05-07 01:00", executionId=9),
    ]
    loaded = load(spark_executions_silver, events, [MONDAY, TUESDAY])
    [row] = loaded.closed.to_dicts()
    assert (row["description"], row["SqlExecutionRunTime"]["runTimeH"]) == ("select 1", 2.0)
    assert loaded.counted == {MONDAY: {}, TUESDAY: {"repeated_end": 1}}
