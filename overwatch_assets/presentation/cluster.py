"""Clusters, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="cluster",
    table="cluster_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "cluster_id",
        "action",
        "unixTimeMS",
        "timestamp",
        "date",
        "cluster_name",
        "driver_node_type",
        "node_type",
        "num_workers",
        "autoscale",
        "auto_termination_minutes",
        "enable_elastic_disk",
        "is_automated",
        "cluster_type",
        "security_profile",
        "cluster_log_conf",
        "init_scripts",
        "custom_tags",
        "cluster_source",
        "aws_attributes",
        "azure_attributes",
        "gcp_attributes",
        "spark_env_vars",
        "spark_conf",
        "acl_path_prefix",
        "driver_instance_pool_id",
        "instance_pool_id",
        "driver_instance_pool_name",
        "instance_pool_name",
        "spark_version",
        "runtime_engine",
        "idempotency_token",
        "policy_id",
        "deleted_by",
        "created_by",
        "last_edited_by",
    ),
    doc=(
        "One row per change of what a cluster is, from the change to the cluster's next one; a "
        "cluster that was deleted for good ends with its row of action permanentDelete."
    ),
)
