"""Changes of accounts, as those who may see them query it."""

from overwatch_assets.view import View

VIEW = View(
    name="accountMod",
    table="account_mods_gold",
    in_etl=True,
    columns=(
        "organization_id",
        "workspace_name",
        "mod_unixTimeMS",
        "mod_date",
        "action",
        "endpoint",
        "modified_by",
        "user_name",
        "user_id",
        "group_name",
        "group_id",
        "from_ip_address",
        "user_agent",
        "request_id",
        "response",
    ),
    doc=(
        "One row per change of a user, a group or a membership, refused ones too: response "
        "tells. It names people and their addresses."
    ),
)
