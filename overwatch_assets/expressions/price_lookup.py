"""The price valid at an instant: for every row one row of a price table, or none."""

from collections.abc import Mapping

import polars as pl

from overwatch_assets.module import TIMESTAMP

_AT, _KEY, _FROM, _UNTIL = "_at", "_price_key", "_valid_from", "_valid_until"


def with_valid(
    rows: pl.LazyFrame,
    reference: pl.LazyFrame,
    *,
    key: pl.Expr,
    reference_key: pl.Expr,
    at: pl.Expr,
    columns: Mapping[str, pl.Expr],
) -> pl.LazyFrame:
    """Rows with what a reference table says of each at its instant.

    A reference row holds from `activeFrom` 00:00 UTC on and until before `activeUntil` 00:00. So
    each row meets one of them or none, whose columns are null then: an unknown price is no zero.

    Args:
        rows: Of one workspace, kept one for one; they come back in order of their instants.
        reference: Of the same workspace, its intervals per key disjoint.
        key: Of `rows`.
        reference_key: The same of `reference`.
        at: Timestamp of each row; null meets nothing.
        columns: Name in the result -> what of the reference row.
    """
    valid = reference.select(
        reference_key.alias(_KEY),
        _midnight("activeFrom").alias(_FROM),
        _midnight("activeUntil").alias(_UNTIL),
        **columns,
    ).sort(_FROM)
    is_over = pl.col(_AT) >= pl.col(_UNTIL)
    return (
        rows.with_columns(at.cast(TIMESTAMP).alias(_AT), key.alias(_KEY))
        .sort(_AT, maintain_order=True)
        .join_asof(valid, left_on=_AT, right_on=_FROM, by=_KEY, check_sortedness=False)
        .with_columns(pl.when(~is_over.fill_null(value=False)).then(pl.col(columns.keys())))
        .drop(_AT, _KEY, _FROM, _UNTIL)
    )


def _midnight(day: str) -> pl.Expr:
    return pl.col(day).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
