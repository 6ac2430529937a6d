"""A store whose tables stand still: each is opened once, and again after a commit of one's own.

Opening a table and listing its files takes several times as long as planning and reading the
rows of a small day, and a run reads the same tables for every day and for many modules.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from overwatch_assets.delta.files import StagedFile
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.module import Table


@dataclass(frozen=True, slots=True)
class PinnedStore:
    """The tables as they were when they were first looked at, with one's own commits since.

    What others commit meanwhile is not seen. For one run, never for longer.

    Attributes:
        store: The tables.
    """

    store: DeltaStore
    _created: set[str] = field(default_factory=set[str], init=False, repr=False)
    _files: dict[str, pl.DataFrame] = field(
        default_factory=dict[str, pl.DataFrame], init=False, repr=False
    )

    def create(self, table: Table) -> None:
        """As the store does, once."""
        if table.name not in self._created:
            self.store.create(table)
            self._created.add(table.name)

    def stage(
        self, table: Table, organization_id: str, day: date, frame: pl.DataFrame | pl.LazyFrame
    ) -> tuple[StagedFile, ...]:
        """As the store does."""
        return self.store.stage(table, organization_id, day, frame)

    def replace(
        self,
        table: Table,
        organization_id: str,
        days: Collection[date] | None,
        staged: Sequence[StagedFile],
        metadata: Mapping[str, str],
    ) -> int:
        """As the store does; the table is opened anew when it is next read."""
        self._files.pop(table.name, None)
        return self.store.replace(table, organization_id, days, staged, metadata)

    def scan(
        self,
        table: Table,
        organization_id: str | None = None,
        days: Collection[date] | None = None,
        staged: Sequence[StagedFile] = (),
    ) -> pl.LazyFrame:
        """As the store does, of the version that was first looked at."""
        return self.store.scan_files(table, self._listed(table), organization_id, days, staged)

    def partitions(self, table: Table, organization_id: str | None = None) -> pl.DataFrame:
        """As the store does, of the version that was first looked at."""
        return self.store.partitions_of(self._listed(table), organization_id, None)

    def _listed(self, table: Table) -> pl.DataFrame:
        if table.name not in self._files:
            self._files[table.name] = self.store.files(table)
        return self._files[table.name]
