from datetime import date

from overwatch_assets.expressions.pool_columns import POOL_COLUMNS
from overwatch_assets.gold.instancepool_gold import instancepool_gold
from overwatch_assets.module import Window
from overwatch_assets_tests.frames import declared, ms, table, utc

WINDOW = Window(since=utc("2024-05-06"), until=utc("2024-05-07"))


def test_a_version_of_a_pool_keeps_everything_that_is_told_of_it() -> None:
    version = {
        "serviceName": "instancePools",
        "actionName": "edit",
        "timestamp": ms("2024-05-06 23:59:59.999"),
        "date": date(2024, 5, 6),
        "instance_pool_id": "p-1",
        "instance_pool_name": "etl",
        "node_type_id": "m5.large",
        "idle_instance_autotermination_minutes": 15,
        "min_idle_instances": 0,
        "max_capacity": 40,
        "preloaded_spark_versions": '["15.4.x"]',
        "aws_attributes": [{"key": "zone_id", "value": "a"}],
        "azure_attributes": None,
        "gcp_attributes": None,
        "custom_tags": [{"key": "team", "value": "etl"}],
        "create_details": {
            "created_by": "ann", "created_at_epochMillis": 5, "created_at": utc("2024-05-01")
        },
        "delete_details": None,
        "request_details": {
            "requestId": "r-1",
            "response": {"errorMessage": None, "result": None, "statusCode": 200},
            "sessionId": "s-1",
            "sourceIPAddress": "10.0.0.1",
            "userAgent": "sdk",
        },
    }  # fmt: skip
    silver = table(
        "pools_silver",
        {**version, "requestId": "r-1", "seq": 0, "partition_date": date(2024, 5, 6)},
    )
    frame = instancepool_gold(silver, window=WINDOW).collect()
    assert frame.drop("partition_date").equals(silver.select(version.keys()).collect())
    assert frame["partition_date"].to_list() == [date(2024, 5, 6)]
    keys = frame.select(instancepool_gold.table.key_columns)
    assert keys.rows() == [("p-1", version["timestamp"], "edit", "r-1")]


def test_what_silver_and_gold_call_alike_is_alike() -> None:
    silver = declared("pools_silver").columns
    assert silver[: len(POOL_COLUMNS)] == POOL_COLUMNS == instancepool_gold.table.columns
    assert [column.name for column in silver[len(POOL_COLUMNS) :]] == ["requestId", "seq"]
