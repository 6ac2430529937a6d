"""SQL executions, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="sparkExecution",
    table="sparkexecution_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "spark_context_id",
        "execution_id",
        "cluster_id",
        "description",
        "details",
        "unixTimeMS",
        "timestamp",
        "date",
        "sql_execution_runtime",
        "event_log_start",
        "event_log_end",
        "end_imputed",
        "end_reason",
    ),
    doc="One row per SQL execution of a Spark context.",
)
