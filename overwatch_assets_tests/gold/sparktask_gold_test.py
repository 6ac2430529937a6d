from datetime import date

from overwatch_assets.gold.sparktask_gold import sparktask_gold
from overwatch_assets.module import Window
from overwatch_assets_tests.frames import ms, table, utc

WINDOW = Window(since=utc("2024-05-06"), until=utc("2024-05-07"))
TASK = {
    "SparkContextID": "ctx-1",
    "clusterId": "0506-1",
    "ExecutorID": "2",
    "Host": "10.0.0.1",
    "StageID": 3,
    "StageAttemptID": 1,
    "TaskID": 44,
    "TaskAttempt": 0,
    "TaskMetrics": {"ExecutorRunTime": 3400},
    "TaskExecutorMetrics": {"JVMHeapMemory": 5},
    "TaskInfo": {"Locality": "NODE_LOCAL"},
    "TaskType": "ResultTask",
    "TaskEndReason": {"Reason": "Success"},
    "startTimestamp": ms("2024-05-06 10:02"),
    "endFilenameGroup": {"filename": "b"},
    "end_imputed": False,
    "end_reason": "event",
    "is_open": False,
    "partition_date": date(2024, 5, 6),
}


def test_a_task_keeps_everything_under_other_names() -> None:
    [row] = sparktask_gold(table("spark_tasks_silver", TASK), window=WINDOW).collect().to_dicts()
    assert (row["spark_context_id"], row["cluster_id"]) == ("ctx-1", "0506-1")
    assert (row["stage_id"], row["stage_attempt_id"]) == (3, 1)
    assert (row["task_id"], row["task_attempt_id"], row["executor_id"]) == (44, 0, 2)
    assert (row["host"], row["task_type"]) == ("10.0.0.1", "ResultTask")
    assert row["task_metrics"]["ExecutorRunTime"] == 3400
    assert row["task_executor_metrics"]["JVMHeapMemory"] == 5
    assert row["task_info"]["Locality"] == "NODE_LOCAL"
    assert row["task_end_reason"]["Reason"] == "Success"
    assert row["event_log_end"]["filename"] == "b"
    assert (row["timestamp"], row["date"]) == (utc("2024-05-06 10:02"), date(2024, 5, 6))
    assert (row["is_open"], row["end_reason"], row["end_imputed"]) == (False, "event", False)


def test_the_driver_is_executor_minus_one_and_a_name_is_no_number() -> None:
    names = ("driver", "<driver>", "7", "localhost", None)
    rows = [{**TASK, "ExecutorID": name} for name in names]
    made = sparktask_gold(table("spark_tasks_silver", *rows), window=WINDOW).collect()
    assert made["executor_id"].to_list() == [-1, -1, 7, None, None]
