"""Global init scripts as the API shows them, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="initScriptSnapshot",
    table="global_inits_snapshot_bronze",
    columns=(
        "organization_id",
        "workspace_name",
        "script_id",
        "name",
        "created_by",
        "updated_by",
        "position",
        "enabled",
        "created_at",
        "updated_at",
        "captured_at_ms",
    ),
    doc=(
        "One row per global init script and day of a capture (partition_date), as the "
        "workspace showed it last that day. Never the script itself."
    ),
)
