"""States of clusters and SQL warehouses, from one event to the next: items become a day's rows."""

from collections.abc import Callable

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.compute_kinds import (
    CARRIED,
    DELETION,
    EVENT,
    PERMENANT_DELETE,
    SIGN,
    TERMINATING_IMPUTED,
    ComputeKind,
    before,
    number,
)
from overwatch_assets.expressions.durations import HOUR_MS, date_of, timestamp_of
from overwatch_assets.expressions.price_lookup import with_valid
from overwatch_assets.module import DECIDED_MS, Window


def state_rows(
    items: pl.LazyFrame,
    billable_states: pl.LazyFrame,
    window: Window,
    kind: ComputeKind,
    *,
    sized: Callable[[pl.LazyFrame], pl.LazyFrame],
) -> pl.LazyFrame:
    """Rows of the day, open and closed, with what decided each.

    Args:
        items: In order, with the silences among them.
        billable_states: States in which Databricks bills DBUs or not, and when.
        window: The day.
        kind: Of what.
        sized: From states, of which is known whether they run, to states with their sizes.
    """
    states = sized(_with_power(items.filter(pl.col("_kind") != SIGN), kind))
    rows = _derived(_ended(_with_imputed(states, kind), window, kind), kind)
    return _billed(rows, billable_states, kind)


def _with_power(states: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
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


def _with_imputed(states: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
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


def _ended(rows: pl.LazyFrame, window: Window, kind: ComputeKind) -> pl.LazyFrame:
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


def _derived(rows: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
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


def _billed(rows: pl.LazyFrame, billable_states: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
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
