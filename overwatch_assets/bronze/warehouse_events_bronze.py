"""SQL warehouse events: one row per thing that happened to a warehouse, as the system table tells.

A row belongs to the day of its `timestamp`. Types nobody knew of are stored as they are. Two
events of one type of a warehouse in the same millisecond are one row.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.union import union_by_key
from overwatch_assets.module import Column, FromSource, Grain, Scope, Stored, Window, module

COLUMNS = (
    Column("organization_id", pl.String, "Workspace that the events are of."),
    Column("warehouse_id", pl.String, "SQL warehouse that it happened to."),
    Column("timestamp", pl.Int64, "Epoch ms of the event; decides the day."),
    Column(
        "event_type",
        pl.String,
        "STARTING, RUNNING, SCALED_UP, SCALED_DOWN, STOPPING, STOPPED and the like.",
    ),
    Column("cluster_count", pl.Int64, "Clusters that run after it; null: not told."),
)


@module(
    module_id=1015,
    name="Bronze_WarehouseEvents",
    scope=Scope.WAREHOUSE_EVENTS,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=("warehouse_id", "timestamp", "event_type"),
    reads={"events": FromSource("warehouse_events"), "stored": Stored()},
    decided_by="timestamp",
    rejected=REJECTED,
    asked_at_once=True,
)
def warehouse_events_bronze(
    events: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Unite the day's events with those stored, one per key.

    Of several events of one key the one with the greatest content stays, so that neither the
    order of rows nor asking again changes the table.

    Args:
        events: Events of the day, as told, in any order.
        stored: Rows that the day holds already; the system table forgets, this one never.
        window: The day.
    """
    names = [column.name for column in COLUMNS if column.name != "organization_id"]
    return union_by_key(
        events.filter(window.contains_ms(pl.col("timestamp"))).select(names),
        stored.select(names),
        keys=warehouse_events_bronze.table.key_columns,
        content=names,
        origin=pl.lit(""),
    )
