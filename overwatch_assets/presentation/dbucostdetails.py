"""DBU prices, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="dbuCostDetails",
    table="dbucostdetails",
    columns=(
        "organization_id",
        "workspace_name",
        "sku",
        "contract_price",
        "activeFrom",
        "activeUntil",
        "isActive",
        "origin",
        "Pipeline_SnapTS",
        "Overwatch_RunID",
    ),
    doc=("One row per sku and stretch of time with the same price."),
)
