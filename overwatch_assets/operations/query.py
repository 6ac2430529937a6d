"""SQL on a deployment's views."""

from collections.abc import Sequence
from datetime import date

import duckdb
import polars as pl

from overwatch_assets.config import Config
from overwatch_assets.errors import ConfigError
from overwatch_assets.presentation.sql import SqlViews
from overwatch_assets.registry import DERIVED_VIEWS, VIEWS
from overwatch_assets.resources import Deployment
from overwatch_assets.views import BY_NAME, reach_of

SHOWN_ROWS = 1000
LONGEST_TEXT = 80
WIDEST = 60_000
"""Columns are never squeezed: names cut into pieces of three letters can't be read."""


def answer(
    config: Config, statement: str, as_of: date | None = None, workspaces: Sequence[str] = ()
) -> pl.DataFrame:
    """Rows that a statement selects.

    Args:
        config: The deployment.
        statement: SQL.
        as_of: The views as they stood at the end of that day; None: as they stand.
        workspaces: Only these, by id or name; none: all that are shown.

    Raises:
        ConfigError: The statement can't be run; says why and what there is to query.
    """
    views = SqlViews(
        store=Deployment(config=config, modules={}).store,
        tables=BY_NAME,
        views=VIEWS,
        derived=DERIVED_VIEWS,
        reach=reach_of(config, workspaces, as_of),
    )
    try:
        return views.query(statement)
    except duckdb.Error as error:
        names = ", ".join(view.name for view in (*VIEWS, *DERIVED_VIEWS))
        message = f"{error}\nViews: {names}. `overwatch views --json` lists their columns"
        raise ConfigError(message) from error


def as_text(rows: pl.DataFrame, longest: int = LONGEST_TEXT) -> str:
    """Rows as a table of text, all columns, the first thousand rows.

    Args:
        rows: What is shown.
        longest: Characters of a text that are shown.
    """
    with pl.Config(
        tbl_rows=SHOWN_ROWS,
        tbl_cols=-1,
        tbl_width_chars=WIDEST,
        fmt_str_lengths=longest,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_formatting="ASCII_MARKDOWN",
    ):
        return str(rows.head(SHOWN_ROWS))
