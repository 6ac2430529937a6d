"""Instants and durations of intervals, from epoch milliseconds."""

from datetime import timedelta

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

RUN_TIME = pl.Struct(
    {
        "startEpochMS": pl.Int64,
        "startTS": pl.Datetime("us", "UTC"),
        "endEpochMS": pl.Int64,
        "endTS": pl.Datetime("us", "UTC"),
        "runTimeMS": pl.Int64,
        "runTimeS": pl.Float64,
        "runTimeM": pl.Float64,
        "runTimeH": pl.Float64,
    }
)
"""Start, end and the time between them; whatever needs the end is null while there is none."""

ALIVE_TIME = pl.Struct(
    {
        "AddedEpochMS": pl.Int64,
        "AddedTS": pl.Datetime("us", "UTC"),
        "RemovedEpochMS": pl.Int64,
        "RemovedTS": pl.Datetime("us", "UTC"),
        "uptimeMS": pl.Int64,
        "uptimeS": pl.Float64,
        "uptimeM": pl.Float64,
        "uptimeH": pl.Float64,
    }
)
"""`RUN_TIME` in the words used for executors."""


def timestamp_of(epoch_ms: pl.Expr) -> pl.Expr:
    """Instant in UTC, exact to the millisecond; null stays null."""
    return pl.from_epoch(epoch_ms, "ms").dt.cast_time_unit("us").dt.replace_time_zone("UTC")


def date_of(epoch_ms: pl.Expr, zone: str = "UTC") -> pl.Expr:
    """Calendar day in a time zone; null stays null."""
    return timestamp_of(epoch_ms).dt.convert_time_zone(zone).dt.date()


def midnight_ms(day: pl.Expr, zone: str = "UTC") -> pl.Expr:
    """First instant of a calendar day in a time zone, epoch ms.

    Where clocks are put forward at midnight, the day begins an hour later by the clock.
    """
    clock = day.cast(pl.Datetime("ms"))
    first, later = (
        (clock + shift).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        for shift in (timedelta(), timedelta(hours=1))
    )
    return pl.coalesce(first, later).dt.epoch("ms")


def stop_ms(end_ms: pl.Expr, is_open: pl.Expr) -> pl.Expr:
    """Instant up to which a state lasts: the start of the next, 1 ms after the end that is stored.

    An open one ends, for now, at its end.
    """
    return end_ms + 1 - is_open.cast(pl.Int64)


def run_time(start_ms: pl.Expr, end_ms: pl.Expr) -> pl.Expr:
    """`RUN_TIME` between two epochs in milliseconds; an unknown one leaves its fields null.

    The end may lie before the start: an event log is stored as it was written.
    """
    milliseconds = end_ms - start_ms
    return pl.struct(
        startEpochMS=start_ms,
        startTS=timestamp_of(start_ms),
        endEpochMS=end_ms,
        endTS=timestamp_of(end_ms),
        runTimeMS=milliseconds,
        runTimeS=quotient(milliseconds, 1_000),
        runTimeM=quotient(milliseconds, 60_000),
        runTimeH=quotient(milliseconds, HOUR_MS),
    )


def alive_time(added_ms: pl.Expr, removed_ms: pl.Expr) -> pl.Expr:
    """`ALIVE_TIME` between two epochs in milliseconds."""
    names = [field.name for field in ALIVE_TIME.fields]
    return run_time(added_ms, removed_ms).struct.rename_fields(names)
