"""Whom Spark jobs belong to, as consumers query it."""

from collections.abc import Mapping

import polars as pl

from overwatch_assets.expressions.job_structs import submitter
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, PARTITION_DATE, RUN_COLUMNS, Column
from overwatch_assets.sql_dialect import Dialect
from overwatch_assets.view import DerivedView

OF_RUN = ("job_run_id", "job_name", "task_key", "run_name")


def spark_job_owner(sparkjob_gold: pl.LazyFrame, jobrun_gold: pl.LazyFrame) -> pl.LazyFrame:
    """A row per Spark job, with the job run that it names, if that is known."""
    runs = jobrun_gold.select(
        "organization_id", "run_id", *OF_RUN, _job_id="job_id", _asked_by=submitter()
    )
    jobs = sparkjob_gold.with_columns(
        db_job_id=pl.col("db_job_id").cast(pl.Int64, strict=False),
        run_id=pl.col("db_id_in_job").cast(pl.Int64, strict=False),
    )
    return jobs.join(
        runs,
        left_on=["organization_id", "db_job_id", "run_id"],
        right_on=["organization_id", "_job_id", "run_id"],
        how="left",
    ).with_columns(user=pl.coalesce("user_email", "_asked_by"))


def _sql(dialect: Dialect) -> Mapping[str, str]:
    of_job = (
        "organization_id, workspace_name, spark_context_id, job_id, unixTimeMS, cluster_id, "
        "notebook_id, notebook_path, is_open, partition_date, user_email"
    )
    of_run = ", ".join(f"r.{name}" for name in OF_RUN)
    user = dialect.quoted("user")
    return {
        "jobs": f"select {of_job}, try_cast(db_job_id as bigint) as db_job_id, "  # noqa: S608 - names of columns
        "try_cast(db_id_in_job as bigint) as run_id from sparkjob_gold",
        "shown": f"select j.*, {of_run}, "  # noqa: S608 - names of columns
        f"coalesce(j.user_email, r.request_detail.submissionRequest.submittedBy) as {user} "
        "from jobs j left join jobrun_gold r on j.organization_id = r.organization_id "
        "and j.db_job_id = r.job_id and j.run_id = r.run_id",
    }


VIEW = DerivedView(
    name="sparkJobOwner",
    columns=(
        ORGANIZATION_ID,
        RUN_COLUMNS[-1],
        Column("spark_context_id", pl.String, "Spark context, as in sparkJob."),
        Column("job_id", pl.Int64, "Spark job."),
        Column("unixTimeMS", pl.Int64, "Start, epoch ms; null when no start was logged."),
        Column("cluster_id", pl.String, "Cluster of the context."),
        Column("notebook_id", pl.String, "Notebook that ran it; null outside notebooks."),
        Column("notebook_path", pl.String, "Path of that notebook."),
        Column("db_job_id", pl.Int64, "Databricks job; null outside job runs."),
        Column("run_id", pl.Int64, "Run, as in jobRun; null outside job runs."),
        Column("job_run_id", pl.Int64, "Run of the job; null: the audit log knows no such run."),
        Column("job_name", pl.String, "Name of the job when the run started."),
        Column("task_key", pl.String, "Task of the job that ran it; null: a job without tasks."),
        Column("run_name", pl.String, "Name of the run."),
        Column("user", pl.String, "User told by the Spark job, else who asked for the run."),
        IS_OPEN,
        PARTITION_DATE,
    ),
    rows=spark_job_owner,
    sql=_sql,
    doc=(
        "One row per Spark job: the job, run and task of Databricks, the notebook and the user "
        "that it worked for. Joins to sparkJob by spark_context_id and job_id."
    ),
)
