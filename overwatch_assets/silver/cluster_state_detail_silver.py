"""Cluster states: one row per state of a cluster, from the event that opened it to the next one.

Every event opens a state called by its type, whatever its kind. A state lies on the day of what
ended it or revealed that it had ended; until then it is written open on every day. Where no event
tells the end it is imputed (`end_imputed`), never before the last sign of life: an event, a start
or an end of a job run on the cluster, the end of a notebook command that names it (verbose audit
logs), a capture that shows it up.

- A start of a cluster that is up reveals that it had stopped: a TERMINATING is inserted.
- A job cluster without a sign for 24 hours, on which no run is open, one that a capture does not
  show up, without a sign in the 24 hours before, and any that is silent for 90 days, has ended:
  TERMINATING_IMPUTED begins at the last sign. An event after it opens the next state.
- What is not running closes after 2 days (job clusters) or 30. A return opens a new state.
- A permanent deletion ends every state; PERMENANT_DELETE (as Overwatch spells it) marks it.
"""

import polars as pl

from overwatch_assets.expressions import audit
from overwatch_assets.expressions.compute_kinds import (
    CARRIED,
    EVENT,
    SIGN,
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

TERMINATING = "TERMINATING"
EDITED = "EDITED"
PERMANENT_DELETE_ACTION = "permanentDelete"
CLUSTERS = ComputeKind(
    entity="cluster_id",
    resource="cluster",
    switched_on=("CREATING", "STARTING"),
    switched_off=(TERMINATING,),
    anchors=(
        "CREATING",
        "STARTING",
        "INIT_SCRIPTS_STARTED",
        "RUNNING",
        "RESIZING",
        "UPSIZE_COMPLETED",
        "DRIVER_HEALTHY",
    ),
    resetting=(TERMINATING, "RESTARTING", EDITED, TERMINATING_IMPUTED),
    stopped=TERMINATING,
    counters=("counter_reset", "reset_partition"),
    sizes=("current_num_workers", "target_num_workers", "last_told_workers"),
)
SHOWN_UP = ("PENDING", "RUNNING", "RESTARTING", "RESIZING")
SHOWN_UNKNOWN = "UNKNOWN"
AFTER_DELETION = "after_permanent_delete"

COLUMNS = (
    Column("cluster_id", pl.String, "Cluster."),
    Column("isRunning", pl.Boolean, "Machines run; decided when the state opens."),
    Column("timestamp", pl.Int64, "Start of the state, epoch ms: that of the event's."),
    OPENED_BY,
    Column("seq", pl.Int64, "Position among the cluster's states of the same start, from 0."),
    Column("current_num_workers", pl.Int64, "Workers in service, without the driver; 0: stopped."),
    Column("target_num_workers", pl.Int64, "Workers wanted, without the driver; 0: stopped."),
    START,
    END,
    Column(
        "counter_reset",
        pl.Int32,
        "1: not running, or after TERMINATING, TERMINATING_IMPUTED, RESTARTING or EDITED; else 0.",
    ),
    Column("reset_partition", pl.Int64, "Sum of counter_reset so far."),
    *INSTANTS,
    START_DATE,
    *UPTIME,
    Column(
        "uptime_since_restart_S",
        pl.Float64,
        "Sum of uptime_in_state_S since counter_reset was 1, in s; 0 where it is.",
    ),
    *BILLED,
    *DATES,
    Column(
        "last_told_workers",
        pl.Int64,
        "Workers that an event told last, up to the start; null: none did.",
    ),
    LIFE_SIGN,
    END_IMPUTED,
)


@module(
    module_id=2019,
    name="Silver_ClusterStateDetail",
    scope=Scope.CLUSTER_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=("cluster_id", "unixTimeMS_state_start", "state", "seq"),
    reads={
        "cluster_events_bronze": Day(),
        "jobrun_silver": Day(),
        "audit_log_bronze": Day(),
        "cluster_spec_silver": AsOf(),
        "clusters_snapshot_bronze": Captures(),
        "billable_states": Reference(),
        "carried": Carried(),
    },
    provisional=PROVISIONAL,
    rules=state_rules(CLUSTERS, "cluster_events_bronze", "type"),
)
def cluster_state_detail_silver(  # noqa: PLR0917 - each is a read
    cluster_events_bronze: pl.LazyFrame,
    jobrun_silver: pl.LazyFrame,
    audit_log_bronze: pl.LazyFrame,
    cluster_spec_silver: pl.LazyFrame,
    clusters_snapshot_bronze: pl.LazyFrame,
    billable_states: pl.LazyFrame,
    carried: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Close what events, silences and deletions of the day end, and open what its events open.

    Args:
        cluster_events_bronze: The day's events, in any order.
        jobrun_silver: The day's job runs, open and closed.
        audit_log_bronze: The day's audit events; commands in notebooks name clusters that are up.
        cluster_spec_silver: Versions of clusters: which are jobs', which are deleted.
        clusters_snapshot_bronze: Captures; the closing one tells nothing of the day.
        billable_states: States in which Databricks bills DBUs or not, and when.
        carried: States open when the day began.
        window: The day.
    """
    events = _events(cluster_events_bronze, cluster_spec_silver)
    is_on_cluster = pl.col("clusterType").ne_missing(SQL_WAREHOUSE)
    runs = runs_on(jobrun_silver, is_on_cluster, CLUSTERS)
    shown = _shown(clusters_snapshot_bronze)
    is_deletion = pl.col("actionName") == PERMANENT_DELETE_ACTION
    items = [
        carried_states(carried, CLUSTERS),
        events.filter(~pl.col("_is_ignored")),
        deletions(cluster_spec_silver, is_deletion, window, CLUSTERS),
        life_signs(runs, shown, CLUSTERS),
        _commands(audit_log_bronze),
    ]
    in_order = spans(items, _automated(cluster_spec_silver), CLUSTERS)
    with_silences = silences(in_order, runs, shown, window, CLUSTERS)
    rows = state_rows(with_silences, billable_states, window, CLUSTERS, sized=_with_workers)
    ignored = events.filter("_is_ignored").select(
        "cluster_id", pl.lit(AFTER_DELETION).alias(LEFT_OUT)
    )
    names = [column.name for column in COLUMNS]
    stored = rows.select(*names, "is_open", DECIDED_MS)
    return pl.concat([stored, ignored], how="diagonal")


def _events(events: pl.LazyFrame, versions: pl.LazyFrame) -> pl.LazyFrame:
    """The day's events and what they tell of workers; ignored: those of deleted clusters."""
    details = pl.col("details").struct
    size = details.field("cluster_size").struct
    least = size.field("autoscale").struct.field("min_workers")
    before = versions.select("cluster_id", "timestamp", "seq", _action="actionName").sort(
        "timestamp", "seq"
    )

    return (
        events.select(
            "cluster_id",
            "timestamp",
            state="type",
            _at="timestamp",
            _start="timestamp",
            _kind=number(EVENT),
            _asked=pl.coalesce(size.field("num_workers"), least),
            _told=details.field("current_num_workers"),
            _wanted=details.field("target_num_workers"),
        )
        .sort("timestamp")
        .join_asof(
            before,
            on="timestamp",
            by="cluster_id",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .with_columns(_is_ignored=pl.col("_action").eq_missing(PERMANENT_DELETE_ACTION))
        .drop("timestamp", "_action", "seq")
    )


def _commands(audit_log_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Ends of notebook commands that name their cluster; only verbose audit logs tell of any."""
    return (
        audit_log_bronze.filter(audit.is_command(), audit.is_successful())
        .select(
            audit.parameters("clusterId").struct.field("clusterId").alias("cluster_id"),
            _at="timestamp",
        )
        .drop_nulls("cluster_id")
        .unique()
        .with_columns(_kind=number(SIGN))
    )


def _shown(clusters_snapshot_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """What captures of the day show of clusters; the closing one tells nothing of the day."""
    is_unknown = pl.col("state") == SHOWN_UNKNOWN
    return clusters_snapshot_bronze.filter(~pl.col("is_closing")).select(
        "cluster_id",
        _captured_ms="captured_at_ms",
        _is_up=pl.when(~is_unknown.fill_null(value=False)).then(
            pl.col("state").is_in(SHOWN_UP).fill_null(value=False)
        ),
    )


def _automated(versions: pl.LazyFrame) -> pl.LazyFrame:
    return (
        versions.sort("timestamp", "seq")
        .group_by("cluster_id")
        .agg(pl.col("is_automated").drop_nulls().last().fill_null(value=False))
    )


def _with_workers(states: pl.LazyFrame) -> pl.LazyFrame:
    """States with workers in service and wanted.

    An edit tells the size that the next start asks for; it changes no machines of the moment.
    """
    none = pl.lit(0, pl.Int64)
    is_carried = pl.col("_kind") == CARRIED
    is_edit_of_running = (pl.col("state") == EDITED) & pl.col("isRunning")
    told = pl.when(~is_edit_of_running).then(pl.coalesce("_told", "_asked"))
    last_told = pl.when(is_carried).then("last_told_workers").otherwise(told)
    current = pl.when("isRunning").then(pl.col("last_told_workers").fill_null(0)).otherwise(none)
    wanted = (
        pl.when(is_carried)
        .then("target_num_workers")
        .when(~pl.col("isRunning"))
        .then(none)
        .when(is_edit_of_running)
        .then(None)
        .when(pl.col("state") == "CREATING")
        .then(pl.col("_asked").fill_null(0))
        .otherwise(pl.coalesce("_wanted", "current_num_workers"))
    )
    return (
        states.with_columns(
            last_told_workers=last_told.forward_fill().over("cluster_id", "_memory")
        )
        .with_columns(
            current_num_workers=pl.when(is_carried).then("current_num_workers").otherwise(current)
        )
        .with_columns(target_num_workers=wanted.forward_fill().over("cluster_id"))
    )
