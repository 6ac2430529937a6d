"""Clusters: one row per change of what a cluster is, under business names.

A row lies on the day of the change (`cluster_spec_silver`) and holds until the cluster's next one.
Beside creates and edits there are resizes, deletions for good and clusters that only captures tell
of (`snapImpute`); what Databricks scales by itself is no change.
"""

import polars as pl

from overwatch_assets.expressions.cluster_columns import SETTINGS, shared
from overwatch_assets.expressions.durations import timestamp_of
from overwatch_assets.expressions.renaming import renamed
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.module import (
    PARTITION_DATE,
    TIMESTAMP,
    Column,
    Day,
    Grain,
    Scope,
    Window,
    module,
)

COLUMNS = (
    Column("cluster_id", pl.String, "Cluster."),
    Column(
        "action",
        pl.String,
        "create, edit, resize, permanentDelete, or snapImpute: a capture told of it.",
    ),
    Column("unixTimeMS", pl.Int64, "Epoch ms from which the row holds."),
    Column("timestamp", TIMESTAMP, "The same instant, UTC."),
    Column("date", pl.Date, "Its day, UTC."),
    *shared("cluster_name"),
    Column(
        "driver_node_type",
        pl.String,
        "Node type of the driver, of its pool where it has one; null: never told.",
    ),
    Column(
        "node_type",
        pl.String,
        "Node type of the workers, of their pool where they have one; null: a single node, or "
        "never told.",
    ),
    *shared("num_workers", "autoscale"),
    Column("auto_termination_minutes", pl.Int32, "Idle minutes after which it ends; 0: never."),
    *shared("enable_elastic_disk"),
    *SETTINGS,
    *shared("deleted_by"),
    Column("created_by", pl.String, "Who created it; JobsService for jobs. Null: not known."),
    Column("last_edited_by", pl.String, "Who edited it last; null: nobody since it is known."),
)

RENAMED = {
    "action": "actionName",
    "unixTimeMS": "timestamp",
    "driver_node_type": "driver_node_type_id",
    "node_type": "node_type_id",
    "auto_termination_minutes": "autotermination_minutes",
    "created_by": "createdBy",
    "last_edited_by": "lastEditedBy",
}


@module(
    module_id=3001,
    name="Gold_Cluster",
    scope=Scope.CLUSTERS,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=("cluster_id", "unixTimeMS", "action"),
    reads={"cluster_spec_silver": Day()},
    decided_by=PARTITION_DATE.name,
    rules=(keeps_rows("cluster_spec_silver", by={"cluster_id": pl.col("cluster_id")}),),
)
def cluster_gold(
    cluster_spec_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Give silver's versions their business names, row by row."""
    at = timestamp_of(pl.col("timestamp"))
    told = {"timestamp": at, "date": at.dt.date()}
    return cluster_spec_silver.select(
        PARTITION_DATE.name,
        *renamed(COLUMNS, RENAMED, told),
    )
