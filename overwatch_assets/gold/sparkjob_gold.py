"""Spark jobs: one row per job of a Spark context, with who ran it and in which job run.

A row lies on the day its job ended (`spark_jobs_silver`), or is open on the days before. It
joins to the Databricks run by `db_job_id` and `db_id_in_job`, to its SQL execution by
`spark_context_id` and `execution_id`, to its stages by the elements of `stage_ids`.

Spark tells the user on some jobs only. The others take the email of jobs of the same day that
belong to the same principal (Azure), session, job group, SQL execution or REPL, in that order.
"""

import polars as pl

from overwatch_assets.expressions.durations import RUN_TIME
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.expressions.spark_columns import (
    CLUSTER,
    CONTEXT_ID,
    END_IMPUTED,
    END_REASON,
    EVENT_LOG_END,
    EVENT_LOG_START,
    GOLD_OPEN_UNTIL_ENDED,
    START_DATE,
    START_TIMESTAMP,
    UNIX_TIME_MS,
    start_columns,
)
from overwatch_assets.expressions.spark_structs import JOB_RESULT
from overwatch_assets.module import PARTITION_DATE, Column, Day, Grain, Scope, Window, module

COLUMNS = (
    CONTEXT_ID,
    Column("job_id", pl.Int64, "Spark job; ids begin at 0 in each context."),
    Column("job_group_id", pl.String, "Group the job was started in; null outside of any."),
    Column(
        "execution_id",
        pl.String,
        "SQL execution the job belongs to, as text: cast it to join sparkExecution. Null for "
        "jobs without SQL.",
    ),
    Column(
        "stage_ids",
        pl.List(pl.Int64),
        "Stages the job lists, those it later skipped included; null without a start.",
    ),
    CLUSTER,
    Column("notebook_id", pl.String, "Notebook that ran it; null outside notebooks."),
    Column("notebook_path", pl.String, "Path of that notebook; null outside notebooks."),
    Column(
        "db_job_id",
        pl.String,
        "Databricks job, from the job's properties, else its group's or cluster's name; null "
        "outside job runs.",
    ),
    Column(
        "db_run_id",
        pl.String,
        "Databricks run as the job's properties tell it; null where they don't.",
    ),
    Column(
        "db_id_in_job",
        pl.String,
        "Run of the Databricks job (jobRun.run_id), from the job's properties, else its group's "
        "or cluster's name; null outside job runs.",
    ),
    Column("db_job_type", pl.String, "Kind of the Databricks job; null outside job runs."),
    UNIX_TIME_MS,
    START_TIMESTAMP,
    START_DATE,
    Column(
        "job_runtime",
        RUN_TIME,
        "Submission to end, in epoch ms and UTC, and the time between in ms, s, min and h; the "
        "end and the time are null while open.",
    ),
    Column(
        "job_result",
        JOB_RESULT,
        "JobSucceeded or JobFailed, with the exception that failed it; null without an end event.",
    ),
    EVENT_LOG_START,
    EVENT_LOG_END,
    Column(
        "user_email",
        pl.String,
        "User who ran the job, told by it or by a related job of the day; null when none tells.",
    ),
    END_IMPUTED,
    END_REASON,
)
RUN_OF_JOB = r"job-.*-run-"
CONTEXT = "spark_context_id"


@module(
    module_id=3010,
    name="Gold_SparkJob",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=(CONTEXT, "job_id"),
    reads={"spark_jobs_silver": Day()},
    decided_by=PARTITION_DATE.name,
    provisional=(*GOLD_OPEN_UNTIL_ENDED, "job_runtime", "job_result", "user_email"),
    rules=(
        keeps_rows(
            "spark_jobs_silver",
            by={"spark_context_id": pl.col("SparkContextID")},
            sums={
                "job_ms": (
                    pl.col("job_runtime").struct.field("runTimeMS"),
                    pl.col("JobRunTime").struct.field("runTimeMS"),
                )
            },
        ),
    ),
)
def sparkjob_gold(
    spark_jobs_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Name the jobs' columns and find out their users, day by day.

    Args:
        spark_jobs_silver: Jobs of one or several days, open and closed.
        window: From the first of the days to the end of the last.
    """
    told = pl.col("PowerProperties").struct
    named = spark_jobs_silver.select(
        "end_imputed",
        "end_reason",
        "is_open",
        PARTITION_DATE.name,
        spark_context_id="SparkContextID",
        job_id="JobID",
        job_group_id="JobGroupID",
        execution_id="ExecutionID",
        stage_ids="StageIDs",
        cluster_id="clusterId",
        notebook_id=told.field("NotebookID"),
        notebook_path=told.field("NotebookPath"),
        db_job_id=pl.coalesce(told.field("SparkDBJobID"), *_named_in(r"job-(\d+)")),
        db_run_id=told.field("SparkDBRunID"),
        db_id_in_job=pl.coalesce(told.field("SparkDBRunID"), *_named_in(r"-run-(\d+)")),
        db_job_type=told.field("sparkDBJobType"),
        job_runtime="JobRunTime",
        job_result="JobResult",
        event_log_start="startFilenameGroup",
        event_log_end="endFilenameGroup",
        user_email=told.field("UserEmail"),
        _principal=pl.when(told.field("CloudProvider").str.to_lowercase() == "azure").then(
            told.field("principalIdpObjectId")
        ),
        _isolation=told.field("SparkDBIsolationID"),
        _repl=told.field("SparkDBREPLID"),
        **start_columns(pl.col("startTimestamp")),
    )
    by_start = named.sort("unixTimeMS", "job_id", CONTEXT)
    return (
        by_start.with_columns(user_email=_or_any_of("_principal"))
        .with_columns(user_email=_or_any_of(CONTEXT, "_isolation"))
        .with_columns(user_email=_or_any_of(CONTEXT, "job_group_id"))
        .with_columns(user_email=_or_any_of(CONTEXT, "execution_id"))
        .with_columns(user_email=_or_last_of(CONTEXT, "_repl"))
        .drop("_principal", "_isolation", "_repl")
    )


def _named_in(pattern: str) -> list[pl.Expr]:
    """A number in the names of the job group and the cluster, where they name a job's run."""
    cluster = pl.col("PowerProperties").struct.field("ClusterDetails").struct.field("Name")
    return [
        pl.when(name.str.contains(RUN_OF_JOB)).then(name.str.extract(pattern))
        for name in (pl.col("JobGroupID"), cluster)
    ]


def _or_any_of(*group: str) -> pl.Expr:
    """The email, else the first one told in the group on the day; null keys are no group."""
    told = pl.col("user_email").first(ignore_nulls=True).over(PARTITION_DATE.name, *group)
    return pl.coalesce("user_email", pl.when(pl.col(group[-1]).is_not_null()).then(told))


def _or_last_of(*group: str) -> pl.Expr:
    """The email, else the last one told before in the group on the day."""
    told = pl.col("user_email").forward_fill().over(PARTITION_DATE.name, *group)
    return pl.coalesce("user_email", pl.when(pl.col(group[-1]).is_not_null()).then(told))
