"""Files on a local disk.

Symbolic links are not followed: what they point to is listed by its own name or lies outside.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from overwatch_assets.errors import SourceError
from overwatch_assets.sources.paths import (
    CHUNK_BYTES,
    FileInfo,
    gone,
    is_below,
    joined,
    split_scheme,
)


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """A local disk; `root`, if there is one, confines."""

    root: str | None

    def list(self, prefix: str) -> Iterator[FileInfo]:
        start = self._disk_path(prefix)
        try:
            found = Path(start).stat()
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise _local_failure(prefix, error) from error
        if not stat.S_ISDIR(found.st_mode):
            yield _local_info(prefix, found)
            return
        folders = [(prefix, start)]
        while folders:
            shown, on_disk = folders.pop()
            below: list[tuple[str, str]] = []
            for entry in _entries(shown, on_disk):
                name = joined(shown, _text(shown, entry.name))
                if entry.is_dir(follow_symlinks=False):
                    below.append((name, entry.path))
                elif entry.is_file(follow_symlinks=False):
                    try:
                        yield _local_info(name, entry.stat(follow_symlinks=False))
                    except FileNotFoundError:
                        continue
            folders.extend(reversed(below))

    def folders(self, prefix: str) -> Sequence[str]:
        return [
            _text(prefix, entry.name)
            for entry in _entries(prefix, self._disk_path(prefix))
            if entry.is_dir(follow_symlinks=False)
        ]

    def open(self, path: str) -> Iterator[bytes]:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        on_disk = self._disk_path(path)
        try:
            with os.fdopen(os.open(on_disk, flags), "rb", buffering=0) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise SourceError(f"{path}: not a regular file. Name the file itself")
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except (FileNotFoundError, NotADirectoryError) as error:
            raise gone(path) from error
        except OSError as error:
            raise _local_failure(path, error) from error

    def _disk_path(self, path: str) -> str:
        on_disk = split_scheme(path)[1]
        if path != on_disk and not on_disk.startswith("/"):
            raise SourceError(f"{path}: a file:// path names no host. Write file:///folder")
        if self.root is not None:
            real_root = os.path.realpath(split_scheme(self.root)[1])
            if not is_below(os.path.realpath(on_disk), real_root):
                raise SourceError(
                    f"{path}: a symbolic link leads out of {self.root}. Configure the folder "
                    "that the link points to"
                )
        return on_disk


def _entries(shown: str, on_disk: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(on_disk) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _local_failure(shown, error) from error


def _text(folder: str, name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise SourceError(
            f"{folder}: the name {name!a} is not valid UTF-8. Rename the file"
        ) from error
    return name


def _local_info(path: str, found: os.stat_result) -> FileInfo:
    return FileInfo(path, found.st_size, found.st_mtime_ns // 1_000_000, None)


def _local_failure(path: str, error: OSError) -> SourceError:
    match error:
        case PermissionError():
            remedy = "Give the user that runs this the right to read it"
        case OSError(errno=errno.ELOOP):
            remedy = "It is a symbolic link, or one that leads to itself; name the file itself"
        case _:
            remedy = "Check the disk and the path"
    return SourceError(
        f"{path}: can't be read ({error.strerror or type(error).__name__}). {remedy}"
    )
