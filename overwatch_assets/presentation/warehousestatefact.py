"""SQL warehouse states with what they cost, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="warehouseStateFact",
    table="warehousestatefact_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "warehouse_id",
        "warehouse_name",
        "tags",
        "state_start_date",
        "unixTimeMS_state_start",
        "unixTimeMS_state_end",
        "timestamp_state_start",
        "timestamp_state_end",
        "state",
        "seq",
        "cluster_size",
        "current_num_clusters",
        "target_num_clusters",
        "uptime_since_restart_S",
        "uptime_in_state_S",
        "uptime_in_state_H",
        "cloud_billable",
        "databricks_billable",
        "warehouse_type",
        "channel",
        "state_dates",
        "days_in_state",
        "worker_potential_core_H",
        "driver_dbus",
        "hourly_dbus",
        "worker_count",
        "driver_vCPUs",
        "sku",
        "dbu_rate",
        "total_dbu_cost",
        "cost_reason",
        "end_imputed",
    ),
    doc=(
        "One row per state of a SQL warehouse with DBUs and their cost; joins to warehouse and to "
        "sqlQueryHistory by warehouse_id. partition_date is the day that the end was known, "
        "state_start_date that of the start. A cost that is null is not known: cost_reason."
    ),
)
