"""What a rewritten day changed, by key."""

from collections.abc import Mapping

import polars as pl

from overwatch_assets.module import Table


def changes_between(table: Table, before: pl.LazyFrame, after: pl.DataFrame) -> Mapping[str, int]:
    """Rows inserted, updated and deleted.

    Args:
        table: Declaration; its keys pair the rows, its declared columns are compared.
        before: Rows as stored.
        after: Rows that take their place.
    """
    content = [column.name for column in table.columns if column.name in after.columns]
    if "is_open" in after.columns:
        content.append("is_open")
    old = _hashed(table, before.select(*content).collect())
    new = _hashed(table, after.select(content))
    paired = old.join(new, on="_key", how="inner")
    return {
        "inserts": new.height - paired.height,
        "updates": paired.filter(pl.col("_content") != pl.col("_content_right")).height,
        "deletes": old.height - paired.height,
    }


def _hashed(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "_key": rows.select(table.key_columns).hash_rows(seed=0),
            "_content": rows.hash_rows(seed=0),
        }
    )
