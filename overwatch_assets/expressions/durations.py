"""Instants and durations of intervals, from epoch milliseconds."""

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient

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


def date_of(epoch_ms: pl.Expr) -> pl.Expr:
    """Calendar day in UTC; null stays null."""
    return timestamp_of(epoch_ms).dt.date()


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
        runTimeH=quotient(milliseconds, 3_600_000),
    )


def alive_time(added_ms: pl.Expr, removed_ms: pl.Expr) -> pl.Expr:
    """`ALIVE_TIME` between two epochs in milliseconds."""
    names = [field.name for field in ALIVE_TIME.fields]
    return run_time(added_ms, removed_ms).struct.rename_fields(names)
