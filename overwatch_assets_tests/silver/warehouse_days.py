"""Days of SQL warehouse events, loaded one after the other as the machinery would."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from overwatch_assets.execution.laws import require_lawful
from overwatch_assets.execution.windows import Cell
from overwatch_assets.module import LEFT_OUT, DayWindow, Window
from overwatch_assets.silver.warehouse_state_detail_silver import warehouse_state_detail_silver
from overwatch_assets_tests.frames import Row, ms, table
from overwatch_assets_tests.silver.cluster_days import (
    BILLABLE_STATES,
    Loaded,
    captures_seen,
    versions_seen,
)

WAREHOUSE = "w-1"


def event(kind: str, at: str | int, clusters: int | None = None, warehouse: str = WAREHOUSE) -> Row:
    """An event; times are ISO text or epoch ms."""
    return {
        "warehouse_id": warehouse,
        "timestamp": ms(at) if isinstance(at, str) else at,
        "event_type": kind,
        "cluster_count": clusters,
    }


def version(
    action: str, at: str | int, least: int | None = None, warehouse: str = WAREHOUSE
) -> Row:
    """A version of a warehouse's settings."""
    return {
        "warehouse_id": warehouse,
        "timestamp": ms(at) if isinstance(at, str) else at,
        "actionName": action,
        "min_num_clusters": least,
    }


def captured(at: str, warehouse: str = WAREHOUSE, state: str | None = "RUNNING") -> Row:
    return {"warehouse_id": warehouse, "state": state, "captured_at_ms": ms(at)}


def run(begin: str, end: str | None = None, **more: object) -> Row:
    """A job run on the warehouse, as the day shows it on which it ended or goes on."""
    time = {"startEpochMS": ms(begin), "endEpochMS": None if end is None else ms(end)}
    kind = {"row_kind": "run", "clusterType": "sqlWarehouse", "clusterId": WAREHOUSE}
    return {**kind, "TaskRunTime": time, "is_open": end is None, **more}


@dataclass(frozen=True)
class Told:
    """What is told of warehouses, of whatever days; runs are those of each day."""

    events: Sequence[Row] = ()
    versions: Sequence[Row] = ()
    runs: Mapping[str, Sequence[Row]] | None = None
    captures: Sequence[Row] = ()


def load(told: Told, windows: Mapping[str, Window]) -> Loaded:
    """Load windows of the module one after the other."""
    loaded = Loaded(entity="warehouse_id")
    module = warehouse_state_detail_silver
    carried = table(module.table.name).collect()
    for name, window in windows.items():
        runs = (told.runs or {}).get(name, ())
        rows = module(*_frames(told, runs, window), carried.lazy(), window=window).collect(
            engine="in-memory"
        )
        left_out = rows.filter(pl.col(LEFT_OUT).is_not_null())
        loaded.counted[name] = dict(left_out.group_by(LEFT_OUT).len().iter_rows())
        stored = rows.filter(pl.col(LEFT_OUT).is_null())
        day = DayWindow(date(1970, 1, 1), window)
        require_lawful(module, Cell(module.table.name, "acme", day.day), stored, day, carried)
        loaded.days[name] = stored
        known = [name for name in module.table.schema if name in stored.columns]
        carried = pl.concat(
            [pl.DataFrame(schema=module.table.schema), stored.filter("is_open").select(known)],
            how="diagonal",
        )
    return loaded


def _frames(told: Told, runs: Sequence[Row], window: Window) -> Iterable[pl.LazyFrame]:
    events = table("warehouse_events_bronze", *told.events)
    yield events.filter(window.contains_ms(pl.col("timestamp")))
    yield table("jobrun_silver", *runs)
    yield versions_seen("warehouse_spec_silver", told.versions, window)
    yield captures_seen("warehouses_snapshot_bronze", told.captures, window)
    yield BILLABLE_STATES.lazy()
