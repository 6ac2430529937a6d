"""Jobs: one row per job and day, as the workspace showed it last that day.

A job belongs to the day of the capture; no past day is captured later. Tasks and job clusters
keep the order of the job. Maps keep their keys; values of keys that name a secret are struck out.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.captures import CAPTURE_COLUMNS, last_seen
from overwatch_assets.expressions.databricks_structs import JOB_SETTINGS
from overwatch_assets.module import Column, FromSource, Grain, Scope, Stored, Window, module

COLUMNS = (
    Column("job_id", pl.Int64, "Job."),
    Column("created_time", pl.Int64, "Epoch ms of the job's creation; null: unknown."),
    Column("creator_user_name", pl.String, "Who created it; null: the user is gone."),
    Column("job_type", pl.String, "Type, where the API tells one; usually null."),
    Column("run_as_user_name", pl.String, "User or service principal it runs as; null: not told."),
    Column(
        "settings",
        JOB_SETTINGS,
        "Definition: tasks, clusters, schedule; legacy jobs have one task.",
    ),
    *CAPTURE_COLUMNS,
)


@module(
    module_id=1001,
    name="Bronze_Jobs_Snapshot",
    scope=Scope.JOBS,
    grain=Grain.CAPTURE,
    columns=COLUMNS,
    keys=("job_id",),
    reads={"objects": FromSource("jobs"), "stored": Stored()},
    decided_by="captured_at_ms",
    rejected=REJECTED,
)
def jobs_snapshot_bronze(
    objects: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Keep of each job what was seen last.

    Args:
        objects: Jobs captured now, with all their tasks.
        stored: Rows that the day holds already; what vanished since stays.
        window: The day.
    """
    of_day = objects.filter(window.contains_ms(pl.col("captured_at_ms")))
    return last_seen(of_day, stored, columns=COLUMNS, key="job_id")
