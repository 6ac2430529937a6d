"""Writers and readers of one table in processes of their own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import polars as pl
from deltalake import DeltaTable

from overwatch_assets.delta.files import listed
from overwatch_assets.delta.log import Patience, TransactionLog
from overwatch_assets_tests.delta.lake import JOBRUNS, TUESDAY, WORKSPACE, local_store, runs
from overwatch_assets_tests.delta.writers import PROCESSES, numbers_by_partition, write_numbers

WRITERS, COMMITS, ROWS = 8, 15, 20


def test_commits_to_different_workspaces_all_land_and_readers_see_whole_versions(
    tmp_path: Path,
) -> None:
    store = local_store(tmp_path)
    writers = [
        PROCESSES.Process(target=write_numbers, args=(tmp_path, f"workspace {n}", COMMITS, ROWS))
        for n in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    reads: list[pl.DataFrame] = []
    while any(writer.is_alive() for writer in writers):
        reads.append(store.scan(JOBRUNS, missing_ok=True).collect())
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0

    last = 0
    for rows in reads:
        shown = numbers_by_partition(rows)
        assert all(len(numbers) == 1 for numbers in shown.values())
        for workspace in {workspace for workspace, _ in shown}:
            of_days = [v for (each, _), v in shown.items() if each == workspace]
            assert of_days[0] == of_days[1]
        assert rows.height == len(shown) * ROWS
        total = sum(int(min(numbers)) + 1 for numbers in shown.values())
        assert total >= last
        last = total

    commits = [c.metadata for c in store.history(JOBRUNS) if "number" in c.metadata]
    expected = {(f"workspace {n}", str(k)) for n in range(WRITERS) for k in range(COMMITS)}
    assert sorted((c["writer"], c["number"]) for c in commits) == sorted(expected)
    assert len({c["overwatch.nonce"] for c in commits}) == WRITERS * COMMITS
    final = numbers_by_partition(store.scan(JOBRUNS).collect())
    assert set(map(frozenset, final.values())) == {frozenset({str(COMMITS - 1)})}


def test_of_writers_that_replace_every_day_one_is_seen_whole_whatever_days_it_has(
    tmp_path: Path,
) -> None:
    store = local_store(tmp_path)
    store.create(JOBRUNS)

    def write(number: int) -> None:
        days = [date(2024, 5, 1 + number), date(2024, 5, 2 + number)]
        staged = [
            file
            for day in days
            for file in store.stage(JOBRUNS, WORKSPACE, day, runs(1, writer=str(number)))
        ]
        local_store(tmp_path, Patience()).replace(JOBRUNS, WORKSPACE, None, staged, {})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(12)))
    assert store.version(JOBRUNS) == 12
    log = TransactionLog(JOBRUNS.name, store.location)
    for version in range(1, 13):
        files = listed(log, DeltaTable(store.location.uri(JOBRUNS.name), version=version))
        first, second = sorted(files["partition_date"])
        assert (second - first).days == 1


def test_commits_to_one_partition_replace_one_another_even_when_it_was_empty(
    tmp_path: Path,
) -> None:
    store = local_store(tmp_path)
    writers = [
        PROCESSES.Process(target=write_numbers, args=(tmp_path, WORKSPACE, 10, rows))
        for rows in (1, 2, 3, 4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    newest = store.version(JOBRUNS)
    assert newest == 40
    log = TransactionLog(JOBRUNS.name, store.location)
    for version in range(1, newest + 1):
        files = listed(log, DeltaTable(store.location.uri(JOBRUNS.name), version=version))
        assert files["partition_date"].n_unique() == files.height == 2
        assert files["rows"].n_unique() == 1
    assert store.newest_day(JOBRUNS, WORKSPACE) == TUESDAY
