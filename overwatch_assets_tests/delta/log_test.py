"""Commits: the outcome is what the log says, whatever was raised."""

from pathlib import Path

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from overwatch_assets.delta.log import NONCE, TransactionLog
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.errors import StorageError
from overwatch_assets_tests.delta.lake import (
    IMPATIENT,
    JOBRUNS,
    MONDAY,
    commit_nothing,
    local_store,
    put,
    runs,
    stored,
)


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    made = local_store(tmp_path)
    made.create(JOBRUNS)
    return made


def log_of(store: DeltaStore) -> TransactionLog:
    return TransactionLog(JOBRUNS.name, store.location, IMPATIENT)


def test_a_commit_that_raises_although_it_is_stored_is_a_success(store: DeltaStore) -> None:
    def commit_and_raise(opened: DeltaTable, nonce: str) -> None:
        commit_nothing(opened, nonce)
        raise OSError("the answer was lost")

    assert log_of(store).commit(commit_and_raise) == 1
    assert store.version(JOBRUNS) == 1


def test_a_commit_is_found_below_those_that_followed_it(store: DeltaStore) -> None:
    def commit_and_be_overtaken(opened: DeltaTable, nonce: str) -> None:
        commit_nothing(opened, nonce)
        put(store, MONDAY, runs(1))
        raise OSError("the answer was lost")

    assert log_of(store).commit(commit_and_be_overtaken) == 1
    assert store.version(JOBRUNS) == 2


def test_a_commit_that_fails_for_a_while_is_stored_once(store: DeltaStore) -> None:
    failures = [OSError("500"), OSError("500")]

    def fail_twice(opened: DeltaTable, nonce: str) -> None:
        if failures:
            raise failures.pop()
        commit_nothing(opened, nonce)

    assert log_of(store).commit(fail_twice) == 1
    assert len([c for c in store.history(JOBRUNS) if NONCE in c.metadata]) == 1


def test_a_commit_that_always_fails_says_what_is_stored(store: DeltaStore) -> None:
    def fail(_opened: DeltaTable, _nonce: str) -> None:
        raise OSError("no such luck")

    with pytest.raises(StorageError, match=r"3 tries and is still at version 0.*no such luck"):
        log_of(store).commit(fail)


def test_a_commit_whose_outcome_cannot_be_read_says_that(store: DeltaStore, tmp_path: Path) -> None:
    commit = tmp_path / JOBRUNS.name / "_delta_log" / f"{1:020}.json"

    def commit_and_break(opened: DeltaTable, nonce: str) -> None:
        commit_nothing(opened, nonce)
        commit.write_text("{torn")
        raise OSError("power")

    with pytest.raises(StorageError, match=r"outcome unknown. It was at version 0"):
        log_of(store).commit(commit_and_break)


def test_a_table_that_vanishes_under_a_commit_leaves_its_outcome_unknown(
    store: DeltaStore, tmp_path: Path
) -> None:
    def commit_and_vanish(opened: DeltaTable, nonce: str) -> None:
        commit_nothing(opened, nonce)
        (tmp_path / JOBRUNS.name).rename(tmp_path / "elsewhere")
        raise OSError("unmounted")

    with pytest.raises(StorageError, match="outcome unknown"):
        log_of(store).commit(commit_and_vanish)


def test_a_commit_that_is_overtaken_is_prepared_anew(store: DeltaStore) -> None:
    theirs = [runs(5)]
    versions: list[int] = []

    def be_overtaken(opened: DeltaTable, nonce: str) -> None:
        versions.append(opened.version())
        if theirs:
            put(store, MONDAY, theirs.pop())
        commit_nothing(opened, nonce)

    assert log_of(store).commit(be_overtaken) == 2
    assert versions == [0, 1]
    assert stored(store) == [5]


def test_two_commits_on_the_same_version_never_both_land(store: DeltaStore) -> None:
    first, second = log_of(store).open(), log_of(store).open()
    commit_nothing(first, "a")
    with pytest.raises(CommitFailedError):
        commit_nothing(second, "b")


def test_history_tells_who_committed_what(store: DeltaStore) -> None:
    put(store, MONDAY, runs(1))
    newest, created = store.history(JOBRUNS)
    assert (newest.version, newest.operation) == (1, "WRITE")
    assert newest.metadata["overwatch.run_id"] == "r-1"
    assert newest.committed_at > created.committed_at
    assert created.operation == "CREATE TABLE"
    assert store.history(JOBRUNS, 1) == (newest,)


def test_a_missing_table_is_said_to_be_missing(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    for read in (store.history, store.version, store.scan, store.partitions):
        with pytest.raises(StorageError, match=r"table jobruns_bronze at .* is missing"):
            read(JOBRUNS)


def test_a_damaged_table_is_not_taken_for_a_missing_one(store: DeltaStore, tmp_path: Path) -> None:
    first = tmp_path / JOBRUNS.name / "_delta_log" / f"{0:020}.json"
    first.write_bytes(b"")
    with pytest.raises(StorageError, match="can't be read"):
        store.exists(JOBRUNS)
    with pytest.raises(StorageError, match="can't be read"):
        store.scan(JOBRUNS, missing_ok=True)
