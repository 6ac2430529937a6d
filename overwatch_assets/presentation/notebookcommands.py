"""Notebook commands with what their cluster cost, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="notebookCommands",
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
    doc=(
        "One row per command that was run in a notebook, where verbose audit logs are on. The "
        "estimated cost is that of the whole cluster's DBUs meanwhile; what people's commands "
        "cost when those that ran at once share it is in notebookUserCostDaily."
    ),
)
