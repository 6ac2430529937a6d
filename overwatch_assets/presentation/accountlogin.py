"""Logins, as those who may see them query it."""

from overwatch_assets.view import View

VIEW = View(
    name="accountLogin",
    table="account_login_gold",
    in_etl=True,
    columns=(
        "organization_id",
        "workspace_name",
        "login_unixTimeMS",
        "login_date",
        "login_type",
        "login_user",
        "user_email",
        "ssh_login_details",
        "from_ip_address",
        "user_agent",
        "request_id",
        "response",
    ),
    doc=(
        "One row per attempt to come in, by any way, failed ones too: response tells. It names "
        "people and their addresses."
    ),
)
