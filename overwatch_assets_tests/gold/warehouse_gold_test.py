from datetime import date

from overwatch_assets.gold.warehouse_gold import COLUMNS, warehouse_gold
from overwatch_assets.module import Window
from overwatch_assets.presentation import warehouse
from overwatch_assets_tests.frames import Row, declared, ms, table, utc

WINDOW = Window(since=utc("2024-05-06"), until=utc("2024-05-07"))
EDIT: Row = {
    "warehouse_id": "w1",
    "serviceName": "databrickssql",
    "actionName": "editWarehouse",
    "timestamp": ms("2024-05-06 23:59:59.999"),
    "date": date(2024, 5, 6),
    "warehouse_name": "bi",
    "cluster_size": "Small",
    "tags": {"team": "bi"},
    "userEmail": "ann",
    "seq": 0,
    "is_open": False,
    "partition_date": date(2024, 5, 6),
}


def test_a_version_keeps_everything_under_other_names() -> None:
    imputed = {**EDIT, "actionName": "snapImpute", "createdBy": "dan", "serviceName": "warehouses"}
    silver = table("warehouse_spec_silver", EDIT, imputed)
    frame = warehouse_gold(silver, window=WINDOW).collect()
    shown = ("warehouse_id", "service_name", "action_name", "user_email", "created_by")
    assert frame.select(shown).rows() == [
        ("w1", "databrickssql", "editWarehouse", "ann", None),
        ("w1", "warehouses", "snapImpute", "ann", "dan"),
    ]
    assert frame.select("unixTimeMS", "timestamp", "date", "partition_date").row(0) == (
        ms("2024-05-06 23:59:59.999"),
        utc("2024-05-06 23:59:59.999"),
        date(2024, 5, 6),
        date(2024, 5, 6),
    )
    assert frame.select("warehouse_name", "cluster_size").row(0) == ("bi", "Small")
    assert frame["tags"][0] == {"team": "bi"}


def test_what_silver_and_gold_call_alike_is_alike() -> None:
    silver = {column.name: column for column in declared("warehouse_spec_silver").columns}
    both = [column for column in COLUMNS if column.name in silver.keys() - {"timestamp", "date"}]
    assert [column for column in both if silver[column.name] != column] == []
    hidden = silver.keys() - {column.name for column in COLUMNS}
    assert hidden == {
        "serviceName", "actionName", "userEmail", "createdBy", "requestId", "response",
        "odbc_params", "seq",
    }  # fmt: skip


def test_the_view_shows_all_but_the_timestamp() -> None:
    stored = {column.name for column in COLUMNS}
    assert stored - set(warehouse.VIEW.columns) == {"timestamp"}
