"""The consumer views of a deployment as Polars frames, for notebooks and programs.

    from overwatch_assets.views import view
    view("clusterStateFact").filter(pl.col("state") == "RUNNING").collect()

Here belongs who sees which rows. Not here: what a view shows (`presentation/`), or how it is
queried from the command line (`operations/query.py`).
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from overwatch_assets.config import Config, load_config
from overwatch_assets.configuration.problems import nearest
from overwatch_assets.errors import ConfigError
from overwatch_assets.presentation.reading import Reach, derived_rows, view_rows
from overwatch_assets.registry import DERIVED_VIEWS, TABLES, VIEWS
from overwatch_assets.resources import Deployment
from overwatch_assets.view import View

BY_NAME = {table.name: table for table in TABLES}


def view(
    name: str,
    config: Config | None = None,
    *,
    workspaces: Sequence[str] = (),
    as_of: date | None = None,
) -> pl.LazyFrame:
    """Rows of a view; none is read yet.

    Filter by `partition_date` where you can: the day that a row was decided on divides the files,
    and no row was decided before the day that it begins on.

    Args:
        name: The view, in any capitals.
        config: The deployment; None: the one that `overwatch` would use here.
        workspaces: Only these, by id or name; none: all that are shown.
        as_of: The view as it stood at the end of that day; None: as it stands.

    Raises:
        ConfigError: There is no such view or workspace, or it is not shown.
    """
    config = config or load_config()
    reach = reach_of(config, workspaces, as_of)
    store = Deployment(config=config, modules={}).store
    known = {each.name.lower(): each for each in (*VIEWS, *DERIVED_VIEWS)}
    found = known.get(name.lower())
    if found is None:
        names = [each.name for each in known.values()]
        meant = nearest(name, names)
        remedy = f"did you mean {meant}?" if meant else f"there are {', '.join(names)}"
        raise ConfigError(f"there is no view {name!r}; {remedy}")
    if isinstance(found, View):
        return view_rows(store, found, BY_NAME[found.table], reach)
    return derived_rows(store, found, BY_NAME, reach)


def reach_of(config: Config, workspaces: Sequence[str] = (), as_of: date | None = None) -> Reach:
    """The rows that a reader sees.

    Args:
        config: The deployment.
        workspaces: Only these, by id or name; none: all that are shown.
        as_of: What stood at the end of that day; None: what stands.

    Raises:
        ConfigError: There is no such workspace, or the configuration does not show it.
    """
    shown = config.shown_workspaces
    allowed = {config.workspace(each).organization_id for each in shown or ()}
    asked = [config.workspace(each) for each in workspaces]
    for each in asked:
        if shown is not None and each.organization_id not in allowed:
            what = f"workspace {each.organization_id} ({each.name}) is not shown"
            remedy = "`shown_workspaces` lists those that are"
            raise ConfigError(f"{config.path}: {what}; {remedy}")
    seen = sorted({each.organization_id for each in asked} or allowed)
    return Reach(
        workspaces=seen if asked or shown is not None else None,
        as_of=as_of,
        retired={
            each.organization_id: each.retired_on for each in config.workspaces if each.retired_on
        },
        timezone=config.timezone,
    )
