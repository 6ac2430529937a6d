"""Personal access tokens as the API shows them, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="tokenSnapshot",
    table="tokens_snapshot_bronze",
    columns=(
        "organization_id",
        "workspace_name",
        "token_id",
        "comment",
        "creation_time",
        "expiry_time",
        "captured_at_ms",
    ),
    doc=(
        "One row per token and day of a capture (partition_date), as the workspace showed it "
        "last that day. Only those of the identity that asks; never the token itself."
    ),
)
