"""Instance pools as the API shows them, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="instancePoolSnapshot",
    table="pools_snapshot_bronze",
    columns=(
        "organization_id",
        "workspace_name",
        "instance_pool_id",
        "instance_pool_name",
        "node_type_id",
        "idle_instance_autotermination_minutes",
        "min_idle_instances",
        "max_capacity",
        "enable_elastic_disk",
        "preloaded_spark_versions",
        "state",
        "stats",
        "default_tags",
        "custom_tags",
        "aws_attributes",
        "azure_attributes",
        "gcp_attributes",
        "captured_at_ms",
    ),
    doc=(
        "One row per instance pool and day of a capture (partition_date), as the workspace "
        "showed it last that day. `stats` tells how many instances were used and idle at the "
        "capture."
    ),
)
