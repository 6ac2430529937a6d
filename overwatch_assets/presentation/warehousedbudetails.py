"""SQL warehouse sizes, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="warehouseDbuDetails",
    table="warehousedbudetails",
    columns=(
        "organization_id",
        "workspace_name",
        "cloud",
        "cluster_size",
        "driver_size",
        "worker_count",
        "total_dbus",
        "activeFrom",
        "activeUntil",
        "isActive",
        "activeFromEpochMillis",
        "activeUntilEpochMillis",
        "origin",
        "Pipeline_SnapTS",
        "Overwatch_RunID",
    ),
    doc=(
        "One row per size and stretch of time with the same figures. "
        "total_dbus are those of one cluster of the warehouse."
    ),
)
