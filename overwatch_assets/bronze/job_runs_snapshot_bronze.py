"""Runs of jobs as the API showed them when the day they started on was asked for: one row per run.

Off unless a workspace's configuration switches it on (`job_runs_snapshot`): no other table is
made from it, and the API gives 25 runs at a time. A run that had not ended when it was asked for
is told anew when its day is loaded again, for 60 days.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.union import union_by_key
from overwatch_assets.expressions.databricks_structs import (
    GIT_SOURCE,
    JOB_CLUSTERS,
    NEW_CLUSTER,
    SCHEDULE,
    TASK_FIELDS,
    TEXTS,
)
from overwatch_assets.module import Column, FromSource, Grain, Scope, Stored, Window, module

STATE = pl.Struct(
    {
        "life_cycle_state": pl.String,
        "result_state": pl.String,
        "state_message": pl.String,
        "user_cancelled_or_timedout": pl.Boolean,
    }
)
CLUSTER_INSTANCE = pl.Struct({"cluster_id": pl.String, "spark_context_id": pl.String})
RUN_TASK = pl.Struct(
    {
        **TASK_FIELDS,
        "run_id": pl.Int64,
        "state": STATE,
        "start_time": pl.Int64,
        "end_time": pl.Int64,
        "cluster_instance": CLUSTER_INSTANCE,
        "attempt_number": pl.Int64,
    }
)
OVERRIDING_PARAMETERS = pl.Struct(
    {
        "jar_params": pl.List(pl.String),
        "notebook_params": TEXTS,
        "python_params": pl.List(pl.String),
        "spark_submit_params": pl.List(pl.String),
        "python_named_params": TEXTS,
        "sql_params": TEXTS,
        "dbt_commands": pl.List(pl.String),
        "pipeline_params": pl.Struct({"full_refresh": pl.Boolean}),
    }
)

KEYS = ("job_id", "run_id")

FINAL_STATES = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")

COLUMNS = (
    Column("organization_id", pl.String, "Workspace that was asked."),
    Column("job_id", pl.Int64, "Job; null: a run that was submitted without one."),
    Column("run_id", pl.Int64, "Run of the job, over all its tasks."),
    Column("start_time", pl.Int64, "Epoch ms the run started; decides the day."),
    Column("end_time", pl.Int64, "Epoch ms it ended; 0 or null: it had not when it was asked for."),
    Column("number_in_job", pl.Int64, "Number of the run; today's API repeats run_id."),
    Column("original_attempt_run_id", pl.Int64, "First attempt of a run that is tried again."),
    Column("setup_duration", pl.Int64, "Milliseconds until the cluster was there; null: several."),
    Column("execution_duration", pl.Int64, "Milliseconds of the work; null or 0: several tasks."),
    Column("cleanup_duration", pl.Int64, "Milliseconds of ending the cluster; null: several."),
    Column("run_duration", pl.Int64, "Milliseconds of the whole run."),
    Column("attempt_number", pl.Int64, "Attempts before this one."),
    Column("creator_user_name", pl.String, "Who started it."),
    Column("run_name", pl.String, "Name of the run."),
    Column("run_page_url", pl.String, "Where its page is."),
    Column("run_type", pl.String, "JOB_RUN, SUBMIT_RUN or WORKFLOW_RUN."),
    Column("trigger", pl.String, "What started it, such as PERIODIC or ONE_TIME."),
    Column("format", pl.String, "SINGLE_TASK or MULTI_TASK."),
    Column("state", STATE, "Life cycle and result when it was asked for."),
    Column("schedule", SCHEDULE, "Schedule of the job when the run started; null: none."),
    Column("tasks", pl.List(RUN_TASK), "The run's tasks, in the order of the API."),
    Column("job_clusters", JOB_CLUSTERS, "Clusters that several tasks share."),
    Column(
        "cluster_spec",
        pl.Struct({"existing_cluster_id": pl.String, "new_cluster": NEW_CLUSTER}),
        "Cluster asked for by a run of a single task.",
    ),
    Column("cluster_instance", CLUSTER_INSTANCE, "Cluster that a run of a single task had."),
    Column("git_source", GIT_SOURCE, "Where the code is from; null: the workspace."),
    Column("overriding_parameters", OVERRIDING_PARAMETERS, "Parameters given for this run alone."),
    Column("_extra", pl.String, "Everything else the API told, as JSON text; null: nothing."),
)


@module(
    module_id=1012,
    name="Bronze_Job_Runs_Snapshot",
    scope=Scope.JOBS,
    grain=Grain.OBSERVATION,
    columns=COLUMNS,
    keys=KEYS,
    reads={"runs": FromSource("job_runs"), "stored": Stored()},
    decided_by="start_time",
    rejected=REJECTED,
)
def job_runs_snapshot_bronze(
    runs: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Unite the day's runs with those stored, one per key.

    Of several answers about one run that of the ended run wins over the one of the running, then
    the one with the later end, then the greatest content.

    Args:
        runs: Runs that started on the day: repeated, in any order.
        stored: Rows that the day holds already; the API forgets after 60 days, the table never.
        window: The day.
    """
    names = [column.name for column in COLUMNS if column.name != "organization_id"]
    end_ms = pl.col("end_time").fill_null(0)
    has_ended = pl.col("state").struct.field("life_cycle_state").is_in(FINAL_STATES)
    return union_by_key(
        runs.filter(window.contains_ms(pl.col("start_time"))).select(names),
        stored.select(names),
        keys=job_runs_snapshot_bronze.table.key_columns,
        content=names,
        origin=pl.lit(""),
        first=[has_ended.fill_null(value=False) | (end_ms > 0), end_ms],
    )
