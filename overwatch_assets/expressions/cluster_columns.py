"""Columns that the tables of clusters' definitions have in common."""

import polars as pl

from overwatch_assets.expressions.cluster_definitions import SECURITY_PROFILE
from overwatch_assets.expressions.json_texts import TEXTS
from overwatch_assets.module import Column

SETTINGS = (
    Column("is_automated", pl.Boolean, "Named like a job's cluster; null: no name is known."),
    Column("cluster_type", pl.String, "Single Node, High-Concurrency, SQL Analytics or Standard."),
    Column("security_profile", SECURITY_PROFILE, "Who may do what on it."),
    Column("cluster_log_conf", pl.String, "Where its logs are delivered, JSON; null: nowhere."),
    Column("init_scripts", pl.String, "Init scripts by place, JSON; null: none."),
    Column("custom_tags", pl.String, "Tags that people gave, a JSON object; null: none."),
    Column("cluster_source", pl.String, "What created it: UI, API, JOB, SQL, PIPELINE and others."),
    Column("aws_attributes", TEXTS, "Settings on AWS; null elsewhere."),
    Column("azure_attributes", TEXTS, "Settings on Azure; null elsewhere."),
    Column("gcp_attributes", TEXTS, "Settings on Google Cloud; null elsewhere."),
    Column("spark_env_vars", pl.String, "Environment variables, a JSON object; null: none."),
    Column("spark_conf", pl.String, "Spark settings, a JSON object; null: none."),
    Column("acl_path_prefix", pl.String, "Prefix of its permissions' path; null: not told."),
    Column("driver_instance_pool_id", pl.String, "Pool of the driver; null: that of the workers."),
    Column("instance_pool_id", pl.String, "Pool of the workers; null: none."),
    Column("driver_instance_pool_name", pl.String, "Name that the driver's pool had then."),
    Column("instance_pool_name", pl.String, "Name that the workers' pool had then."),
    Column("spark_version", pl.String, "Databricks runtime; null: never told."),
    Column("runtime_engine", pl.String, "PHOTON, STANDARD, or UNKNOWN: no runtime is known."),
    Column("idempotency_token", pl.String, "Token of the request; null: none."),
    Column("policy_id", pl.String, "Cluster policy; null: none."),
)
"""What silver and gold both tell in one go."""

CLUSTER_COLUMNS = (
    Column("cluster_name", pl.String, "Name; SQLAnalytics for clusters of SQL warehouses."),
    Column("num_workers", pl.Int32, "Workers of a fixed size; 0: a single node. Null: it scales."),
    Column("autoscale", pl.String, "Least and most workers, a JSON object; null: of a fixed size."),
    Column("enable_elastic_disk", pl.Boolean, "Disks grow when they are full."),
    *SETTINGS,
    Column("deleted_by", pl.String, "Who deleted it for good; null on all other rows."),
)
"""What a cluster is, under the names that silver and gold share."""

_BY_NAME = {column.name: column for column in CLUSTER_COLUMNS}


def shared(*names: str) -> tuple[Column, ...]:
    """Columns by name, in that order."""
    return tuple(_BY_NAME[name] for name in names)
