"""A store whose tables stand still for a run."""

from pathlib import Path

import pytest

from overwatch_assets.delta.pinned import PinnedStore
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.errors import StorageError
from overwatch_assets_tests.delta.lake import (
    JOBRUNS,
    MONDAY,
    TUESDAY,
    WORKSPACE,
    local_store,
    put,
    runs,
)


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    made = local_store(tmp_path)
    made.create(JOBRUNS)
    return made


def run_ids(pinned: PinnedStore) -> list[int]:
    return sorted(pinned.scan(JOBRUNS, WORKSPACE).collect()["run_id"])


def test_what_others_commit_after_the_first_look_is_not_seen(store: DeltaStore) -> None:
    pinned = PinnedStore(store)
    put(store, MONDAY, runs(1))
    assert run_ids(pinned) == [1]
    put(store, MONDAY, runs(2))
    assert run_ids(pinned) == [1]
    assert run_ids(PinnedStore(store)) == [2]


def test_a_commit_of_ones_own_is_seen_with_all_that_came_before_it(store: DeltaStore) -> None:
    pinned = PinnedStore(store)
    assert run_ids(pinned) == []
    put(store, MONDAY, runs(1))
    staged = pinned.stage(JOBRUNS, WORKSPACE, TUESDAY, runs(2))
    assert sorted(pinned.scan(JOBRUNS, staged=staged).collect()["run_id"]) == [2]
    pinned.replace(JOBRUNS, WORKSPACE, [TUESDAY], staged, {})
    assert run_ids(pinned) == [1, 2]
    assert pinned.partitions(JOBRUNS)["partition_date"].to_list() == [MONDAY, TUESDAY]


def test_a_table_is_made_by_the_first_who_asks(tmp_path: Path) -> None:
    pinned = PinnedStore(local_store(tmp_path))
    with pytest.raises(StorageError, match="is missing, create it first"):
        pinned.scan(JOBRUNS)
    pinned.create(JOBRUNS)
    pinned.create(JOBRUNS)
    assert run_ids(pinned) == []
