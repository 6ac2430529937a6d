"""Columns that a gold table takes over from silver, under its own names."""

from collections.abc import Mapping

import polars as pl

from overwatch_assets.module import Column


def renamed(
    columns: tuple[Column, ...],
    names: Mapping[str, str],
    made: Mapping[str, pl.Expr] | None = None,
) -> list[pl.Expr]:
    """The table's columns out of silver's.

    Args:
        columns: Of the table.
        names: Column -> its name in silver; the others keep theirs.
        made: Columns that are no column of silver -> what they are.
    """
    own = made or {}
    return [
        own.get(each.name, pl.col(names.get(each.name, each.name))).alias(each.name)
        for each in columns
    ]
