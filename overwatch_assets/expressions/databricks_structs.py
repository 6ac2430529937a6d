"""Shapes that Databricks' objects have in bronze and that silver reads: clusters, tasks, libraries.

Maps keep the keys as the API gives them (`spark.speculation`, `Cost-Center`).
"""

import polars as pl

TEXTS = pl.Map(pl.String, pl.String)
AUTOSCALE = pl.Struct({"min_workers": pl.Int64, "max_workers": pl.Int64})
DESTINATION = pl.Struct({"destination": pl.String})
LOGCONF = pl.Struct(
    {
        "dbfs": DESTINATION,
        "s3": pl.Struct(
            {
                "destination": pl.String,
                "region": pl.String,
                "canned_acl": pl.String,
                "enable_encryption": pl.Boolean,
            }
        ),
        "volumes": DESTINATION,
    }
)
INIT_SCRIPTS = pl.List(
    pl.Struct(
        {
            "dbfs": DESTINATION,
            "s3": pl.Struct({"destination": pl.String, "region": pl.String}),
            "workspace": DESTINATION,
            "volumes": DESTINATION,
        }
    )
)
LIBRARY = pl.Struct(
    {
        "jar": pl.String,
        "egg": pl.String,
        "whl": pl.String,
        "maven": pl.Struct({"coordinates": pl.String, "repo": pl.String}),
        "pypi": pl.Struct({"package": pl.String, "repo": pl.String}),
        "cran": pl.Struct({"package": pl.String, "repo": pl.String}),
    }
)
LIBRARIES = pl.List(LIBRARY)
NEW_CLUSTER = pl.Struct(
    {
        "autoscale": AUTOSCALE,
        "num_workers": pl.Int64,
        "cluster_name": pl.String,
        "driver_instance_pool_id": pl.String,
        "instance_pool_id": pl.String,
        "driver_node_type_id": pl.String,
        "node_type_id": pl.String,
        "policy_id": pl.String,
        "spark_version": pl.String,
        "runtime_engine": pl.String,
        "data_security_mode": pl.String,
        "single_user_name": pl.String,
        "enable_elastic_disk": pl.Boolean,
        "custom_tags": TEXTS,
        "spark_conf": TEXTS,
        "spark_env_vars": TEXTS,
        "aws_attributes": TEXTS,
        "azure_attributes": TEXTS,
        "gcp_attributes": TEXTS,
        "cluster_log_conf": LOGCONF,
    }
)
NOTEBOOK_TASK = pl.Struct(
    {
        "notebook_path": pl.String,
        "source": pl.String,
        "revision_timestamp": pl.Int64,
        "base_parameters": TEXTS,
    }
)
SPARK_PYTHON_TASK = pl.Struct({"python_file": pl.String, "parameters": pl.List(pl.String)})
PYTHON_WHEEL_TASK = pl.Struct(
    {
        "package_name": pl.String,
        "entry_point": pl.String,
        "parameters": pl.List(pl.String),
        "named_parameters": TEXTS,
    }
)
SPARK_JAR_TASK = pl.Struct(
    {"main_class_name": pl.String, "jar_uri": pl.String, "parameters": pl.List(pl.String)}
)
SPARK_SUBMIT_TASK = pl.Struct({"parameters": pl.List(pl.String)})
SHELL_COMMAND_TASK = pl.Struct({"command": pl.List(pl.String)})
PIPELINE_TASK = pl.Struct({"pipeline_id": pl.String, "full_refresh": pl.Boolean})
SQL_TASK = pl.Struct(
    {
        "warehouse_id": pl.String,
        "query": pl.Struct({"query_id": pl.String}),
        "parameters": TEXTS,
    }
)
DBT_TASK = pl.Struct(
    {
        "commands": pl.List(pl.String),
        "warehouse_id": pl.String,
        "project_directory": pl.String,
    }
)
TASK_FIELDS: dict[str, pl.DataType | type[pl.DataType]] = {
    "task_key": pl.String,
    "description": pl.String,
    "job_cluster_key": pl.String,
    "existing_cluster_id": pl.String,
    "run_if": pl.String,
    "depends_on": pl.List(pl.Struct({"task_key": pl.String, "outcome": pl.String})),
    "new_cluster": NEW_CLUSTER,
    "libraries": LIBRARIES,
    "max_retries": pl.Int64,
    "retry_on_timeout": pl.Boolean,
    "min_retry_interval_millis": pl.Int64,
    "timeout_seconds": pl.Int64,
    "notebook_task": NOTEBOOK_TASK,
    "spark_python_task": SPARK_PYTHON_TASK,
    "python_wheel_task": PYTHON_WHEEL_TASK,
    "spark_jar_task": SPARK_JAR_TASK,
    "spark_submit_task": SPARK_SUBMIT_TASK,
    "pipeline_task": PIPELINE_TASK,
    "sql_task": SQL_TASK,
    "dbt_task": DBT_TASK,
}
"""What a task of a job says; a task of a run says this and more."""

TASK = pl.Struct(TASK_FIELDS)
JOB_CLUSTERS = pl.List(pl.Struct({"job_cluster_key": pl.String, "new_cluster": NEW_CLUSTER}))
SCHEDULE = pl.Struct(
    {"quartz_cron_expression": pl.String, "timezone_id": pl.String, "pause_status": pl.String}
)
GIT_SOURCE = pl.Struct(
    {
        "git_url": pl.String,
        "git_provider": pl.String,
        "git_branch": pl.String,
        "git_tag": pl.String,
        "git_commit": pl.String,
    }
)
EMAIL_NOTIFICATIONS = pl.Struct(
    {
        "no_alert_for_skipped_runs": pl.Boolean,
        "on_start": pl.List(pl.String),
        "on_success": pl.List(pl.String),
        "on_failure": pl.List(pl.String),
    }
)
JOB_SETTINGS = pl.Struct(
    {
        "name": pl.String,
        "format": pl.String,
        "existing_cluster_id": pl.String,
        "new_cluster": NEW_CLUSTER,
        "job_clusters": JOB_CLUSTERS,
        "tasks": pl.List(TASK),
        "libraries": LIBRARIES,
        "git_source": GIT_SOURCE,
        "max_concurrent_runs": pl.Int64,
        "max_retries": pl.Int64,
        "timeout_seconds": pl.Int64,
        "retry_on_timeout": pl.Boolean,
        "min_retry_interval_millis": pl.Int64,
        "schedule": SCHEDULE,
        "tags": TEXTS,
        "email_notifications": EMAIL_NOTIFICATIONS,
        "notebook_task": NOTEBOOK_TASK,
        "spark_python_task": SPARK_PYTHON_TASK,
        "python_wheel_task": PYTHON_WHEEL_TASK,
        "spark_jar_task": SPARK_JAR_TASK,
        "spark_submit_task": SPARK_SUBMIT_TASK,
        "shell_command_task": SHELL_COMMAND_TASK,
        "pipeline_task": PIPELINE_TASK,
    }
)
