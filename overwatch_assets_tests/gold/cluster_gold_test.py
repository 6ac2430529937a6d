from datetime import date

from overwatch_assets.gold.cluster_gold import COLUMNS, cluster_gold
from overwatch_assets.module import Window
from overwatch_assets_tests.frames import Row, declared, ms, table, utc

WINDOW = Window(since=utc("2024-05-06"), until=utc("2024-05-07"))
EDIT: Row = {
    "cluster_id": "c1",
    "actionName": "edit",
    "timestamp": ms("2024-05-06 23:59:59.999"),
    "cluster_name": "shared",
    "driver_node_type_id": "r5.2xlarge",
    "node_type_id": "r5.xlarge",
    "autoscale": '{"min_workers":2,"max_workers":8}',
    "autotermination_minutes": 30,
    "createdBy": "alice",
    "lastEditedBy": "bob",
    "security_profile": {"isolation_enabled": True},
    "aws_attributes": {"zone_id": "a"},
    "seq": 0,
    "is_open": False,
    "partition_date": date(2024, 5, 6),
}


def test_a_version_keeps_everything_under_other_names() -> None:
    deletion = {
        **EDIT, "actionName": "permanentDelete", "deleted_by": "carol",
    }  # fmt: skip
    frame = cluster_gold(table("cluster_spec_silver", EDIT, deletion), window=WINDOW).collect()
    assert frame.select(
        "cluster_id", "action", "unixTimeMS", "timestamp", "date", "partition_date"
    ).row(0) == (
        "c1",
        "edit",
        ms("2024-05-06 23:59:59.999"),
        utc("2024-05-06 23:59:59.999"),
        date(2024, 5, 6),
        date(2024, 5, 6),
    )
    assert frame.select(
        "driver_node_type", "node_type", "auto_termination_minutes", "created_by", "last_edited_by"
    ).row(0) == ("r5.2xlarge", "r5.xlarge", 30, "alice", "bob")
    assert frame["deleted_by"].to_list() == [None, "carol"]
    assert frame["security_profile"][0]["isolation_enabled"] is True


def test_what_silver_and_gold_call_alike_is_alike() -> None:
    silver = {column.name: column for column in declared("cluster_spec_silver").columns}
    both = [column for column in COLUMNS if column.name in silver.keys() - {"timestamp"}]
    assert [column for column in both if silver[column.name] != column] == []
    hidden = silver.keys() - {column.name for column in COLUMNS}
    assert hidden == {
        "serviceName", "actionName", "driver_node_type_id", "node_type_id",
        "autotermination_minutes", "start_cluster", "createdBy", "lastEditedBy", "seq",
    }  # fmt: skip
