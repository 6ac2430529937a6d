"""Cluster policies as the API shows them, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="clusterPolicySnapshot",
    table="policies_snapshot_bronze",
    columns=(
        "organization_id",
        "workspace_name",
        "policy_id",
        "name",
        "description",
        "creator_user_name",
        "definition",
        "policy_family_id",
        "policy_family_definition_overrides",
        "created_at_timestamp",
        "is_default",
        "max_clusters_per_user",
        "libraries",
        "captured_at_ms",
    ),
    doc=(
        "One row per cluster policy and day of a capture (partition_date), as the workspace "
        "showed it last that day. Joins to cluster by policy_id."
    ),
)
