"""States of what is switched on and off, clusters and SQL warehouses, from one event to the next.

Items are whatever tells of one of them: the state that it was in when the day began, events,
its deletion, and signs that it is up. An item has the name of its entity and, all in epoch ms,

- `_at`: when it happened; `_kind` says what it is and comes first of several of one instant;
- `_start`, `state`: the state that it opens; a sign opens none, a deletion the mark of one.

`_span` numbers the states of an entity in order, each with the signs that lie in it.
"""

from dataclasses import dataclass

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.durations import date_of, stop_ms, timestamp_of
from overwatch_assets.expressions.price_lookup import with_valid
from overwatch_assets.expressions.rules import remedy
from overwatch_assets.module import DECIDED_MS, HOLDS, TIMESTAMP, Column, Rule, Window

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

TERMINATING_IMPUTED = "TERMINATING_IMPUTED"
PERMENANT_DELETE = "PERMENANT_DELETE"

CARRIED, EVENT, DELETION, SIGN = range(4)
"""What an item is; of one instant they follow each other so."""

SHOWN = pl.Schema({"_captured_ms": pl.Int64, "_is_up": pl.Boolean})
"""What a capture shows of an entity; `_is_up` null: it cannot be told."""


@dataclass(frozen=True, slots=True)
class ComputeKind:
    """What is particular about a kind of compute.

    Attributes:
        entity: Column that names it.
        resource: Its name among the billable states.
        switched_on: Events that start it.
        switched_off: Events after which it is down, in the order in which they follow each other.
        anchors: Events of which one of unknown past tells that it is up.
        resetting: States after which the uptime since the restart is counted anew.
        stopped: State that a start reveals where it should have stopped before.
        counters: Columns: that the uptime is counted anew, and how often it was.
        sizes: Columns: its size in service, its size wanted, the size an event told last.
        silent_ms: Without a sign for so long it has ended.
        stopped_ms: How long it may be down before it is forgotten.
        grace_ms: Without a sign for so long, what a capture does not show up has ended, and what
            is made for a job's run, with no run on it.
        stopped_automated_ms: How long what is made for a job's run may be down.
    """

    entity: str
    resource: str
    switched_on: tuple[str, ...]
    switched_off: tuple[str, ...]
    anchors: tuple[str, ...]
    resetting: tuple[str, ...]
    stopped: str
    counters: tuple[str, str]
    sizes: tuple[str, str, str]
    silent_ms: int = 90 * DAY_MS
    stopped_ms: int = 30 * DAY_MS
    grace_ms: int = DAY_MS
    stopped_automated_ms: int = 2 * DAY_MS

    @property
    def carried_on(self) -> tuple[str, ...]:
        """What an open state keeps until it ends."""
        return (
            *(self.entity, "state", "seq", "isRunning", "databricks_billable"),
            *self.sizes,
            *self.counters,
        )


PROVISIONAL = (
    "unixTimeMS_state_end",
    "timestamp_state_end",
    "uptime_in_state_S",
    "uptime_in_state_H",
    "uptime_since_restart_S",
    "state_dates",
    "days_in_state",
    "last_sign_of_life",
    "end_imputed",
)
"""What grows while a state is open."""

START = Column("unixTimeMS_state_start", pl.Int64, "Start, epoch ms.")
END = Column(
    "unixTimeMS_state_end",
    pl.Int64,
    "Last ms, epoch: one before the next state; the end of what is known while open.",
)
TIMES = (
    Column("timestamp_state_start", TIMESTAMP, "Start in UTC."),
    Column("timestamp_state_end", TIMESTAMP, "unixTimeMS_state_end in UTC."),
    Column("state_start_date", pl.Date, "Day of the start in UTC; not the partition."),
    Column("uptime_in_state_S", pl.Float64, "From start to end in s."),
    Column("uptime_in_state_H", pl.Float64, "From start to end in h."),
)
BILLED = (
    Column("cloud_billable", pl.Boolean, "The cloud bills machines: isRunning."),
    Column(
        "databricks_billable",
        pl.Boolean,
        "Databricks bills DBUs: isRunning, and the state is billed when it begins.",
    ),
    Column("state_dates", pl.List(pl.Date), "Days in UTC from start to end, both included."),
    Column("days_in_state", pl.Int32, "Number of state_dates."),
)
LIFE_SIGN = Column(
    "last_sign_of_life",
    pl.Int64,
    "Epoch ms of the newest event, capture, or start or end of a run in the state.",
)
END_IMPUTED = Column("end_imputed", pl.Boolean, "No event told the end. False while open.")


def number(value: int) -> pl.Expr:
    """A small number as a column."""
    return pl.lit(value, pl.Int8)


def carried_states(carried: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
    """States open when the day began, as items."""
    reset, _ = kind.counters
    return carried.select(
        *kind.carried_on,
        _at="last_sign_of_life",
        _start="unixTimeMS_state_start",
        _kind=number(CARRIED),
        _base_ms=pl.when(pl.col(reset) == 0)
        .then(_ms("uptime_since_restart_S") - _ms("uptime_in_state_S"))
        .otherwise(pl.lit(0, pl.Int64)),
    )


def _ms(seconds: str) -> pl.Expr:
    return (pl.col(seconds) * 1000).round().cast(pl.Int64)


def life_signs(runs: pl.LazyFrame, shown: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
    """Instants at which something other than an event shows that it is up.

    Args:
        runs: Entity, `_began` and `_over` of job runs on it.
        shown: Entity and `SHOWN` of the day's captures.
        kind: Which.
    """
    entity = kind.entity
    return (
        pl.concat(
            [
                runs.select(entity, _at="_began"),
                runs.select(entity, _at="_over").drop_nulls(),
                shown.filter(pl.col("_is_up").fill_null(value=False)).select(
                    entity, _at="_captured_ms"
                ),
            ]
        )
        .unique()
        .with_columns(_kind=number(SIGN))
    )


def spans(items: list[pl.LazyFrame], automated: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
    """Items in the order of time, with the number of the state that they lie in.

    Args:
        items: Of all kinds.
        automated: Entity and `is_automated`: made for a job's run.
        kind: Which.
    """
    entity = kind.entity
    ranks = {name: 2 + place for place, name in enumerate(kind.switched_off)}
    ranks |= dict.fromkeys(kind.switched_on, 0)
    rank = pl.col("state").replace_strict(ranks, default=1, return_dtype=pl.Int8)
    return (
        pl.concat(items, how="diagonal_relaxed")
        .sort(entity, "_at", "_kind", rank, "state")
        .with_columns(_span=(pl.col("_kind") != SIGN).cum_sum().over(entity))
        .filter(pl.col("_span") > 0)
        .join(automated, on=entity, how="left", maintain_order="left")
        .with_columns(
            _stopped_ms=pl.when(pl.col("is_automated").fill_null(value=False))
            .then(pl.lit(kind.stopped_automated_ms, pl.Int64))
            .otherwise(pl.lit(kind.stopped_ms, pl.Int64))
        )
        .with_row_index("_row")
    )


def silences(
    spans: pl.LazyFrame, runs: pl.LazyFrame, shown: pl.LazyFrame, window: Window, kind: ComputeKind
) -> pl.LazyFrame:
    """Items with the first silence of their state that means, if it is up, that it had ended.

    `_silent_from` is the last sign before the silence, `_silent_ms` the instant that revealed it.
    """
    entity, in_span = kind.entity, [kind.entity, "_span"]
    newest = shown.select(pl.col("_captured_ms").max())
    is_up = pl.col("_is_up").fill_null(value=True)
    seen = shown.filter(is_up, pl.col("_captured_ms") == pl.col("_captured_ms").max())
    next_at = pl.col("_at").shift(-1).over(entity).fill_null(window.until_ms)
    graced = spans.with_columns(_next_at=next_at, _due=pl.col("_at") + kind.grace_ms)
    waiting = graced.filter("is_automated", pl.col("_due") < pl.col("_next_at"))
    goes_on = pl.col("_over").is_null() | (pl.col("_over") > pl.col("_due"))
    busy = (
        waiting.join(runs, on=entity)
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
        pl.col("_at") + kind.silent_ms,
    )
    # A run that was open kept the grace from running out on an earlier day.
    within = pl.max_horizontal(revealed, pl.lit(window.since_ms))
    is_silence = within < pl.col("_next_at")
    return (
        graced.join(busy, on="_row", how="left", maintain_order="left")
        .join(
            seen.select(entity, _is_shown=pl.lit(value=True)),
            on=entity,
            how="left",
            maintain_order="left",
        )
        .join(newest, how="cross", maintain_order="left")
        .with_columns(_silent_ms=pl.when(is_silence).then(within))
        .with_columns(
            _silent_from=pl.col("_at")
            .filter(pl.col("_silent_ms").is_not_null())
            .first()
            .over(in_span),
            _silent_ms=pl.col("_silent_ms").drop_nulls().first().over(in_span),
            _last_sign=pl.col("_at").max().over(in_span),
        )
    )


def before(name: str, kind: ComputeKind) -> pl.Expr:
    """A column of the state before."""
    return pl.col(name).shift(1).over(kind.entity)


def with_power(states: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
    """States with `isRunning`: what a switch said last, or where there was none, an anchor.

    `_memory` numbers the stretches in which it is known what was before.
    """
    state = pl.col("state")
    is_anchor = state.is_in(kind.anchors)
    was_carried = before("_kind", kind) == CARRIED
    had_stopped = ~before("isRunning", kind) & (
        before("_start", kind) + before("_stopped_ms", kind) < pl.col("_at")
    )
    is_forgotten = (before("_kind", kind) == DELETION) | (was_carried & had_stopped)
    has_ended = was_carried & (before("state", kind) == TERMINATING_IMPUTED)
    has_no_past = before("_kind", kind).is_null() | is_forgotten | has_ended
    was_silent = before("_silent_ms", kind).is_not_null()
    known = (
        pl.when(pl.col("_kind") == CARRIED)
        .then("isRunning")
        .when(state.is_in(kind.switched_on))
        .then(pl.lit(value=True))
        .when(state.is_in([*kind.switched_off, PERMENANT_DELETE]))
        .then(pl.lit(value=False))
        .when(has_no_past)
        .then(is_anchor)
        .when(was_silent & ~is_anchor)
        .then(pl.lit(value=False))
    )
    return states.with_columns(
        _known=known, _memory=is_forgotten.fill_null(value=False).cum_sum().over(kind.entity)
    ).with_columns(isRunning=pl.col("_known").forward_fill().over(kind.entity))


def with_imputed(states: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
    """States and those that no event opened, in order; `_revealed_ms`: what made them known."""
    current, target, told_last = kind.sizes
    in_span = [kind.entity, "_span"]
    stopped = {
        "isRunning": pl.lit(value=False),
        current: pl.lit(0, pl.Int64),
        target: pl.lit(0, pl.Int64),
    }
    last_sign = pl.max_horizontal(pl.col("_start") + 1, "_silent_from")
    silenced = states.filter("isRunning", pl.col("_silent_ms").is_not_null()).select(
        *in_span,
        told_last,
        "_last_sign",
        "_stopped_ms",
        **stopped,
        state=pl.lit(TERMINATING_IMPUTED),
        _start=last_sign,
        _revealed_ms="_silent_ms",
        _place=number(1),
    )
    is_start = pl.col("state").is_in(kind.switched_on) & (pl.col("_kind") == EVENT)
    was_up = before("isRunning", kind) & before("_silent_ms", kind).is_null()
    sign_before = pl.max_horizontal(before("_start", kind) + 1, before("_last_sign", kind))
    restarted = states.select(
        kind.entity,
        "_stopped_ms",
        before(told_last, kind),
        **stopped,
        state=pl.lit(kind.stopped),
        _last_sign=before("_last_sign", kind),
        _start=pl.min_horizontal("_at", sign_before),
        _revealed_ms="_at",
        _span=pl.col("_span") - 1,
        _place=number(2),
        _is_restart=is_start & was_up,
    ).filter("_is_restart")
    revealed = pl.when(pl.col("_kind") != CARRIED).then("_at")
    told = states.with_columns(_revealed_ms=revealed, _place=number(0))
    return pl.concat([told, silenced, restarted], how="diagonal_relaxed").sort(*in_span, "_place")


def ended(rows: pl.LazyFrame, window: Window, kind: ComputeKind) -> pl.LazyFrame:
    """Rows with their ends and what decided them."""
    is_mark = pl.col("state") == PERMENANT_DELETE
    next_start, next_revealed, next_place = (
        pl.col(name).shift(-1).over(kind.entity) for name in ("_start", "_revealed_ms", "_place")
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
    was_last = (is_mark | is_forgotten).shift(1, fill_value=False).over(kind.entity)
    return rows.with_columns(
        decided_ms.alias(DECIDED_MS),
        unixTimeMS_state_end=end_ms,
        is_open=~is_mark & ~is_forgotten & ~is_followed,
        end_imputed=~is_mark & (is_forgotten | (next_place.fill_null(0) > 0)),
        _life=was_last.cum_sum().over(kind.entity),
    )


def derived(rows: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
    """Rows with what follows from states, starts and ends."""
    in_life = [kind.entity, "_life"]
    counter, partition = kind.counters
    is_carried = pl.col("_kind").eq_missing(CARRIED)
    state_before = pl.col("state").shift(1).over(in_life)
    is_reset = ~pl.col("isRunning") | state_before.is_in(kind.resetting).fill_null(value=False)
    reset = pl.when(is_carried).then(counter).otherwise(is_reset.cast(pl.Int32))
    resets = pl.when(is_carried).then(partition).otherwise(counter)
    place = pl.int_range(pl.len()).over(kind.entity, "_start")
    uptime_ms = (pl.col("unixTimeMS_state_end") - pl.col("_start")).clip(lower_bound=0)
    since_ms = (pl.col("_uptime_ms") + pl.col("_base_ms").fill_null(0)).cum_sum()
    is_from_zero = pl.col(counter) == 1
    # An open row ends with the day; that midnight belongs to the next.
    last_ms = pl.max_horizontal(
        "_start", pl.col("unixTimeMS_state_end") - pl.col("is_open").cast(pl.Int64)
    )
    dates = pl.date_ranges("state_start_date", date_of(last_ms))
    return (
        rows.with_columns(
            reset.alias(counter),
            seq=pl.when(is_carried).then("seq").otherwise(place),
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
            resets.cast(pl.Int64).cum_sum().over(in_life).alias(partition), state_dates=dates
        )
        .with_columns(
            days_in_state=pl.col("state_dates").list.len().cast(pl.Int32),
            uptime_since_restart_S=pl.when(is_from_zero)
            .then(0.0)
            .otherwise(quotient(since_ms.over(*in_life, partition), 1_000)),
        )
    )


def billed(rows: pl.LazyFrame, billable_states: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
    """Rows with what is billed; a state keeps what held when it opened."""
    key = pl.lit(f"{kind.resource} ") + pl.col("state")
    is_billed = pl.col("isRunning") & pl.col("_is_dbu_billable").fill_null(value=True)
    is_carried = pl.col("_kind").eq_missing(CARRIED)
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


def state_rules(kind: ComputeKind, events: str, event_type: str) -> tuple[Rule, ...]:
    """What the states of a day keep: all of the time, and all of the events.

    Args:
        kind: Of what.
        events: Table of the events that they are made of.
        event_type: Its column that names the state.
    """

    def state_time(rows: pl.LazyFrame) -> pl.LazyFrame:
        return _state_time(rows, kind)

    def events_kept(
        rows: pl.LazyFrame, not_stored: pl.LazyFrame, made_from: pl.LazyFrame
    ) -> pl.LazyFrame:
        return _events_kept(rows, not_stored, made_from.rename({event_type: "state"}), kind)

    return (
        Rule(
            name=f"state_time_is_{kind.resource}_time",
            doc=f"the states of a {kind.resource} add up to its time, without gap or overlap",
            compared=state_time,
            by=(kind.entity,),
            remedy=remedy(events),
        ),
        Rule(
            name="events_open_states",
            doc=f"each event of a {kind.resource} opens a state, or comes after its deletion and "
            "is counted",
            compared=events_kept,
            by=(kind.entity,),
            remedy=remedy(events),
            made_from=events,
        ),
    )


def _state_time(rows: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
    """Entities with their time from the first state to the last, and that of their states.

    States stand in a row without gap or overlap; only what does not run may be followed by a gap.
    """
    whole_ms = f"{kind.resource}_ms"
    whole = (
        pl.col("_stop_ms").last()
        - pl.col("_start_ms").first()
        - pl.col("_gap_ms").filter(pl.col("_gap_ms") > 0, "_follows").sum()
    )
    start = pl.col("unixTimeMS_state_start")
    stop = stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open"))
    gap = pl.col("_start_ms") - pl.col("_stop_ms").shift(1)
    was_running = pl.col("isRunning").shift(1)
    is_allowed = (gap == 0) | ((gap > 0) & ~was_running)
    return (
        rows.select(
            kind.entity,
            "isRunning",
            _start_ms=start,
            _stop_ms=pl.max_horizontal(start, stop),
            _seq="seq",
        )
        .sort(kind.entity, "_start_ms", "_seq")
        .with_columns(
            _gap_ms=gap.fill_null(0).over(kind.entity),
            _follows=is_allowed.fill_null(value=True).over(kind.entity),
        )
        .group_by(kind.entity)
        .agg(
            whole.alias(whole_ms),
            states_ms=(pl.col("_stop_ms") - pl.col("_start_ms")).sum(),
            follow_each_other=pl.col("_follows").all(),
        )
        .with_columns(
            (pl.col("follow_each_other") & (pl.col(whole_ms) == pl.col("states_ms"))).alias(HOLDS)
        )
    )


def _events_kept(
    rows: pl.LazyFrame, not_stored: pl.LazyFrame, events: pl.LazyFrame, kind: ComputeKind
) -> pl.LazyFrame:
    """Entities with the day's events, and what became of them: a state, or a count."""
    event = [kind.entity, "timestamp", "state"]
    told = events.select(event).group_by(event).agg(events=pl.len().cast(pl.Int64))
    states = rows.group_by(event).agg(_states=pl.len().cast(pl.Int64))
    opened = pl.min_horizontal("events", pl.col("_states").fill_null(0))
    ignored = not_stored.group_by(kind.entity).agg(events_ignored=pl.len().cast(pl.Int64))
    return (
        told.join(states, on=event, how="left")
        .group_by(kind.entity)
        .agg(pl.col("events").sum(), states_opened=opened.sum())
        .join(ignored, on=kind.entity, how="left")
        .with_columns(pl.col("events_ignored").fill_null(0))
        .with_columns(
            (pl.col("events") == pl.col("states_opened") + pl.col("events_ignored")).alias(HOLDS)
        )
    )
