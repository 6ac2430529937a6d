"""The consumer views elsewhere: as statements, and in a DuckDB file that BI tools open."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import duckdb
from filelock import FileLock

from overwatch_assets.config import Config
from overwatch_assets.presentation.ddl import ETL, Ddl
from overwatch_assets.presentation.reading import derived_rows
from overwatch_assets.registry import DERIVED_VIEWS, VIEWS
from overwatch_assets.resources import Deployment
from overwatch_assets.sql_dialect import DUCKDB, Dialect
from overwatch_assets.views import BY_NAME, reach_of


def statements(
    config: Config,
    dialect: Dialect,
    workspaces: Sequence[str] = (),
    *,
    main: tuple[str, ...] = (),
    etl: tuple[str, ...] = (ETL,),
) -> Iterator[str]:
    """What creates the views, and the tables below them, in another engine.

    Args:
        config: The deployment.
        dialect: The engine's SQL.
        workspaces: Whose rows are shown, by id or name; none: all that are shown.
        main: Schema of the views, with its catalog if it has one; none: the engine's own.
        etl: The same of the tables.

    Raises:
        ConfigError: There is no such workspace, or it is not shown.
        StorageError: The tables can't be looked at.
    """
    ddl = Ddl(
        store=Deployment(config=config, modules={}).store,
        tables=BY_NAME,
        views=VIEWS,
        derived=DERIVED_VIEWS,
        reach=reach_of(config, workspaces),
        first_day=min(each.first_day for each in config.workspaces),
        main=main,
        etl=etl,
    )
    return ddl.statements(dialect)


def publish(config: Config) -> Path:
    """Write the DuckDB file anew, in the place of the one that is there.

    Whoever has the old file open goes on reading it. Processes that end at once write one after
    the other, so that what was loaded last is shown.

    Raises:
        OSError: The file can't be written.
        duckdb.Error: DuckDB can't.
        StorageError: The tables can't be looked at.
    """
    path = config.duckdb_file
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        unfinished = path.with_name(f".{path.name}.new")
        try:
            _clear(unfinished)
            with closing(duckdb.connect(unfinished)) as connection:
                connection.begin()
                for statement in statements(config, DUCKDB):
                    connection.execute(statement)
                _store_computed(connection, config)
                connection.commit()
            unfinished.replace(path)
        finally:
            _clear(unfinished)
    return path


def _store_computed(connection: duckdb.DuckDBPyConnection, config: Config) -> None:
    """Store the rows of views that no SQL can make."""
    store, reach = Deployment(config=config, modules={}).store, reach_of(config)
    for view in DERIVED_VIEWS:
        if view.sql is None:
            with store.computing():
                rows = derived_rows(store, view, BY_NAME, reach).collect()
            connection.register("computed", rows)
            connection.execute(f"create table {DUCKDB.quoted(view.name)} as from computed")
            connection.unregister("computed")


def _clear(unfinished: Path) -> None:
    """Remove a file that is not finished, also what a killed process left of it."""
    for each in (unfinished, unfinished.with_name(f"{unfinished.name}.wal")):
        each.unlink(missing_ok=True)
