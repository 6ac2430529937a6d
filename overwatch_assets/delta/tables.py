"""The Delta tables: created, staged, replaced, scanned.

A table is a folder below the root, partitioned by workspace and day. Rows are staged as
Parquet files that nobody sees; one commit then puts them in the place of all rows of their
partitions. Whoever reads sees one whole version.
"""

import json
import time
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction

from overwatch_assets.delta import files
from overwatch_assets.delta.files import StagedFile
from overwatch_assets.delta.log import (
    RESERVED,
    Commit,
    Patience,
    TransactionLog,
    commit_properties,
)
from overwatch_assets.delta.schema import (
    PARTITION_COLUMNS,
    additions,
    delta_schema,
    extended_fields,
    fitted,
    polars_schema,
)
from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.errors import OverwatchError, SchemaMismatch, StorageError
from overwatch_assets.module import ORGANIZATION_ID, PARTITION_DATE, Table

FILE_BYTES = 256 * 1024 * 1024
"""Largest file, by its rows' size in memory; about a quarter of that on disk."""


@dataclass(frozen=True, slots=True)
class DeltaStore:
    """The tables below a root.

    Attributes:
        location: Where they are.
        patience: How often a commit is tried.
        file_bytes: Largest file written, by its rows' size in memory.
    """

    location: StorageLocation
    patience: Patience = field(default=Patience())
    file_bytes: int = FILE_BYTES

    def create(self, table: Table) -> None:
        """Make the table, empty; one that is there gets the columns it lacks, else nothing.

        Raises:
            SchemaMismatch: A stored column is declared otherwise, or no longer.
            StorageError: It can't be read or written.
        """
        log = self._log(table)

        def step(opened: DeltaTable | None) -> bool:
            if opened is None:
                DeltaTable.create(
                    self.location.uri(table.name),
                    schema=delta_schema(table),
                    partition_by=list(PARTITION_COLUMNS),
                    name=table.name,
                    description=table.doc.partition("\n")[0] or None,
                    storage_options=self.location.delta_options,
                )
                return True
            missing = additions(table, polars_schema(opened.schema()))
            if missing:
                fields = extended_fields(delta_schema(table), opened.schema(), missing)
                opened.alter.add_columns(fields)
            return bool(missing)

        log.settle(step)

    def stage(
        self, table: Table, organization_id: str, day: date, frame: pl.DataFrame | pl.LazyFrame
    ) -> tuple[StagedFile, ...]:
        """Write rows of a partition as files that no version names yet.

        A lazy frame is streamed, so that memory is bounded by a few files.

        Args:
            table: Whose rows they are.
            organization_id: The workspace.
            day: The day.
            frame: Declared columns and the run's, without those of the partition.

        Raises:
            SchemaMismatch: The frame doesn't fit the declared schema.
            StorageError: The files can't be written; none is left behind.
        """
        folder = files.partition_folder(organization_id, day)
        rows = fitted(table, frame.lazy())
        if isinstance(frame, pl.DataFrame) and frame.is_empty():
            return ()
        return tuple(
            StagedFile(
                table=table.name,
                organization_id=organization_id,
                day=day,
                path=f"{folder}/{each.path}",
                rows=each.num_rows,
                size=each.num_bytes,
            )
            for each in files.write(self._log(table), folder, rows, self.file_bytes)
        )

    def discard(self, table: Table, staged: Sequence[StagedFile]) -> None:
        """Delete staged files that will not be committed.

        Raises:
            StorageError: They can't be deleted.
        """
        files.delete(self._log(table), [each.path for each in staged])

    def replace(
        self,
        table: Table,
        organization_id: str,
        days: Collection[date] | None,
        staged: Sequence[StagedFile],
        metadata: Mapping[str, str],
    ) -> int:
        """Put staged files in the place of all rows of a workspace's days, in one commit.

        The result is as if writers had come one after the other. After an error the same
        files may be given again.

        Args:
            table: The table.
            organization_id: The workspace.
            days: Days whose rows are replaced; those without staged files become empty. None:
                every day, also those that another writer has just filled.
            staged: What `stage` returned for them.
            metadata: Kept with the commit, see `history`.

        Returns:
            The version that holds them.

        Raises:
            ValueError: No days, or staged files or metadata that don't belong here.
            SchemaMismatch: The table doesn't store what is declared; `create` comes first.
            StorageError: The commit isn't stored; or, saying so, its outcome can't be read.
        """
        _require_coherent(table, organization_id, days, staged, metadata)
        adds = [_add_action(each) for each in staged]
        replaced: list[tuple[str, str, Any]] = [(ORGANIZATION_ID.name, "=", organization_id)]
        if days is not None:
            in_days = sorted({day.isoformat() for day in days})
            replaced.append((PARTITION_DATE.name, "in", in_days))

        def put(opened: DeltaTable, nonce: str) -> None:
            _require_stored(table, opened)
            opened.create_write_transaction(
                cast("Any", adds),
                "overwrite",
                opened.schema(),
                list(PARTITION_COLUMNS),
                partition_filters=replaced,
                commit_properties=commit_properties(metadata, nonce),
            )

        log = self._log(table)
        try:
            return log.commit(put)
        except TableNotFoundError as error:
            raise log.failure("is missing, create it first", error) from None

    def scan(
        self,
        table: Table,
        organization_id: str | None = None,
        days: Collection[date] | None = None,
        staged: Sequence[StagedFile] = (),
        *,
        missing_ok: bool = False,
        version: int | None = None,
    ) -> pl.LazyFrame:
        """Rows of a version in all declared columns; none is read yet.

        Args:
            table: The table.
            organization_id: Only this workspace; None: all.
            days: Only these days; None: all.
            staged: Shown in the place of what is stored in their partitions.
            missing_ok: A table that doesn't exist has no rows.
            version: Which version; None: the newest.

        Raises:
            SchemaMismatch: A stored column is declared otherwise.
            StorageError: The table or the version is missing or can't be read.
        """
        stored = self.files(table, missing_ok=missing_ok, version=version)
        return self.scan_files(table, stored, organization_id, days, staged)

    def files(
        self, table: Table, *, missing_ok: bool = False, version: int | None = None
    ) -> pl.DataFrame:
        """Data files of a version, as in `files.FILES`.

        Args:
            table: The table.
            missing_ok: A table that doesn't exist has no files.
            version: Which version; None: the newest.

        Raises:
            SchemaMismatch: A stored column is declared otherwise.
            StorageError: The table or the version is missing or can't be read.
        """
        log = self._log(table)
        opened = self._opened(log, missing_ok=missing_ok, version=version)
        if opened is None:
            return pl.DataFrame(schema=files.FILES)
        additions(table, polars_schema(opened.schema()))
        return files.listed(log, opened)

    def scan_files(
        self,
        table: Table,
        stored: pl.DataFrame,
        organization_id: str | None = None,
        days: Collection[date] | None = None,
        staged: Sequence[StagedFile] = (),
    ) -> pl.LazyFrame:
        """As `scan`, of files that `files` returned."""
        found = files.in_partitions(stored, organization_id, days)
        if staged:
            shown = files.staged_files(self.location, staged)
            found = found.join(shown, on=PARTITION_COLUMNS, how="anti")
            found = pl.concat([found, files.in_partitions(shown, organization_id, days)])
        return files.scan(table, self.location, found)

    @contextmanager
    def computing(self) -> Generator[None]:
        """Around what computes scanned rows: keeps secrets out of what Polars raises then.

        A storage may repeat parts of a request in its refusal, and Polars repeats the refusal.

        Raises:
            StorageError: In the place of an error that repeated a secret.
        """
        try:
            yield
        except OverwatchError:
            raise
        except Exception as error:
            if all(said == self.location.redacted(said) for said in _said(error)):
                raise
            told = self.location.redacted(str(error))
            raise StorageError(f"rows at {self.location.root} can't be read: {told}") from None

    def partitions(
        self,
        table: Table,
        organization_id: str | None = None,
        days: Collection[date] | None = None,
        *,
        missing_ok: bool = False,
    ) -> pl.DataFrame:
        """Rows, files and bytes of each partition, from the log alone, sorted by partition.

        `rows` is null where another tool wrote files without counting.

        Raises:
            StorageError: The table is missing (unless `missing_ok`) or can't be read.
        """
        log = self._log(table)
        opened = self._opened(log, missing_ok=missing_ok)
        found = pl.DataFrame(schema=files.FILES) if opened is None else files.listed(log, opened)
        return self.partitions_of(found, organization_id, days)

    def partitions_of(
        self,
        stored: pl.DataFrame,
        organization_id: str | None = None,
        days: Collection[date] | None = None,
    ) -> pl.DataFrame:
        """As `partitions`, of files that `files` returned."""
        counted = pl.when(pl.col("rows").null_count() == 0).then(pl.col("rows").sum())
        return (
            files.in_partitions(stored, organization_id, days)
            .group_by(PARTITION_COLUMNS)
            .agg(counted.alias("rows"), pl.len().cast(pl.Int64).alias("files"), pl.sum("bytes"))
            .sort(PARTITION_COLUMNS)
        )

    def newest_day(
        self, table: Table, organization_id: str, *, missing_ok: bool = False
    ) -> date | None:
        """The newest day that holds rows of the workspace; None: no day does.

        Raises:
            StorageError: The table is missing (unless `missing_ok`) or can't be read.
        """
        partitions = self.partitions(table, organization_id, missing_ok=missing_ok)
        return cast("date | None", partitions[PARTITION_DATE.name].max())

    def data_files(
        self, table: Table, workspaces: Collection[str] | None = None
    ) -> tuple[str, ...]:
        """The newest version's data files, for engines that read them themselves.

        Paths on a local disk, URLs in object storage; none of a table without rows or a missing
        one.

        Args:
            table: The table.
            workspaces: Only of these; None: of all.

        Raises:
            StorageError: The table can't be read.
        """
        log = self._log(table)
        opened = self._opened(log, missing_ok=True)
        if opened is None:
            return ()
        found = files.listed(log, opened)
        if workspaces is not None:
            found = found.filter(pl.col(ORGANIZATION_ID.name).is_in(list(workspaces)))
        return tuple(found["path"].sort())

    def local_files(self, table: Table) -> tuple[str, ...]:
        """The same of a table on a local disk; none of one in object storage.

        Raises:
            StorageError: The table can't be read.
        """
        return () if self.location.local_path is None else self.data_files(table)

    def history(self, table: Table, limit: int | None = None) -> tuple[Commit, ...]:
        """Versions of the table, newest first.

        Raises:
            StorageError: The table is missing or can't be read.
        """
        log = self._log(table)
        try:
            return log.history(limit)
        except TableNotFoundError as error:
            raise log.failure("is missing", error) from None

    def exists(self, table: Table) -> bool:
        """Whether the table was created.

        Raises:
            StorageError: It can't be told.
        """
        return self._opened(self._log(table), missing_ok=True) is not None

    def version(self, table: Table) -> int:
        """The newest version, from 0 on.

        Raises:
            StorageError: The table is missing or can't be read.
        """
        log = self._log(table)
        try:
            return log.open().version()
        except TableNotFoundError as error:
            raise log.failure("is missing", error) from None

    def _log(self, table: Table) -> TransactionLog:
        return TransactionLog(table.name, self.location, self.patience)

    def _opened(
        self, log: TransactionLog, *, missing_ok: bool, version: int | None = None
    ) -> DeltaTable | None:
        try:
            return log.open(version)
        except TableNotFoundError as error:
            if missing_ok:
                return None
            raise log.failure("is missing, create it first", error) from None


def _require_coherent(
    table: Table,
    organization_id: str,
    days: Collection[date] | None,
    staged: Sequence[StagedFile],
    metadata: Mapping[str, str],
) -> None:
    if days is not None and not days:
        raise ValueError(f"table {table.name}: no days to replace")
    for each in staged:
        where = (each.table, each.organization_id, each.day)
        is_replaced = days is None or each.day in days
        if where[:2] != (table.name, organization_id) or not is_replaced:
            wrong = f"a file staged for {where} is not of the replaced days"
            raise ValueError(f"table {table.name}, workspace {organization_id}: {wrong}")
    if taken := RESERVED & set(metadata):
        raise ValueError(f"commit metadata {sorted(taken)}: the names are taken")


def _said(error: BaseException | None) -> Iterator[str]:
    """What an error says, and those that led to it."""
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


def _require_stored(table: Table, opened: DeltaTable) -> None:
    if missing := additions(table, polars_schema(opened.schema())):
        wrong = f"{', '.join(missing)} is declared but not stored yet; create the table first"
        raise SchemaMismatch(f"table {table.name}: {wrong}")


def _add_action(staged: StagedFile) -> AddAction:
    return AddAction(
        path=staged.path,
        size=staged.size,
        partition_values={
            ORGANIZATION_ID.name: staged.organization_id,
            PARTITION_DATE.name: staged.day.isoformat(),
        },
        modification_time=round(time.time() * 1000),
        data_change=True,
        stats=json.dumps({"numRecords": staged.rows}),
    )
