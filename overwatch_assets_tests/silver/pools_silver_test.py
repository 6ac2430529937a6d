from collections.abc import Sequence

import polars as pl

from overwatch_assets.silver.pools_silver import pools_silver
from overwatch_assets_tests.frames import Row, ms
from overwatch_assets_tests.laws.cluster_world import audit_event
from overwatch_assets_tests.silver.version_days import Followed, follow

TWO_DAYS = ("2024-05-06", "2024-05-07")


def created(at: str, pool: str = "p1", status: int = 200, **settings: object) -> Row:
    result = f'{{"instance_pool_id":"{pool}"}}'
    return audit_event(
        ms(at), "instancePools.create", settings, result=result, status=status, user="ops@acme"
    )


def edited(at: str, pool: str = "p1", status: int = 200, **settings: object) -> Row:
    told = {"instance_pool_id": pool, **settings}
    return audit_event(ms(at), "instancePools.edit", told, status=status, user="ann@acme")


def deleted(at: str, pool: str = "p1") -> Row:
    told = {"instance_pool_id": pool}
    return audit_event(ms(at), "instancePools.delete", told, user="bob@acme")


def captured(at: str, pool: str = "p1", **settings: object) -> Row:
    return {"instance_pool_id": pool, "captured_at_ms": ms(at), **settings}


def pools(
    *events: Row, captures: Sequence[Row] = (), days: Sequence[str] = ("2024-05-06",)
) -> Followed:
    return follow(pools_silver, events, captures=captures, days=days)


def test_every_change_of_a_pool_is_a_row_and_keeps_who_made_it() -> None:
    rows = pools(
        created("2024-05-06 08:00", instance_pool_name="etl", node_type_id="m5", max_capacity=9),
        edited("2024-05-06 09:00", instance_pool_name="etl2", max_capacity=12),
        deleted("2024-05-06 10:00"),
    ).rows
    assert rows.select(
        "actionName", "instance_pool_name", "node_type_id", "max_capacity"
    ).rows() == [
        ("create", "etl", "m5", 9),
        ("edit", "etl2", "m5", 12),
        ("delete", "etl2", "m5", 12),
    ]
    created_by = [each["created_by"] for each in rows["create_details"]]
    deleted_by = [each and each["deleted_by"] for each in rows["delete_details"]]
    assert created_by == ["ops@acme"] * 3
    assert deleted_by == [None, None, "bob@acme"]
    assert rows["delete_details"][2]["deleted_at_epochMillis"] == ms("2024-05-06 10:00")


def test_the_request_tells_the_preloaded_runtimes_and_the_maps() -> None:
    [row] = pools(
        created(
            "2024-05-06 08:00",
            preloaded_spark_versions=["15.4.x"],
            aws_attributes={"zone_id": "a", "spot_bid_price_percent": 90},
            custom_tags={"team": "etl"},
        )
    ).rows.to_dicts()
    assert row["preloaded_spark_versions"] == '["15.4.x"]'
    assert row["aws_attributes"] == {"zone_id": "a", "spot_bid_price_percent": "90"}
    assert row["custom_tags"] == {"team": "etl"}


def test_a_row_tells_its_request() -> None:
    asked = {**edited("2024-05-06 09:00"), "requestId": "r-1", "sourceIPAddress": "10.0.0.1"}
    [row] = pools({**asked, "userAgent": "sdk", "sessionId": "s-1"}).rows.to_dicts()
    assert row["request_details"] == {
        "requestId": "r-1",
        "response": {"errorMessage": None, "result": None, "statusCode": 200},
        "sessionId": "s-1",
        "sourceIPAddress": "10.0.0.1",
        "userAgent": "sdk",
    }


def test_what_was_refused_changed_nothing() -> None:
    rows = pools(
        created("2024-05-06 08:00", node_type_id="m5"),
        edited("2024-05-06 09:00", status=403, node_type_id="r5"),
    ).rows
    assert rows["actionName"].to_list() == ["create"]


def test_a_redelivered_request_is_one_row_and_two_requests_are_two() -> None:
    first = edited("2024-05-06 09:00", max_capacity=1)
    other = {**first, "requestId": "r-2"}
    assert pools(first, {**first, "hashKey": 0}, other).rows.height == 2


def test_an_edit_inherits_what_was_said_days_before() -> None:
    rows = pools(
        created("2024-05-06 08:00", node_type_id="m5", min_idle_instances=2),
        edited("2024-05-07 09:00", max_capacity=3),
        days=TWO_DAYS,
    ).rows
    assert rows.select("node_type_id", "min_idle_instances").rows() == [("m5", 2), ("m5", 2)]


def test_a_pool_that_only_captures_know_is_there_from_the_first_day_on() -> None:
    rows = pools(captures=[captured("2024-05-20 06:00", node_type_id="m5")], days=TWO_DAYS).rows
    assert rows.select("actionName", "timestamp", "node_type_id", "request_details").rows() == [
        ("snapImpute", ms("2024-05-06"), "m5", None)
    ]


def test_a_pool_that_was_created_on_the_first_day_was_not_there_before() -> None:
    rows = pools(
        created("2024-05-06 08:00", node_type_id="m5"),
        captures=[captured("2024-05-07 06:00", node_type_id="m5")],
    ).rows
    assert rows["actionName"].to_list() == ["create"]


def test_a_pool_that_appears_later_is_there_from_its_capture_on() -> None:
    rows = pools(
        created("2024-05-06 08:00", pool="p0"),
        captures=[captured("2024-05-07 06:00", "p0"), captured("2024-05-08 06:00", "p1")],
        days=(*TWO_DAYS, "2024-05-08"),
    ).rows
    assert rows.select("instance_pool_id", "timestamp").rows() == [
        ("p0", ms("2024-05-06 08:00")),
        ("p1", ms("2024-05-08 06:00")),
    ]


def test_a_capture_tells_once_what_no_request_said() -> None:
    rows = pools(
        edited("2024-05-06 08:00", max_capacity=3),
        captures=[
            captured("2024-05-07 06:00", max_capacity=7),
            captured("2024-05-08 06:00", node_type_id="m5", max_capacity=8),
            captured("2024-05-09 06:00", node_type_id="m5", max_capacity=9),
        ],
        days=(*TWO_DAYS, "2024-05-08", "2024-05-09"),
    ).rows
    assert rows.select("actionName", "timestamp", "node_type_id", "max_capacity").rows() == [
        ("snapImpute", ms("2024-05-06"), None, 7),
        ("edit", ms("2024-05-06 08:00"), None, 3),
        ("snapImpute", ms("2024-05-08 06:00"), "m5", 3),
    ]


def test_what_comes_after_a_deletion_starts_anew_and_is_forgotten_in_time() -> None:
    events = [
        created("2024-05-06 08:00", node_type_id="m5"),
        deleted("2024-05-06 09:00"),
        edited("2024-05-06 10:00", max_capacity=1),
    ]
    found = pools(*events)
    assert found.rows["node_type_id"].to_list() == ["m5", "m5", None]
    gone = pools(*events[:2], days=("2024-05-06", "2024-07-04")).carried
    forgotten = pools(*events[:2], days=("2024-05-06", "2024-07-05")).carried
    assert (gone.height, forgotten.height) == (1, 0)


def test_a_request_that_names_no_pool_is_counted() -> None:
    found = pools(audit_event(ms("2024-05-06 08:00"), "instancePools.edit", {"max_capacity": 1}))
    assert (found.rows.height, found.left_out) == (0, {"no pool id": 1})


def test_requests_of_one_millisecond_follow_each_other_by_what_they_do() -> None:
    at = "2024-05-06 08:00"
    rows = pools(deleted(at), edited(at, max_capacity=2), created(at, max_capacity=1)).rows
    assert rows.select("actionName", "seq", "max_capacity").rows() == [
        ("create", 0, 1),
        ("edit", 1, 2),
        ("delete", 2, 2),
    ]


def test_no_events_and_no_captures_give_no_rows_of_the_declared_types() -> None:
    rows = pools().rows
    declared = {column.name: column.dtype for column in pools_silver.table.columns}
    assert rows.schema == pl.Schema(declared)
