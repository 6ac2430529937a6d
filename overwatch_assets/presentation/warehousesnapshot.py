"""SQL warehouses as the API shows them, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="warehouseSnapshot",
    table="warehouses_snapshot_bronze",
    columns=(
        "organization_id",
        "workspace_name",
        "warehouse_id",
        "name",
        "size",
        "cluster_size",
        "creator_name",
        "spot_instance_policy",
        "warehouse_type",
        "state",
        "jdbc_url",
        "min_num_clusters",
        "max_num_clusters",
        "auto_stop_mins",
        "creator_id",
        "num_clusters",
        "num_active_sessions",
        "auto_resume",
        "enable_photon",
        "enable_serverless_compute",
        "channel",
        "tags",
        "odbc_params",
        "health",
        "captured_at_ms",
    ),
    doc=(
        "One row per SQL warehouse and day of a capture (partition_date), as the workspace "
        "showed it last that day. It tells state, clusters and sessions at the capture."
    ),
)
