"""Every request of an operation on S3 fails in turn, in seven ways, once or from then on.

S3 is moto on the loopback. What an operation reports must be what is stored afterwards.
"""

import http.client
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import obstore
import pytest
from deltalake.exceptions import CommitFailedError
from moto.server import ThreadedMotoServer
from polars.exceptions import PolarsError

from overwatch_assets.delta.log import NONCE, TransactionLog
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.errors import StorageError
from overwatch_assets_tests.delta.faulty_proxy import Fault, FaultPlan, Request, faulty_proxy
from overwatch_assets_tests.delta.lake import (
    JOBRUNS,
    MONDAY,
    commit_nothing,
    put,
    runs,
    s3_store,
    stored,
)

BUCKET = "s3://lake"
TEMPLATE = "template"
OLD, NEW = [1, 2], [3, 4, 5]
SHORTEST_OPERATION, LONGEST_OPERATION = 5, 60


@dataclass(frozen=True)
class Cloud:
    """An S3 with a table to copy from, reached directly and through a faulty proxy."""

    direct: str
    faulty: str
    plan: FaultPlan

    def stores(self, root: str) -> tuple[DeltaStore, DeltaStore]:
        """A store that always works, and one that meets the faults."""
        healthy = s3_store(f"{BUCKET}/{root}", self.direct)
        return healthy, s3_store(f"{BUCKET}/{root}", self.faulty)

    def copied(self, root: str) -> tuple[DeltaStore, DeltaStore]:
        """Both stores over a fresh copy of the template."""
        whole = s3_store(BUCKET, self.direct).location.store
        for batch in obstore.list(whole, TEMPLATE):
            for each in batch:
                obstore.copy(whole, each["path"], f"{root}/{each['path'].partition('/')[2]}")
        return self.stores(root)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        connection = http.client.HTTPConnection(host, port)
        connection.request("PUT", "/lake")
        assert connection.getresponse().status == 200
        connection.close()
        with faulty_proxy(host, port) as (address, plan):
            made = Cloud(f"http://{host}:{port}", address, plan)
            store, _ = made.stores(TEMPLATE)
            store.create(JOBRUNS)
            put(store, MONDAY, runs(1, 2))
            yield made
    finally:
        server.stop()


def points(plan: FaultPlan, fault: Fault, *, forever: bool) -> Iterator[int]:
    """Set a fault at each request in turn, until one comes too late for the operation."""
    for number in count():
        assert number < LONGEST_OPERATION
        plan.begin(fault, lambda request, at=number: _is_hit(request, at, forever=forever))
        yield number
        if len(plan.seen) <= number:
            assert number > SHORTEST_OPERATION
            return


def _is_hit(request: Request, number: int, *, forever: bool) -> bool:
    return request.number >= number if forever else request.number == number


def reported(operation: Callable[[], object]) -> str:
    """What the operation said became of it."""
    try:
        operation()
    except StorageError as error:
        return "unknown" if "outcome unknown" in str(error) else "not stored"
    return "stored"


faults = pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
durations = pytest.mark.parametrize("forever", [False, True], ids=["once", "forever"])


@durations
@faults
def test_a_replace_reports_what_is_stored(cloud: Cloud, fault: Fault, *, forever: bool) -> None:
    for number in points(cloud.plan, fault, forever=forever):
        healthy, store = cloud.copied(f"replace/{fault.name}/{forever}/{number}")
        said = reported(lambda store=store: put(store, MONDAY, runs(3, 4, 5)))
        rows = stored(healthy)
        assert rows in (OLD, NEW)
        if said == "unknown":
            assert forever, "the log could be read, so the outcome was known"
        else:
            assert said == ("stored" if rows == NEW else "not stored")
        if said != "stored":
            put(healthy, MONDAY, runs(3, 4, 5))
            assert stored(healthy) == NEW


@faults
def test_a_commit_that_is_always_refused_is_reported_as_the_log_has_it(
    cloud: Cloud, fault: Fault
) -> None:
    healthy, store = cloud.copied(f"refused/{fault.name}")
    cloud.plan.begin(
        fault, lambda request: request.method == "PUT" and "_delta_log" in request.path
    )
    said = reported(lambda: put(store, MONDAY, runs(3, 4, 5)))
    arrives = fault in (Fault.ANSWER_LOST, Fault.ERROR_AFTER_SUCCESS, Fault.CUT)
    assert said == ("stored" if arrives else "not stored")
    assert stored(healthy) == (NEW if arrives else OLD)
    assert healthy.version(JOBRUNS) == (2 if arrives else 1)


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.FORBIDDEN])
def test_a_table_is_created_or_not_and_then_can_be(cloud: Cloud, fault: Fault) -> None:
    for number in points(cloud.plan, fault, forever=True):
        healthy, store = cloud.stores(f"create/{fault.name}/{number}")
        said = reported(lambda store=store: store.create(JOBRUNS))
        assert said != "stored" or healthy.exists(JOBRUNS)
        healthy.create(JOBRUNS)
        assert stored(healthy) == []


@faults
def test_a_table_that_cannot_be_read_is_never_taken_for_an_empty_one(
    cloud: Cloud, fault: Fault
) -> None:
    _, store = cloud.stores(TEMPLATE)
    for _ in points(cloud.plan, fault, forever=True):
        try:
            rows = store.scan(JOBRUNS, missing_ok=True).collect()
        except (StorageError, PolarsError, OSError):
            continue
        assert sorted(rows["run_id"]) == OLD


def test_two_commits_on_the_same_version_never_both_land(cloud: Cloud) -> None:
    store, _ = cloud.copied("conditional")
    log = TransactionLog(JOBRUNS.name, store.location)
    first, second = log.open(), log.open()
    commit_nothing(first, "a")
    with pytest.raises(CommitFailedError):
        commit_nothing(second, "b")
    assert [each.metadata.get(NONCE) for each in store.history(JOBRUNS, 1)] == ["a"]


def test_a_secret_in_the_options_is_in_no_error(cloud: Cloud) -> None:
    _, store = cloud.stores(TEMPLATE)
    cloud.plan.begin(Fault.FORBIDDEN, lambda _: True)
    with pytest.raises(StorageError) as raised:
        store.version(JOBRUNS)
    shown = "".join(traceback.format_exception(raised.value))
    assert "canary" not in shown + repr(store)
    assert "403" in shown
