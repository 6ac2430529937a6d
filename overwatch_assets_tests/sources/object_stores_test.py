"""Files in Azure (Azurite) and Google Cloud Storage (a small server) are like those on a disk."""

import pickle
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

import obstore
import pytest

from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.errors import SourceError
from overwatch_assets.sources.files import FileGone, Files
from overwatch_assets.sources.paths import CHUNK_BYTES
from overwatch_assets_tests.azurite import Azurite
from overwatch_assets_tests.fake_gcs import FakeGcs

ODD_NAMES = (
    "date=2024-01-01/a b.json",
    "date=2024-01-01/a%20b.json",
    "date=2024-01-02/100%.json",
    "date=2024-01-02/x+y=z#1?.json",
    "üñ日.json",
)
FOLDERS = ("date=2024-01-01", "date=2024-01-02", "date=2024-01-03")
"""Also objects of no bytes, as a hierarchical namespace has them of its folders."""


class Service(Protocol):
    """What both services have."""

    def location(self, root: str) -> StorageLocation: ...


@dataclass(frozen=True)
class Logs:
    """A folder of files, and what reads it.

    Attributes:
        location: The folder.
        files: Reads it.
    """

    location: StorageLocation
    files: Files

    @property
    def root(self) -> str:
        return self.location.root

    def listed(self, folder: str = "") -> Sequence[str]:
        """Names below a folder, as they are listed."""
        found = [each.path for each in self.files.list(f"{self.root}/{folder}")]
        assert all(path.startswith(f"{self.root}/") for path in found)
        return sorted(path.removeprefix(f"{self.root}/") for path in found)


@pytest.fixture(scope="module", params=["azurite", "gcs"])
def service(request: pytest.FixtureRequest) -> Service:
    found = request.getfixturevalue(request.param)
    match found:
        case Azurite():
            found.create_container("logs")
        case FakeGcs():
            found.create_bucket("logs")
        case _:
            raise AssertionError
    return found


def reading(location: StorageLocation) -> Files:
    assert location.delta_options is not None
    return Files({location.root: location.delta_options})


@pytest.fixture
def logs(service: Service) -> Logs:
    location = service.location(f"logs/{uuid4().hex}")
    for name in ODD_NAMES:
        obstore.put(location.store, name, name.encode())
    for name in FOLDERS:
        obstore.put(location.store, name, b"")
    return Logs(location, reading(location))


def test_every_listed_path_opens_whatever_its_name(logs: Logs) -> None:
    assert logs.listed() == sorted(ODD_NAMES)
    for each in logs.files.list(logs.root):
        body = b"".join(logs.files.open(each.path))
        assert body.decode() == each.path.removeprefix(f"{logs.root}/")
        assert each.size == len(body)
        assert each.etag
        assert each.modified_ms is not None


def test_folders_are_named_in_order(logs: Logs) -> None:
    assert logs.files.folders(logs.root) == ["date=2024-01-01", "date=2024-01-02"]
    assert list(logs.files.folders(f"{logs.root}/none")) == []


def test_a_prefix_is_a_folder_or_one_file_and_never_part_of_a_name(logs: Logs) -> None:
    assert logs.listed("date=2024-01-01/a b.json") == ["date=2024-01-01/a b.json"]
    assert logs.listed("date=2024-01-02") == sorted(ODD_NAMES[2:4])
    assert logs.listed("date=2024-01-03") == []
    assert logs.listed("date=2024-01") == []
    assert not logs.files.exists(f"{logs.root}/none")


def test_a_file_that_vanishes_after_it_was_listed_is_gone(logs: Logs) -> None:
    [listed] = logs.files.list(f"{logs.root}/üñ日.json")
    obstore.delete(logs.location.store, "üñ日.json")
    with pytest.raises(FileGone, match=r"üñ日\.json"):
        next(logs.files.open(listed.path))


def test_large_files_come_in_chunks(logs: Logs) -> None:
    body = bytes(range(256)) * (CHUNK_BYTES // 128)
    obstore.put(logs.location.store, "large", body, use_multipart=False)
    chunks = list(logs.files.open(f"{logs.root}/large"))
    assert b"".join(chunks) == body
    assert max(map(len, chunks)) <= 2 * CHUNK_BYTES


def test_another_process_reads_the_same(logs: Logs) -> None:
    again = pickle.loads(pickle.dumps(logs.files))  # noqa: S301 - what a worker process is handed
    assert [each.path for each in again.list(logs.root)] == [
        each.path for each in logs.files.list(logs.root)
    ]


def test_a_missing_bucket_is_no_empty_one(service: Service) -> None:
    location = service.location("no-such-logs/a")
    with pytest.raises(SourceError, match="no such bucket"):
        list(reading(location).list(location.root))


def test_what_may_not_be_read_in_google_is_told(gcs: FakeGcs) -> None:
    gcs.create_bucket("secret")
    location = gcs.location("secret/a")
    obstore.put(location.store, "b", b"c")
    gcs.denied.add("secret")
    _refused(reading(location), location.root)


def test_what_may_not_be_read_in_azure_is_told(azurite: Azurite) -> None:
    azurite.create_container("secret")
    location = azurite.location("secret/a")
    obstore.put(location.store, "b", b"c")
    nobodys = azurite.sas("rl").replace("sig=", "sig=canary")
    for options in ({"sas_key": nobodys}, {"account_key": "Y2FuYXJ5LW9mLXRlc3Rz"}):
        _refused(reading(azurite.location("secret/a", options=options)), location.root)


def test_a_signature_that_may_only_read_does_not_list(azurite: Azurite) -> None:
    azurite.create_container("readable")
    obstore.put(azurite.location("readable").store, "a/b", b"c")
    for permissions, can_list in (("r", False), ("rl", True)):
        location = azurite.location("readable", options={"sas_key": azurite.sas(permissions)})
        files = reading(location)
        assert b"".join(files.open(f"{location.root}/a/b")) == b"c"
        if can_list:
            assert files.exists(f"{location.root}/a")
        else:
            with pytest.raises(SourceError, match="access denied"):
                files.exists(f"{location.root}/a")


def _refused(files: Files, root: str) -> None:
    """Every way to read is denied, says so, and repeats no secret."""
    for read in (
        lambda: list(files.list(root)),
        lambda: files.folders(root),
        lambda: list(files.open(f"{root}/b")),
    ):
        with pytest.raises(SourceError, match=r"access denied\)\. Grant list and read") as denied:
            read()
        told = "".join(traceback.format_exception(denied.value))
        assert root in told
        for secret in ("canary", "Y2FuYXJ5"):
            assert secret not in told
