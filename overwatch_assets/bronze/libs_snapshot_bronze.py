"""Libraries: one row per cluster and day, with the libraries it had last that day.

A row belongs to the day of the capture; no past day is captured later.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.captures import CAPTURE_COLUMNS, last_seen
from overwatch_assets.expressions.databricks_structs import LIBRARY
from overwatch_assets.module import Column, FromSource, Grain, Scope, Stored, Window, module

STATUSES = pl.List(
    pl.Struct(
        {
            "library": LIBRARY,
            "status": pl.String,
            "is_library_for_all_clusters": pl.Boolean,
            "messages": pl.List(pl.String),
        }
    )
)

COLUMNS = (
    Column("cluster_id", pl.String, "Cluster."),
    Column("library_statuses", STATUSES, "Its libraries, each with what became of it."),
    *CAPTURE_COLUMNS,
)


@module(
    module_id=1007,
    name="Bronze_Libraries_Snapshot",
    scope=Scope.CLUSTERS,
    grain=Grain.CAPTURE,
    columns=COLUMNS,
    keys=("cluster_id",),
    reads={"objects": FromSource("libraries"), "stored": Stored()},
    decided_by="captured_at_ms",
    rejected=REJECTED,
)
def libs_snapshot_bronze(
    objects: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Keep of each cluster the libraries that were seen last.

    Args:
        objects: Libraries captured now, by cluster.
        stored: Rows that the day holds already; what vanished since stays.
        window: The day.
    """
    of_day = objects.filter(window.contains_ms(pl.col("captured_at_ms")))
    return last_seen(of_day, stored, columns=COLUMNS, key="cluster_id")
