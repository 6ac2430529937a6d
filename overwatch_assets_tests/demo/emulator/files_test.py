import os
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
import requests
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound, ResourceDoesNotExist

from overwatch_assets.demo.emulator.faults import Fault, FaultRule
from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets_tests.demo.emulator.literal import ORG, PAT, LiteralWorkspace
from overwatch_assets_tests.demo.emulator.sdk import client

MODIFIED_MS = 1_791_460_800_123
CONTENT = bytes(range(256)) * 10_000
VOLUME = "/Volumes/main/logs/cluster"
BEARER = {"Authorization": f"Bearer {PAT}"}


@pytest.fixture
def root(here: LiteralWorkspace, tmp_path: Path) -> Path:
    """A folder with a file of 2.5 MB in a volume, and the same below a mount."""
    for folder in (VOLUME, "/mnt/logs"):
        path = tmp_path / folder.lstrip("/")
        path.mkdir(parents=True)
        (path / "eventlog ü").write_bytes(CONTENT)
        os.utime(path / "eventlog ü", ns=(MODIFIED_MS * 10**6, MODIFIED_MS * 10**6))
    here.root = tmp_path
    return tmp_path


@pytest.mark.usefixtures("root")
def test_dbfs_is_listed_and_read_in_blocks(emulator: Emulator) -> None:
    dbfs = client(emulator).dbfs
    [found] = dbfs.list("dbfs:/mnt/logs")
    assert (found.path, found.is_dir, found.file_size) == ("/mnt/logs/eventlog ü", False, 2_560_000)
    assert found.modification_time == MODIFIED_MS
    assert [each.path for each in dbfs.list("/mnt", recursive=True)] == ["/mnt/logs/eventlog ü"]
    with dbfs.download("dbfs:/mnt/logs/eventlog ü") as file:
        assert file.read() == CONTENT
    assert len(emulator.journal.requests("GET /api/2.0/dbfs/read")) == 3
    assert dbfs.get_status("/mnt/logs").is_dir


@pytest.mark.usefixtures("root")
def test_dbfs_refuses_what_it_can_not_read(emulator: Emulator) -> None:
    dbfs = client(emulator).dbfs
    for ask in (dbfs.get_status, dbfs.read, dbfs.list):
        with pytest.raises(ResourceDoesNotExist):
            list(ask("/mnt/none"))  # pyright: ignore[reportArgumentType, reportUnknownArgumentType] - it raises
    with pytest.raises(BadRequest, match="exceeds 1048576"):
        dbfs.read("/mnt/logs/eventlog ü", length=1_048_577)
    for length, offset in ((-1, 0), (1, -1)):
        with pytest.raises(InvalidParameterValue):
            dbfs.read("/mnt/logs/eventlog ü", length=length, offset=offset)
    with pytest.raises(InvalidParameterValue):
        dbfs.read("/mnt/logs")
    with pytest.raises(InvalidParameterValue, match="without"):
        dbfs.read("/mnt/../../etc/passwd")


@pytest.mark.usefixtures("root")
def test_a_volume_is_listed_page_by_page(emulator: Emulator, root: Path) -> None:
    for number in range(4):
        (root / f"{VOLUME}/{number}".lstrip("/")).mkdir()
    files = client(emulator).files
    entries = list(files.list_directory_contents(VOLUME, page_size=2))
    assert [each.name for each in entries] == ["0", "1", "2", "3", "eventlog ü"]
    assert (entries[-1].file_size, entries[-1].last_modified) == (2_560_000, MODIFIED_MS)
    assert (entries[0].is_directory, entries[0].file_size) == (True, None)
    files.get_directory_metadata(VOLUME)
    with pytest.raises(NotFound):
        list(files.list_directory_contents(f"{VOLUME}/none"))


@pytest.mark.usefixtures("root")
def test_a_volumes_file_is_downloaded_by_link_or_through_the_workspace(
    emulator: Emulator, tmp_path: Path
) -> None:
    path, answer = f"{VOLUME}/eventlog ü", tmp_path / "copy"
    told = client(emulator).files.get_metadata(path)
    assert told.content_length == len(CONTENT)
    client(emulator).files.download_to(path, str(answer))
    assert answer.read_bytes() == CONTENT
    [link] = emulator.journal.requests("GET /storage/*")
    assert link.principal is None
    direct = client(emulator, disable_experimental_files_api_client=True)
    file = direct.files.download(path).contents
    assert file is not None
    assert file.read() == CONTENT
    with pytest.raises(NotFound):
        client(emulator).files.download(f"{VOLUME}/none")


@pytest.mark.usefixtures("root")
def test_a_download_that_breaks_off_is_taken_up_by_the_sdk(emulator: Emulator) -> None:
    emulator.faults.add(FaultRule(Fault.CUT, "GET /storage/*"))
    file = client(emulator).files.download(f"{VOLUME}/eventlog ü").contents
    assert file is not None
    assert file.read() == CONTENT
    [cut] = emulator.journal.requests("GET /storage/*")
    [whole] = emulator.journal.requests("GET /api/2.0/fs/files/*")
    assert [(each.status, each.fault) for each in (cut, whole)] == [(200, Fault.CUT), (200, None)]


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=10-19", CONTENT[10:20]),
        ("bytes=2559990-", CONTENT[-10:]),
        ("bytes=-5", CONTENT[-5:]),
    ],
)
def test_a_range_is_given(emulator: Emulator, asked: str, expected: bytes) -> None:
    address = f"{emulator.address(ORG)}/api/2.0/fs/files{VOLUME}/eventlog%20%C3%BC"
    answer = requests.get(address, headers={**BEARER, "Range": asked}, timeout=10)
    assert (answer.status_code, answer.content) == (206, expected)
    assert answer.headers["Content-Range"].endswith("/2560000")


@pytest.mark.usefixtures("root")
def test_a_range_beyond_the_file_or_of_a_changed_file_is_refused(emulator: Emulator) -> None:
    address = f"{emulator.address(ORG)}/api/2.0/fs/files{VOLUME}/eventlog%20%C3%BC"
    beyond = {**BEARER, "Range": "bytes=2560000-"}
    assert requests.get(address, headers=beyond, timeout=10).status_code == 416
    changed = {**BEARER, "If-Unmodified-Since": "Mon, 05 Oct 2026 00:00:00 GMT"}
    assert requests.get(address, headers=changed, timeout=10).status_code == 412
    at = datetime.fromtimestamp(MODIFIED_MS // 1000, tz=UTC)
    unchanged = {**BEARER, "If-Unmodified-Since": format_datetime(at, usegmt=True)}
    assert requests.head(address, headers=unchanged, timeout=10).status_code == 200
