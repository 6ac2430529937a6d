from datetime import date

from overwatch_assets.gold.sparkstage_gold import sparkstage_gold
from overwatch_assets.module import Window
from overwatch_assets_tests.frames import ms, table, utc

WINDOW = Window(since=utc("2024-05-06"), until=utc("2024-05-07"))


def test_a_stage_keeps_everything_under_other_names() -> None:
    stage = {
        "SparkContextID": "ctx-1",
        "clusterId": "0506-1",
        "StageID": 3,
        "StageAttemptID": 1,
        "StageInfo": {"NumberofTasks": 8, "Accumulables": [{"Name": "rows", "Value": "5"}]},
        "StageRunTime": {"runTimeMS": 240_000},
        "startTimestamp": ms("2024-05-06 10:01"),
        "is_open": True,
        "partition_date": date(2024, 5, 7),
    }
    [row] = sparkstage_gold(table("spark_stages_silver", stage), window=WINDOW).collect().to_dicts()
    assert (row["spark_context_id"], row["cluster_id"]) == ("ctx-1", "0506-1")
    assert (row["stage_id"], row["stage_attempt_id"]) == (3, 1)
    assert row["stage_info"]["NumberofTasks"] == 8
    assert row["stage_info"]["Accumulables"][0]["Value"] == "5"
    assert (row["stage_runtime"]["runTimeMS"], row["is_open"]) == (240_000, True)
    assert (row["date"], row["partition_date"]) == (date(2024, 5, 6), date(2024, 5, 7))
