"""SQL warehouse states: one row per state, from the event that opened it to the next one.

Every event opens a state called by its type, whatever its kind. A state lies on the day of what
ended it or revealed that it had ended; until then it is written open on every day. Where no event
tells the end it is imputed (`end_imputed`), never before the last sign of life: an event, a start
or an end of a job run on the warehouse, a capture that shows it up.

- A start of a warehouse that is up reveals that it had stopped: a STOPPING is inserted.
- A warehouse that a capture does not show up, without a sign in the 24 hours before, and any that
  is silent for 90 days, has ended: TERMINATING_IMPUTED begins at the last sign. An event after it
  opens the next state.
- What is not running closes after 30 days. A return opens a new state.
- A deletion ends every state; PERMENANT_DELETE (as Overwatch spells it) marks it.
"""

import polars as pl

from overwatch_assets.expressions.compute_kinds import (
    CARRIED,
    EVENT,
    TERMINATING_IMPUTED,
    ComputeKind,
    number,
)
from overwatch_assets.expressions.job_run_details import SQL_WAREHOUSE
from overwatch_assets.expressions.power_signs import (
    carried_states,
    deletions,
    life_signs,
    runs_on,
    silences,
    spans,
)
from overwatch_assets.expressions.power_states import state_rows
from overwatch_assets.expressions.state_columns import (
    BILLED,
    DATES,
    END,
    END_IMPUTED,
    INSTANTS,
    LIFE_SIGN,
    OPENED_BY,
    PROVISIONAL,
    START,
    START_DATE,
    UPTIME,
)
from overwatch_assets.expressions.state_rules import state_rules
from overwatch_assets.expressions.warehouse_columns import DELETIONS
from overwatch_assets.module import (
    DECIDED_MS,
    LEFT_OUT,
    AsOf,
    Captures,
    Carried,
    Column,
    Day,
    Grain,
    Reference,
    Scope,
    Window,
    module,
)

STOPPING, STOPPED, TERMINATING = "STOPPING", "STOPPED", "TERMINATING"
AFTER_DELETION = "after_deletion"
WAREHOUSES = ComputeKind(
    entity="warehouse_id",
    resource="warehouse",
    switched_on=("CREATING", "STARTING"),
    switched_off=(STOPPING, TERMINATING, STOPPED),
    anchors=(
        "CREATING",
        "STARTING",
        "INIT_SCRIPTS_STARTED",
        "RUNNING",
        "RESIZING",
        "UPSIZE_COMPLETED",
        "DRIVER_HEALTHY",
        "SCALED_UP",
        "SCALED_DOWN",
    ),
    resetting=(STOPPING, STOPPED, TERMINATING, "RESTARTING", "EDITED", TERMINATING_IMPUTED),
    stopped=STOPPING,
    counters=("state_transition_flag", "state_transition_flag_sum"),
    sizes=("current_num_clusters", "target_num_clusters", "last_told_clusters"),
)
SHOWN_UP = ("STARTING", "RUNNING")

COLUMNS = (
    Column("warehouse_id", pl.String, "SQL warehouse."),
    Column("isRunning", pl.Boolean, "It is up; decided when the state opens."),
    Column("timestamp", pl.Int64, "Start of the state, epoch ms: that of the event's."),
    OPENED_BY,
    Column("seq", pl.Int64, "Position among the warehouse's states of the same start, from 0."),
    Column("current_num_clusters", pl.Int64, "Clusters in service; 0: stopped."),
    Column(
        "target_num_clusters",
        pl.Int64,
        "Clusters wanted: the least while it starts, else those in service; 0: stopped.",
    ),
    START,
    END,
    Column(
        "state_transition_flag",
        pl.Int32,
        "1: not running, or after STOPPING, STOPPED, TERMINATING, TERMINATING_IMPUTED, RESTARTING "
        "or EDITED; else 0.",
    ),
    Column("state_transition_flag_sum", pl.Int64, "Sum of state_transition_flag so far."),
    *INSTANTS,
    START_DATE,
    *UPTIME,
    Column(
        "uptime_since_restart_S",
        pl.Float64,
        "Sum of uptime_in_state_S since state_transition_flag was 1, in s; 0 where it is.",
    ),
    *BILLED,
    *DATES,
    Column(
        "last_told_clusters",
        pl.Int64,
        "Clusters that an event told last, up to the start; null: none did.",
    ),
    LIFE_SIGN,
    END_IMPUTED,
)


@module(
    module_id=2022,
    name="Silver_WarehouseStateDetail",
    scope=Scope.WAREHOUSE_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=("warehouse_id", "unixTimeMS_state_start", "state", "seq"),
    reads={
        "warehouse_events_bronze": Day(),
        "jobrun_silver": Day(),
        "warehouse_spec_silver": AsOf(),
        "warehouses_snapshot_bronze": Captures(),
        "billable_states": Reference(),
        "carried": Carried(),
    },
    provisional=PROVISIONAL,
    rules=state_rules(WAREHOUSES, "warehouse_events_bronze", "event_type"),
)
def warehouse_state_detail_silver(  # noqa: PLR0917 - each is a read
    warehouse_events_bronze: pl.LazyFrame,
    jobrun_silver: pl.LazyFrame,
    warehouse_spec_silver: pl.LazyFrame,
    warehouses_snapshot_bronze: pl.LazyFrame,
    billable_states: pl.LazyFrame,
    carried: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Close what events, silences and deletions of the day end, and open what its events open.

    Args:
        warehouse_events_bronze: The day's events, in any order.
        jobrun_silver: The day's job runs, open and closed.
        warehouse_spec_silver: Versions of warehouses: their least clusters, which are deleted.
        warehouses_snapshot_bronze: Captures; the closing one tells nothing of the day.
        billable_states: States in which Databricks bills DBUs or not, and when.
        carried: States open when the day began.
        window: The day.
    """
    events = _events(warehouse_events_bronze, warehouse_spec_silver)
    runs = runs_on(jobrun_silver, pl.col("clusterType") == SQL_WAREHOUSE, WAREHOUSES)
    shown = _shown(warehouses_snapshot_bronze)
    # No warehouse is made for one run of a job.
    automated = warehouse_spec_silver.select("warehouse_id", is_automated=pl.lit(value=False))
    is_deletion = pl.col("actionName").is_in(DELETIONS)
    items = [
        carried_states(carried, WAREHOUSES),
        events.filter(~pl.col("_is_ignored")),
        deletions(warehouse_spec_silver, is_deletion, window, WAREHOUSES),
        life_signs(runs, shown, WAREHOUSES),
    ]
    in_order = spans(items, automated.unique(), WAREHOUSES)
    with_silences = silences(in_order, runs, shown, window, WAREHOUSES)
    rows = state_rows(with_silences, billable_states, window, WAREHOUSES, sized=_with_clusters)
    ignored = events.filter("_is_ignored").select(
        "warehouse_id", pl.lit(AFTER_DELETION).alias(LEFT_OUT)
    )
    names = [column.name for column in COLUMNS]
    stored = rows.select(*names, "is_open", DECIDED_MS)
    return pl.concat([stored, ignored], how="diagonal")


def _events(events: pl.LazyFrame, versions: pl.LazyFrame) -> pl.LazyFrame:
    """The day's events and the least clusters then; ignored: those of deleted warehouses."""
    told = versions.select(
        "warehouse_id", "timestamp", "seq", _least="min_num_clusters", _action="actionName"
    ).sort("timestamp", "seq")
    # Of versions of one instant the first is met when looking ahead.
    ahead = told.unique(["warehouse_id", "timestamp"], keep="first", maintain_order=True)
    return (
        events.select(
            "warehouse_id",
            "timestamp",
            state="event_type",
            _at="timestamp",
            _start="timestamp",
            _kind=number(EVENT),
            _told="cluster_count",
        )
        .sort("timestamp")
        .join_asof(
            told.drop("seq"),
            on="timestamp",
            by="warehouse_id",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .join_asof(
            ahead.select("warehouse_id", "timestamp", _least_ahead="_least"),
            on="timestamp",
            by="warehouse_id",
            strategy="forward",
            check_sortedness=False,
        )
        .with_columns(
            _least=pl.when(pl.col("_action").is_null()).then("_least_ahead").otherwise("_least"),
            _is_ignored=pl.col("_action").is_in(DELETIONS).fill_null(value=False),
        )
        .drop("timestamp", "_action", "_least_ahead")
    )


def _shown(warehouses_snapshot_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """What captures of the day show of warehouses; the closing one tells nothing of the day."""
    return warehouses_snapshot_bronze.filter(~pl.col("is_closing")).select(
        "warehouse_id", _captured_ms="captured_at_ms", _is_up=pl.col("state").is_in(SHOWN_UP)
    )


def _with_clusters(states: pl.LazyFrame) -> pl.LazyFrame:
    """States with clusters in service and wanted."""
    none = pl.lit(0, pl.Int64)
    is_carried = pl.col("_kind") == CARRIED
    last_told = pl.when(is_carried).then("last_told_clusters").otherwise("_told")
    serving = pl.coalesce("_told", "_least", "last_told_clusters", none)
    current = (
        pl.when(is_carried)
        .then("current_num_clusters")
        .when("isRunning")
        .then(serving)
        .otherwise(none)
    )
    starts = pl.col("state").is_in(WAREHOUSES.switched_on)
    wanted = (
        pl.when(is_carried)
        .then("target_num_clusters")
        .when(starts)
        .then(pl.coalesce("_least", "current_num_clusters"))
        .otherwise("current_num_clusters")
    )
    return (
        states.with_columns(
            last_told_clusters=last_told.forward_fill().over("warehouse_id", "_memory")
        )
        .with_columns(current_num_clusters=current)
        .with_columns(target_num_clusters=wanted)
    )
