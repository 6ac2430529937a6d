"""Instance profiles: one row per profile and day, as the workspace showed it last that day.

Only AWS has them; elsewhere the table is empty and says so. A profile belongs to the day of the
capture; no past day is captured later.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.captures import CAPTURE_COLUMNS, last_seen
from overwatch_assets.module import Column, FromSource, Grain, Scope, Stored, Window, module

COLUMNS = (
    Column("instance_profile_arn", pl.String, "Instance profile."),
    Column("iam_role_arn", pl.String, "Role that it gives; null: not told."),
    Column(
        "is_meta_instance_profile", pl.Boolean, "It is only passed on to users' own credentials."
    ),
    *CAPTURE_COLUMNS,
)


@module(
    module_id=1009,
    name="Bronze_Instance_Profile_Snapshot",
    scope=Scope.CLUSTERS,
    grain=Grain.CAPTURE,
    columns=COLUMNS,
    keys=("instance_profile_arn",),
    reads={"objects": FromSource("instance_profiles"), "stored": Stored()},
    decided_by="captured_at_ms",
    rejected=REJECTED,
)
def instance_profiles_snapshot_bronze(
    objects: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Keep of each instance profile what was seen last.

    Args:
        objects: Instance profiles captured now.
        stored: Rows that the day holds already; what vanished since stays.
        window: The day.
    """
    of_day = objects.filter(window.contains_ms(pl.col("captured_at_ms")))
    return last_seen(of_day, stored, columns=COLUMNS, key="instance_profile_arn")
