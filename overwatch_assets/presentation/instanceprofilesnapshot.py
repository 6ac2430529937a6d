"""Instance profiles as the API shows them, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="instanceProfileSnapshot",
    table="instance_profiles_snapshot_bronze",
    columns=(
        "organization_id",
        "workspace_name",
        "instance_profile_arn",
        "iam_role_arn",
        "is_meta_instance_profile",
        "captured_at_ms",
    ),
    doc=(
        "One row per instance profile and day of a capture (partition_date), as the workspace "
        "showed it last that day. Only AWS has them."
    ),
)
