"""What makes a local commit survive a power cut: delta-rs syncs nothing to disk.

Data files are synced where they are written, before the commit that names them. Object
stores acknowledge only what is durable and need none of this.
"""

import os
from collections.abc import Iterable
from pathlib import Path


def sync(paths: Iterable[Path]) -> None:
    """Wait until files or the entries of folders are on the disk.

    Raises:
        OSError: The system could not do it, or one of them is gone.
    """
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_folders(folder: Path, root: Path) -> None:
    """Sync the entries of a folder and of those above it, down from `root`'s own parent."""
    above = [each for each in folder.parents if each.is_relative_to(root)]
    sync((folder, *above, root.parent))


def sync_commit(log: Path, version: int) -> None:
    """Sync a commit, the checkpoint that may have followed it, and the log's folder."""
    commit = log / f"{version:020}.json"
    checkpoint = (*log.glob(f"{version:020}.checkpoint*"), *log.glob("_last_checkpoint"))
    sync((commit, *checkpoint, log))
