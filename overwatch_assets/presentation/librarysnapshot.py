"""Libraries of clusters as the API shows them, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="librarySnapshot",
    table="libs_snapshot_bronze",
    columns=(
        "organization_id",
        "workspace_name",
        "cluster_id",
        "library_statuses",
        "captured_at_ms",
    ),
    doc=(
        "One row per cluster and day of a capture (partition_date), as the workspace showed "
        "it last that day. Its libraries are a list: unnest library_statuses."
    ),
)
