"""Files in a workspace's own file systems: DBFS and the volumes of Unity Catalog.

Both are read through the workspace's REST API, so that no mount and no access to the storage
below is needed. DBFS hands out at most a megabyte a request; volumes stream.
"""

import base64
import binascii
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast
from urllib.parse import quote

from overwatch_assets.errors import SourceError
from overwatch_assets.sources.paths import DBFS, FileGone, FileInfo, gone, joined
from overwatch_assets.sources.rest_api.api import ApiError, ApiRefused, Json, Query

DBFS_BLOCK_BYTES = 1 << 20
"""The most that DBFS hands out at once."""

_PAGE_ENTRIES = 1000
_VOLUME_PARTS = 5  # "", "Volumes", catalog, schema, volume
_DENIED = {401, 403}


class ReadingApi(Protocol):
    """What is used of `Api`."""

    def get(self, path: str, query: Query | None = None) -> Json: ...

    def download(self, path: str) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class WorkspaceFiles:
    """The file systems of one workspace; can be pickled for another process.

    Attributes:
        connect: Makes the API. It is hashable and can be pickled: each process calls it once
            and keeps what it made for all that is equal to it.
    """

    connect: Callable[[], ReadingApi]

    def list(self, prefix: str) -> Iterator[FileInfo]:
        with _told(prefix):
            entries = self._entries(prefix)
            if entries is None:
                yield from self._one_file(prefix)
                return
            waiting = list(reversed(entries))
            while waiting:
                each = waiting.pop()
                if each.is_folder:
                    waiting.extend(reversed(self._entries(each.info.path) or ()))
                else:
                    yield each.info

    def folders(self, prefix: str) -> Sequence[str]:
        with _told(prefix):
            entries = self._entries(prefix)
            if entries is None:
                self._require_volume(prefix)
            return [each.name for each in entries or () if each.is_folder]

    def open(self, path: str) -> Iterator[bytes]:
        with _told(path):
            try:
                if path.startswith(DBFS):
                    yield from self._blocks(path.removeprefix(DBFS))
                else:
                    yield from self._api.download(f"/api/2.0/fs/files{quote(path)}")
            except ApiRefused as error:
                if error.is_missing:
                    raise gone(path) from error
                raise

    @property
    def _api(self) -> ReadingApi:
        return _connected(self.connect)

    def _entries(self, folder: str) -> "Sequence[_Entry] | None":
        """What lies directly in a folder, by name; None: there is no such folder."""
        words = _DBFS_WORDS if folder.startswith(DBFS) else _VOLUME_WORDS
        try:
            found = [
                words.entry(each)
                for page in self._pages(folder)
                for each in cast("Sequence[Json]", page.get(words.entries) or ())
            ]
        except ApiRefused as error:
            if error.is_missing:
                return None
            raise
        if [each.info.path for each in found if not each.is_folder] == [folder]:
            return None  # DBFS lists a file as if it were in itself.
        for each in found:
            if each.info.path != joined(folder, each.name) or each.name in {"", ".", ".."}:
                raise SourceError(
                    f"{folder}: the workspace lists {each.info.path!r} in it, which isn't there. "
                    "Check the address of the workspace"
                )
        return sorted(found, key=lambda each: each.name)

    def _pages(self, folder: str) -> Iterator[Json]:
        if folder.startswith(DBFS):
            yield self._api.get("/api/2.0/dbfs/list", {"path": folder.removeprefix(DBFS)})
            return
        query: dict[str, str | int | bool] = {"page_size": _PAGE_ENTRIES}
        while True:
            page = self._api.get(f"/api/2.0/fs/directories{quote(folder)}", query)
            yield page
            token = page.get("next_page_token")
            if not token:
                return
            query["page_token"] = str(token)

    def _one_file(self, path: str) -> Iterator[FileInfo]:
        """The file of a path that is no folder; nothing where there is none."""
        if path.startswith(DBFS):
            try:
                status = self._api.get("/api/2.0/dbfs/get-status", {"path": path[len(DBFS) :]})
            except ApiRefused as error:
                if error.is_missing:
                    return
                raise
            yield _DBFS_WORDS.entry(status).info
            return
        folder = path.rpartition("/")[0]
        beside = self._entries(folder) if _is_in_volume(folder) else None
        if beside is None:
            self._require_volume(path)
        yield from (each.info for each in beside or () if each.info.path == path)

    def _require_volume(self, path: str) -> None:
        """Refuse to take a volume that is missing or hidden for an empty one."""
        if path.startswith(DBFS):
            return
        volume = "/".join(path.split("/")[:_VOLUME_PARTS])
        if self._entries(volume) is None:
            raise SourceError(
                f"{path}: there is no volume {volume}, or it is hidden from who asks. Check its "
                "name, and grant USE CATALOG, USE SCHEMA and READ VOLUME"
            )

    def _blocks(self, path: str) -> Iterator[bytes]:
        """Bytes of a file on DBFS, from block to block until there are no more."""
        offset = 0
        while True:
            answer = self._api.get(
                "/api/2.0/dbfs/read", {"path": path, "offset": offset, "length": DBFS_BLOCK_BYTES}
            )
            try:
                block = base64.b64decode(str(answer.get("data") or ""), validate=True)
            except binascii.Error as error:
                raise SourceError(
                    f"{DBFS}{path}: what the workspace sent from byte {offset} on is no base64. "
                    "Try again"
                ) from error
            if not block:
                return
            yield block
            offset += len(block)


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a folder lists."""

    name: str
    is_folder: bool
    info: FileInfo


@dataclass(frozen=True, slots=True)
class _Words:
    """How an API calls what it says of a folder's entries."""

    scheme: str
    entries: str
    is_folder: str
    modified: str

    def entry(self, given: Json) -> _Entry:
        path = f"{self.scheme}{given.get('path')}".rstrip("/")
        size, modified = given.get("file_size"), given.get(self.modified)
        return _Entry(
            path.rpartition("/")[2],
            given.get(self.is_folder) is True,
            FileInfo(
                path,
                size if isinstance(size, int) else 0,
                modified if isinstance(modified, int) else None,
                None,
            ),
        )


_DBFS_WORDS = _Words(DBFS, "files", "is_dir", "modification_time")
_VOLUME_WORDS = _Words("", "contents", "is_directory", "last_modified")


@cache
def _connected(connect: Callable[[], ReadingApi]) -> ReadingApi:
    """The API of this process."""
    return connect()


def _is_in_volume(path: str) -> bool:
    return len(path.split("/")) >= _VOLUME_PARTS


@contextmanager
def _told(path: str) -> Generator[None]:
    """The path and a remedy, added to what the API says."""
    try:
        yield
    except FileGone:
        raise
    except ApiRefused as error:
        if error.status not in _DENIED:
            raise SourceError(f"{path}: can't be read. {error}") from error
        remedy = (
            "Grant read on the folder"
            if path.startswith(DBFS)
            else "Grant USE CATALOG, USE SCHEMA and READ VOLUME"
        )
        raise SourceError(f"{path}: access denied. {remedy}. {error}") from error
    except ApiError as error:
        raise SourceError(f"{path}: can't be read. {error}") from error
