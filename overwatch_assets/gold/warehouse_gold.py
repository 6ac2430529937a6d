"""SQL warehouses: one row per change of a warehouse's settings, under business names.

A row lies on the day of the change (`warehouse_spec_silver`) and holds until the warehouse's next
one. A warehouse that was deleted ends with its row of action deleteWarehouse or deleteEndpoint.
"""

import polars as pl

from overwatch_assets.expressions.durations import timestamp_of
from overwatch_assets.expressions.renaming import renamed
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.expressions.warehouse_columns import shared
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
    *shared("warehouse_id", "warehouse_name"),
    Column("service_name", pl.String, "databrickssql; warehouses: a capture told of it."),
    Column(
        "action_name",
        pl.String,
        "createEndpoint, createWarehouse, editEndpoint, editWarehouse, deleteEndpoint, "
        "deleteWarehouse, or snapImpute: a capture told of it.",
    ),
    Column("user_email", pl.String, "Who made the change; null: a capture told of it."),
    *shared("cluster_size", "min_num_clusters", "max_num_clusters", "auto_stop_mins"),
    *shared("spot_instance_policy", "enable_photon", "channel"),
    *shared("enable_serverless_compute", "warehouse_type", "warehouse_state", "size"),
    *shared("auto_resume", "creator_id", "tags", "num_clusters", "num_active_sessions"),
    *shared("jdbc_url"),
    Column("unixTimeMS", pl.Int64, "Epoch ms from which the row holds."),
    Column("timestamp", TIMESTAMP, "The same instant, UTC."),
    Column("date", pl.Date, "Its day, UTC."),
    Column("created_by", pl.String, "Who made the warehouse; null: not a capture."),
)

RENAMED = {
    "service_name": "serviceName",
    "action_name": "actionName",
    "user_email": "userEmail",
    "unixTimeMS": "timestamp",
    "created_by": "createdBy",
}


@module(
    module_id=3018,
    name="Gold_Warehouse",
    scope=Scope.DBSQL,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=("warehouse_id", "unixTimeMS", "action_name"),
    reads={"warehouse_spec_silver": Day()},
    decided_by=PARTITION_DATE.name,
    rules=(keeps_rows("warehouse_spec_silver", by={"warehouse_id": pl.col("warehouse_id")}),),
)
def warehouse_gold(
    warehouse_spec_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Give silver's versions their business names, row by row."""
    told = {"timestamp": timestamp_of(pl.col("timestamp"))}
    return warehouse_spec_silver.select(
        PARTITION_DATE.name,
        *renamed(COLUMNS, RENAMED, told),
    )
