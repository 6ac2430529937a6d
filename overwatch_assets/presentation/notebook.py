"""What was done to notebooks, as consumers query it."""

from overwatch_assets.view import View

VIEW = View(
    name="notebook",
    table="notebook_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "notebook_id",
        "notebook_name",
        "notebook_path",
        "cluster_id",
        "action",
        "unixTimeMS",
        "timestamp",
        "date",
        "old_name",
        "old_path",
        "new_name",
        "new_path",
        "parent_path",
        "user_email",
        "request_id",
        "response",
    ),
    doc=(
        "One row per thing that was done to a notebook: created, renamed, moved, attached to a "
        "cluster and others. A name or a path is null where the event tells none. Joins to "
        "sparkJob by notebook_id."
    ),
)
