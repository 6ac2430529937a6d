"""Whether tables can be written where they are to be, and whether those that are there fit."""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import obstore
import polars as pl
from obstore.exceptions import BaseError
from polars.exceptions import PolarsError

from overwatch_assets.delta.log import Patience
from overwatch_assets.delta.storage import Retries, StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.errors import ConfigError, SchemaMismatch, StorageError
from overwatch_assets.module import Column, Grain, Table
from overwatch_assets.operations.validation.findings import Check, Finding

ACCESS, TABLES = "Storage_Access", "Storage_Tables"
BRIEF = Retries(limit=2, within=timedelta(seconds=15))
"""A storage that fails is told at once; a run is more patient."""

THREADS = 8

_ROOT = "Give the identity read, write and delete below `storage.root`, or write another root"
_PROBE_ROW = {
    "value": [1],
    "Pipeline_SnapTS": [None],
    "Overwatch_RunID": ["validate"],
    "workspace_name": ["validate"],
}


def storage_findings(
    locate: Callable[[], StorageLocation], tables: Sequence[Table]
) -> list[Finding]:
    """Check the storage of the tables with a table of its own, which is removed again.

    Args:
        locate: Where the tables are, with secrets resolved.
        tables: Every table that is or will be there.
    """
    check = Check(ACCESS, "", "create, write, read and delete a table below the storage's root")
    try:
        location = replace(locate(), retries=BRIEF)
    except ConfigError as error:
        return [check.failed(error, "Mend `storage` in the configuration")]
    store = DeltaStore(location, patience=Patience(failures=1, conflicts=1))
    check = replace(check, tried=f"create, write, read and delete a table below {_shown(location)}")
    access = _access(check, store)
    stored = _tables(Check(TABLES, "", f"look for {len(tables)} tables"), store, tables)
    return [access, *stored]


def _access(check: Check, store: DeltaStore) -> Finding:
    probe = Table(
        name=f"overwatch_probe_{uuid4().hex}",
        columns=(Column("value", pl.Int64, "Written and read."),),
        keys=("value",),
        grain=Grain.RECORD,
        doc="A table to try the storage with.",
    )
    day = date(2000, 1, 1)

    def write() -> None:
        rows = pl.DataFrame(_PROBE_ROW)
        staged = store.stage(probe, "validate", day, rows)
        store.replace(probe, "validate", [day], staged, {})

    def read() -> None:
        with store.computing():
            found = store.scan(probe, "validate", [day]).collect()
        if found["value"].to_list() != [1]:
            raise StorageError(f"one row was written, and {found.height} were read")

    steps: Sequence[tuple[str, Callable[[], None]]] = (
        ("created", lambda: store.create(probe)),
        ("written", write),
        ("read", read),
        ("deleted", lambda: _delete(store.location, probe.name)),
    )
    done: list[str] = []
    for step, take in steps:
        if why := _failure(store.location, take):
            left = "" if step == "deleted" else _failure(store.location, steps[-1][1])
            told = f"a table could not be {step}: {why}"
            if step == "deleted" or left:
                told += f"; the folder {probe.name} is left behind"
            return check.error(told, _ROOT)
        done.append(step)
    return check.ok(f"a table was {', '.join(done[:-1])} and {done[-1]}")


def _failure(location: StorageLocation, take: Callable[[], None]) -> str:
    """Why a step could not be taken; blank: it was."""
    try:
        take()
    except (StorageError, SchemaMismatch, PolarsError, BaseError, OSError) as error:
        return location.redacted(" ".join(str(error).split()))
    return ""


def _delete(location: StorageLocation, folder: str) -> None:
    root = location.local_path
    if root is not None:
        shutil.rmtree(root / folder)
        return
    for batch in obstore.list(location.store, prefix=folder, chunk_size=1000):
        obstore.delete(location.store, [each["path"] for each in batch])


def _tables(check: Check, store: DeltaStore, tables: Sequence[Table]) -> list[Finding]:
    """One finding for those that fit or are missing, and one for each that doesn't fit."""

    def look(table: Table) -> bool | Finding:
        try:
            store.scan(table, missing_ok=True)
            return store.exists(table)
        except SchemaMismatch as error:
            return check.failed(
                error,
                "Choose another `storage.root`: this table is another program's or version's. "
                "Nothing overwrites it",
            )
        except StorageError as error:
            return check.failed(error, _ROOT)

    with ThreadPoolExecutor(THREADS, thread_name_prefix="overwatch-validate") as pool:
        looked = list(pool.map(look, tables))
    wrong = [each for each in looked if isinstance(each, Finding)]
    there = sum(each is True for each in looked)
    fit = f"{there} are there and fit, {len(looked) - there - len(wrong)} will be created"
    return wrong or [check.ok(fit)]


def _shown(location: StorageLocation) -> str:
    return location.redacted(location.root)
