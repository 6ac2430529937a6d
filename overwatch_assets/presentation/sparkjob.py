"""Spark jobs, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="sparkJob",
    table="sparkjob_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "spark_context_id",
        "job_id",
        "job_group_id",
        "execution_id",
        "stage_ids",
        "cluster_id",
        "notebook_id",
        "notebook_path",
        "db_job_id",
        "db_id_in_job",
        "db_job_type",
        "unixTimeMS",
        "timestamp",
        "date",
        "job_runtime",
        "job_result",
        "event_log_start",
        "event_log_end",
        "user_email",
        "end_imputed",
        "end_reason",
    ),
    doc=(
        "One row per Spark job. Joins to jobRun by db_job_id and db_id_in_job, to sparkExecution "
        "by spark_context_id and execution_id, to sparkStage by the elements of stage_ids."
    ),
)
