"""Tables in Azure (Azurite) and Google Cloud Storage (a small server), by the same libraries."""

import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol
from urllib.parse import unquote
from uuid import uuid4

import obstore
import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from polars.exceptions import PolarsError

from overwatch_assets.delta.log import NONCE, Patience, TransactionLog
from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.errors import StorageError
from overwatch_assets_tests.azurite import Azurite
from overwatch_assets_tests.delta.faulty_proxy import Fault, faulty_proxy
from overwatch_assets_tests.delta.lake import (
    IMPATIENT,
    JOBRUNS,
    MONDAY,
    TUESDAY,
    WORKSPACE,
    commit_nothing,
    data_schema,
    put,
    runs,
    stored,
)
from overwatch_assets_tests.delta.writers import numbers_by_partition, write_both_days
from overwatch_assets_tests.fake_gcs import FakeGcs

WRITERS, COMMITS = 3, 2


class Service(Protocol):
    """What both services have."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    def location(self, root: str, *, endpoint: str = "") -> StorageLocation: ...


@pytest.fixture(scope="module", params=["azurite", "gcs"])
def service(request: pytest.FixtureRequest) -> Service:
    found = request.getfixturevalue(request.param)
    match found:
        case Azurite():
            found.create_container("lake")
        case FakeGcs():
            found.create_bucket("lake")
        case _:
            raise AssertionError
    return found


@pytest.fixture
def location(service: Service) -> StorageLocation:
    return service.location(f"lake/{uuid4().hex}")


@pytest.fixture
def store(location: StorageLocation) -> DeltaStore:
    made = DeltaStore(location, IMPATIENT)
    made.create(JOBRUNS)
    return made


def objects(store: DeltaStore) -> Sequence[str]:
    """Data files that lie in the storage."""
    listed = [each["path"] for batch in obstore.list(store.location.store) for each in batch]
    return [path for path in listed if path.endswith(".parquet")]


def test_rows_come_back_as_they_were_written(store: DeltaStore) -> None:
    row = {"run_id": 7, "writer": "ü", "tags": {"a b": "c%20"}, "tasks": [{"key": "t"}]}
    put(store, MONDAY, pl.DataFrame([row], schema=data_schema()), "a workspace/%2F=ü")
    store.create(JOBRUNS)
    [found] = store.scan(JOBRUNS).collect().to_dicts()
    assert found["organization_id"] == "a workspace/%2F=ü"
    assert found["tags"] == {"a b": "c%20"}
    assert found["tasks"] == [{"key": "t", "attempts": None}]
    assert store.newest_day(JOBRUNS, "a workspace/%2F=ü") == MONDAY


def test_a_replace_touches_only_its_workspace_and_days(store: DeltaStore) -> None:
    put(store, MONDAY, runs(1, 2))
    put(store, TUESDAY, runs(3))
    put(store, MONDAY, runs(4), "another")
    assert put(store, MONDAY, runs(5)) == 4
    assert stored(store, MONDAY, organization_id=WORKSPACE) == [5]
    assert stored(store) == [3, 4, 5]
    newest, *_ = store.history(JOBRUNS)
    assert (newest.version, newest.metadata["overwatch.run_id"]) == (4, "r-1")


def test_staged_rows_are_nobodys_until_they_are_committed(store: DeltaStore) -> None:
    staged = store.stage(JOBRUNS, WORKSPACE, MONDAY, runs(1))
    assert stored(store) == []
    assert store.scan(JOBRUNS, staged=staged).collect()["run_id"].to_list() == [1]
    store.discard(JOBRUNS, staged)
    assert objects(store) == []


def test_a_frame_that_fails_leaves_nothing(store: DeltaStore) -> None:
    def fail(_: pl.DataFrame) -> pl.DataFrame:
        raise ValueError("planted")

    rows = runs(1).lazy().map_batches(fail, schema=data_schema())
    with pytest.raises((PolarsError, ValueError)):
        store.stage(JOBRUNS, WORKSPACE, MONDAY, rows)
    assert objects(store) == []


def test_two_commits_on_the_same_version_never_both_land(store: DeltaStore) -> None:
    log = TransactionLog(JOBRUNS.name, store.location)
    first, second = log.open(), log.open()
    commit_nothing(first, "a")
    with pytest.raises(CommitFailedError):
        commit_nothing(second, "b")
    assert [each.metadata.get(NONCE) for each in store.history(JOBRUNS, 1)] == ["a"]


def test_who_is_overtaken_tries_again_and_nothing_is_lost(store: DeltaStore) -> None:
    theirs = [runs(5)]
    versions: list[int] = []

    def be_overtaken(opened: DeltaTable, nonce: str) -> None:
        versions.append(opened.version())
        if theirs:
            put(store, MONDAY, theirs.pop())
        commit_nothing(opened, nonce)

    assert TransactionLog(JOBRUNS.name, store.location, IMPATIENT).commit(be_overtaken) == 2
    assert versions == [0, 1]
    assert stored(store) == [5]


def test_writers_at_the_same_time_all_get_their_turn(store: DeltaStore) -> None:
    patient = replace(store, patience=Patience(first_wait_s=0.01, longest_wait_s=0.05))

    def write(writer: int) -> None:
        for number in range(COMMITS):
            write_both_days(patient, f"workspace {writer}", number, rows=5)
            write_both_days(patient, "shared", writer, rows=writer + 1)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    rows = store.scan(JOBRUNS).collect()
    shown = numbers_by_partition(rows)
    for writer in range(WRITERS):
        assert shown[f"workspace {writer}", MONDAY] == {str(COMMITS - 1)}
    [last] = shown["shared", MONDAY]
    assert shown["shared", TUESDAY] == {last}
    assert rows.filter(organization_id="shared").height == 2 * (int(last) + 1)
    commits = [c.metadata for c in store.history(JOBRUNS) if "number" in c.metadata]
    assert len(commits) == len({c[NONCE] for c in commits}) == WRITERS * COMMITS * 2


def test_a_missing_table_is_missing_and_a_missing_bucket_is_an_error(service: Service) -> None:
    store = DeltaStore(service.location("lake/nothing"), IMPATIENT)
    assert not store.exists(JOBRUNS)
    assert store.scan(JOBRUNS, missing_ok=True).collect().is_empty()
    nowhere = DeltaStore(service.location("no-such-lake"), IMPATIENT)
    for read in (nowhere.create, nowhere.exists):
        with pytest.raises(StorageError):
            read(JOBRUNS)
    with pytest.raises(StorageError):
        nowhere.scan(JOBRUNS, missing_ok=True)


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
def test_a_commit_that_is_always_refused_is_reported_as_the_log_has_it(
    service: Service, fault: Fault
) -> None:
    root = f"lake/{uuid4().hex}"
    healthy = DeltaStore(service.location(root), IMPATIENT)
    healthy.create(JOBRUNS)
    put(healthy, MONDAY, runs(1))
    with faulty_proxy(service.host, service.port) as (address, plan):
        endpoint = f"{address}/acme" if isinstance(service, Azurite) else address
        store = DeltaStore(service.location(root, endpoint=endpoint), IMPATIENT)
        plan.begin(
            fault, lambda asked: asked.method == "PUT" and "_delta_log" in unquote(asked.path)
        )
        arrives = fault in (Fault.ANSWER_LOST, Fault.ERROR_AFTER_SUCCESS, Fault.CUT)
        if arrives:
            assert put(store, MONDAY, runs(2)) == 2
        else:
            with pytest.raises(StorageError, match="is still at version 1, without this commit"):
                put(store, MONDAY, runs(2))
    assert stored(healthy) == ([2] if arrives else [1])


def test_a_signature_that_may_write_is_enough_for_tables(azurite: Azurite) -> None:
    azurite.create_container("shared")
    location = azurite.location("shared/tables", options={"sas_key": azurite.sas("rwdlac")})
    store = DeltaStore(location, IMPATIENT)
    store.create(JOBRUNS)
    put(store, MONDAY, runs(1))
    assert stored(store) == [1]


def test_no_error_of_azure_repeats_a_secret(azurite: Azurite) -> None:
    nobodys = azurite.sas("rl").replace("sig=", "sig=canary")
    wrong_key = "Y2FuYXJ5LW9mLXRlc3Rz"
    for options in ({"sas_key": nobodys}, {"account_key": wrong_key}, {"token": "canary-token"}):
        store = DeltaStore(azurite.location("lake/a", options=options), IMPATIENT)
        actions: Sequence[Callable[[], object]] = (
            lambda store=store: store.version(JOBRUNS),
            lambda store=store: store.create(JOBRUNS),
            lambda store=store: store.stage(JOBRUNS, WORKSPACE, MONDAY, runs(1)),
        )
        for action in actions:
            with pytest.raises(StorageError) as refused:
                action()
            said = "".join(traceback.format_exception(refused.value))
            assert "40" in said
            assert "canary" not in said
            assert wrong_key not in said
