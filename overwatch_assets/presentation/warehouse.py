"""SQL warehouses, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="warehouse",
    table="warehouse_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "warehouse_id",
        "warehouse_name",
        "service_name",
        "action_name",
        "user_email",
        "cluster_size",
        "min_num_clusters",
        "max_num_clusters",
        "auto_stop_mins",
        "spot_instance_policy",
        "enable_photon",
        "channel",
        "enable_serverless_compute",
        "warehouse_type",
        "warehouse_state",
        "size",
        "auto_resume",
        "creator_id",
        "tags",
        "num_clusters",
        "num_active_sessions",
        "jdbc_url",
        "unixTimeMS",
        "date",
        "created_by",
    ),
    doc=(
        "One row per change of a SQL warehouse's settings, from the change to the warehouse's "
        "next one; a warehouse that was deleted ends with its row of action deleteWarehouse or "
        "deleteEndpoint."
    ),
)
