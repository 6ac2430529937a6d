"""What the processes of the tests do to a table; imported by each of them."""

import multiprocessing
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path

import polars as pl

from overwatch_assets.delta.log import Patience
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets_tests.delta.lake import JOBRUNS, MONDAY, TUESDAY, local_store, runs

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


def write_both_days(store: DeltaStore, organization_id: str, number: int, rows: int) -> int:
    """One commit that leaves the same number in every row of two days."""
    frame = runs(*range(rows), writer=str(number))
    days = (MONDAY, TUESDAY)
    staged = [each for day in days for each in store.stage(JOBRUNS, organization_id, day, frame)]
    metadata = {"number": str(number), "writer": organization_id}
    return store.replace(JOBRUNS, organization_id, days, staged, metadata)


def write_numbers(root: Path, organization_id: str, count: int, rows: int) -> None:
    """Commit the numbers below `count`, one after the other."""
    store = local_store(root, Patience())
    store.create(JOBRUNS)
    for number in range(count):
        write_both_days(store, organization_id, number, rows)


def write_forever(root: Path, organization_id: str, first: int, acknowledged: Connection) -> None:
    """Commit ascending numbers until killed, acknowledging each."""
    store = local_store(root)
    for number in range(first, first + 1_000_000):
        write_both_days(store, organization_id, number, rows=50)
        acknowledged.send(number)


def numbers_by_partition(rows: pl.DataFrame) -> dict[tuple[str, date], set[str]]:
    """Which numbers a version shows in each partition; one each, or it is torn."""
    groups = rows.group_by("organization_id", "partition_date").agg(pl.col("writer").unique())
    return {(org, day): set(numbers) for org, day, numbers in groups.rows()}
