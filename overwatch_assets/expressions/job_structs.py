"""Shapes of jobs and their runs in silver and gold: definitions, tasks, permissions, requests."""

import polars as pl

from overwatch_assets.expressions.audit import RESPONSE
from overwatch_assets.expressions.databricks_structs import (
    GIT_SOURCE,
    JOB_CLUSTERS,
    LIBRARIES,
    NEW_CLUSTER,
    NOTEBOOK_TASK,
    PIPELINE_TASK,
    PYTHON_WHEEL_TASK,
    SHELL_COMMAND_TASK,
    SPARK_JAR_TASK,
    SPARK_PYTHON_TASK,
    SPARK_SUBMIT_TASK,
    SQL_TASK,
    TASK_FIELDS,
    TEXTS,
)

LEGACY_WORK: dict[str, pl.DataType] = {
    "notebook_task": NOTEBOOK_TASK,
    "spark_python_task": SPARK_PYTHON_TASK,
    "python_wheel_task": PYTHON_WHEEL_TASK,
    "spark_jar_task": SPARK_JAR_TASK,
    "spark_submit_task": SPARK_SUBMIT_TASK,
    "shell_command_task": SHELL_COMMAND_TASK,
    "pipeline_task": PIPELINE_TASK,
}
"""Kinds of work that a job without task structure may have."""

TASK_DETAIL_LEGACY = pl.Struct(LEGACY_WORK)
TASK_DETAIL = pl.Struct({**LEGACY_WORK, "sql_task": SQL_TASK})
TASKS = pl.List(pl.Struct({**TASK_FIELDS, "shell_command_task": SHELL_COMMAND_TASK}))
ACCESS_CONTROL_LIST = pl.List(
    pl.Struct(
        dict.fromkeys(
            ("user_name", "group_name", "service_principal_name", "permission_level"), pl.String
        )
    )
)
GRANTS = pl.List(pl.Struct({"permission": pl.String, "user_id": pl.Int64}))

MANUAL_OVERRIDE_PARAMS = pl.Struct(
    {
        "jar_params": pl.List(pl.String),
        "python_params": pl.List(pl.String),
        "spark_submit_params": pl.List(pl.String),
        "dbt_commands": pl.List(pl.String),
        "notebook_params": TEXTS,
        "python_named_params": TEXTS,
        "sql_params": TEXTS,
        "pipeline_params": TEXTS,
    }
)
SUBMIT_RUN_DETAILS = pl.Struct(
    {
        "existing_cluster_id": pl.String,
        "new_cluster": NEW_CLUSTER,
        "tasks": TASKS,
        "job_clusters": JOB_CLUSTERS,
        "libraries": LIBRARIES,
        "access_control_list": ACCESS_CONTROL_LIST,
        "git_source": GIT_SOURCE,
        "sql_task": SQL_TASK,
    }
)
REPAIR_DETAILS = pl.List(
    pl.Struct(
        {
            "repair_timestamp": pl.Int64,
            "rerun_tasks": pl.String,
            "latest_repair_id": pl.Int64,
            "repair_params": pl.Struct(
                {
                    "jar_params": pl.List(pl.String),
                    "python_params": pl.List(pl.String),
                    "spark_submit_params": pl.List(pl.String),
                    "notebook_params": TEXTS,
                }
            ),
            "repair_response": RESPONSE,
            "repairedBy": pl.String,
            "repairUserAgent": pl.String,
            "repairRequestId": pl.String,
        }
    )
)
TIME_DETAILS = pl.Struct(
    dict.fromkeys(
        ("startTime", "submissionTime", "cancellationTime", "completionTime", "timeout_seconds"),
        pl.Int64,
    )
)
REQUEST_DETAILS = pl.Struct(
    {
        "submissionRequest": pl.Struct(
            {
                "submitRequestId": pl.String,
                "submitResponse": RESPONSE,
                "submitSessionId": pl.String,
                "submitSourceIP": pl.String,
                "submitUserAgent": pl.String,
                "submittedBy": pl.String,
            }
        ),
        "cancellationRequest": pl.Struct(
            {
                "cancellationRequestId": pl.String,
                "cancellationResponse": RESPONSE,
                "cancellationSessionId": pl.String,
                "cancellationSourceIP": pl.String,
                "cancelledUserAgent": pl.String,
                "cancelledBy": pl.String,
            }
        ),
        "completionRequest": pl.Struct(
            {"completionRequestId": pl.String, "completionResponse": RESPONSE}
        ),
        "startRequest": pl.Struct({"startRequestId": pl.String}),
    }
)


def submitter() -> pl.Expr:
    """Who asked for a run, of the column `request_detail` of gold; null where nobody is told."""
    request = pl.col("request_detail").struct.field("submissionRequest")
    return request.struct.field("submittedBy")
