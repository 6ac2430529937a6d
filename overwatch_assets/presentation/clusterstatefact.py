"""Cluster states with what they cost, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="clusterStateFact",
    table="clusterstatefact_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "cluster_id",
        "cluster_name",
        "custom_tags",
        "state_start_date",
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
        "uptime_since_restart_S",
        "uptime_in_state_S",
        "uptime_in_state_H",
        "cloud_billable",
        "databricks_billable",
        "isAutomated",
        "sku",
        "runtime_engine",
        "dbu_rate",
        "photon_multiplier",
        "state_dates",
        "days_in_state",
        "worker_potential_core_H",
        "driver_dbus",
        "worker_dbus",
        "total_dbus",
        "core_hours",
        "driverSpecs",
        "workerSpecs",
        "driver_compute_cost",
        "worker_compute_cost",
        "driver_dbu_cost",
        "worker_dbu_cost",
        "total_compute_cost",
        "total_DBU_cost",
        "total_driver_cost",
        "total_worker_cost",
        "total_cost",
        "cost_reason",
        "end_imputed",
    ),
    doc=(
        "One row per state of a cluster with machines, DBUs and costs; joins to jobRun by "
        "cluster_id, to instanceDetails by its node types. partition_date is the day that the end "
        "was known, state_start_date that of the start. Costs that are null are not known: "
        "cost_reason."
    ),
)
