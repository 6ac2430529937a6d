"""Cluster policies: one row per policy and day, as the workspace showed it last that day.

A policy belongs to the day of the capture; no past day is captured later.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.captures import CAPTURE_COLUMNS, last_seen
from overwatch_assets.expressions.databricks_structs import LIBRARIES
from overwatch_assets.module import Column, FromSource, Grain, Scope, Stored, Window, module

COLUMNS = (
    Column("policy_id", pl.String, "Policy."),
    Column("name", pl.String, "Name."),
    Column("description", pl.String, "Description; null: none."),
    Column(
        "creator_user_name", pl.String, "Who created it; null: Databricks, or the user is gone."
    ),
    Column(
        "definition",
        pl.String,
        "Rules as JSON text; values of keys that name a secret are struck out.",
    ),
    Column("policy_family_id", pl.String, "Family it was made from; null: none."),
    Column(
        "policy_family_definition_overrides",
        pl.String,
        "What differs from the family, as JSON text; null: nothing.",
    ),
    Column(
        "created_at_timestamp", pl.Int64, "Epoch ms of its creation; null or 0: a default policy."
    ),
    Column("is_default", pl.Boolean, "Databricks made it."),
    Column(
        "max_clusters_per_user", pl.Int64, "Most clusters a user may have by it; null: no limit."
    ),
    Column("libraries", LIBRARIES, "Libraries that it installs."),
    *CAPTURE_COLUMNS,
)


@module(
    module_id=1008,
    name="Bronze_Policies_Snapshot",
    scope=Scope.CLUSTERS,
    grain=Grain.CAPTURE,
    columns=COLUMNS,
    keys=("policy_id",),
    reads={"objects": FromSource("policies"), "stored": Stored()},
    decided_by="captured_at_ms",
    rejected=REJECTED,
)
def policies_snapshot_bronze(
    objects: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Keep of each policy what was seen last.

    Args:
        objects: Policies captured now.
        stored: Rows that the day holds already; what vanished since stays.
        window: The day.
    """
    of_day = objects.filter(window.contains_ms(pl.col("captured_at_ms")))
    return last_seen(of_day, stored, columns=COLUMNS, key="policy_id")
