"""Instance pools: one row per pool and day, as the workspace showed it last that day.

A pool belongs to the day of the capture; no past day is captured later.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.captures import CAPTURE_COLUMNS, last_seen
from overwatch_assets.expressions.databricks_structs import TEXTS
from overwatch_assets.module import Column, FromSource, Grain, Scope, Stored, Window, module

STATS = pl.Struct(
    {
        "used_count": pl.Int64,
        "idle_count": pl.Int64,
        "pending_used_count": pl.Int64,
        "pending_idle_count": pl.Int64,
    }
)

COLUMNS = (
    Column("instance_pool_id", pl.String, "Pool."),
    Column("instance_pool_name", pl.String, "Name."),
    Column("node_type_id", pl.String, "Node type of its instances."),
    Column(
        "idle_instance_autotermination_minutes",
        pl.Int64,
        "Idle minutes after which an instance is given back.",
    ),
    Column("min_idle_instances", pl.Int64, "Instances that are kept idle."),
    Column("max_capacity", pl.Int64, "Most instances; null: no limit."),
    Column("enable_elastic_disk", pl.Boolean, "Disks grow when they are full."),
    Column(
        "preloaded_spark_versions",
        pl.List(pl.String),
        "Databricks runtimes that instances hold ready.",
    ),
    Column("state", pl.String, "ACTIVE, STOPPED or DELETED."),
    Column("stats", STATS, "Instances by what they do at the moment."),
    Column("default_tags", TEXTS, "Tags that Databricks gives."),
    Column("custom_tags", TEXTS, "Tags that people gave."),
    Column("aws_attributes", TEXTS, "Settings on AWS; null elsewhere."),
    Column("azure_attributes", TEXTS, "Settings on Azure; null elsewhere."),
    Column("gcp_attributes", TEXTS, "Settings on Google Cloud; null elsewhere."),
    *CAPTURE_COLUMNS,
)


@module(
    module_id=1003,
    name="Bronze_Pools_Snapshot",
    scope=Scope.POOLS,
    grain=Grain.CAPTURE,
    columns=COLUMNS,
    keys=("instance_pool_id",),
    reads={"objects": FromSource("instance_pools"), "stored": Stored()},
    decided_by="captured_at_ms",
    rejected=REJECTED,
)
def pools_snapshot_bronze(
    objects: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Keep of each pool what was seen last.

    Args:
        objects: Pools captured now.
        stored: Rows that the day holds already; what vanished since stays.
        window: The day.
    """
    of_day = objects.filter(window.contains_ms(pl.col("captured_at_ms")))
    return last_seen(of_day, stored, columns=COLUMNS, key="instance_pool_id")
