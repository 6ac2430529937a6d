"""Jobs, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="job",
    table="job_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "job_id",
        "action",
        "timestamp",
        "date",
        "job_name",
        "tags",
        "existing_cluster_id",
        "new_cluster",
        "tasks",
        "job_clusters",
        "libraries",
        "git_source",
        "timeout_seconds",
        "max_concurrent_runs",
        "max_retries",
        "retry_on_timeout",
        "min_retry_interval_millis",
        "schedule",
        "task_detail_legacy",
        "is_from_dlt",
        "aclPermissionSet",
        "targetUserId",
        "session_id",
        "request_id",
        "user_agent",
        "response",
        "source_ip_address",
        "created_by",
        "created_ts",
        "deleted_by",
        "deleted_ts",
        "last_edited_by",
        "last_edited_ts",
    ),
    doc=(
        "One row per change of a job, with the whole definition after it. What a job was at an "
        "instant is its last row before it; jobRun tells what a run was started with."
    ),
)
