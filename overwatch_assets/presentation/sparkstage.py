"""Spark stages, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="sparkStage",
    table="sparkstage_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "spark_context_id",
        "cluster_id",
        "stage_id",
        "stage_attempt_id",
        "unixTimeMS",
        "timestamp",
        "date",
        "stage_runtime",
        "stage_info",
        "event_log_start",
        "event_log_end",
        "end_imputed",
        "end_reason",
    ),
    doc=(
        "One row per attempt of a Spark stage. Joins to sparkTask by spark_context_id, stage_id "
        "and stage_attempt_id."
    ),
)
