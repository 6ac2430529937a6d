"""JSON-like objects as rows of declared types, by the rules that bronze has for API answers."""

from collections.abc import Iterable, Mapping

import polars as pl

from overwatch_assets.sources.json_shapes import Shaper


def shaped(objects: Iterable[Mapping[str, object]], schema: pl.Schema) -> pl.DataFrame:
    """Objects as rows: what has another type than its column is null, secrets are struck out."""
    return Shaper(schema).shape(objects).rows
