"""Global init scripts: one row per script and day, as the workspace showed it last that day.

Never the script itself, which may hold secrets. A script belongs to the day of the capture; no
past day is captured later.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.captures import CAPTURE_COLUMNS, last_seen
from overwatch_assets.module import Column, FromSource, Grain, Scope, Stored, Window, module

COLUMNS = (
    Column("script_id", pl.String, "Script."),
    Column("name", pl.String, "Name."),
    Column("created_by", pl.String, "Who created it."),
    Column("updated_by", pl.String, "Who changed it last."),
    Column("position", pl.Int64, "Place in the order of execution, from 0."),
    Column("enabled", pl.Boolean, "It runs on every cluster."),
    Column("created_at", pl.Int64, "Epoch ms of its creation."),
    Column("updated_at", pl.Int64, "Epoch ms of its last change."),
    *CAPTURE_COLUMNS,
)


@module(
    module_id=1011,
    name="Bronze_Global_Init_Scripts_Snapshot",
    scope=Scope.ACCOUNTS,
    grain=Grain.CAPTURE,
    columns=COLUMNS,
    keys=("script_id",),
    reads={"objects": FromSource("global_init_scripts"), "stored": Stored()},
    decided_by="captured_at_ms",
    rejected=REJECTED,
)
def global_inits_snapshot_bronze(
    objects: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Keep of each script what was seen last.

    Args:
        objects: Scripts captured now, without their content.
        stored: Rows that the day holds already; what vanished since stays.
        window: The day.
    """
    of_day = objects.filter(window.contains_ms(pl.col("captured_at_ms")))
    return last_seen(of_day, stored, columns=COLUMNS, key="script_id")
