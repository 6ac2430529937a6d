"""What a run of the command line leaves behind, as texts that can be searched."""

import gzip
import os
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import polars as pl


def overwatch(folder: Path, environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "overwatch_assets.cli", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def told_by_files(paths: Iterable[Path]) -> dict[str, str]:
    """What files say, by path."""
    # A database that is opened and closed takes in the log beside it, which is gone then.
    last = sorted(paths, key=lambda path: path.suffix == ".db")
    return {str(path): "".join(texts(path)) for path in last}


def texts(path: Path) -> Iterator[str]:
    """What a file says, unpacked."""
    if path.suffix == ".parquet":
        yield pl.read_parquet(path).write_ndjson()
        return
    content = path.read_bytes()
    yield content.decode("latin-1")
    if path.suffix == ".gz":
        yield gzip.decompress(content).decode("latin-1")
    if content.startswith(b"SQLite format 3\0"):
        yield from rows_of(path)


def rows_of(database: Path) -> Iterator[str]:
    """Every value in a database, those included that Dagster packs."""
    with closing(sqlite3.connect(database)) as opened:
        names = opened.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (name,) in names:
            for row in opened.execute(f'select * from "{name}"'):  # noqa: S608 - of the database
                for value in row:
                    if isinstance(value, bytes):
                        yield unpacked(value).decode("latin-1")
                    yield str(value)


def unpacked(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value
