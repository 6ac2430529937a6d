"""Clusters as the API shows them, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="clusterSnapshot",
    table="clusters_snapshot_bronze",
    columns=(
        "organization_id",
        "workspace_name",
        "cluster_id",
        "cluster_name",
        "cluster_source",
        "creator_user_name",
        "driver_instance_pool_id",
        "driver_node_type_id",
        "instance_pool_id",
        "node_type_id",
        "single_user_name",
        "spark_version",
        "effective_spark_version",
        "runtime_engine",
        "policy_id",
        "data_security_mode",
        "state",
        "state_message",
        "autoscale",
        "num_workers",
        "autotermination_minutes",
        "start_time",
        "terminated_time",
        "last_state_loss_time",
        "last_restarted_time",
        "spark_context_id",
        "cluster_memory_mb",
        "cluster_cores",
        "enable_elastic_disk",
        "enable_local_disk_encryption",
        "cluster_log_conf",
        "init_scripts",
        "default_tags",
        "custom_tags",
        "spark_conf",
        "spark_env_vars",
        "aws_attributes",
        "azure_attributes",
        "gcp_attributes",
        "termination_reason",
        "captured_at_ms",
    ),
    doc=(
        "One row per cluster and day of a capture (partition_date), as the workspace showed "
        "it last that day. Beside `cluster`, which tells of changes, it tells state, memory "
        "and cores at the capture."
    ),
)
