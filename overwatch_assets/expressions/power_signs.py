"""What tells that something is up: items of `compute_kinds`, in order, and silences among them."""

import polars as pl

from overwatch_assets.expressions.compute_kinds import (
    CARRIED,
    DELETION,
    PERMENANT_DELETE,
    SIGN,
    ComputeKind,
    number,
)
from overwatch_assets.module import Window


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


def deletions(
    versions: pl.LazyFrame, is_deletion: pl.Expr, window: Window, kind: ComputeKind
) -> pl.LazyFrame:
    """The first deletion on the day of each entity that had not been deleted, as items."""
    was_deletion = is_deletion.shift(1, fill_value=False).over(
        kind.entity, order_by=["timestamp", "seq"]
    )
    of_day = window.contains_ms(pl.col("timestamp")) & ~pl.col("is_open")
    return (
        versions.filter(is_deletion & ~was_deletion)
        .filter(of_day)
        .select(
            kind.entity,
            state=pl.lit(PERMENANT_DELETE),
            _at="timestamp",
            _start=pl.col("timestamp") + 1,
            _kind=number(DELETION),
        )
    )


def runs_on(jobrun_silver: pl.LazyFrame, is_on: pl.Expr, kind: ComputeKind) -> pl.LazyFrame:
    """Job runs that began on compute of the kind: `_began`, and `_over` where they ended."""
    time = pl.col("TaskRunTime").struct
    return (
        jobrun_silver.filter(pl.col("row_kind") == "run", is_on)
        .select(
            pl.col("clusterId").alias(kind.entity),
            _began=time.field("startEpochMS"),
            _over=time.field("endEpochMS"),
        )
        .drop_nulls([kind.entity, "_began"])
    )


def life_signs(runs: pl.LazyFrame, shown: pl.LazyFrame, kind: ComputeKind) -> pl.LazyFrame:
    """Instants at which something other than an event shows that it is up.

    Args:
        runs: Entity, `_began` and `_over` of job runs on it.
        shown: Entity, `_captured_ms` and `_is_up` of the day's captures; null: not to be told.
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
