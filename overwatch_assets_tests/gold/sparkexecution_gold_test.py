from datetime import date

from overwatch_assets.gold.sparkexecution_gold import sparkexecution_gold
from overwatch_assets.module import Window
from overwatch_assets_tests.frames import ms, table, utc

WINDOW = Window(since=utc("2024-05-06"), until=utc("2024-05-07"))


def test_an_execution_keeps_everything_under_other_names() -> None:
    execution = {
        "SparkContextID": "ctx-1",
        "clusterId": "0506-1",
        "ExecutionID": 9,
        "description": "select 1",
        "details": "collect at cmd-1",
        "SqlExecutionRunTime": {"runTimeM": 7.0},
        "startFilenameGroup": {"filename": "a"},
        "startTimestamp": ms("2024-05-06 10:00"),
        "end_imputed": True,
        "end_reason": "replaced",
        "is_open": False,
        "partition_date": date(2024, 5, 6),
    }
    frame = sparkexecution_gold(table("spark_executions_silver", execution), window=WINDOW)
    [row] = frame.collect().to_dicts()
    assert (row["spark_context_id"], row["execution_id"]) == ("ctx-1", 9)
    assert (row["description"], row["details"]) == ("select 1", "collect at cmd-1")
    assert (row["sql_execution_runtime"]["runTimeM"], row["cluster_id"]) == (7.0, "0506-1")
    assert (row["event_log_start"]["filename"], row["event_log_end"]) == ("a", None)
    assert (row["end_imputed"], row["end_reason"]) == (True, "replaced")
