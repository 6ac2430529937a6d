"""The figures shipped with the package: `docs/prices.md` tells where they come from."""

from dataclasses import replace
from functools import cache
from importlib.resources import files

import polars as pl

from overwatch_assets.reference.checking import checked
from overwatch_assets.reference.layout import Field, Kind, Layout
from overwatch_assets.reference.problems import price_error
from overwatch_assets.reference.sheet import sheet_of_csv

ORIGIN, AS_OF, LEFT_OUT = "origin", "as_of", "price_left_out"

_TOLD = (Field(ORIGIN, Kind.TEXT), Field(AS_OF, Kind.DAY), Field(LEFT_OUT, Kind.TEXT))


@cache
def shipped(layout: Layout) -> pl.DataFrame:
    """Rows of the shipped file of a layout, with origin, as-of day, and why a price is left out.

    Raises:
        ConfigError: The file is not as it was shipped.
    """
    name = f"{layout.name}.csv"
    content = (files(__package__ or "") / name).read_bytes()
    read = checked(sheet_of_csv(name, [content]), replace(layout, fields=(*layout.fields, *_TOLD)))
    if read.problems:
        raise price_error(read.problems)
    return read.rows
