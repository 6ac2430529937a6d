"""Which version of an entity held at an instant: the last one before it, else the first one since.

A version of the very instant counts as one since.
"""

from collections.abc import Sequence
from typing import Literal

import polars as pl


def version_at(rows: pl.LazyFrame, versions: pl.LazyFrame, *, entity: str, at: str) -> pl.LazyFrame:
    """What a version says of each row's entity at its instant.

    Args:
        rows: Their key, the entity and the instant in epoch ms.
        versions: The entity, `timestamp`, `seq` within it, and what is asked for.
        entity: Column of both.
        at: Column of the instant.

    Returns:
        The rows that have a version, without entity and instant, with what it says.
    """
    asked = rows.drop_nulls([entity, at]).sort(at)
    told = versions.drop_nulls(entity).sort("timestamp", "seq").drop("seq")
    wanted = [name for name in told.collect_schema() if name not in {entity, "timestamp"}]
    found = asked
    sides: tuple[tuple[Literal["backward", "forward"], str], ...] = (
        ("backward", "_before"),
        ("forward", "_since"),
    )
    for strategy, end in sides:
        found = found.join_asof(
            told.rename({name: f"{name}{end}" for name in wanted}),
            left_on=at,
            right_on="timestamp",
            by=entity,
            strategy=strategy,
            allow_exact_matches=strategy == "forward",
            check_sortedness=False,
        ).drop("timestamp", strict=False)
    return found.select(
        pl.exclude(
            entity, at, *(f"{name}{end}" for name in wanted for end in ("_before", "_since"))
        ),
        *(pl.coalesce(f"{name}_before", f"{name}_since").alias(name) for name in wanted),
    )


def with_version(
    rows: pl.LazyFrame, versions: pl.LazyFrame, columns: Sequence[str], *, entity: str, at: str
) -> pl.LazyFrame:
    """All rows, in order of their instants, with the whole version that held, in `_version`.

    Args:
        rows: With the entity and the instant in epoch ms.
        versions: The entity, `timestamp`, `seq` within it, and what is asked for.
        columns: What is asked for.
        entity: Column of both.
        at: Column of the instant.
    """
    told = versions.select(entity, "timestamp", "seq", _version=pl.struct(columns)).sort(
        "timestamp", "seq"
    )
    # Of versions of one instant the first is met when looking ahead.
    ahead = told.unique([entity, "timestamp"], keep="first", maintain_order=True)
    return (
        rows.sort(at)
        .join_asof(
            told.select(entity, "timestamp", _past="_version"),
            left_on=at,
            right_on="timestamp",
            by=entity,
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .drop("timestamp")
        .join_asof(
            ahead.select(entity, "timestamp", _ahead="_version"),
            left_on=at,
            right_on="timestamp",
            by=entity,
            strategy="forward",
            check_sortedness=False,
        )
        .with_columns(_version=pl.coalesce("_past", "_ahead"))
        .drop("timestamp", "_past", "_ahead")
    )
