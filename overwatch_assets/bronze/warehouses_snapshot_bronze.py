"""SQL warehouses: one row per warehouse and day, as the workspace showed it last that day.

A warehouse belongs to the day of the capture; no past day is captured later.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.captures import CAPTURE_COLUMNS, last_seen
from overwatch_assets.expressions.databricks_structs import TEXTS
from overwatch_assets.module import Column, FromSource, Grain, Scope, Stored, Window, module

COLUMNS = (
    Column("warehouse_id", pl.String, "Warehouse; the API's `id`."),
    Column("name", pl.String, "Name."),
    Column("size", pl.String, "Size as the API's constant, such as SMALL; often null."),
    Column("cluster_size", pl.String, "Size of its clusters, such as 2X-Small."),
    Column("creator_name", pl.String, "Who created it."),
    Column("spot_instance_policy", pl.String, "COST_OPTIMIZED or RELIABILITY_OPTIMIZED."),
    Column("warehouse_type", pl.String, "CLASSIC or PRO."),
    Column("state", pl.String, "STARTING, RUNNING, STOPPING, STOPPED, DELETING or DELETED."),
    Column("jdbc_url", pl.String, "Address for JDBC."),
    Column("min_num_clusters", pl.Int64, "Least clusters."),
    Column("max_num_clusters", pl.Int64, "Most clusters."),
    Column("auto_stop_mins", pl.Int64, "Idle minutes after which it stops; 0: never."),
    Column("creator_id", pl.Int64, "Id of who created it."),
    Column("num_clusters", pl.Int64, "Clusters that run."),
    Column("num_active_sessions", pl.Int64, "Sessions that are open."),
    Column("auto_resume", pl.Boolean, "A query starts it."),
    Column("enable_photon", pl.Boolean, "Photon is on."),
    Column("enable_serverless_compute", pl.Boolean, "It runs serverless."),
    Column(
        "channel", pl.Struct({"name": pl.String, "dbsql_version": pl.String}), "Release channel."
    ),
    Column("tags", TEXTS, "Tags that people gave."),
    Column("odbc_params", TEXTS, "Settings for ODBC."),
    Column("health", pl.Struct({"status": pl.String}), "Health."),
    *CAPTURE_COLUMNS,
)


@module(
    module_id=1013,
    name="Bronze_Warehouses_Snapshot",
    scope=Scope.DBSQL,
    grain=Grain.CAPTURE,
    columns=COLUMNS,
    keys=("warehouse_id",),
    reads={"objects": FromSource("warehouses"), "stored": Stored()},
    decided_by="captured_at_ms",
    rejected=REJECTED,
)
def warehouses_snapshot_bronze(
    objects: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Keep of each warehouse what was seen last.

    Args:
        objects: Warehouses captured now, their tags flat.
        stored: Rows that the day holds already; what vanished since stays.
        window: The day.
    """
    of_day = objects.filter(window.contains_ms(pl.col("captured_at_ms")))
    return last_seen(of_day, stored, columns=COLUMNS, key="warehouse_id")
