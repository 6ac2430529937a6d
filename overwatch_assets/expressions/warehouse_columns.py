"""Columns that the tables of SQL warehouses have in common."""

import polars as pl

from overwatch_assets.expressions.json_texts import TEXTS
from overwatch_assets.module import Column

DELETIONS = ("deleteEndpoint", "deleteWarehouse")
"""Requests that delete a warehouse, under their older and their newer name."""

WAREHOUSE_COLUMNS = (
    Column("warehouse_id", pl.String, "SQL warehouse."),
    Column("warehouse_name", pl.String, "Name; null: never told."),
    Column("cluster_size", pl.String, "Size of each of its clusters, such as 2X-Small."),
    Column("min_num_clusters", pl.Int64, "Least clusters while it runs."),
    Column("max_num_clusters", pl.Int64, "Most clusters."),
    Column("auto_stop_mins", pl.Int64, "Idle minutes after which it stops; 0: never."),
    Column("spot_instance_policy", pl.String, "COST_OPTIMIZED or RELIABILITY_OPTIMIZED."),
    Column("enable_photon", pl.Boolean, "Photon is on."),
    Column("channel", pl.String, "Name of its release channel."),
    Column("tags", TEXTS, "Tags that people gave; null: never told."),
    Column("enable_serverless_compute", pl.Boolean, "It runs serverless."),
    Column("warehouse_type", pl.String, "CLASSIC or PRO."),
    Column(
        "warehouse_state",
        pl.String,
        "STARTING, RUNNING, STOPPING, STOPPED, DELETING or DELETED then; null: not a capture.",
    ),
    Column("size", pl.String, "Size as the API's constant, such as SMALL; null: not a capture."),
    Column("auto_resume", pl.Boolean, "A query starts it; null: not a capture."),
    Column("creator_id", pl.Int64, "Id of who made it; null: not a capture."),
    Column("num_clusters", pl.Int64, "Clusters that ran then; null: not a capture."),
    Column("num_active_sessions", pl.Int64, "Sessions open then; null: not a capture."),
    Column("jdbc_url", pl.String, "Address for JDBC; null: not a capture."),
)
"""What a warehouse is, under the names that silver and gold share."""

_BY_NAME = {column.name: column for column in WAREHOUSE_COLUMNS}


def shared(*names: str) -> tuple[Column, ...]:
    """Columns by name, in that order."""
    return tuple(_BY_NAME[name] for name in names)
