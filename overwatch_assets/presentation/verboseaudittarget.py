"""Notebook commands by the name that Overwatch's documentation has for them."""

from overwatch_assets.view import View

VIEW = View(
    name="verboseAuditTarget",
    table="notebookcommands_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "date",
        "timestamp",
        "notebook_id",
        "notebook_path",
        "notebook_name",
        "command_id",
        "command_text",
        "execution_time_s",
        "source_ip_address",
        "user_identity",
        "estimated_dbu_cost",
        "status",
        "cluster_id",
        "cluster_name",
        "custom_tags",
        "node_type_id",
        "node_count",
        "response",
        "user_agent",
        "unixTimeMS",
        "uncovered_S",
        "cost_reason",
    ),
    doc="The rows of notebookCommands, one per command, by an older name.",
)
