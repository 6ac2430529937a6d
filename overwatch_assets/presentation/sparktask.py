"""Spark tasks, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="sparkTask",
    table="sparktask_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "spark_context_id",
        "cluster_id",
        "task_id",
        "task_attempt_id",
        "stage_id",
        "stage_attempt_id",
        "executor_id",
        "host",
        "unixTimeMS",
        "timestamp",
        "date",
        "task_runtime",
        "task_metrics",
        "task_info",
        "task_type",
        "task_end_reason",
        "event_log_start",
        "event_log_end",
        "end_imputed",
        "end_reason",
    ),
    doc=(
        "One row per attempt of a Spark task. The largest view: filter it by partition_date, "
        "the day the attempt finished."
    ),
)
