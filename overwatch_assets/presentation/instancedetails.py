"""Node types with their prices, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="instanceDetails",
    table="instancedetails",
    columns=(
        "organization_id",
        "workspace_name",
        "instance",
        "API_Name",
        "vCPUs",
        "Memory_GB",
        "Compute_Contract_Price",
        "On_Demand_Cost_Hourly",
        "Linux_Reserved_Cost_Hourly",
        "Hourly_DBUs",
        "activeFrom",
        "activeUntil",
        "isActive",
        "size_origin",
        "dbu_origin",
        "price_origin",
        "Pipeline_SnapTS",
        "Overwatch_RunID",
    ),
    doc=(
        "One row per node type and stretch of time with the same figures. Joins to node type ids "
        "by lower(trim(API_Name)), where activeFrom <= day and day < coalesce(activeUntil, "
        "'9999-12-31')."
    ),
)
