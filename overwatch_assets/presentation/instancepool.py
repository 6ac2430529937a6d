"""Instance pools, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="instancepool",
    table="instancepool_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "serviceName",
        "actionName",
        "timestamp",
        "date",
        "instance_pool_id",
        "instance_pool_name",
        "node_type_id",
        "idle_instance_autotermination_minutes",
        "min_idle_instances",
        "max_capacity",
        "preloaded_spark_versions",
        "aws_attributes",
        "azure_attributes",
        "gcp_attributes",
        "custom_tags",
        "create_details",
        "delete_details",
        "request_details",
    ),
    doc=(
        "One row per change of a pool's settings, from the change to the pool's next one; "
        "timestamp is epoch ms. Joins to cluster by instance_pool_id."
    ),
)
