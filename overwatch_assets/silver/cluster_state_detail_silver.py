"""Cluster states: one row per state of a cluster, from the event that opened it to the next one.

Every event opens a state called by its type, whatever its kind. A state lies on the day of what
ended it or revealed that it had ended; until then it is written open on every day. Where no event
tells the end it is imputed (`end_imputed`), never before the last sign of life: an event, a start
or an end of a job run on the cluster, a capture that shows it up.

- A start of a cluster that is up reveals that it had stopped: a TERMINATING is inserted.
- A job cluster without a sign for 24 hours, on which no run is open, one that a capture does not
  show up, without a sign in the 24 hours before, and any that is silent for 90 days, has ended:
  TERMINATING_IMPUTED begins at the last sign. An event after it opens the next state.
- What is not running closes after 2 days (job clusters) or 30. A return opens a new state.
- A permanent deletion ends every state; PERMENANT_DELETE (as Overwatch spells it) marks it.
"""

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.durations import date_of, stop_ms, timestamp_of
from overwatch_assets.expressions.price_lookup import with_valid
from overwatch_assets.expressions.rules import remedy
from overwatch_assets.module import (
    DECIDED_MS,
    HOLDS,
    LEFT_OUT,
    TIMESTAMP,
    AsOf,
    Captures,
    Carried,
    Column,
    Day,
    Grain,
    Reference,
    Rule,
    Scope,
    Window,
    module,
)

HOUR_MS = 3_600_000
GRACE_MS = 24 * HOUR_MS
SILENT_MS = 90 * 24 * HOUR_MS
STOPPED_AUTOMATED_MS = 2 * 24 * HOUR_MS
STOPPED_MS = 30 * 24 * HOUR_MS

SWITCHED_ON = ("CREATING", "STARTING")
TERMINATING = "TERMINATING"
TERMINATING_IMPUTED = "TERMINATING_IMPUTED"
EDITED = "EDITED"
PERMENANT_DELETE = "PERMENANT_DELETE"
PERMANENT_DELETE_ACTION = "permanentDelete"
ANCHORS = (
    *SWITCHED_ON,
    "INIT_SCRIPTS_STARTED",
    "RUNNING",
    "RESIZING",
    "UPSIZE_COMPLETED",
    "DRIVER_HEALTHY",
)
"""States that tell that a cluster of unknown past is up."""

RESETTING = (TERMINATING, "RESTARTING", EDITED, TERMINATING_IMPUTED)
"""States after which the uptime since the restart is counted anew."""

SHOWN_UP = ("PENDING", "RUNNING", "RESTARTING", "RESIZING")
SHOWN_UNKNOWN = "UNKNOWN"
AFTER_DELETION = "after_permanent_delete"

COLUMNS = (
    Column("cluster_id", pl.String, "Cluster."),
    Column("isRunning", pl.Boolean, "Machines run; decided when the state opens."),
    Column("timestamp", pl.Int64, "Start of the state, epoch ms: that of the event's."),
    Column(
        "state",
        pl.String,
        "Type of the event that opened it, or TERMINATING_IMPUTED, PERMENANT_DELETE.",
    ),
    Column("seq", pl.Int64, "Position among the cluster's states of the same start, from 0."),
    Column("current_num_workers", pl.Int64, "Workers in service, without the driver; 0: stopped."),
    Column("target_num_workers", pl.Int64, "Workers wanted, without the driver; 0: stopped."),
    Column("unixTimeMS_state_start", pl.Int64, "Start, epoch ms."),
    Column(
        "unixTimeMS_state_end",
        pl.Int64,
        "Last ms, epoch: one before the next state; the end of what is known while open.",
    ),
    Column(
        "counter_reset",
        pl.Int32,
        "1: not running, or after TERMINATING, TERMINATING_IMPUTED, RESTARTING or EDITED; else 0.",
    ),
    Column("reset_partition", pl.Int64, "Sum of counter_reset so far."),
    Column("timestamp_state_start", TIMESTAMP, "Start in UTC."),
    Column("timestamp_state_end", TIMESTAMP, "unixTimeMS_state_end in UTC."),
    Column("state_start_date", pl.Date, "Day of the start in UTC; not the partition."),
    Column("uptime_in_state_S", pl.Float64, "From start to end in s."),
    Column("uptime_in_state_H", pl.Float64, "From start to end in h."),
    Column(
        "uptime_since_restart_S",
        pl.Float64,
        "Sum of uptime_in_state_S since counter_reset was 1, in s; 0 where it is.",
    ),
    Column("cloud_billable", pl.Boolean, "The cloud bills machines: isRunning."),
    Column(
        "databricks_billable",
        pl.Boolean,
        "Databricks bills DBUs: isRunning, and the state is billed when it begins.",
    ),
    Column("state_dates", pl.List(pl.Date), "Days in UTC from start to end, both included."),
    Column("days_in_state", pl.Int32, "Number of state_dates."),
    Column(
        "last_told_workers",
        pl.Int64,
        "Workers that an event told last, up to the start; null: none did.",
    ),
    Column(
        "last_sign_of_life",
        pl.Int64,
        "Epoch ms of the newest event, capture, or start or end of a run in the state.",
    ),
    Column(
        "end_imputed",
        pl.Boolean,
        "No event told the end. False while open.",
    ),
)

CARRIED_ON = (
    "cluster_id",
    "state",
    "seq",
    "isRunning",
    "current_num_workers",
    "target_num_workers",
    "counter_reset",
    "reset_partition",
    "databricks_billable",
    "last_told_workers",
)
"""What an open state keeps until it ends."""

_ON_CLUSTER = "cluster_id"
_IN_SPAN = ["cluster_id", "_span"]
_IN_MEMORY = ["cluster_id", "_memory"]
_IN_LIFE = ["cluster_id", "_life"]
_CARRIED, _EVENT, _DELETION, _SIGN = range(4)
"""What an item is; of one instant they follow each other so."""


def _state_time(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Clusters with their time from the first state to the last, and that of their states.

    States stand in a row without gap or overlap; only what does not run may be followed by a gap.
    """
    start = pl.col("unixTimeMS_state_start")
    stop = stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open"))
    gap = pl.col("_start_ms") - pl.col("_stop_ms").shift(1)
    was_running = pl.col("isRunning").shift(1)
    is_allowed = (gap == 0) | ((gap > 0) & ~was_running)
    return (
        rows.select(
            "cluster_id",
            "isRunning",
            _start_ms=start,
            _stop_ms=pl.max_horizontal(start, stop),
            _seq="seq",
        )
        .sort("cluster_id", "_start_ms", "_seq")
        .with_columns(
            _gap_ms=gap.fill_null(0).over("cluster_id"),
            _follows=is_allowed.fill_null(value=True).over("cluster_id"),
        )
        .group_by("cluster_id")
        .agg(
            cluster_ms=pl.col("_stop_ms").last()
            - pl.col("_start_ms").first()
            - pl.col("_gap_ms").filter(pl.col("_gap_ms") > 0, "_follows").sum(),
            states_ms=(pl.col("_stop_ms") - pl.col("_start_ms")).sum(),
            follow_each_other=pl.col("_follows").all(),
        )
        .with_columns(
            (pl.col("follow_each_other") & (pl.col("cluster_ms") == pl.col("states_ms"))).alias(
                HOLDS
            )
        )
    )


def _events_kept(
    rows: pl.LazyFrame, not_stored: pl.LazyFrame, cluster_events_bronze: pl.LazyFrame
) -> pl.LazyFrame:
    """Clusters with the day's events, and what became of them: a state, or a count."""
    event = ["cluster_id", "timestamp", "state"]
    told = (
        cluster_events_bronze.select("cluster_id", "timestamp", state="type")
        .group_by(event)
        .agg(events=pl.len().cast(pl.Int64))
    )
    states = rows.group_by(event).agg(_states=pl.len().cast(pl.Int64))
    opened = pl.min_horizontal("events", pl.col("_states").fill_null(0))
    ignored = not_stored.group_by("cluster_id").agg(events_ignored=pl.len().cast(pl.Int64))
    return (
        told.join(states, on=event, how="left")
        .group_by("cluster_id")
        .agg(pl.col("events").sum(), states_opened=opened.sum())
        .join(ignored, on="cluster_id", how="left")
        .with_columns(pl.col("events_ignored").fill_null(0))
        .with_columns(
            (pl.col("events") == pl.col("states_opened") + pl.col("events_ignored")).alias(HOLDS)
        )
    )


RULES = (
    Rule(
        name="state_time_is_cluster_time",
        doc="the states of a cluster add up to its time, without gap or overlap",
        compared=_state_time,
        by=("cluster_id",),
        remedy=remedy("cluster_events_bronze"),
    ),
    Rule(
        name="events_open_states",
        doc="each event of a cluster opens a state, or comes after its deletion and is counted",
        compared=_events_kept,
        by=("cluster_id",),
        remedy=remedy("cluster_events_bronze"),
    ),
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
        "cluster_spec_silver": AsOf(),
        "clusters_snapshot_bronze": Captures(),
        "billable_states": Reference(),
        "carried": Carried(),
    },
    provisional=(
        "unixTimeMS_state_end",
        "timestamp_state_end",
        "uptime_in_state_S",
        "uptime_in_state_H",
        "uptime_since_restart_S",
        "state_dates",
        "days_in_state",
        "last_sign_of_life",
        "end_imputed",
    ),
    rules=RULES,
)
def cluster_state_detail_silver(  # noqa: PLR0917 - each is a read
    cluster_events_bronze: pl.LazyFrame,
    jobrun_silver: pl.LazyFrame,
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
        cluster_spec_silver: Versions of clusters: which are jobs', which are deleted.
        clusters_snapshot_bronze: Captures; the closing one tells nothing of the day.
        billable_states: States in which Databricks bills DBUs or not, and when.
        carried: States open when the day began.
        window: The day.
    """
    events = _events(cluster_events_bronze, cluster_spec_silver)
    runs = _runs(jobrun_silver)
    of_day = clusters_snapshot_bronze.filter(~pl.col("is_closing"))
    items = [
        _carried(carried),
        events.filter(~pl.col("_is_ignored")),
        _deletions(cluster_spec_silver, window),
        _signs(runs, of_day),
    ]
    spans = _spans(items, cluster_spec_silver)
    silent = _silences(spans, runs, of_day, window)
    states = _with_workers(_with_power(silent.filter(pl.col("_kind") != _SIGN)))
    rows = _derived(_ended(_with_imputed(states), window))
    ignored = events.filter("_is_ignored").select(
        "cluster_id", pl.lit(AFTER_DELETION).alias(LEFT_OUT)
    )
    names = [column.name for column in COLUMNS]
    stored = _billed(rows, billable_states).select(*names, "is_open", DECIDED_MS)
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
            _kind=_number(_EVENT),
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


def _carried(carried: pl.LazyFrame) -> pl.LazyFrame:
    return carried.select(
        *CARRIED_ON,
        _at="last_sign_of_life",
        _start="unixTimeMS_state_start",
        _kind=_number(_CARRIED),
        _base_ms=pl.when(pl.col("counter_reset") == 0)
        .then(_ms("uptime_since_restart_S") - _ms("uptime_in_state_S"))
        .otherwise(pl.lit(0, pl.Int64)),
    )


def _number(value: int) -> pl.Expr:
    return pl.lit(value, pl.Int8)


def _ms(seconds: str) -> pl.Expr:
    return (pl.col(seconds) * 1000).round().cast(pl.Int64)


def _deletions(versions: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    """The first permanent deletion of each cluster that had not been deleted."""
    is_deletion = pl.col("actionName") == PERMANENT_DELETE_ACTION
    was_deletion = is_deletion.shift(1, fill_value=False).over(
        "cluster_id", order_by=["timestamp", "seq"]
    )
    of_day = window.contains_ms(pl.col("timestamp")) & ~pl.col("is_open")
    return (
        versions.filter(is_deletion & ~was_deletion)
        .filter(of_day)
        .select(
            "cluster_id",
            state=pl.lit(PERMENANT_DELETE),
            _at="timestamp",
            _start=pl.col("timestamp") + 1,
            _kind=_number(_DELETION),
        )
    )


def _runs(jobrun_silver: pl.LazyFrame) -> pl.LazyFrame:
    """Runs that began on a cluster: when they did, and when they ended."""
    time = pl.col("TaskRunTime").struct
    return (
        jobrun_silver.filter(
            pl.col("row_kind") == "run", pl.col("clusterType").ne_missing("sqlWarehouse")
        )
        .select(
            cluster_id="clusterId",
            _began=time.field("startEpochMS"),
            _over=time.field("endEpochMS"),
        )
        .drop_nulls(["cluster_id", "_began"])
    )


def _signs(runs: pl.LazyFrame, of_day: pl.LazyFrame) -> pl.LazyFrame:
    """Instants at which something other than an event shows that a cluster is up."""
    shown_up = of_day.filter(pl.col("state").is_in(SHOWN_UP))
    return (
        pl.concat(
            [
                runs.select("cluster_id", _at="_began"),
                runs.select("cluster_id", _at="_over").drop_nulls(),
                shown_up.select("cluster_id", _at="captured_at_ms"),
            ]
        )
        .unique()
        .with_columns(_kind=_number(_SIGN))
    )


def _spans(items: list[pl.LazyFrame], versions: pl.LazyFrame) -> pl.LazyFrame:
    """Items in the order of time, with the number of the state that they lie in."""
    is_automated = (
        versions.sort("timestamp", "seq")
        .group_by("cluster_id")
        .agg(pl.col("is_automated").drop_nulls().last().fill_null(value=False))
    )
    rank = (
        pl.when(pl.col("state").is_in(SWITCHED_ON))
        .then(_number(0))
        .when(pl.col("state") == TERMINATING)
        .then(_number(2))
        .otherwise(_number(1))
    )
    return (
        pl.concat(items, how="diagonal_relaxed")
        .sort("cluster_id", "_at", "_kind", rank, "state")
        .with_columns(_span=(pl.col("_kind") != _SIGN).cum_sum().over(_ON_CLUSTER))
        .filter(pl.col("_span") > 0)
        .join(is_automated, on="cluster_id", how="left", maintain_order="left")
        .with_columns(
            _stopped_ms=pl.when(pl.col("is_automated").fill_null(value=False))
            .then(pl.lit(STOPPED_AUTOMATED_MS, pl.Int64))
            .otherwise(pl.lit(STOPPED_MS, pl.Int64))
        )
        .with_row_index("_row")
    )


def _silences(
    spans: pl.LazyFrame, runs: pl.LazyFrame, of_day: pl.LazyFrame, window: Window
) -> pl.LazyFrame:
    """Items with the first silence of their state that means, if it is up, that it had ended.

    `_silent_from` is the last sign before the silence, `_silent_ms` the instant that revealed it.
    """
    newest = of_day.select(_captured_ms=pl.col("captured_at_ms").max())
    is_up = pl.col("state").is_in([*SHOWN_UP, SHOWN_UNKNOWN])
    shown = of_day.filter(is_up, pl.col("captured_at_ms") == pl.col("captured_at_ms").max())
    next_at = pl.col("_at").shift(-1).over(_ON_CLUSTER).fill_null(window.until_ms)
    graced = spans.with_columns(_next_at=next_at, _due=pl.col("_at") + GRACE_MS)
    waiting = graced.filter("is_automated", pl.col("_due") < pl.col("_next_at"))
    goes_on = pl.col("_over").is_null() | (pl.col("_over") > pl.col("_due"))
    busy = (
        waiting.join(runs, on="cluster_id")
        .filter(pl.col("_began") <= pl.col("_due"), goes_on)
        .select("_row", _is_busy=pl.lit(value=True))
        .unique()
    )
    captured = pl.col("_captured_ms")
    is_idle = pl.col("is_automated") & pl.col("_is_busy").is_null()
    is_gone = pl.col("_is_shown").is_null() & (captured >= pl.col("_due"))
    revealed = pl.min_horizontal(
        pl.when(is_idle).then("_due"),
        pl.when(is_gone).then(captured),
        pl.col("_at") + SILENT_MS,
    )
    # A run that was open kept the grace from running out on an earlier day.
    within = pl.max_horizontal(revealed, pl.lit(window.since_ms))
    is_silence = within < pl.col("_next_at")
    return (
        graced.join(busy, on="_row", how="left", maintain_order="left")
        .join(
            shown.select("cluster_id", _is_shown=pl.lit(value=True)),
            on="cluster_id",
            how="left",
            maintain_order="left",
        )
        .join(newest, how="cross", maintain_order="left")
        .with_columns(_silent_ms=pl.when(is_silence).then(within))
        .with_columns(
            _silent_from=pl.col("_at")
            .filter(pl.col("_silent_ms").is_not_null())
            .first()
            .over(_IN_SPAN),
            _silent_ms=pl.col("_silent_ms").drop_nulls().first().over(_IN_SPAN),
            _last_sign=pl.col("_at").max().over(_IN_SPAN),
        )
    )


def _before(name: str) -> pl.Expr:
    """A column of the cluster's state before."""
    return pl.col(name).shift(1).over(_ON_CLUSTER)


def _with_power(states: pl.LazyFrame) -> pl.LazyFrame:
    """States with `isRunning`: what a switch said last, or where there was none, an anchor."""
    state = pl.col("state")
    is_anchor = state.is_in(ANCHORS)
    was_carried = _before("_kind") == _CARRIED
    had_stopped = ~_before("isRunning") & (
        _before("_start") + _before("_stopped_ms") < pl.col("_at")
    )
    is_forgotten = (_before("_kind") == _DELETION) | (was_carried & had_stopped)
    has_ended = was_carried & (_before("state") == TERMINATING_IMPUTED)
    has_no_past = _before("_kind").is_null() | is_forgotten | has_ended
    was_silent = _before("_silent_ms").is_not_null()
    known = (
        pl.when(pl.col("_kind") == _CARRIED)
        .then("isRunning")
        .when(state.is_in(SWITCHED_ON))
        .then(pl.lit(value=True))
        .when(state.is_in([TERMINATING, PERMENANT_DELETE]))
        .then(pl.lit(value=False))
        .when(has_no_past)
        .then(is_anchor)
        .when(was_silent & ~is_anchor)
        .then(pl.lit(value=False))
    )
    return states.with_columns(
        _known=known, _memory=is_forgotten.fill_null(value=False).cum_sum().over(_ON_CLUSTER)
    ).with_columns(isRunning=pl.col("_known").forward_fill().over(_ON_CLUSTER))


def _with_workers(states: pl.LazyFrame) -> pl.LazyFrame:
    """States with workers in service and wanted.

    An edit tells the size that the next start asks for; it changes no machines of the moment.
    """
    none = pl.lit(0, pl.Int64)
    is_carried = pl.col("_kind") == _CARRIED
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
        states.with_columns(last_told_workers=last_told.forward_fill().over(_IN_MEMORY))
        .with_columns(
            current_num_workers=pl.when(is_carried).then("current_num_workers").otherwise(current)
        )
        .with_columns(target_num_workers=wanted.forward_fill().over(_ON_CLUSTER))
    )


def _with_imputed(states: pl.LazyFrame) -> pl.LazyFrame:
    """States and those that no event opened, in order; `_revealed_ms`: what made them known."""
    stopped = {
        "isRunning": pl.lit(value=False),
        "current_num_workers": pl.lit(0, pl.Int64),
        "target_num_workers": pl.lit(0, pl.Int64),
    }
    last_sign = pl.max_horizontal(pl.col("_start") + 1, "_silent_from")
    silenced = states.filter("isRunning", pl.col("_silent_ms").is_not_null()).select(
        *_IN_SPAN,
        "last_told_workers",
        "_last_sign",
        "_stopped_ms",
        **stopped,
        state=pl.lit(TERMINATING_IMPUTED),
        _start=last_sign,
        _revealed_ms="_silent_ms",
        _place=_number(1),
    )
    is_start = pl.col("state").is_in(SWITCHED_ON) & (pl.col("_kind") == _EVENT)
    was_up = _before("isRunning") & _before("_silent_ms").is_null()
    sign_before = pl.max_horizontal(_before("_start") + 1, _before("_last_sign"))
    restarted = states.select(
        "cluster_id",
        "_stopped_ms",
        **stopped,
        state=pl.lit(TERMINATING),
        last_told_workers=_before("last_told_workers"),
        _last_sign=_before("_last_sign"),
        _start=pl.min_horizontal("_at", sign_before),
        _revealed_ms="_at",
        _span=pl.col("_span") - 1,
        _place=_number(2),
        _is_restart=is_start & was_up,
    ).filter("_is_restart")
    revealed = pl.when(pl.col("_kind") != _CARRIED).then("_at")
    told = states.with_columns(_revealed_ms=revealed, _place=_number(0))
    return pl.concat([told, silenced, restarted], how="diagonal_relaxed").sort(*_IN_SPAN, "_place")


def _ended(rows: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    """Rows with their ends and what decided them."""
    is_mark = pl.col("state") == PERMENANT_DELETE
    next_start, next_revealed, next_place = (
        pl.col(name).shift(-1).over(_ON_CLUSTER) for name in ("_start", "_revealed_ms", "_place")
    )
    forgotten_ms = pl.col("_start") + pl.col("_stopped_ms")
    is_over = forgotten_ms < next_start.fill_null(window.until_ms)
    is_forgotten = ~pl.col("isRunning") & ~is_mark & is_over
    is_followed = next_start.is_not_null()
    end_ms = (
        pl.when(is_mark)
        .then("_start")
        .when(is_forgotten)
        .then(forgotten_ms)
        .when(is_followed)
        .then(next_start - 1)
        .otherwise(pl.lit(window.until_ms, pl.Int64))
    )
    forgotten_on = pl.max_horizontal(forgotten_ms, "_revealed_ms", pl.lit(window.since_ms))
    decided_ms = (
        pl.when(is_mark)
        .then("_revealed_ms")
        .when(is_forgotten)
        .then(forgotten_on)
        .otherwise(next_revealed)
    )
    was_last = (is_mark | is_forgotten).shift(1, fill_value=False).over(_ON_CLUSTER)
    return rows.with_columns(
        decided_ms.alias(DECIDED_MS),
        unixTimeMS_state_end=end_ms,
        is_open=~is_mark & ~is_forgotten & ~is_followed,
        end_imputed=~is_mark & (is_forgotten | (next_place.fill_null(0) > 0)),
        _life=was_last.cum_sum().over(_ON_CLUSTER),
    )


def _derived(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows with what follows from states, starts and ends."""
    is_carried = pl.col("_kind").eq_missing(_CARRIED)
    state_before = pl.col("state").shift(1).over(_IN_LIFE)
    is_reset = ~pl.col("isRunning") | state_before.is_in(RESETTING).fill_null(value=False)
    reset = pl.when(is_carried).then("counter_reset").otherwise(is_reset.cast(pl.Int32))
    resets = pl.when(is_carried).then("reset_partition").otherwise("counter_reset")
    place = pl.int_range(pl.len()).over("cluster_id", "_start")
    uptime_ms = (pl.col("unixTimeMS_state_end") - pl.col("_start")).clip(lower_bound=0)
    since_ms = (pl.col("_uptime_ms") + pl.col("_base_ms").fill_null(0)).cum_sum()
    is_from_zero = pl.col("counter_reset") == 1
    # An open row ends with the day; that midnight belongs to the next.
    last_ms = pl.max_horizontal(
        "_start", pl.col("unixTimeMS_state_end") - pl.col("is_open").cast(pl.Int64)
    )
    dates = pl.date_ranges("state_start_date", date_of(last_ms))
    return (
        rows.with_columns(
            seq=pl.when(is_carried).then("seq").otherwise(place),
            counter_reset=reset,
            timestamp="_start",
            unixTimeMS_state_start="_start",
            last_sign_of_life=pl.max_horizontal("_start", "_last_sign"),
            timestamp_state_start=timestamp_of(pl.col("_start")),
            timestamp_state_end=timestamp_of(pl.col("unixTimeMS_state_end")),
            state_start_date=date_of(pl.col("_start")),
            _uptime_ms=uptime_ms,
            uptime_in_state_S=quotient(uptime_ms, 1_000),
            uptime_in_state_H=quotient(uptime_ms, HOUR_MS),
        )
        .with_columns(
            reset_partition=resets.cast(pl.Int64).cum_sum().over(_IN_LIFE), state_dates=dates
        )
        .with_columns(
            days_in_state=pl.col("state_dates").list.len().cast(pl.Int32),
            uptime_since_restart_S=pl.when(is_from_zero)
            .then(0.0)
            .otherwise(quotient(since_ms.over(*_IN_LIFE, "reset_partition"), 1_000)),
        )
    )


def _billed(rows: pl.LazyFrame, billable_states: pl.LazyFrame) -> pl.LazyFrame:
    """Rows with what is billed; a state keeps what held when it opened."""
    key = pl.lit("cluster ") + pl.col("state")
    is_billed = pl.col("isRunning") & pl.col("_is_dbu_billable").fill_null(value=True)
    is_carried = pl.col("_kind").eq_missing(_CARRIED)
    return with_valid(
        rows,
        billable_states,
        key=key,
        reference_key=pl.col("resource") + " " + pl.col("state"),
        at=pl.col("timestamp_state_start"),
        columns={"_is_dbu_billable": pl.col("is_dbu_billable")},
    ).with_columns(
        cloud_billable="isRunning",
        databricks_billable=pl.when(is_carried).then("databricks_billable").otherwise(is_billed),
    )
