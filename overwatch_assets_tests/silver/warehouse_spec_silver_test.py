from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest

from overwatch_assets.silver.warehouse_spec_silver import warehouse_spec_silver
from overwatch_assets_tests.frames import Row, ms
from overwatch_assets_tests.laws.cluster_world import audit_event
from overwatch_assets_tests.silver.version_days import Followed, follow

TWO_DAYS = ("2024-05-06", "2024-05-07")
FULL: Mapping[str, Any] = {
    "name": "bi",
    "cluster_size": "Small",
    "min_num_clusters": 1,
    "max_num_clusters": 3,
    "auto_stop_mins": 10,
    "spot_instance_policy": "COST_OPTIMIZED",
    "enable_photon": True,
    "enable_serverless_compute": False,
    "warehouse_type": "PRO",
    "channel": {"name": "CHANNEL_NAME_CURRENT"},
    "tags": {"custom_tags": [{"key": "team", "value": "bi"}, {"key": "flag", "value": None}]},
}


def created(
    at: str, warehouse: str = "w1", action: str = "createWarehouse", **settings: object
) -> Row:
    return audit_event(
        ms(at), f"databrickssql.{action}", settings, result=f'{{"id":"{warehouse}"}}', user="ann"
    )


def edited(
    at: str,
    warehouse: str = "w1",
    action: str = "editWarehouse",
    status: int = 200,
    **settings: object,
) -> Row:
    told = {"id": warehouse, **settings}
    return audit_event(ms(at), f"databrickssql.{action}", told, status=status, user="bob")


def deleted(at: str, warehouse: str = "w1", action: str = "deleteWarehouse") -> Row:
    return audit_event(ms(at), f"databrickssql.{action}", {"id": warehouse}, user="carol")


def captured(at: str, warehouse: str = "w1", **settings: object) -> Row:
    return {"warehouse_id": warehouse, "captured_at_ms": ms(at), **settings}


def warehouses(
    *events: Row, captures: Sequence[Row] = (), days: Sequence[str] = ("2024-05-06",)
) -> Followed:
    return follow(warehouse_spec_silver, events, captures=captures, days=days)


def test_a_creation_tells_every_setting_with_its_type() -> None:
    event = {**created("2024-05-06 08:00", **FULL), "requestId": "r-1"}
    [row] = warehouses(event).rows.to_dicts()
    assert row == {
        **dict.fromkeys(column.name for column in warehouse_spec_silver.table.columns),
        "serviceName": "databrickssql",
        "actionName": "createWarehouse",
        "timestamp": ms("2024-05-06 08:00"),
        "date": date(2024, 5, 6),
        "warehouse_id": "w1",
        "warehouse_name": "bi",
        "cluster_size": "Small",
        "min_num_clusters": 1,
        "max_num_clusters": 3,
        "auto_stop_mins": 10,
        "spot_instance_policy": "COST_OPTIMIZED",
        "enable_photon": True,
        "enable_serverless_compute": False,
        "channel": "CHANNEL_NAME_CURRENT",
        "tags": {"team": "bi", "flag": ""},
        "warehouse_type": "PRO",
        "userEmail": "ann",
        "requestId": "r-1",
        "response": {"errorMessage": None, "result": '{"id":"w1"}', "statusCode": 200},
        "seq": 0,
    }


@pytest.mark.parametrize("kind", ["Warehouse", "Endpoint"])
def test_a_life_under_either_name_of_the_actions(kind: str) -> None:
    rows = warehouses(
        created("2024-05-06 08:00", action=f"create{kind}", **FULL),
        edited("2024-05-06 09:00", action=f"edit{kind}", name="bi2", max_num_clusters=5),
        deleted("2024-05-06 10:00", action=f"delete{kind}"),
    ).rows
    shown = ("actionName", "warehouse_name", "max_num_clusters", "cluster_size", "userEmail")
    assert rows.select(shown).rows() == [
        (f"create{kind}", "bi", 3, "Small", "ann"),
        (f"edit{kind}", "bi2", 5, "Small", "bob"),
        (f"delete{kind}", "bi2", 5, "Small", "carol"),
    ]


def test_a_row_never_tells_what_only_a_later_request_said() -> None:
    rows = warehouses(
        created("2024-05-06 08:00", name="bi", cluster_size="Small"),
        edited("2024-05-06 09:00", cluster_size="Large", tags={"custom_tags": []}),
        edited("2024-05-06 10:00", tags={"custom_tags": [{"key": "team", "value": "etl"}]}),
    ).rows
    assert rows["cluster_size"].to_list() == ["Small", "Large", "Large"]
    assert rows["tags"].to_list() == [None, {}, {"team": "etl"}]


def test_an_edit_inherits_what_was_said_days_before() -> None:
    rows = warehouses(
        created("2024-05-06 08:00", **FULL),
        edited("2024-05-07 09:00", max_num_clusters=9),
        days=TWO_DAYS,
    ).rows
    kept = [name for name in rows.columns if name in {*FULL, "warehouse_name"} - {"name"}]
    before, after = rows.select(kept).to_dicts()
    assert after == {**before, "max_num_clusters": 9}
    assert None not in before.values()


def test_what_was_refused_changed_nothing() -> None:
    rows = warehouses(
        created("2024-05-06 08:00", cluster_size="Small"),
        edited("2024-05-06 09:00", status=403, cluster_size="4X-Large"),
    ).rows
    assert rows["actionName"].to_list() == ["createWarehouse"]


def test_starts_stops_and_other_services_are_no_changes() -> None:
    others = (
        audit_event(ms("2024-05-06 08:00"), "databrickssql.startWarehouse", {"id": "w1"}),
        audit_event(ms("2024-05-06 08:00"), "clusters.editWarehouse", {"id": "w1"}),
    )
    assert warehouses(*others).rows.height == 0


def test_a_workspace_whose_warehouses_nobody_edits_has_them_from_the_first_day_on() -> None:
    shown = captured(
        "2024-05-20 06:00",
        name="old",
        cluster_size="Medium",
        size="MEDIUM",
        creator_name="dan",
        creator_id=7,
        state="RUNNING",
        num_clusters=2,
        num_active_sessions=4,
        auto_resume=True,
        jdbc_url="jdbc:spark://x",
        odbc_params={"port": "443"},
        channel={"name": "CHANNEL_NAME_PREVIEW"},
        tags={"team": "bi"},
    )
    [row] = warehouses(captures=[shown], days=TWO_DAYS).rows.to_dicts()
    expected = {
        "serviceName": "warehouses",
        "actionName": "snapImpute",
        "timestamp": ms("2024-05-06"),
        "warehouse_name": "old",
        "cluster_size": "Medium",
        "size": "MEDIUM",
        "createdBy": "dan",
        "creator_id": 7,
        "warehouse_state": "RUNNING",
        "num_clusters": 2,
        "num_active_sessions": 4,
        "auto_resume": True,
        "jdbc_url": "jdbc:spark://x",
        "odbc_params": {"port": "443"},
        "channel": "CHANNEL_NAME_PREVIEW",
        "tags": {"team": "bi"},
        "userEmail": None,
        "response": None,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("action", ["createWarehouse", "createEndpoint"])
def test_a_warehouse_that_was_made_on_the_first_day_was_not_there_before(action: str) -> None:
    rows = warehouses(
        created("2024-05-06 08:00", action=action, cluster_size="Small"),
        captures=[captured("2024-05-07 06:00", cluster_size="Small")],
    ).rows
    assert rows["actionName"].to_list() == [action]


def test_a_warehouse_that_appears_later_is_there_from_its_capture_on() -> None:
    rows = warehouses(
        created("2024-05-06 08:00", "w0"),
        captures=[captured("2024-05-07 06:00", "w0"), captured("2024-05-08 06:00", "w1")],
        days=(*TWO_DAYS, "2024-05-08"),
    ).rows
    assert rows.select("warehouse_id", "timestamp").rows() == [
        ("w0", ms("2024-05-06 08:00")),
        ("w1", ms("2024-05-08 06:00")),
    ]


def test_a_capture_tells_once_what_no_request_said_and_changes_nothing_else() -> None:
    rows = warehouses(
        edited("2024-05-06 08:00", max_num_clusters=3),
        captures=[
            captured("2024-05-07 06:00", max_num_clusters=7),
            captured("2024-05-08 06:00", cluster_size="Small", max_num_clusters=8, state="STOPPED"),
            captured("2024-05-09 06:00", cluster_size="Small", max_num_clusters=9),
        ],
        days=(*TWO_DAYS, "2024-05-08", "2024-05-09"),
    ).rows
    shown = ("actionName", "timestamp", "cluster_size", "max_num_clusters", "warehouse_state")
    assert rows.select(shown).rows() == [
        ("snapImpute", ms("2024-05-06"), None, 7, None),
        ("editWarehouse", ms("2024-05-06 08:00"), None, 3, None),
        ("snapImpute", ms("2024-05-08 06:00"), "Small", 3, "STOPPED"),
    ]


def test_what_an_event_does_not_say_is_taken_from_the_capture_of_its_day() -> None:
    rows = warehouses(
        created("2024-05-06 05:00", "w0"),
        edited("2024-05-07 08:00", max_num_clusters=3),
        captures=[
            captured("2024-05-07 06:00", cluster_size="Small"),
            captured("2024-05-08 06:00", cluster_size="Large", warehouse_type="PRO"),
        ],
        days=TWO_DAYS,
    ).rows
    of_edit = rows.filter(pl.col("actionName") == "editWarehouse")
    assert of_edit.select("cluster_size", "warehouse_type").rows() == [("Small", "PRO")]


def test_what_comes_after_a_deletion_starts_anew_and_is_forgotten_in_time() -> None:
    events = [
        created("2024-05-06 08:00", cluster_size="Small"),
        deleted("2024-05-06 09:00"),
        edited("2024-05-06 10:00", max_num_clusters=1),
    ]
    assert warehouses(*events).rows["cluster_size"].to_list() == ["Small", "Small", None]
    gone = warehouses(*events[:2], days=("2024-05-06", "2024-07-04")).carried
    forgotten = warehouses(*events[:2], days=("2024-05-06", "2024-07-05")).carried
    assert (gone.height, forgotten.height) == (1, 0)


def test_a_request_that_names_no_warehouse_is_counted() -> None:
    unnamed = audit_event(
        ms("2024-05-06 08:00"), "databrickssql.createWarehouse", {"name": "x"}, result="{}"
    )
    found = warehouses(unnamed)
    assert (found.rows.height, found.left_out) == (0, {"no warehouse id": 1})


def test_requests_of_one_millisecond_follow_each_other_by_what_they_do() -> None:
    at = "2024-05-06 08:00"
    rows = warehouses(deleted(at), edited(at, max_num_clusters=2), created(at, **FULL)).rows
    assert rows.select("actionName", "seq", "max_num_clusters").rows() == [
        ("createWarehouse", 0, 3),
        ("editWarehouse", 1, 2),
        ("deleteWarehouse", 2, 2),
    ]


def test_of_requests_with_one_key_the_last_holds_whatever_their_order() -> None:
    one = {**edited("2024-05-06 08:00", max_num_clusters=2), "requestId": "r-1"}
    two = {**edited("2024-05-06 08:00", max_num_clusters=4), "requestId": "r-2"}
    for events in ((one, two), (two, one), (two, one, two)):
        assert warehouses(*events).rows["max_num_clusters"].to_list() == [4]


def test_a_value_of_another_type_is_unknown_and_stops_nothing() -> None:
    odd: Mapping[str, Any] = {
        "max_num_clusters": "many",
        "enable_photon": "yes",
        "channel": "x",
        "tags": "[1]",
    }
    rows = warehouses(edited("2024-05-06 08:00", cluster_size="Small", **odd)).rows
    assert rows.select("cluster_size", *odd).rows() == [("Small", None, None, None, None)]


def test_no_events_and_no_captures_give_no_rows_of_the_declared_types() -> None:
    rows = warehouses().rows
    declared = {column.name: column.dtype for column in warehouse_spec_silver.table.columns}
    assert rows.schema == pl.Schema(declared)
