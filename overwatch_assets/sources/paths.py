"""What a path is, and what is told of a file: the words that every kind of storage shares."""

import re
from dataclasses import dataclass

from overwatch_assets.errors import SourceError

CHUNK_BYTES = 1 << 20
"""Larger ones are given back to the operating system each time, and cost a page fault per 4 kB."""

DBFS = "dbfs:"
VOLUMES = "/Volumes/"

_VOLUME = re.compile(r"/Volumes(?:/[^/]+){3}(?:/|$)")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_SAME_STORE = {"s3a": "s3", "s3n": "s3", "abfs": "abfss"}


class FileGone(SourceError):
    """A file that was listed isn't there any more."""


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file as it was listed.

    Attributes:
        path: Full path, in the scheme it was asked by, nothing escaped.
        size: Bytes as stored; 0 where the store doesn't tell.
        modified_ms: Epoch ms of the last change; None: the store doesn't tell.
        etag: The store's tag of the content; None on disks.
    """

    path: str
    size: int
    modified_ms: int | None
    etag: str | None


def normalised(path: str) -> str:
    """A path as it is listed, opened and shown: one scheme per store, no slash at its end.

    Raises:
        SourceError: The path can't be read by anyone, or tries to leave its folder.
    """
    shown = path.encode(errors="backslashreplace").decode()
    if re.match(r"wasbs?:", path, re.IGNORECASE):
        raise SourceError(f"{shown}: wasbs:// is not supported. Write abfss:// instead")
    path = _without_dbfs_spellings(path)
    scheme, rest = split_scheme(path)
    user, at, _ = rest.partition("/")[0].rpartition("@")
    if at and ":" in user:
        raise SourceError(
            f"{scheme}://...: a path must not hold a password. Move it to the storage options"
        )
    if "\0" in path or ".." in rest.split("/") or "::" in path:
        raise SourceError(f"{shown}: '..', '::' and NUL are refused in paths. Give the whole path")
    if not path:
        raise SourceError("An empty path was given. Name the folder or file")
    if scheme is None and path.startswith(VOLUMES) and not _VOLUME.match(path):
        raise SourceError(f"{shown}: names no volume. Write /Volumes/catalog/schema/volume/...")
    if scheme is None:
        return path.rstrip("/") or "/"
    return f"{_SAME_STORE.get(scheme, scheme)}://{rest.rstrip('/') or rest[:1]}"


def is_in_workspace(path: str) -> bool:
    """Whether a normalised path lies in a workspace's own file systems: DBFS, volumes.

    A local folder of that name is written `file:///Volumes/...`.
    """
    return path.startswith(VOLUMES) or re.match(r"dbfs:/(?!/)", path) is not None


def is_below(path: str, root: str) -> bool:
    """Whether a path is the root or lies below it, on a `/` boundary."""
    return path == root or path.startswith(root.rstrip("/") + "/")


def _without_dbfs_spellings(path: str) -> str:
    """`dbfs:/folder` and `/Volumes/...` for all that they may be written as."""
    found = re.fullmatch(r"dbfs:(?://)?(?P<path>/(?!/).*)", path, re.IGNORECASE | re.DOTALL)
    if found is None:
        return path
    return found["path"] if found["path"].startswith(VOLUMES) else f"{DBFS}{found['path']}"


def split_scheme(path: str) -> tuple[str | None, str]:
    found = _URL.fullmatch(path)
    return (found["scheme"].lower(), found["rest"]) if found else (None, path)


def joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if name else folder


def gone(path: str) -> FileGone:
    return FileGone(f"{path}: there is no such file. It may have been moved or have expired")
