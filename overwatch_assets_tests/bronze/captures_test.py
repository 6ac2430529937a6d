"""The tables of captures: documented examples as rows, and which of several captures counts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest
from dagster_deltalake.config import LocalConfig
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.module import Grain, Module, Window
from overwatch_assets.registry import MODULES
from overwatch_assets.sources.json_shapes import Shaper
from overwatch_assets.sources.rest_api.endpoints import CLUSTERS, LISTINGS
from overwatch_assets_tests.frames import ms, utc

CAPTURES = [module for module in MODULES if module.table.grain is Grain.CAPTURE]
BY_TABLE = {module.table.name: module for module in CAPTURES}
TUESDAY = Window(utc("2024-05-07"), utc("2024-05-08"))
NOON = ms("2024-05-07 12:00")

JOB = """
{"job_id":482910337650112,"creator_user_name":"maria.keller@acme.example",
 "created_time":1700552400123,
 "settings":{"name":"nightly_sales_load","format":"MULTI_TASK","max_concurrent_runs":1,
  "timeout_seconds":0,"tags":{"team":"sales-eng","cost_center":"4711"},
  "schedule":{"quartz_cron_expression":"0 0 2 * * ?","timezone_id":"UTC",
   "pause_status":"UNPAUSED"},
  "email_notifications":{"no_alert_for_skipped_runs":false,"on_failure":["oncall@acme.example"]},
  "job_clusters":[{"job_cluster_key":"main","new_cluster":{"spark_version":"13.3.x-scala2.12",
   "node_type_id":"i3.xlarge","driver_node_type_id":"i3.xlarge",
   "autoscale":{"min_workers":2,"max_workers":8},"custom_tags":{"env":"prod"},
   "spark_conf":{"spark.speculation":"true"},
   "aws_attributes":{"availability":"SPOT_WITH_FALLBACK","first_on_demand":1,
    "zone_id":"us-east-1a"},
   "cluster_log_conf":{"s3":{"destination":"s3://acme-cluster-logs/prod",
    "region":"us-east-1"}}}}],
  "tasks":[{"task_key":"extract","job_cluster_key":"main",
    "notebook_task":{"notebook_path":"/Repos/sales/extract","source":"WORKSPACE",
     "base_parameters":{"day":"today"}},"timeout_seconds":0},
   {"task_key":"load","depends_on":[{"task_key":"extract"}],"job_cluster_key":"main",
    "spark_python_task":{"python_file":"dbfs:/jobs/load.py","parameters":["--full"]},
    "libraries":[{"pypi":{"package":"requests==2.31.0"}}]}]}}
"""
CLUSTER = """
{"cluster_id":"1121-090012-k3xq7abc","cluster_name":"shared-analytics","cluster_source":"UI",
 "creator_user_name":"maria.keller@acme.example","spark_version":"13.3.x-photon-scala2.12",
 "effective_spark_version":"13.3.x-photon-scala2.12","runtime_engine":"PHOTON",
 "node_type_id":"i3.xlarge","driver_node_type_id":"i3.2xlarge",
 "autoscale":{"min_workers":1,"max_workers":6},"num_workers":3,"autotermination_minutes":60,
 "enable_elastic_disk":true,"enable_local_disk_encryption":false,
 "aws_attributes":{"availability":"SPOT_WITH_FALLBACK","first_on_demand":1,
  "zone_id":"us-east-1a","spot_bid_price_percent":100,"ebs_volume_count":0},
 "custom_tags":{"team":"bi"},
 "default_tags":{"Vendor":"Databricks","Creator":"maria.keller@acme.example",
  "ClusterName":"shared-analytics","ClusterId":"1121-090012-k3xq7abc"},
 "spark_conf":{"spark.databricks.delta.preview.enabled":"true"},
 "spark_env_vars":{"PYSPARK_PYTHON":"/databricks/python3/bin/python3"},
 "cluster_log_conf":{"dbfs":{"destination":"dbfs:/mnt/cluster_logs/bi"}},"init_scripts":[],
 "state":"RUNNING","state_message":"","start_time":1700557212345,"last_state_loss_time":0,
 "spark_context_id":6120984411233,"cluster_cores":16.0,"cluster_memory_mb":124928,
 "driver":{"node_id":"n-1"},"spec":{"cluster_name":"shared-analytics"}}
"""
POOL = """
{"instance_pool_id":"1115-101500-pool-x1","instance_pool_name":"etl-pool",
 "node_type_id":"Standard_DS3_v2","min_idle_instances":0,"max_capacity":40,
 "idle_instance_autotermination_minutes":15,"enable_elastic_disk":true,
 "preloaded_spark_versions":["13.3.x-scala2.12"],
 "azure_attributes":{"availability":"ON_DEMAND_AZURE"},"custom_tags":{"team":"etl"},
 "default_tags":{"Vendor":"Databricks","DatabricksInstancePoolId":"1115-101500-pool-x1"},
 "state":"ACTIVE",
 "stats":{"used_count":4,"idle_count":1,"pending_used_count":0,"pending_idle_count":0}}
"""
LIBRARIES = """
{"cluster_id":"1121-090012-k3xq7abc","library_statuses":[{"library":{"pypi":{"package":"requests"}},
 "status":"INSTALLED","is_library_for_all_clusters":false}]}
"""
POLICY = r"""
{"policy_id":"0004C1A2B3D4E5F6","name":"job-small",
 "definition":"{\"autotermination_minutes\":{\"type\":\"fixed\",\"value\":30}}",
 "creator_user_name":"admin@acme.example","created_at_timestamp":1699000000000,
 "is_default":false}
"""
PROFILE = """
{"instance_profile_arn":"arn:aws:iam::111122223333:instance-profile/etl",
 "is_meta_instance_profile":false}
"""
CI_ACCESS = '{"token_id":"9c1e","creation_time":1698000000000,"expiry_time":-1,"comment":"ci"}'
SCRIPT = """
{"script_id":"A1B2C3D4E5F60718","name":"proxy","position":0,"enabled":true,
 "created_by":"admin@acme.example","created_at":1698000000000,
 "updated_by":"admin@acme.example","updated_at":1698000000000}
"""
WAREHOUSE = """
{"id":"789aa345bb12cd34","name":"bi-wh","size":"SMALL","cluster_size":"Small",
 "min_num_clusters":1,"max_num_clusters":3,"auto_stop_mins":10,"auto_resume":true,
 "creator_name":"maria.keller@acme.example","creator_id":1001,
 "tags":{"custom_tags":[{"key":"team","value":"bi"}]},"spot_instance_policy":"COST_OPTIMIZED",
 "enable_photon":true,"enable_serverless_compute":false,"warehouse_type":"PRO",
 "num_clusters":1,"num_active_sessions":2,"state":"RUNNING",
 "channel":{"name":"CHANNEL_NAME_CURRENT"},
 "odbc_params":{"hostname":"acme.cloud.databricks.com",
  "path":"/sql/1.0/warehouses/789aa345bb12cd34","protocol":"https","port":443}}
"""
EXAMPLES = {
    "jobs_snapshot_bronze": JOB,
    "clusters_snapshot_bronze": CLUSTER,
    "pools_snapshot_bronze": POOL,
    "libs_snapshot_bronze": LIBRARIES,
    "policies_snapshot_bronze": POLICY,
    "instance_profiles_snapshot_bronze": PROFILE,
    "tokens_snapshot_bronze": CI_ACCESS,
    "global_inits_snapshot_bronze": SCRIPT,
    "warehouses_snapshot_bronze": WAREHOUSE,
}
OTHERWISE: dict[str, dict[str, object]] = {
    "clusters_snapshot_bronze": {
        "aws_attributes": {
            "availability": "SPOT_WITH_FALLBACK",
            "first_on_demand": "1",
            "zone_id": "us-east-1a",
            "spot_bid_price_percent": "100",
            "ebs_volume_count": "0",
        },
        "_extra": '{"driver":{"node_id":"n-1"}}',
    },
    "warehouses_snapshot_bronze": {
        "warehouse_id": "789aa345bb12cd34",
        "tags": {"team": "bi"},
        "odbc_params": {
            "hostname": "acme.cloud.databricks.com",
            "path": "/sql/1.0/warehouses/789aa345bb12cd34",
            "protocol": "https",
            "port": "443",
        },
    },
}
"""Fields of an example that a row holds otherwise than the API sent them."""

NOT_KEPT = {"clusters_snapshot_bronze": ("driver", "spec"), "warehouses_snapshot_bronze": ("id",)}


def objects_of(module: Module, *texts: str, at_ms: int = NOON) -> pl.LazyFrame:
    """Captured objects in the module's columns."""
    listing = LISTINGS.get(module.source or "", CLUSTERS)
    given_objects = [
        {name: value for name, value in json.loads(text).items() if name not in listing.dropped}
        for text in texts
    ]
    schema = {c.name: c.dtype for c in module.table.columns if c.name != "captured_at_ms"}
    shaped = Shaper(pl.Schema(schema)).shape([listing.prepare(each) for each in given_objects])
    assert shaped.lost == {}
    return shaped.rows.lazy().with_columns(captured_at_ms=pl.lit(at_ms, dtype=pl.Int64))


def none_stored(module: Module) -> pl.LazyFrame:
    return pl.LazyFrame(schema=module.table.schema)


def told(value: object) -> Any:
    """A value without what is null in its structs."""
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value).items()
        return {name: told(each) for name, each in entries if each is not None}
    if isinstance(value, list):
        return [told(each) for each in cast("list[object]", value)]
    return value


def test_every_table_of_captures_has_an_example() -> None:
    assert EXAMPLES.keys() == BY_TABLE.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_becomes_a_row_that_says_the_same(name: str, tmp_path: Path) -> None:
    module = BY_TABLE[name]
    made = module(objects_of(module, EXAMPLES[name]), none_stored(module), window=TUESDAY)
    store = DeltaStore(StorageLocation(str(tmp_path), LocalConfig()))
    store.create(module.table)
    run = {
        "Pipeline_SnapTS": pl.lit(utc("2024-05-07 12:00")).cast(pl.Datetime("us", "UTC")),
        "Overwatch_RunID": pl.lit("run"),
        "workspace_name": pl.lit("prod"),
    }
    partition = ("organization_id", "partition_date")
    rows = made.collect().with_columns(**run)
    rows = rows.select(name for name in module.table.schema if name not in partition)
    day = TUESDAY.since.date()
    staged = store.stage(module.table, "1", day, rows)
    store.replace(module.table, "1", [day], staged, {"overwatch.run_id": "run"})
    [stored] = store.scan(module.table, "1", [day]).collect().to_dicts()
    sent = json.loads(EXAMPLES[name])
    expected = {n: value for n, value in sent.items() if n not in NOT_KEPT.get(name, ())}
    expected |= OTHERWISE.get(name, {}) | {"captured_at_ms": NOON}
    if name == "jobs_snapshot_bronze":
        of_job_cluster = sent["settings"]["job_clusters"][0]["new_cluster"]
        of_job_cluster["aws_attributes"]["first_on_demand"] = "1"
    ours = {column.name for column in module.table.columns}
    assert told({n: value for n, value in stored.items() if n in ours}) == told(expected)


@pytest.mark.parametrize("module", CAPTURES, ids=lambda module: module.table.name)
def test_every_table_has_its_documented_columns_first_and_the_capture_last(module: Module) -> None:
    names = [column.name for column in module.table.columns]
    assert names[-2:] == ["captured_at_ms", "_extra"]
    assert module.table.keys == (LISTINGS.get(module.source or "", CLUSTERS).object_id,)
    assert module.decided_by == "captured_at_ms"


def pool(pool_id: str, at_ms: int, name: str = "a") -> pl.LazyFrame:
    text = json.dumps({"instance_pool_id": pool_id, "instance_pool_name": name})
    return objects_of(BY_TABLE["pools_snapshot_bronze"], text, at_ms=at_ms)


def seen(objects: list[pl.LazyFrame], stored: list[pl.LazyFrame]) -> list[tuple[object, ...]]:
    module = BY_TABLE["pools_snapshot_bronze"]
    nothing = none_stored(module)
    kept = pl.concat([nothing, *stored], how="diagonal")
    made = module(pl.concat(objects) if objects else nothing, kept, window=TUESDAY).collect()
    return sorted(made.select("instance_pool_id", "captured_at_ms", "instance_pool_name").rows())


def test_of_several_captures_the_last_counts_and_what_vanished_stays() -> None:
    stored = [pool("p-1", NOON, "z"), pool("p-2", NOON)]
    assert seen([pool("p-1", NOON + 1, "a")], stored) == [
        ("p-1", NOON + 1, "a"), ("p-2", NOON, "a"),
    ]  # fmt: skip
    assert seen([pool("p-1", NOON - 1, "zz")], stored)[0] == ("p-1", NOON, "z")


def test_an_object_of_two_pages_of_one_capture_is_one_row_whatever_their_order() -> None:
    one, other = pool("p-1", NOON, "a"), pool("p-1", NOON, "b")
    assert seen([one, other], []) == seen([other, one], []) == [("p-1", NOON, "b")]


def test_what_was_captured_outside_of_the_day_is_none_of_its_own() -> None:
    before, after = ms("2024-05-06 23:59:59.999"), ms("2024-05-08")
    assert seen([pool("p-1", before), pool("p-2", after)], []) == []


values = st.sampled_from(["a", "b", None])
captured = st.lists(
    st.tuples(st.sampled_from(["c-1", "c-2"]), st.integers(0, 1), values, values), max_size=5
)


@settings(max_examples=25)
@given(captured, captured)
def test_the_order_of_captures_does_not_matter(
    one: list[tuple[str, int, str | None, str | None]],
    other: list[tuple[str, int, str | None, str | None]],
) -> None:
    module = BY_TABLE["clusters_snapshot_bronze"]

    def frame(rows: list[tuple[str, int, str | None, str | None]]) -> pl.LazyFrame:
        parts = [
            objects_of(
                module,
                json.dumps(
                    {
                        "cluster_id": cluster_id,
                        "state": state,
                        "custom_tags": None if tag is None else {"k": tag},
                        "init_scripts": [{"dbfs": {"destination": tag}}],
                    }
                ),
                at_ms=NOON + at_ms,
            )
            for cluster_id, at_ms, state, tag in rows
        ]
        return pl.concat([none_stored(module), *parts], how="diagonal")

    left = module(frame(one), frame(other), window=TUESDAY).collect()
    right = module(frame(other), frame(one), window=TUESDAY).collect()
    assert left.sort("cluster_id").equals(right.sort("cluster_id"))
