"""The union of what is stored and what was read: one row per key.

Commutative, associative and idempotent: which row of a key wins depends on the rows alone,
never on which of them came first.
"""

from collections.abc import Collection, Sequence
from functools import partial

import polars as pl

_KEY, _CONTENT, _ORIGIN, _ROW = "_key", "_content", "_origin", "_row"


def union_by_key(
    *frames: pl.LazyFrame,
    keys: Sequence[pl.Expr],
    content: Sequence[str],
    origin: pl.Expr,
    least: Collection[str] = (),
    first: Sequence[pl.Expr] = (),
) -> pl.LazyFrame:
    """One row per key of all frames, in no particular order.

    The greatest tuple of the content columns wins, null being lowest; of rows with equal
    content the one of the smallest origin.

    Rows whose key occurs once cost one hash of the key; exact repeats a hash of the content
    and a sort by both in addition. Only keys with different contents are compared column by
    column.

    Args:
        frames: Same columns in the same order.
        keys: The key; nulls are equal.
        content: Columns that decide which row wins, the first most; all but those of origin.
        origin: Text that orders equal rows of different places; it tells all their columns of
            origin.
        least: Content columns of which the smallest non-null value wins, not the greatest.
        first: What decides before the content does, in this order; made of content alone.
    """
    ranks = {f"_first_{number}": each for number, each in enumerate(first)}
    one_per_key = partial(
        _one_per_key, keys=keys, content=[*ranks, *content], origin=origin, least=frozenset(least)
    )
    rows = pl.concat(frames, how="vertical").with_columns(**ranks)
    return rows.map_batches(one_per_key).drop(*ranks)


def _one_per_key(
    rows: pl.DataFrame,
    *,
    keys: Sequence[pl.Expr],
    content: Sequence[str],
    origin: pl.Expr,
    least: frozenset[str],
) -> pl.DataFrame:
    # Keys alone are hashed: with the wide rows beside them all of these would be copied first.
    hashes = rows.select(keys).hash_rows(seed=0).alias(_KEY)
    if hashes.n_unique() == rows.height:
        return rows
    hashed = rows.with_columns(hashes)
    repeats = hashes.is_duplicated()
    # Polars 2.1 panics on maps in lists once rows of several chunks were picked.
    several = hashed.filter(repeats).rechunk()
    order = several.select(
        _KEY, pl.struct(content).hash(seed=0).alias(_CONTENT), origin.alias(_ORIGIN)
    ).with_row_index(_ROW)
    # Sorting three columns and picking the rows takes a third of sorting the whole rows.
    first = order.sort(_KEY, _CONTENT, _ORIGIN, nulls_last=True).filter(
        _differs_from_row_before(_KEY) | _differs_from_row_before(_CONTENT)
    )
    distinct = several[first[_ROW].sort()].with_columns(origin.alias(_ORIGIN))
    differ = distinct[_KEY].is_duplicated()
    winners = (
        distinct.filter(differ)
        .sort(
            *content,
            pl.struct(content).struct.json_encode(),
            _ORIGIN,
            descending=[*(each not in least for each in content), True, False],
            nulls_last=True,
        )
        .unique(keys, keep="first", maintain_order=True)
    )
    parts = (hashed.filter(~repeats), distinct.filter(~differ), winners)
    return pl.concat([part.select(rows.columns) for part in parts])


def _differs_from_row_before(column: str) -> pl.Expr:
    return pl.col(column).ne_missing(pl.col(column).shift(1))
