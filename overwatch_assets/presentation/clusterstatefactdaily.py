"""What clusters cost per calendar day, as consumers query it."""

from overwatch_assets.expressions.state_costs import CLUSTER_AMOUNTS, UPTIME
from overwatch_assets.view import PerDay, View

AMOUNTS = (*(column.name for column in UPTIME), *CLUSTER_AMOUNTS)

VIEW = View(
    name="clusterStateFactDaily",
    table="clusterstatefact_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "cluster_id",
        "cluster_name",
        "custom_tags",
        "unixTimeMS_state_start",
        "unixTimeMS_state_end",
        "timestamp_state_start",
        "timestamp_state_end",
        "state",
        "seq",
        "driver_node_type_id",
        "node_type_id",
        "cluster_type",
        "current_num_workers",
        "target_num_workers",
        "uptime_in_state_S",
        "uptime_in_state_H",
        "cloud_billable",
        "databricks_billable",
        "isAutomated",
        "sku",
        "runtime_engine",
        "dbu_rate",
        "photon_multiplier",
        *CLUSTER_AMOUNTS,
        "cost_reason",
        "end_imputed",
    ),
    doc=(
        "One row per state of a cluster and calendar day (date) that it touches, with the part of "
        "its uptime, DBUs and costs that falls on the day, by time; the days of a state add up to "
        "its row in clusterStateFact. Figures of a day are final when none of its rows is_open."
    ),
    per_day=PerDay("unixTimeMS_state_start", "unixTimeMS_state_end", AMOUNTS),
)
