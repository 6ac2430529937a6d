import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from overwatch_assets.module import Window
from overwatch_assets.silver.cluster_spec_silver import cluster_spec_silver
from overwatch_assets.silver.pools_silver import pools_silver
from overwatch_assets_tests.frames import Row, ms, table
from overwatch_assets_tests.laws.cluster_world import audit_event
from overwatch_assets_tests.silver.version_days import Followed, follow

Said = dict[str, Any]
TWO_DAYS = ("2024-05-06", "2024-05-07")
FIRST_FOUR_SECONDS = Window(
    since=datetime.fromtimestamp(0, UTC), until=datetime.fromtimestamp(4, UTC)
)
DEFINED: Row = {
    "cluster_name": "shared",
    "spark_version": "15.4.x-scala2.12",
    "node_type_id": "r5.xlarge",
    "driver_node_type_id": "r5.xlarge",
    "num_workers": 4,
}
SINGLE: Row = {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"}


def at_ms(at: str | int) -> int:
    return at if isinstance(at, int) else ms(at)


def created(at: str | int, cluster: str = "c1", *, by: str = "alice", **said: object) -> Row:
    result = json.dumps({"cluster_id": cluster})
    return audit_event(at_ms(at), "clusters.create", {**DEFINED, **said}, result=result, user=by)


def edited(at: str | int, cluster: str = "c1", *, by: str = "bob", **said: object) -> Row:
    params = {**DEFINED, **said, "cluster_id": cluster}
    return audit_event(at_ms(at), "clusters.edit", params, user=by)


def resized(at: str | int, cluster: str = "c1", **size: object) -> Row:
    return audit_event(at_ms(at), "clusters.resize", {"cluster_id": cluster, **size}, user="bob")


def deleted(at: str | int, cluster: str = "c1", *, by: str = "carol") -> Row:
    params = {"cluster_id": cluster}
    return audit_event(at_ms(at), "clusters.permanentDelete", params, user=by)


def captured(at: str | int, cluster: str = "c1", **shown: object) -> Row:
    whole: Said = {**DEFINED, "creator_user_name": "dan", "start_time": 0}
    return {**whole, "cluster_id": cluster, "captured_at_ms": at_ms(at), **shown}


def clusters(
    *events: Row,
    captures: Sequence[Row] = (),
    days: Sequence[str | Window] = ("2024-05-06",),
    pools: pl.DataFrame | None = None,
) -> Followed:
    known = table("pools_silver") if pools is None else pools.lazy()

    def others(window: Window) -> Mapping[str, pl.LazyFrame]:
        return {"pools_silver": known.filter(pl.col("timestamp") < window.until_ms)}

    return follow(cluster_spec_silver, events, captures=captures, days=days, others=others)


def values(found: Followed, *names: str) -> list[tuple[object, ...]]:
    return found.rows.select(names).rows()


def pool_versions(*versions: tuple[str, str, str, str]) -> pl.DataFrame:
    """Pools by instant, id, name and node type."""
    rows = [
        {
            "timestamp": ms(at),
            "instance_pool_id": pool,
            "instance_pool_name": name,
            "node_type_id": node,
            "seq": 0,
        }
        for at, pool, name, node in versions
    ]
    return table("pools_silver", *rows).collect()


def test_the_worked_example() -> None:
    pool = audit_event(
        500,
        "instancePools.create",
        {"instance_pool_name": "warm", "node_type_id": "DS3"},
        result='{"instance_pool_id":"p1"}',
        user="ops",
    )
    pools = follow(pools_silver, [pool], days=[FIRST_FOUR_SECONDS]).rows
    machines = {"driver_node_type_id": "r5.2xl", "node_type_id": "r5.xl"}
    job: Said = {
        "cluster_name": "job-10-run-501",
        "instance_pool_id": "p1",
        "spark_version": None,
        "node_type_id": None,
        "driver_node_type_id": None,
        "num_workers": None,
    }
    old = captured(
        4000, "c3", cluster_name="old", driver_node_type_id="m5", node_type_id="m5",
        num_workers=2, runtime_engine="STANDARD", start_time=None,
    )  # fmt: skip
    found = clusters(
        pool,
        created(1000, **machines, spark_version="12.2.x-scala2.12"),
        edited(
            2000, **machines, spark_version="13.3.x-photon-scala2.12", num_workers=None,
            autoscale={"min_workers": 2, "max_workers": 8},
        ),
        created(2500, "c2", by="svc", **job),
        deleted(3000),
        captures=[old],
        days=[FIRST_FOUR_SECONDS],
        pools=pools,
    )  # fmt: skip
    scales = '{"min_workers":2,"max_workers":8}'
    assert values(
        found, "timestamp", "cluster_id", "actionName", "driver_node_type_id", "node_type_id",
        "num_workers", "autoscale", "createdBy", "lastEditedBy", "deleted_by", "runtime_engine",
        "is_automated", "instance_pool_name",
    ) == [
        (0, "c3", "snapImpute", "m5", "m5", 2, None, "dan", None, None, "STANDARD", False, None),
        (1000, "c1", "create", "r5.2xl", "r5.xl", 4, None, "alice", None, None, "STANDARD",
         False, None),
        (2000, "c1", "edit", "r5.2xl", "r5.xl", None, scales, "alice", "bob", None, "PHOTON",
         False, None),
        (2500, "c2", "create", "DS3", "DS3", None, None, "JobsService", None, None, "UNKNOWN",
         True, "warm"),
        (3000, "c1", "permanentDelete", "r5.2xl", "r5.xl", None, scales, "alice", "bob", "carol",
         "PHOTON", False, None),
    ]  # fmt: skip


def test_a_resize_changes_the_size_and_nothing_else() -> None:
    found = clusters(
        created("2024-05-06 08:00", custom_tags={"team": "bi"}),
        resized("2024-05-06 09:00", num_workers=7),
        resized("2024-05-07 09:00", autoscale={"min_workers": 1, "max_workers": 3}),
        resized("2024-05-07 10:00"),
        deleted("2024-05-07 11:00"),
        days=TWO_DAYS,
    )
    scales = '{"min_workers":1,"max_workers":3}'
    assert values(found, "actionName", "num_workers", "autoscale") == [
        ("create", 4, None),
        ("resize", 7, None),
        ("resize", None, scales),
        ("resize", None, scales),
        ("permanentDelete", None, scales),
    ]
    assert set(values(found, "custom_tags", "node_type_id", "createdBy", "lastEditedBy")) == {
        ('{"team":"bi"}', "r5.xlarge", "alice", None)
    }


def test_a_cluster_whose_only_event_is_a_resize_is_known_from_its_capture() -> None:
    found = clusters(
        resized("2024-05-06 09:00", num_workers=7),
        captures=[captured("2024-05-07 06:00", custom_tags={"team": "bi"}, num_workers=7)],
    )
    assert values(found, "actionName", "timestamp", "num_workers", "custom_tags", "createdBy") == [
        ("snapImpute", ms("2024-05-06"), 7, '{"team":"bi"}', "dan"),
        ("resize", ms("2024-05-06 09:00"), 7, '{"team":"bi"}', "dan"),
    ]
    unknown = clusters(resized("2024-05-06 09:00", num_workers=7))
    assert values(unknown, "num_workers", "node_type_id", "runtime_engine") == [
        (7, None, "UNKNOWN")
    ]


def test_a_resize_before_any_capture_is_mended_by_the_first_one() -> None:
    found = clusters(
        created("2024-05-06 08:00", "other"),
        resized("2024-05-06 09:00", num_workers=7),
        captures=[
            captured("2024-05-07 06:00", "other"),
            captured("2024-05-08 06:00", num_workers=9, custom_tags={"team": "bi"}),
            captured("2024-05-09 06:00", num_workers=9, custom_tags={"team": "etl"}),
        ],
        days=(*TWO_DAYS, "2024-05-08", "2024-05-09"),
    )
    mended = found.rows.filter(pl.col("cluster_id") == "c1")
    assert mended.select("actionName", "timestamp", "num_workers", "custom_tags").rows() == [
        ("resize", ms("2024-05-06 09:00"), 7, None),
        ("snapImpute", ms("2024-05-08 06:00"), 7, '{"team":"bi"}'),
    ]


def test_what_an_edit_leaves_out_is_gone_whatever_captures_show() -> None:
    found = clusters(
        created("2024-05-06 08:00", custom_tags={"team": "bi"}, single_user_name="alice"),
        edited("2024-05-06 09:00"),
        captures=[
            captured("2024-05-06 10:00", custom_tags={"team": "bi"}, instance_pool_id="p9"),
            captured("2024-06-20 10:00", custom_tags={"team": "etl"}, autoscale={"min_workers": 1}),
        ],
    )
    assert values(found, "custom_tags", "instance_pool_id", "autoscale", "num_workers") == [
        ('{"team":"bi"}', None, None, 4),
        (None, None, None, 4),
    ]
    users = [each["single_user_profile"] for each in found.rows["security_profile"]]
    assert users == [
        {"is_single_user": True, "single_user_name": "alice"},
        {"is_single_user": False, "single_user_name": None},
    ]


def test_what_every_cluster_has_is_taken_from_the_capture_that_followed() -> None:
    nothing_said: Said = {"node_type_id": None, "driver_node_type_id": None, "num_workers": None}
    found = clusters(
        created("2024-05-06 08:00", **nothing_said, instance_pool_id="p-unknown"),
        captures=[
            captured("2024-05-06 07:00", node_type_id="before", driver_node_type_id="before"),
            captured(
                "2024-05-07 06:00", node_type_id="m5", driver_node_type_id="m5.2",
                num_workers=2, autotermination_minutes=30, cluster_source="UI",
                aws_attributes={"zone_id": "a"},
            ),
            captured("2024-05-08 06:00", node_type_id="later", driver_node_type_id="later"),
        ],
    )  # fmt: skip
    row = found.rows.filter(pl.col("actionName") == "create").row(0, named=True)
    assert (row["node_type_id"], row["driver_node_type_id"], row["num_workers"]) == (
        "m5",
        "m5.2",
        2,
    )
    assert (row["autotermination_minutes"], row["cluster_source"]) == (30, "UI")
    assert row["aws_attributes"] == {"zone_id": "a"}


def test_a_driver_that_is_not_told_is_the_latest_told_one() -> None:
    untold: Said = {"driver_node_type_id": None}
    found = clusters(
        created("2024-05-06 08:00", driver_node_type_id="first"),
        edited("2024-05-06 09:00", driver_node_type_id="second"),
        edited("2024-05-06 10:00", **untold),
        edited("2024-05-07 10:00", **untold),
        created("2024-05-07 11:00", "c2", **untold),
        days=TWO_DAYS,
    )
    drivers = found.rows["driver_node_type_id"].to_list()
    assert drivers == ["first", "second", "second", "second", "r5.xlarge"]


def test_runtime_creator_and_last_editor_outlive_the_day() -> None:
    found = clusters(
        created("2024-05-06 08:00"),
        edited("2024-05-06 09:00", by="bob", spark_version=None),
        edited("2024-05-07 09:00", by="eve", spark_version=None),
        resized("2024-05-07 10:00", num_workers=1),
        days=TWO_DAYS,
    )
    assert values(found, "spark_version", "createdBy", "lastEditedBy") == [
        ("15.4.x-scala2.12", "alice", None),
        ("15.4.x-scala2.12", "alice", "bob"),
        ("15.4.x-scala2.12", "alice", "eve"),
        ("15.4.x-scala2.12", "alice", "eve"),
    ]


def test_a_deletion_long_after_the_last_edit_is_a_row_and_only_it_names_who_did_it() -> None:
    found = clusters(
        created("2024-05-06 08:00"),
        deleted("2024-05-08 08:00"),
        deleted("2024-05-08 09:00", by="dora"),
        days=(*TWO_DAYS, "2024-05-08"),
    )
    assert values(found, "actionName", "node_type_id", "deleted_by") == [
        ("create", "r5.xlarge", None),
        ("permanentDelete", "r5.xlarge", "carol"),
    ]
    assert found.left_out == {"deleted already": 1}


def test_what_follows_a_deletion_starts_anew() -> None:
    found = clusters(
        created("2024-05-06 08:00"),
        deleted("2024-05-06 09:00"),
        resized("2024-05-07 09:00", num_workers=1),
        days=TWO_DAYS,
    )
    assert values(found, "node_type_id", "createdBy")[-1] == (None, None)


def test_a_single_node_has_no_workers_and_no_node_type_of_them() -> None:
    found = clusters(
        created(
            "2024-05-06 08:00", spark_conf=SINGLE, node_type_id="c5", driver_node_type_id=None,
            num_workers=None,
        ),
        deleted("2024-05-07 08:00"),
        captures=[captured("2024-05-06 10:00", node_type_id="c5", spark_conf=SINGLE)],
        days=TWO_DAYS,
    )  # fmt: skip
    assert set(
        values(
            found, "cluster_type", "driver_node_type_id", "node_type_id", "num_workers", "autoscale"
        )
    ) == {("Single Node", "c5", None, 0, None)}
    assert found.rows.height == 2


def test_a_fixed_size_gets_no_limits_and_limits_get_no_fixed_size() -> None:
    limits = {"min_workers": 1, "max_workers": 3}
    found = clusters(
        created("2024-05-06 08:00", "fixed"),
        created("2024-05-06 09:00", "scaling", num_workers=None, autoscale=limits),
        captures=[
            captured("2024-05-06 10:00", "fixed", num_workers=None, autoscale=limits),
            captured("2024-05-06 10:00", "scaling", num_workers=2),
        ],
    )
    assert values(found, "num_workers", "autoscale") == [
        (4, None),
        (None, '{"min_workers":1,"max_workers":3}'),
    ]


def test_a_pool_tells_the_node_types_and_its_name_of_the_time() -> None:
    pools = pool_versions(
        ("2024-04-01", "p1", "warm", "i3"),
        ("2024-05-06 09:00", "p1", "warmer", "i3.2"),
        ("2024-05-06 12:00", "p2", "late", "i4"),
    )
    untold: Said = {"node_type_id": None, "driver_node_type_id": None}
    found = clusters(
        created("2024-05-06 08:00", **untold, instance_pool_id="p1"),
        edited("2024-05-06 09:00", **untold, instance_pool_id="p1"),
        edited("2024-05-06 10:00", **untold, instance_pool_id="p1", driver_instance_pool_id="p2"),
        edited("2024-05-06 11:00", node_type_id="r5", driver_node_type_id=None),
        pools=pools,
    )
    assert values(
        found, "driver_node_type_id", "node_type_id", "instance_pool_name",
        "driver_instance_pool_name",
    ) == [
        ("i3", "i3", "warm", None),
        ("i3", "i3", "warm", None),
        ("i4", "i3.2", "warmer", "late"),
        ("r5", "r5", None, None),
    ]  # fmt: skip


def test_a_deletion_keeps_the_pool_that_is_gone() -> None:
    pools = pool_versions(("2024-04-01", "p1", "warm", "i3"))
    untold: Said = {"node_type_id": None, "driver_node_type_id": None}
    before = clusters(
        created("2024-05-06 08:00", **untold, instance_pool_id="p1"),
        deleted("2024-05-07 08:00"),
        days=TWO_DAYS,
        pools=pools,
    )
    names = ("driver_node_type_id", "node_type_id", "instance_pool_name")
    assert values(before, *names) == [("i3", "i3", "warm")] * 2


def test_an_event_without_an_id_is_of_the_only_cluster_of_its_name() -> None:
    nameless = audit_event(ms("2024-05-06 09:00"), "clusters.edit", {**DEFINED, "num_workers": 9})
    result = audit_event(
        ms("2024-05-06 09:30"), "clusters.startResult", {"clusterId": "c7", "clusterName": "shared"}
    )
    assert values(clusters(nameless, result), "cluster_id", "num_workers") == [("c7", 9)]
    other = created("2024-05-06 09:40", "c8")
    found = clusters(nameless, result, other)
    assert (values(found, "cluster_id"), found.left_out) == ([("c8",)], {"no cluster id": 1})


def test_a_nameless_cluster_gets_nothing_from_another_one() -> None:
    found = clusters(
        created("2024-05-06 08:00", "c1", cluster_name=None),
        audit_event(ms("2024-05-06 09:00"), "clusters.edit", {"num_workers": 9}),
    )
    assert values(found, "cluster_id", "cluster_name", "is_automated") == [("c1", None, None)]
    assert found.left_out == {"no cluster id": 1}


def test_a_created_cluster_is_none_of_those_that_had_its_name() -> None:
    nameless = audit_event(ms("2024-05-07 09:00"), "clusters.create", DEFINED, result="{}")
    found = clusters(created("2024-05-06 08:00"), nameless, days=TWO_DAYS)
    assert (values(found, "cluster_id"), found.left_out) == ([("c1",)], {"no cluster id": 1})


def test_clusters_of_warehouses_are_known_from_captures_only() -> None:
    tags = {"SqlEndpointId": "w1"}
    found = clusters(
        created("2024-05-06 08:00", "w", custom_tags=tags),
        captures=[captured("2024-05-06 09:00", "w", custom_tags=tags, cluster_name="dlt-1")],
    )
    assert values(found, "actionName", "cluster_name", "cluster_type") == [
        ("snapImpute", "SQLAnalytics", "SQL Analytics")
    ]


def test_refused_requests_and_other_actions_are_no_versions() -> None:
    refused = {**created("2024-05-06 08:00"), "response": {"statusCode": 400}}
    start = audit_event(ms("2024-05-06 08:30"), "clusters.start", {"cluster_id": "c1"})
    acl = audit_event(ms("2024-05-06 08:30"), "clusters.changeClusterAcl", {"resourceId": "c1"})
    assert clusters(refused, start, acl).rows.is_empty()


def test_a_cluster_that_only_captures_know_is_there_from_the_first_day_on_if_it_was() -> None:
    found = clusters(
        captures=[
            captured("2024-05-20 06:00", "old", start_time=ms("2024-05-05 23:59")),
            captured("2024-05-20 06:00", "new", start_time=ms("2024-05-06")),
        ],
        days=(*TWO_DAYS, "2024-05-20"),
    )
    assert values(found, "cluster_id", "timestamp") == [
        ("old", ms("2024-05-06")),
        ("new", ms("2024-05-20 06:00")),
    ]


def test_captures_know_the_same_as_requests_in_the_same_words() -> None:
    told: Said = {
        "custom_tags": {"b": "2", "a": "1"},
        "spark_conf": {"spark.speculation": "true"},
        "cluster_log_conf": {"dbfs": {"destination": "dbfs:/logs"}},
        "init_scripts": [{"workspace": {"destination": "/init.sh"}}],
        "spark_env_vars": {"A": "Kühl"},
        "autotermination_minutes": 30,
        "policy_id": "p-1",
        "aws_attributes": {"zone_id": "a"},
        "cluster_source": "UI",
        "enable_elastic_disk": False,
    }
    log_conf = {"dbfs": {"destination": "dbfs:/logs"}, "s3": None, "volumes": None}
    scripts = [
        {"workspace": {"destination": "/init.sh"}, "dbfs": None, "s3": None, "volumes": None}
    ]
    shown: Said = {**told, "cluster_log_conf": log_conf, "init_scripts": scripts}
    event = clusters(created("2024-05-06 08:00", by="dan", **told)).rows
    capture = clusters(captures=[captured("2024-05-06 08:00", **shown)]).rows
    assert event.drop("actionName").equals(capture.drop("actionName"))


def test_of_two_requests_with_one_key_the_last_holds_whatever_order_they_come_in() -> None:
    one = {**edited("2024-05-06 08:00", num_workers=1), "requestId": "r1"}
    two = {**edited("2024-05-06 08:00", num_workers=2), "requestId": "r2"}
    assert values(clusters(one, two), "num_workers") == [(2,)]
    assert values(clusters(two, one), "num_workers") == [(2,)]


def test_requests_of_one_millisecond_follow_each_other_by_what_they_do() -> None:
    at = "2024-05-06 08:00"
    found = clusters(deleted(at), resized(at, num_workers=1), edited(at), created(at))
    assert values(found, "seq", "actionName", "num_workers") == [
        (0, "create", 4),
        (1, "edit", 4),
        (2, "resize", 1),
        (3, "permanentDelete", 1),
    ]
    assert found.carried["actionName"].to_list() == ["permanentDelete"]


def test_texts_that_are_no_json_and_numbers_that_are_none_cost_a_value_not_the_row() -> None:
    found = clusters(
        created(
            "2024-05-06 08:00", spark_conf="spark.x true", custom_tags='{"a', num_workers="many",
            aws_attributes="[]", autoscale="{",
        )
    )  # fmt: skip
    assert values(found, "cluster_type", "spark_conf", "num_workers", "aws_attributes") == [
        ("Standard", "spark.x true", None, None)
    ]


def test_clusters_are_forgotten_when_they_are_long_gone() -> None:
    events = [
        created("2024-05-06 08:00", "gone"),
        deleted("2024-05-06 09:00", "gone"),
        created("2024-05-06 08:00", "job", cluster_name="job-1-run-2"),
        created("2024-05-06 08:00", "kept"),
    ]
    remembered = clusters(*events, days=("2024-05-06", "2024-07-04")).carried
    assert sorted(remembered["cluster_id"]) == ["gone", "job", "kept"]
    forgotten = clusters(*events, days=("2024-05-06", "2024-07-05")).carried
    assert forgotten["cluster_id"].to_list() == ["kept"]


def test_no_events_and_no_captures_give_no_rows_of_the_declared_types() -> None:
    declared = {column.name: column.dtype for column in cluster_spec_silver.table.columns}
    assert clusters().rows.schema == pl.Schema(declared)
