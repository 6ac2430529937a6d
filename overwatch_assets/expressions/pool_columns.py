"""Columns that silver and gold share for versions of instance pools."""

import polars as pl

from overwatch_assets.expressions.audit import REQUEST_DETAILS
from overwatch_assets.expressions.json_texts import TEXTS
from overwatch_assets.module import TIMESTAMP, Column

CREATION = pl.Struct(
    {"created_by": pl.String, "created_at_epochMillis": pl.Int64, "created_at": TIMESTAMP}
)
DELETION = pl.Struct(
    {"deleted_by": pl.String, "deleted_at_epochMillis": pl.Int64, "deleted_at": TIMESTAMP}
)

POOL_COLUMNS = (
    Column("serviceName", pl.String, "instancePools."),
    Column("actionName", pl.String, "create, edit, delete, or snapImpute: a capture told of it."),
    Column("timestamp", pl.Int64, "Epoch ms from which the settings hold; decides the day."),
    Column("date", pl.Date, "Day of the change, UTC."),
    Column("instance_pool_id", pl.String, "Pool."),
    Column("instance_pool_name", pl.String, "Name."),
    Column("node_type_id", pl.String, "Node type of its instances; null: never told."),
    Column(
        "idle_instance_autotermination_minutes",
        pl.Int64,
        "Idle minutes after which an instance is given back.",
    ),
    Column("min_idle_instances", pl.Int64, "Instances that are kept idle."),
    Column("max_capacity", pl.Int64, "Most instances; null: no limit."),
    Column(
        "preloaded_spark_versions",
        pl.String,
        "Databricks runtimes that instances hold ready, a JSON array; null: none.",
    ),
    Column("aws_attributes", TEXTS, "Settings on AWS; null elsewhere."),
    Column("azure_attributes", TEXTS, "Settings on Azure; null elsewhere."),
    Column("gcp_attributes", TEXTS, "Settings on Google Cloud; null elsewhere."),
    Column("custom_tags", TEXTS, "Tags that people gave; null: none."),
    Column("create_details", CREATION, "Who created the pool and when; null: before the log."),
    Column("delete_details", DELETION, "Who deleted the pool and when; null: not a deletion."),
    Column("request_details", REQUEST_DETAILS, "The request; null: a capture told of it."),
)
"""What a pool is from an instant on, and what made it so."""
