"""Files by path: on a local disk, in an object store, in a workspace, or wherever fsspec reaches.

Here belongs which storage a path means and with which options. Not here: what the bytes
mean, whether they are compressed, which of the files matter. Paths often come from foreign
records (a cluster's log destination), so `..`, symbolic links and schemes that nobody
configured are refused.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from overwatch_assets.errors import SourceError
from overwatch_assets.sources.local_files import LocalFiles
from overwatch_assets.sources.paths import (
    FileGone,
    FileInfo,
    is_below,
    is_in_workspace,
    normalised,
    split_scheme,
)
from overwatch_assets.sources.remote_files import OBJECT_STORES, FsspecFiles, ObjectFiles
from overwatch_assets.sources.workspace_files import WorkspaceFiles

__all__ = ["FileGone", "FileInfo", "Files"]

_ALWAYS_ALLOWED = frozenset({"memory", *OBJECT_STORES})


class _Backend(Protocol):
    def list(self, prefix: str) -> Iterator[FileInfo]: ...

    def folders(self, prefix: str) -> Sequence[str]: ...

    def open(self, path: str) -> Iterator[bytes]: ...


class Files:
    """Every file that the configured options reach; can be pickled for another process."""

    def __init__(
        self,
        options: Mapping[str, Mapping[str, str]] | None = None,
        workspace: WorkspaceFiles | None = None,
    ) -> None:
        """Remember the options; nothing is read yet.

        Args:
            options: Per root (a path or URL without the last slash) what its store needs, by
                the names that delta-rs, Polars and obstore share. The longest root on a `/`
                boundary counts. A local root confines what lies below it. A root without a
                bucket (`s3://`, `abfss://@account.dfs.core.windows.net`) is of all buckets.
            workspace: Reads `dbfs:/` and `/Volumes/`; None: they can't be read.
        """
        self._given = options or {}
        self._workspace = workspace
        self._options = {normalised(root): dict(each) for root, each in self._given.items()}
        self._backends: dict[tuple[str, str | None], _Backend] = {}

    def __repr__(self) -> str:
        return f"Files(roots={sorted(self._options)})"

    def __reduce__(self) -> tuple[type["Files"], tuple[object, ...]]:
        return Files, (self._given, self._workspace)

    def list(self, prefix: str) -> Iterator[FileInfo]:
        """List every file below a folder, or the one file of that path; lazily.

        Symbolic links are not followed: what they point to is listed by its own name or lies
        outside. Objects of no bytes are left out: stores use them as folders.

        Raises:
            SourceError: It exists and can't be read, or may not be.
        """
        whole = normalised(prefix)
        return self._backend(whole).list(whole)

    def folders(self, prefix: str) -> Sequence[str]:
        """Names of the folders directly below a folder, in order; none when it is missing.

        Raises:
            SourceError: It exists and can't be read, or may not be.
        """
        whole = normalised(prefix)
        return self._backend(whole).folders(whole)

    def open(self, path: str) -> Iterator[bytes]:
        """Read a file's bytes as they are stored, in chunks of about `CHUNK_BYTES`.

        Raises:
            FileGone: It isn't there (any more).
            SourceError: It can't be read.
        """
        whole = normalised(path)
        return self._backend(whole).open(whole)

    def exists(self, path: str) -> bool:
        """Whether the path is a file or a folder that holds one."""
        return next(self.list(path), None) is not None

    def _backend(self, path: str) -> _Backend:
        """Backend of a path; one per store and root."""
        if is_in_workspace(path):
            return self._of_workspace(path)
        covering = (r for r in self._options if _covers(r, path))
        root = max(covering, key=len, default=None)
        scheme, rest = split_scheme(path)
        if scheme is None or scheme == "file":
            return LocalFiles(root)
        if root is None and scheme not in _ALWAYS_ALLOWED:
            raise SourceError(
                f"{path}: no storage is configured for {scheme}:// paths. Configure storage "
                "options for this root, or a mount that leads elsewhere"
            )
        bucket = rest.partition("/")[0]
        known = (f"{scheme}://{bucket}", root)
        if known not in self._backends:
            options = self._options[root] if root is not None else {}
            store = ObjectFiles if scheme in OBJECT_STORES else FsspecFiles
            self._backends[known] = store(scheme, bucket, options)
        return self._backends[known]

    def _of_workspace(self, path: str) -> _Backend:
        if self._workspace is None:
            raise SourceError(
                f"{path}: lies in the workspace's own file system, and no connection to it is "
                "configured. Configure `databricks` for the workspace, or the mount that holds "
                "this folder, with the storage that it stands for"
            )
        return self._workspace


def _covers(root: str, path: str) -> bool:
    """Whether options of a root are meant for a path."""
    scheme, rest = split_scheme(root)
    if scheme is None or not rest.startswith("@"):
        return is_below(_comparable(path), _comparable(root))
    of_path, below = split_scheme(path)
    account = below.partition("/")[0].partition("@")[2]
    return of_path == scheme and account == rest.removeprefix("@")


def _comparable(path: str) -> str:
    scheme, rest = split_scheme(path)
    if scheme not in (None, "file"):
        return path
    return os.path.abspath(rest)  # noqa: PTH100 - resolve() would follow links
