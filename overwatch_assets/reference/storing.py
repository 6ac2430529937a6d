"""The price tables of a workspace, replaced as a whole where they changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from overwatch_assets.config import Workspace
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.module import ORGANIZATION_ID, RUN_COLUMNS, TIMESTAMP, Table
from overwatch_assets.reference.layout import FROM
from overwatch_assets.reference.prices import PriceFigures
from overwatch_assets.reference.tables import REFERENCE_TABLES


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A price table of a workspace after a refresh.

    Attributes:
        table: Its name.
        rows: How many the workspace has.
        is_changed: Whether they were written; if not, they were there.
        delta_version: Version of the table that holds them.
    """

    table: str
    rows: int
    is_changed: bool
    delta_version: int


def refresh(
    store: DeltaStore,
    workspace: Workspace,
    figures: PriceFigures,
    run_id: str,
    snapshot: datetime,
) -> tuple[Refreshed, ...]:
    """Write a workspace's figures into the price tables; other workspaces' stay as they are.

    Figures that are stored already are not written again, so the tables' history is that of the
    prices.

    Args:
        store: Where the tables are.
        workspace: Whose figures they are.
        figures: The figures.
        run_id: Run that writes them.
        snapshot: Its snapshot time.

    Raises:
        StorageError: A table can't be read or written; those before it are written.
    """
    snap, run, name = (column.name for column in RUN_COLUMNS)
    values = {
        snap: pl.lit(snapshot, TIMESTAMP),
        run: pl.lit(run_id),
        name: pl.lit(workspace.name),
    }
    return tuple(
        _refresh(
            store,
            table,
            workspace.organization_id,
            figures.frames[table.name].with_columns(**values),
            {
                "overwatch.run_id": run_id,
                "overwatch.workspace": workspace.organization_id,
                "overwatch.reference_version": str(figures.versions[table.name]),
            },
        )
        for table in REFERENCE_TABLES
    )


def _refresh(
    store: DeltaStore,
    table: Table,
    organization_id: str,
    rows: pl.DataFrame,
    metadata: Mapping[str, str],
) -> Refreshed:
    store.create(table)
    stored = store.scan(table, organization_id).collect()
    if _content(table, stored).equals(_content(table, rows)):
        return Refreshed(
            table.name, rows.height, is_changed=False, delta_version=store.version(table)
        )
    days: list[date] = rows[FROM].unique().sort().to_list()
    staged = [
        file
        for day in days
        for file in store.stage(
            table,
            organization_id,
            day,
            rows.filter(pl.col(FROM) == day).drop(ORGANIZATION_ID.name),
        )
    ]
    version = store.replace(table, organization_id, None, staged, metadata)
    return Refreshed(table.name, rows.height, is_changed=True, delta_version=version)


def _content(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """What of the rows is not of the run that wrote them, in one order."""
    columns = [column.name for column in table.columns]
    return rows.select(*columns, "workspace_name").sort(table.keys)
