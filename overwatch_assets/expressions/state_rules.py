"""What the states of a day keep: all of the time, and all of the events."""

import polars as pl

from overwatch_assets.expressions.compute_kinds import ComputeKind
from overwatch_assets.expressions.durations import stop_ms
from overwatch_assets.expressions.rules import remedy
from overwatch_assets.module import HOLDS, Rule


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
