"""Pairs the starts and ends of what runs in a Spark context, a day at a time.

Frames have these columns besides a table's own:

- `startTimestamp`, `_end_ms`: epoch ms of start and end, null where unknown.
- `_repeated_start_ms`: the start as an end event repeats it; null where it doesn't.
- `startFilenameGroup`, `endFilenameGroup`: the log file of either event.
- `_left_out`: why an event is only counted; null where it counts.

A context is described by its row in `spark_applications_silver` of the same day. The key of an
entity begins with its context; keys are compared null-safe, since old logs lack attempts.
"""

from collections.abc import Callable, Sequence

import polars as pl

from overwatch_assets.module import DECIDED_MS, LEFT_OUT

AFTER_APPLICATION_END = "after_application_end"
REPEATED_END = "repeated_end"
EVENT = "event"
START_MISSING = "start_missing"

Key = tuple[str, ...]
Events = Callable[[pl.LazyFrame, pl.LazyFrame], pl.LazyFrame]
"""From the day's events and contexts to events of one kind."""


def contexts_of(spark_applications_silver: pl.LazyFrame) -> pl.LazyFrame:
    """What intervals need of the day's contexts, one row each."""
    return spark_applications_silver.select(
        "SparkContextID",
        "clusterId",
        _context_closed_ms="closedMS",
        _context_end_ms="endMS",
        _context_end_reason="end_reason",
    )


def events_in(contexts: pl.LazyFrame, events: pl.LazyFrame) -> pl.LazyFrame:
    """Events with the cluster of their context, left out where the context had closed.

    An event counts when its context has a row that day and had not closed before it.
    """
    closed_ms = pl.col("_context_closed_ms")
    counts = pl.col("_is_known") & (closed_ms.is_null() | (pl.col("eventTimeMS") < closed_ms))
    known = contexts.select(
        "SparkContextID", "clusterId", "_context_closed_ms", _is_known=pl.lit(value=True)
    )
    joined = events.drop("clusterId").join(
        known, on="SparkContextID", how="left", maintain_order="left"
    )
    return joined.with_columns(
        pl.when(counts).then(None).otherwise(pl.lit(AFTER_APPLICATION_END)).alias(LEFT_OUT)
    )


def counted(events: pl.LazyFrame) -> pl.LazyFrame:
    """Events that count, without the reason why others don't."""
    return events.filter(pl.col(LEFT_OUT).is_null()).drop(LEFT_OUT)


def left_out(events: pl.LazyFrame, key: Key) -> pl.LazyFrame:
    """Key and reason of the events that are only counted."""
    return events.filter(pl.col(LEFT_OUT).is_not_null()).select(*key, LEFT_OUT)


def unmatched_in_day(starts: Events, ends: Events, key: Key) -> Callable[..., pl.LazyFrame]:
    """What asks for keys of the day's ends whose start neither it nor the day before has.

    Args:
        starts: From the day's events and contexts to starts.
        ends: The same to ends.
        key: Key of the entity.
    """

    def wanted(
        spark_events_bronze: pl.LazyFrame,
        spark_applications_silver: pl.LazyFrame,
        carried: pl.LazyFrame,
    ) -> pl.LazyFrame:
        contexts = contexts_of(spark_applications_silver)
        started = starts(spark_events_bronze, contexts)
        return unmatched_ends(started, ends(spark_events_bronze, contexts), carried, key)

    return wanted


def unmatched_ends(
    starts: pl.LazyFrame, ends: pl.LazyFrame, carried: pl.LazyFrame, key: Key
) -> pl.LazyFrame:
    """Keys of ends that count and whose start neither the day nor the day before has."""
    started = pl.concat([counted(starts).select(key), carried.select(key)])
    orphans = counted(ends).select(key)
    return orphans.join(started, on=list(key), how="anti", nulls_equal=True).unique()


def opened(starts: pl.LazyFrame, carried: pl.LazyFrame, key: Key) -> pl.LazyFrame:
    """One row per key: carried from the day before, else the day's earliest start.

    Args:
        starts: Starts that count.
        carried: Rows open at the end of the day before, with the columns of `starts`.
        key: Key of the entity.
    """
    once, several = _ranked(starts, key, ["startTimestamp"])
    first = pl.concat([once, several.filter(~pl.col("_is_later"))]).drop("_is_later")
    new = first.join(carried.select(key), on=list(key), how="anti", nulls_equal=True)
    return pl.concat([carried, new], how="diagonal")


def first_ends(
    ends: pl.LazyFrame, closed_before: pl.LazyFrame, key: Key, ties: Sequence[pl.Expr] = ()
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The earliest end of each key that had not closed before, and the other ends, left out.

    Args:
        ends: Ends that count.
        closed_before: Closed rows of earlier days with the key of an end without start.
        key: Key of the entity.
        ties: Order of ends at the same time, before that of their content.
    """
    past = closed_before.select(*key, _is_past=pl.lit(value=True))
    once, several = _ranked(
        pl.concat([ends, past], how="diagonal"), key, [pl.col("_is_past"), "_end_ms", *ties]
    )
    is_end = pl.col("_is_past").is_null()
    is_later = pl.col("_is_later")
    first = pl.concat([once.filter(is_end), several.filter(is_end & ~is_later)])
    repeated = several.filter(is_end & is_later)
    return (
        first.drop("_is_past", "_is_later"),
        repeated.select(*key, pl.lit(REPEATED_END).alias(LEFT_OUT)),
    )


def closed_by_end(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows whose end an event tells, decided by that event."""
    has_start = pl.col("startTimestamp").is_not_null()
    return rows.with_columns(
        pl.col("_end_ms").alias(DECIDED_MS),
        end_imputed=pl.lit(value=False),
        end_reason=pl.when(has_start).then(pl.lit(EVENT)).otherwise(pl.lit(START_MISSING)),
        is_open=pl.lit(value=False),
    )


def without_end(rows: pl.LazyFrame, contexts: pl.LazyFrame) -> pl.LazyFrame:
    """Rows whose end no event tells: closed with their context, else still open."""
    is_closed = pl.col("_context_closed_ms").is_not_null()
    end_ms = pl.max_horizontal("startTimestamp", "_context_end_ms")
    return (
        rows.join(contexts, on="SparkContextID", how="left", maintain_order="left")
        .with_columns(
            pl.col("_context_closed_ms").alias(DECIDED_MS),
            _end_ms=pl.when(is_closed).then(end_ms),
            end_imputed=is_closed,
            end_reason=pl.when(is_closed).then("_context_end_reason"),
            is_open=~is_closed,
        )
        .drop("_context_closed_ms", "_context_end_ms", "_context_end_reason")
    )


def pair(
    starts: pl.LazyFrame,
    ends: pl.LazyFrame,
    *,
    carried: pl.LazyFrame,
    closed_before: pl.LazyFrame,
    contexts: pl.LazyFrame,
    key: Key,
) -> pl.LazyFrame:
    """One row per entity that was open, started or ended on the day, and per event left out.

    Args:
        starts: The day's starts: key, `startTimestamp`, what the start tells, `_left_out`.
        ends: The day's ends: key, `_end_ms`, `_repeated_start_ms`, `clusterId`, what the end
            tells, `_left_out`.
        carried: Rows open at the end of the day before, with the columns of `starts`
            but `_left_out`.
        closed_before: Closed rows of earlier days with the key of an end without start.
        contexts: As `contexts_of` gives them.
        key: Key of the entity.

    Returns:
        Columns of both sides, null where a side is missing, with `end_imputed`, `end_reason`,
        `is_open` and the deciding instant.
    """
    known = opened(counted(starts), carried, key)
    told, repeated = first_ends(counted(ends), closed_before, key)
    matched = told.join(known, on=list(key), how="left", nulls_equal=True, maintain_order="left")
    ended = closed_by_end(
        matched.with_columns(startTimestamp=pl.coalesce("startTimestamp", "_repeated_start_ms"))
    )
    unended = without_end(
        known.join(counted(ends).select(key), on=list(key), how="anti", nulls_equal=True),
        contexts,
    )
    ignored = [left_out(starts, key), left_out(ends, key), repeated]
    return pl.concat([ended, unended, *ignored], how="diagonal")


def _ranked(
    rows: pl.LazyFrame, key: Key, order: Sequence[pl.Expr | str]
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Rows whose key is alone, and the others; `_is_later`: not the first of its key.

    Of equal rank is decided by content. Only repeated keys are sorted: there are next to none
    among a day's millions.
    """
    marked = rows.with_columns(_repeats=pl.struct(key).is_duplicated())
    content = pl.struct(pl.exclude(*key)).struct.json_encode()
    several = (
        marked.filter("_repeats")
        .drop("_repeats")
        .sort(*order, content, nulls_last=True)
        .with_columns(_is_later=pl.int_range(pl.len()).over(key) > 0)
    )
    once = marked.filter(~pl.col("_repeats")).drop("_repeats")
    return once.with_columns(_is_later=pl.lit(value=False)), several
