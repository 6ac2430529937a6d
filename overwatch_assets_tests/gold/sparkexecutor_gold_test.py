from datetime import date

from overwatch_assets.gold.sparkexecutor_gold import sparkexecutor_gold
from overwatch_assets.module import Window
from overwatch_assets_tests.frames import ms, table, utc

WINDOW = Window(since=utc("2024-05-06"), until=utc("2024-05-07"))
EXECUTOR = {
    "SparkContextID": "ctx-1",
    "clusterId": "0506-1",
    "ExecutorID": "2",
    "executorInfo": {
        "Host": "10.0.0.1",
        "TotalCores": 4,
        "LogUrls": {"stdout": "http://10.0.0.1/out", "other": "x"},
    },
    "RemovedReason": "worker lost",
    "ExecutorAliveTime": {"uptimeH": 1.0},
    "addedTimestamp": ms("2024-05-06 09:00"),
    "is_open": False,
    "partition_date": date(2024, 5, 6),
}


def test_an_executor_keeps_everything_under_other_names() -> None:
    frame = sparkexecutor_gold(table("spark_executors_silver", EXECUTOR), window=WINDOW)
    [row] = frame.collect().to_dicts()
    assert (row["spark_context_id"], row["executor_id"], row["cluster_id"]) == (
        "ctx-1",
        2,
        "0506-1",
    )
    assert row["executor_info"] == {
        "Host": "10.0.0.1",
        "TotalCores": 4,
        "LogUrls": {"stderr": None, "stdout": "http://10.0.0.1/out"},
    }
    assert (row["removed_reason"], row["executor_alivetime"]["uptimeH"]) == ("worker lost", 1.0)
    assert row["unixTimeMS"] == ms("2024-05-06 09:00")


def test_an_executor_that_never_was_added_has_neither_info_nor_time() -> None:
    unknown = {**EXECUTOR, "executorInfo": None, "addedTimestamp": None}
    frame = sparkexecutor_gold(table("spark_executors_silver", unknown), window=WINDOW)
    [row] = frame.collect().to_dicts()
    assert (row["executor_info"], row["unixTimeMS"], row["date"]) == (None, None, None)
