"""What SQL warehouses cost per calendar day, as consumers query it."""

from overwatch_assets.expressions.state_costs import UPTIME, WAREHOUSE_AMOUNTS
from overwatch_assets.view import PerDay, View

AMOUNTS = (*(column.name for column in UPTIME), *WAREHOUSE_AMOUNTS)

VIEW = View(
    name="warehouseStateFactDaily",
    table="warehousestatefact_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "warehouse_id",
        "warehouse_name",
        "tags",
        "unixTimeMS_state_start",
        "unixTimeMS_state_end",
        "timestamp_state_start",
        "timestamp_state_end",
        "state",
        "seq",
        "cluster_size",
        "current_num_clusters",
        "target_num_clusters",
        "uptime_in_state_S",
        "uptime_in_state_H",
        "cloud_billable",
        "databricks_billable",
        "warehouse_type",
        "channel",
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
        "One row per state of a SQL warehouse and calendar day (date) that it touches, with the "
        "part of its uptime, DBUs and cost that falls on the day, by time; the days of a state add "
        "up to its row in warehouseStateFact. Figures of a day are final when none of its rows "
        "is_open."
    ),
    per_day=PerDay("unixTimeMS_state_start", "unixTimeMS_state_end", AMOUNTS),
)
