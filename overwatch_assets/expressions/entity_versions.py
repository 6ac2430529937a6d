"""Versions of an entity out of requests and captures: their order, and what captures add.

Rows come from four places: the version that was carried, requests, captures of the day, and the
closing capture. A capture is a version where nothing was known before, or where it tells what the
version before lacks.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from overwatch_assets.module import Window

IMPUTED = "snapImpute"
"""Action of a version that a capture told of."""

SEQ = "seq"

FROM = "_from"
"""Working column: where a row comes from."""

CARRIED, CLOSING, TOLD, SHOWN = "carried", "closing", "told", "shown"

RANK = "_rank"
"""Working column: what comes first of rows of one millisecond."""

IS_DELETION = "_is_deletion"
IS_MEND = "_is_mend"
"""Working column: a capture that only adds what the version before lacks."""

_BEFORE_ALL, _AFTER_ALL = -1, 99


def sightings(captures: pl.LazyFrame, *, window: Window, born_ms: pl.Expr) -> pl.LazyFrame:
    """Captures as versions that they may become.

    Those of the day at their instant. On the workspace's first day the closing ones count from the
    day's start on, but for entities that were made later: they are older than what is told.

    Args:
        captures: Of the day and closing (`is_closing`, `is_first_day`), at `captured_at_ms`.
        window: The day.
        born_ms: When the entity was made, epoch ms; null: unknown.
    """
    is_older = (born_ms < window.since_ms).fill_null(value=True)
    is_closing = pl.col("is_closing")
    return captures.filter(~is_closing | (pl.col("is_first_day") & is_older)).with_columns(
        pl.when(is_closing)
        .then(pl.lit(window.since_ms, pl.Int64))
        .otherwise("captured_at_ms")
        .alias("timestamp"),
        pl.when(is_closing).then(pl.lit(CLOSING)).otherwise(pl.lit(SHOWN)).alias(FROM),
        pl.when(is_closing)
        .then(pl.lit(_BEFORE_ALL, pl.Int32))
        .otherwise(pl.lit(_AFTER_ALL, pl.Int32))
        .alias(RANK),
        pl.lit(IMPUTED).alias("actionName"),
        pl.lit(value=False).alias(IS_DELETION),
    )


def concerned(
    carried: pl.LazyFrame, told: pl.LazyFrame, captures: pl.LazyFrame, entity: str
) -> pl.LazyFrame:
    """Versions of the day before that the day may go on from: few of all that are known."""
    of_day = captures.filter(~pl.col("is_closing"))
    named = pl.concat([told.select(entity), of_day.select(entity)]).unique()
    return carried.join(named, on=entity, how="semi")


def rank_of(action: pl.Expr, ranks: Mapping[str, int]) -> pl.Expr:
    """What comes first of several requests of one millisecond."""
    return action.replace_strict(ranks, default=None, return_dtype=pl.Int32)


def in_order(rows: pl.LazyFrame, entity: str) -> pl.LazyFrame:
    """Rows of each entity as they follow each other, whatever order they came in."""
    return rows.sort(entity, "timestamp", RANK, "requestId", "hashKey", nulls_last=False)


def without_idle_captures(
    rows: pl.LazyFrame,
    entity: str,
    *,
    lacking: Mapping[str, pl.Expr],
    creations: Sequence[str] = ("create",),
) -> pl.LazyFrame:
    """Ordered rows without the captures that tell nothing new.

    A capture that comes after a row of its day fills that row, so it mends only what was carried.
    What is created on the day was not there when the day began.

    Args:
        rows: In order.
        entity: Column that names the entity.
        lacking: Column -> whether the row misses it, of those that a capture may fill.
        creations: Actions that make an entity.
    """
    is_shown = pl.col(FROM) == SHOWN
    is_new = pl.col(FROM).shift().over(entity).is_null()
    is_past = pl.col(FROM).shift().over(entity) == CARRIED
    is_made = pl.col("actionName").is_in(creations).any().over(entity)
    is_unborn = (pl.col(FROM) == CLOSING) & is_made
    is_gone = pl.col(IS_DELETION).shift().over(entity)
    tells_more = pl.any_horizontal(
        misses.shift().over(entity) & pl.col(name).is_not_null() for name, misses in lacking.items()
    )
    mends = is_shown & is_past & ~is_gone & tells_more
    return rows.with_columns(
        mends.fill_null(value=False).alias(IS_MEND),
        (~is_shown | is_new | mends).fill_null(value=False).alias("_is_kept"),
    ).filter("_is_kept", ~is_unborn)


def life_number(entity: str) -> pl.Expr:
    """Number of an entity's life: what comes after its deletion starts anew. Rows in order."""
    deletions = pl.col(IS_DELETION).cast(pl.Int32)
    return deletions.shift(1, fill_value=0).cum_sum().over(entity)


def position(entity: str) -> pl.Expr:
    """Position among the versions of an entity of one millisecond. Rows in order."""
    return pl.int_range(pl.len(), dtype=pl.Int64).over(entity, "timestamp").alias(SEQ)


def captured(captures: pl.LazyFrame, entity: str, columns: Sequence[str]) -> pl.LazyFrame:
    """Per entity what the day's capture and the closing one say: `_of_day` and `_closing`."""
    columns = [*columns, "captured_at_ms"]

    def of(rows: pl.Expr, end: str) -> pl.LazyFrame:
        return captures.filter(rows).select(entity, *(pl.col(c).alias(c + end) for c in columns))

    is_closing = pl.col("is_closing")
    return of(~is_closing, "_of_day").join(
        of(is_closing, "_closing"), on=entity, how="full", coalesce=True
    )


def held_before(
    carried: pl.LazyFrame, columns: Sequence[str], is_deletion: pl.Expr
) -> pl.LazyFrame:
    """Versions of the day before as rows that the day's own follow.

    Args:
        carried: The latest version of each entity.
        columns: What of them is looked at.
        is_deletion: Whether one is the entity's deletion.
    """
    return carried.select(
        *columns,
        pl.lit(CARRIED).alias(FROM),
        pl.lit(0, pl.Int32).alias(RANK),
        is_deletion.alias(IS_DELETION),
        pl.lit(None, pl.Int64).alias("hashKey"),
    )


def settled(
    held: pl.LazyFrame,
    told: pl.LazyFrame,
    captures: pl.LazyFrame,
    settings: Sequence[str],
    *,
    entity: str,
    window: Window,
    creations: Sequence[str] = ("create",),
    passed_on: Sequence[str] = (),
) -> pl.LazyFrame:
    """The day's versions in order, each with all that holds from it on.

    What a version does not tell is as before it in the entity's life, else as the captures say.

    Args:
        held: Versions of the day before, as `held_before` gives them.
        told: Requests of the day that were carried out; those without an entity are left out.
        captures: Of the day and closing.
        settings: Columns that requests and captures tell.
        entity: Column that names the entity.
        window: The day.
        creations: Actions that make an entity.
        passed_on: Further columns that hold until the entity's life ends.
    """
    unborn = pl.lit(None, pl.Int64)
    rows = pl.concat(
        [
            held,
            told.filter(pl.col(entity).is_not_null()),
            sightings(captures, window=window, born_ms=unborn),
        ],
        how="diagonal",
    )
    lacking = {name: pl.col(name).is_null() for name in settings}
    versions = without_idle_captures(
        in_order(rows, entity), entity, lacking=lacking, creations=creations
    ).with_columns(life_number(entity).alias("_life"))
    return (
        versions.with_columns(_held_or_told(name, entity) for name in settings)
        .with_columns(pl.col(*settings, *passed_on).forward_fill().over(entity, "_life"))
        .join(captured(captures, entity, settings), on=entity, how="left")
        .with_columns(
            pl.coalesce(name, f"{name}_of_day", f"{name}_closing").alias(name) for name in settings
        )
        .sort(entity, "_life", "timestamp", RANK, "requestId", nulls_last=False)
        .with_columns(position(entity))
        .filter(pl.col(FROM) != CARRIED)
    )


def _held_or_told(name: str, entity: str) -> pl.Expr:
    """A capture that mends adds what was missing and changes nothing."""
    own = pl.col(name)
    return pl.when(IS_MEND).then(pl.coalesce(own.shift().over(entity), own)).otherwise(own)
