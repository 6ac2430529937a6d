"""What the loading of days needs of a table store; `delta.tables.DeltaStore` is one."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Protocol, TypeVar

import polars as pl

from overwatch_assets.module import Table


class Staged(Protocol):
    """Rows written but not yet visible."""

    @property
    def rows(self) -> int:
        """How many."""
        ...

    @property
    def size(self) -> int:
        """Bytes as stored."""
        ...


StagedT = TypeVar("StagedT", bound=Staged)


class Tables(Protocol[StagedT]):
    """A store of tables partitioned by workspace and day."""

    def create(self, table: Table) -> None:
        """Make the table, empty, unless it is there; add columns it lacks."""
        ...

    def stage(
        self, table: Table, organization_id: str, day: date, frame: pl.DataFrame | pl.LazyFrame
    ) -> Sequence[StagedT]:
        """Write rows of a partition without showing them."""
        ...

    def replace(
        self,
        table: Table,
        organization_id: str,
        days: Collection[date],
        staged: Sequence[StagedT],
        metadata: Mapping[str, str],
    ) -> int:
        """Show the staged rows instead of all the partitions held; returns the version."""
        ...

    def partitions(self, table: Table, organization_id: str | None = None) -> pl.DataFrame:
        """`partition_date` and `rows` of the partitions that hold rows."""
        ...

    def scan(
        self,
        table: Table,
        organization_id: str | None = None,
        days: Collection[date] | None = None,
        staged: Sequence[StagedT] = (),
    ) -> pl.LazyFrame:
        """Rows of partitions, with the staged ones in place of what is stored on their days."""
        ...


AnyTables = Tables[Any]
