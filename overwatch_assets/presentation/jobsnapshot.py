"""Jobs as the API shows them, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="jobSnapshot",
    table="jobs_snapshot_bronze",
    columns=(
        "organization_id",
        "workspace_name",
        "job_id",
        "created_time",
        "creator_user_name",
        "job_type",
        "run_as_user_name",
        "settings",
        "captured_at_ms",
    ),
    doc=(
        "One row per job and day of a capture (partition_date), as the workspace showed it "
        "last that day. Beside `job`, which tells of changes, it tells who the job runs as."
    ),
)
