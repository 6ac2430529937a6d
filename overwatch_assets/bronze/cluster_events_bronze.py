"""Cluster events: one row per thing that happened to a cluster, as the API tells.

A row belongs to the day of its `timestamp`. Types nobody knew of are stored as they are. Two
events of one type of a cluster in the same millisecond are one row.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.cluster_events_errors_bronze import ERRORS
from overwatch_assets.bronze.cluster_events_fetches import FETCHES
from overwatch_assets.bronze.union import union_by_key
from overwatch_assets.expressions.databricks_structs import AUTOSCALE, LOGCONF, TEXTS
from overwatch_assets.module import Column, FromSource, Grain, Scope, Stored, Window, module

CLUSTER_SIZE = pl.Struct({"num_workers": pl.Int64, "autoscale": AUTOSCALE})
ATTRIBUTES = pl.Struct(
    {
        "cluster_name": pl.String,
        "spark_version": pl.String,
        "node_type_id": pl.String,
        "driver_node_type_id": pl.String,
        "instance_pool_id": pl.String,
        "driver_instance_pool_id": pl.String,
        "policy_id": pl.String,
        "cluster_source": pl.String,
        "runtime_engine": pl.String,
        "single_user_name": pl.String,
        "autotermination_minutes": pl.Int64,
        "enable_elastic_disk": pl.Boolean,
        "cluster_log_conf": LOGCONF,
        "custom_tags": TEXTS,
        "spark_conf": TEXTS,
        "spark_env_vars": TEXTS,
        "aws_attributes": TEXTS,
        "azure_attributes": TEXTS,
        "gcp_attributes": TEXTS,
    }
)
DETAILS = pl.Struct(
    {
        "current_num_workers": pl.Int64,
        "target_num_workers": pl.Int64,
        "current_num_vcpus": pl.Int64,
        "target_num_vcpus": pl.Int64,
        "user": pl.String,
        "cause": pl.String,
        "job_run_name": pl.String,
        "instance_id": pl.String,
        "driver_state_message": pl.String,
        "did_not_expand_reason": pl.String,
        "disk_size": pl.Int64,
        "previous_disk_size": pl.Int64,
        "free_space": pl.Int64,
        "enable_termination_for_node_blocklisted": pl.Boolean,
        "cluster_size": CLUSTER_SIZE,
        "previous_cluster_size": CLUSTER_SIZE,
        "reason": pl.Struct({"code": pl.String, "type": pl.String, "parameters": TEXTS}),
        "init_scripts": pl.String,
        "attributes": ATTRIBUTES,
        "previous_attributes": ATTRIBUTES,
    }
)

KEYS = ("cluster_id", "timestamp", "type")

COLUMNS = (
    Column("organization_id", pl.String, "Workspace that was asked."),
    Column("cluster_id", pl.String, "Cluster that it happened to."),
    Column("timestamp", pl.Int64, "Epoch ms of the event; decides the day."),
    Column("type", pl.String, "What happened, such as CREATING, RESIZING or TERMINATING."),
    Column(
        "details",
        DETAILS,
        "What the event tells beyond its type. Sizes in bytes; init_scripts is JSON text; maps "
        "keep the keys as the API gives them, the values of secret-like ones are struck out.",
    ),
)


@module(
    module_id=1005,
    name="Bronze_ClusterEventLogs",
    scope=Scope.CLUSTER_EVENTS,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=KEYS,
    reads={"events": FromSource("cluster_events"), "stored": Stored()},
    decided_by="timestamp",
    follows=("audit_log_bronze",),
    looks_up=("clusters_snapshot_bronze",),
    tracker=FETCHES,
    rejected=REJECTED,
    errors=ERRORS,
    asked_at_once=True,
)
def cluster_events_bronze(
    events: pl.LazyFrame,
    stored: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Unite the day's events with those stored, one per key.

    Of several events of one key the one with the greatest content stays, so that neither the
    order of pages nor asking again changes the table.

    Args:
        events: Events of the day, as told: pages come twice, in any order.
        stored: Rows that the day holds already; the API forgets a cluster 30 days after its
            end, the table never.
        window: The day.
    """
    names = [column.name for column in COLUMNS if column.name != "organization_id"]
    return union_by_key(
        events.filter(window.contains_ms(pl.col("timestamp"))).select(names),
        stored.select(names),
        keys=cluster_events_bronze.table.key_columns,
        content=names,
        origin=pl.lit(""),
    )
