"""The transaction log of one table: opening it, and commits whose outcome is known.

A commit may raise although it was stored (18 of 143 injected S3 faults did). So nothing here
takes an exception for an outcome: each commit carries a nonce, and after any exception the
log is read again to see whether that nonce is in it.
"""

import json
import random
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import obstore
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import TableNotFoundError
from obstore.exceptions import BaseError

from overwatch_assets.delta.durability import sync_commit, sync_folders
from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.errors import SchemaMismatch, StorageError

NONCE = "overwatch.nonce"
_OWN = frozenset(
    {
        "clientVersion",
        "engineInfo",
        "isBlindAppend",
        "isolationLevel",
        "operation",
        "operationMetrics",
        "operationParameters",
        "readVersion",
        "timestamp",
        "userId",
        "userMetadata",
        "userName",
    }
)
RESERVED = _OWN | {NONCE}
"""Names of a commit's metadata that callers can't use."""
_LOG = "_delta_log"
_DISK_FULL = "No space left"
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a commit is tried again, beyond what the client libraries repeat themselves.

    Attributes:
        failures: Attempts that may fail at the storage.
        conflicts: Attempts that another writer's commit may overtake.
        first_wait_s: Longest wait after the first; it doubles, and its length is random.
        longest_wait_s: Longest wait of all.
    """

    failures: int = 4
    conflicts: int = 1000
    first_wait_s: float = 0.05
    longest_wait_s: float = 3.0

    def pause(self, tries: int) -> None:
        """Wait a random time, so that writers in step fall out of it."""
        longest = min(self.longest_wait_s, self.first_wait_s * 2 ** min(tries, 16))
        time.sleep(random.uniform(0, longest))  # noqa: S311 - jitter, not cryptography


@dataclass(frozen=True, slots=True)
class Commit:
    """One version of a table.

    Attributes:
        version: From 0 on.
        committed_at: By the writer's clock.
        operation: As delta-rs names it: CREATE TABLE, WRITE, OPTIMIZE, RESTORE ...
        metadata: What the writer gave with it, its nonce included.
    """

    version: int
    committed_at: datetime
    operation: str
    metadata: dict[str, str]


@dataclass(slots=True)
class _Progress:
    """What is known of a commit so far."""

    base: int | None = None
    tried: int | None = None
    failures: int = 0
    conflicts: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class TransactionLog:
    """The log of a table.

    Attributes:
        table: Its name.
        location: Where tables are.
        patience: How often commits are tried.
    """

    table: str
    location: StorageLocation
    patience: Patience = field(default=Patience())

    def open(self, version: int | None = None) -> DeltaTable:
        """A version of the table; None: the newest.

        Raises:
            TableNotFoundError: There is no table.
            StorageError: It can't be read, or has no such version.
        """
        uri, options = self.location.uri(self.table), self.location.delta_options
        try:
            return DeltaTable(uri, version=version, storage_options=options)
        except TableNotFoundError as error:
            self._require_missing(error)
            raise
        except Exception as error:  # noqa: BLE001 - delta-rs raises several kinds, also bare ones
            which = (
                "" if version is None else f" in version {version}, if there ever was such a one"
            )
            raise self.failure(f"can't be read{which}", error) from None

    def failure(self, what: str, error: BaseException | str) -> StorageError:
        """A StorageError that names the table and keeps secrets out."""
        said = self.location.redacted(_plain(str(error)))
        root = self.location.local_path
        if root is not None and _DISK_FULL in said:
            said = f"{said}; {shutil.disk_usage(root).free} bytes are free there"
        where = self.location.redacted(self.location.uri(self.table))
        return StorageError(f"table {self.table} at {where} {what}: {said}")

    def commit(self, attempt: Callable[[DeltaTable, str], None]) -> int:
        """Commit once, whatever has to be repeated for it; returns the version.

        Args:
            attempt: Commits on top of the version it is given, or not at all, with the nonce
                it is given in the commit's metadata.

        Raises:
            TableNotFoundError: There is no table.
            StorageError: The commit isn't stored; or, saying so, its outcome can't be read.
        """
        nonce = uuid4().hex
        progress = _Progress()
        while True:
            opened = self._look(nonce, progress)
            if isinstance(opened, int):
                return self._durable(opened)
            if progress.failures > self.patience.failures:
                raise self._not_stored(opened.version(), progress)
            if progress.conflicts > self.patience.conflicts:
                raise self._not_stored(opened.version(), progress)
            progress.tried = opened.version()
            try:
                attempt(opened, nonce)
            except SchemaMismatch:
                raise
            except Exception as error:  # noqa: BLE001 - no exception tells the outcome
                progress.said = str(error)
            else:
                return self._durable(progress.tried + 1)

    def settle(self, step: Callable[[DeltaTable | None], bool]) -> None:
        """Repeat a step until it finds nothing left to do: others may do it at the same time.

        Args:
            step: Given the newest version (None: no table), changes it and returns True, or
                returns False because it is as it should be.

        Raises:
            SchemaMismatch: The step found that it can't be.
            StorageError: It failed too often.
        """
        failures = 0
        is_changed = False
        while True:
            try:
                opened = self._open_if_there()
                if not step(opened):
                    break
                is_changed = True
            except SchemaMismatch:
                raise
            except Exception as error:  # noqa: BLE001 - the next look tells the outcome
                is_changed = True
                failures += 1
                if failures > self.patience.failures:
                    raise self.failure("could not be created or extended", error) from None
                self.patience.pause(failures)
        if is_changed and opened is not None:
            self._durable(opened.version(), with_folders=True)

    def history(self, limit: int | None = None) -> tuple[Commit, ...]:
        """Versions of the table, newest first, as far back as the log goes.

        Raises:
            TableNotFoundError: There is no table.
            StorageError: It can't be read.
        """
        newest = self.open().version()
        oldest = -1 if limit is None else max(-1, newest - limit)
        commits: list[Commit] = []
        for version in range(newest, oldest, -1):
            try:
                commits.append(self._commit_of(version))
            except FileNotFoundError:
                break
        return tuple(commits)

    def _commit_of(self, version: int) -> Commit:
        """What a version says of itself.

        delta-rs' own `history` keeps Python's lock while it waits for the network, and finds
        nothing in folders with some characters.

        Raises:
            FileNotFoundError: The version is no longer in the log, or not yet.
            StorageError: It can't be read.
        """
        path = f"{self.table}/{_LOG}/{version:020}.json"
        try:
            lines = bytes(obstore.get(self.location.store, path).bytes()).splitlines()
            entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
        except FileNotFoundError:
            raise
        except (BaseError, OSError, ValueError) as error:
            raise self.failure(f"has a version {version} that can't be read", error) from None
        found = [each["commitInfo"] for each in entries if "commitInfo" in each]
        return _commit(version, *found[:1])

    def _open_if_there(self) -> DeltaTable | None:
        try:
            return self.open()
        except TableNotFoundError:
            return None

    def _look(self, nonce: str, progress: _Progress) -> DeltaTable | int:
        """Open the table; the version that holds the nonce if one does."""
        while True:
            try:
                table = self.open()
                found = self._version_with(nonce, table.version(), progress)
            except TableNotFoundError as error:
                if progress.tried is None:
                    raise
                raise self._undecided(error, progress) from None
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing is known yet
                progress.failures += 1
                if progress.failures > self.patience.failures:
                    raise self._undecided(error, progress) from None
                self.patience.pause(progress.failures)
                continue
            if found is not None:
                return found
            self._count(table.version(), progress)
            return table

    def _version_with(self, nonce: str, newest: int, progress: _Progress) -> int | None:
        """The version since the first look that holds the nonce; None: none does."""
        since = newest if progress.base is None else progress.base
        return next(
            (
                version
                for version in range(newest, since, -1)
                if self._commit_of(version).metadata.get(NONCE) == nonce
            ),
            None,
        )

    def _count(self, version: int, progress: _Progress) -> None:
        """Note whether the last attempt failed or was overtaken, and wait accordingly."""
        if progress.base is None:
            progress.base = version
        if progress.tried is None:
            return
        if version > progress.tried:
            progress.conflicts += 1
            self.patience.pause(min(progress.conflicts, 3))
        else:
            progress.failures += 1
            self.patience.pause(progress.failures)

    def _not_stored(self, version: int, progress: _Progress) -> StorageError:
        tries = progress.failures + progress.conflicts
        what = f"could not be written in {tries} tries and is still at version {version}"
        if version != progress.base:
            what = f"could not be written in {tries} tries; others wrote it up to {version}"
        return self.failure(f"{what}, without this commit. Run it again. Last error", progress.said)

    def _undecided(self, error: Exception, progress: _Progress) -> StorageError:
        if progress.tried is None:
            return self.failure("can't be read, nothing was written", error)
        what = (
            "was being written, and the storage fails when asked whether it was: outcome unknown. "
            f"It was at version {progress.tried}; read its history, then run it again. Last error"
        )
        return self.failure(what, error)

    def _durable(self, version: int, *, with_folders: bool = False) -> int:
        root = self.location.local_path
        if root is not None:
            try:
                if with_folders:
                    sync_folders(root / self.table / _LOG, root)
                sync_commit(root / self.table / _LOG, version)
            except OSError as error:
                what = f"is stored as version {version} but may not survive a power cut"
                raise self.failure(what, error) from None
        return version

    def _require_missing(self, error: TableNotFoundError) -> None:
        """delta-rs calls a folder that it may not read a missing table."""
        root = self.location.local_path
        if root is None:
            return
        try:
            commits = any(each.suffix == ".json" for each in (root / self.table / _LOG).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as cause:
            raise self.failure("can't be read", cause) from None
        if commits:
            raise self.failure("can't be read", error) from None


def _plain(text: str) -> str:
    """A library's message in one line, without colours and backtraces."""
    text = re.sub(r"\x1b\[[0-9;]*m|↳", "", text).partition("\n   0: <")[0]
    return " ".join(text.split())


def commit_properties(metadata: Mapping[str, str], nonce: str) -> CommitProperties:
    """Properties of a commit on exactly the version it was prepared for.

    With retries of its own delta-rs lets two commits into a partition that was empty for both,
    so that both writers' rows stay; without, the later one fails and is prepared anew.
    """
    return CommitProperties(custom_metadata={**metadata, NONCE: nonce}, max_commit_retries=0)


def _commit(version: int, info: Mapping[str, Any] = MappingProxyType({})) -> Commit:
    return Commit(
        version=version,
        committed_at=datetime.fromtimestamp(info.get("timestamp", 0) / _MILLISECONDS, UTC),
        operation=str(info.get("operation", "")),
        metadata={key: str(value) for key, value in info.items() if key not in _OWN},
    )
