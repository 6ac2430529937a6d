"""Clusters: one row per cluster and day, as the workspace showed it last that day.

A cluster belongs to the day of the capture; no past day is captured later. Beside the clusters
that the API lists, those are asked for that the audit log named since the last capture and those
that were not terminated in it. Maps keep their keys; values of keys that name a secret are struck
out.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.captures import CAPTURE_COLUMNS, last_seen
from overwatch_assets.bronze.clusters_snapshot_error_bronze import ERRORS
from overwatch_assets.expressions.databricks_structs import AUTOSCALE, INIT_SCRIPTS, LOGCONF, TEXTS
from overwatch_assets.module import Column, FromSource, Grain, Scope, Stored, Window, module

COLUMNS = (
    Column("cluster_id", pl.String, "Cluster."),
    Column("cluster_name", pl.String, "Name."),
    Column("cluster_source", pl.String, "What created it: UI, API, JOB, SQL, PIPELINE and others."),
    Column("creator_user_name", pl.String, "Who created it; null: the user is gone."),
    Column("driver_instance_pool_id", pl.String, "Pool of the driver; null: none."),
    Column("driver_node_type_id", pl.String, "Node type of the driver."),
    Column("instance_pool_id", pl.String, "Pool of the workers; null: none."),
    Column("node_type_id", pl.String, "Node type of the workers."),
    Column(
        "single_user_name", pl.String, "Only user of a single-user cluster; null: it has several."
    ),
    Column("spark_version", pl.String, "Databricks runtime that is asked for."),
    Column("effective_spark_version", pl.String, "Databricks runtime that runs."),
    Column("runtime_engine", pl.String, "STANDARD or PHOTON; null: the runtime's own."),
    Column("policy_id", pl.String, "Cluster policy; null: none."),
    Column("data_security_mode", pl.String, "Access mode."),
    Column(
        "state",
        pl.String,
        "PENDING, RUNNING, RESTARTING, RESIZING, TERMINATING, TERMINATED, ERROR or UNKNOWN.",
    ),
    Column("state_message", pl.String, "What Databricks says about the state."),
    Column("autoscale", AUTOSCALE, "Least and most workers; null: a fixed number."),
    Column("num_workers", pl.Int64, "Workers asked for, without the driver."),
    Column("autotermination_minutes", pl.Int64, "Idle minutes after which it ends; 0: never."),
    Column("start_time", pl.Int64, "Epoch ms of its creation."),
    Column("terminated_time", pl.Int64, "Epoch ms of its last end; null: none."),
    Column(
        "last_state_loss_time",
        pl.Int64,
        "Epoch ms at which the driver last lost its state; 0: never.",
    ),
    Column("last_restarted_time", pl.Int64, "Epoch ms of the last restart; null: none."),
    Column("spark_context_id", pl.Int64, "Spark context of the running driver."),
    Column("cluster_memory_mb", pl.Int64, "Memory of all nodes in MB; null: not running."),
    Column("cluster_cores", pl.Float64, "Cores of all nodes; null: not running."),
    Column("enable_elastic_disk", pl.Boolean, "Disks grow when they are full."),
    Column("enable_local_disk_encryption", pl.Boolean, "Local disks are encrypted."),
    Column("cluster_log_conf", LOGCONF, "Where its logs are delivered; null: nowhere."),
    Column("init_scripts", INIT_SCRIPTS, "Init scripts by place, never their content."),
    Column("default_tags", TEXTS, "Tags that Databricks gives."),
    Column("custom_tags", TEXTS, "Tags that people gave."),
    Column("spark_conf", TEXTS, "Spark settings."),
    Column("spark_env_vars", TEXTS, "Environment variables."),
    Column("aws_attributes", TEXTS, "Settings on AWS; null elsewhere."),
    Column("azure_attributes", TEXTS, "Settings on Azure; null elsewhere."),
    Column("gcp_attributes", TEXTS, "Settings on Google Cloud; null elsewhere."),
    Column(
        "termination_reason",
        pl.Struct({"code": pl.String, "type": pl.String, "parameters": TEXTS}),
        "Why it ended last; null: it has not.",
    ),
    *CAPTURE_COLUMNS,
)


@module(
    module_id=1002,
    name="Bronze_Clusters_Snapshot",
    scope=Scope.CLUSTERS,
    grain=Grain.CAPTURE,
    columns=COLUMNS,
    keys=("cluster_id",),
    reads={"objects": FromSource("clusters"), "stored": Stored()},
    decided_by="captured_at_ms",
    looks_up=("audit_log_bronze",),
    errors=ERRORS,
    rejected=REJECTED,
)
def clusters_snapshot_bronze(
    objects: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Keep of each cluster what was seen last.

    Args:
        objects: Clusters captured now.
        stored: Rows that the day holds already; what vanished since stays.
        window: The day.
    """
    of_day = objects.filter(window.contains_ms(pl.col("captured_at_ms")))
    return last_seen(of_day, stored, columns=COLUMNS, key="cluster_id")
