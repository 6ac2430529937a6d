"""Spark executors, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="sparkExecutor",
    table="sparkexecutor_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "spark_context_id",
        "executor_id",
        "cluster_id",
        "executor_info",
        "removed_reason",
        "executor_alivetime",
        "unixTimeMS",
        "timestamp",
        "date",
        "event_log_start",
        "event_log_end",
        "end_imputed",
        "end_reason",
    ),
    doc=(
        "One row per time a Spark executor was alive; most ends are those of the Spark context "
        "(end_imputed)."
    ),
)
