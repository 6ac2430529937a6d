import os
from collections.abc import Iterator

import pytest

from overwatch_assets.errors import SourceError
from overwatch_assets.sources.files import FileGone, FileInfo, Files
from overwatch_assets.sources.spark_event_logs.processes import in_processes
from overwatch_assets.sources.workspace_files import DBFS_BLOCK_BYTES, WorkspaceFiles
from overwatch_assets_tests.sources.fake_workspace import (
    CONNECTED,
    MODIFIED_MS,
    TOKEN,
    Connection,
    FakeWorkspace,
    fake_workspace,
)

ODD_NAMES = ("a/a b.json", "a/a%20b.json", "b/100%.json", "b/x+y=z#1?.json", "d/e/f", "üñ日.json")
FOLDERS = [("dbfs:/mnt/logs", "/mnt/logs"), ("/Volumes/main/ops/logs", "/Volumes/main/ops/logs")]
both = pytest.mark.parametrize(("root", "stored"), FOLDERS, ids=["dbfs", "volume"])


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Connection, FakeWorkspace]]:
    with fake_workspace() as found:
        yield found


@pytest.fixture
def workspace(served: tuple[Connection, FakeWorkspace]) -> FakeWorkspace:
    _, workspace = served
    workspace.files = {
        f"{stored}/{name}": name.encode() for _, stored in FOLDERS for name in ODD_NAMES
    }
    workspace.denied = set()
    workspace.listed_elsewhere = workspace.garbled = None
    workspace.asked.clear()
    return workspace


@pytest.fixture
def files(served: tuple[Connection, FakeWorkspace], workspace: FakeWorkspace) -> Files:
    assert workspace.files
    return Files(workspace=WorkspaceFiles(served[0]))


def read_elsewhere(task: tuple[Files, str]) -> tuple[int, int, bytes]:
    """The process that read a file, how often it has connected, and the file's bytes."""
    files, path = task
    body = b"".join(files.open(path))
    return os.getpid(), len(CONNECTED), body


@both
def test_every_listed_path_opens_whatever_its_name(files: Files, root: str, stored: str) -> None:
    assert stored
    found = list(files.list(f"{root}/"))
    assert [each.path for each in found] == sorted(f"{root}/{name}" for name in ODD_NAMES)
    for each in found:
        body = b"".join(files.open(each.path))
        assert body.decode() == each.path.removeprefix(f"{root}/")
        assert each == FileInfo(each.path, len(body), MODIFIED_MS, None)


@both
def test_folders_are_named_in_order(files: Files, root: str, stored: str) -> None:
    assert stored
    assert list(files.folders(root)) == ["a", "b", "d"]
    assert list(files.folders(f"{root}/none")) == []


@both
def test_a_prefix_that_is_a_file_lists_that_file(files: Files, root: str, stored: str) -> None:
    assert stored
    path = f"{root}/a/a b.json"
    assert [each.path for each in files.list(path)] == [path]
    assert [each.path for each in files.list(f"{root}/üñ日.json")] == [f"{root}/üñ日.json"]


@both
def test_a_missing_prefix_is_empty(files: Files, root: str, stored: str) -> None:
    assert stored
    for missing in (f"{root}/none", f"{root}/none/none", f"{root}/a/a b.json/none"):
        assert not files.exists(missing)


@both
def test_a_file_that_vanishes_after_it_was_listed_is_gone(
    files: Files, workspace: FakeWorkspace, root: str, stored: str
) -> None:
    [listed] = files.list(f"{root}/d")
    del workspace.files[f"{stored}/d/e/f"]
    with pytest.raises(FileGone, match="d/e/f"):
        next(files.open(listed.path))


@both
def test_a_folder_that_may_not_be_read_is_no_empty_one(
    files: Files, workspace: FakeWorkspace, root: str, stored: str
) -> None:
    workspace.denied.add(f"{stored}/a")
    for read in (
        lambda: list(files.list(root)),
        lambda: files.folders(f"{root}/a"),
        lambda: list(files.open(f"{root}/a/a b.json")),
    ):
        with pytest.raises(SourceError, match=r"access denied\. Grant") as denied:
            read()
        assert root in str(denied.value)
        assert TOKEN not in str(denied.value)


@both
def test_what_a_folder_lists_lies_in_it(
    files: Files, workspace: FakeWorkspace, root: str, stored: str
) -> None:
    for elsewhere in ("/etc/passwd", f"{stored}/../x", f"{stored}/..", f"{stored}/a/b"):
        workspace.listed_elsewhere = elsewhere
        with pytest.raises(SourceError, match="which isn't there"):
            list(files.list(root))


def test_a_missing_volume_is_no_empty_one(files: Files) -> None:
    for missing in ("/Volumes/main/ops/none", "/Volumes/main/ops/none/a/b"):
        with pytest.raises(SourceError, match="there is no volume /Volumes/main/ops/none"):
            files.exists(missing)
        with pytest.raises(SourceError, match="READ VOLUME"):
            files.folders(missing)


def test_every_spelling_is_the_same_file(files: Files) -> None:
    for spelling in ("dbfs:/mnt/logs/d", "dbfs:///mnt/logs/d/", "DBFS:/mnt/logs/d"):
        assert [each.path for each in files.list(spelling)] == ["dbfs:/mnt/logs/d/e/f"]
    for spelling in ("/Volumes/main/ops/logs/d", "dbfs:/Volumes/main/ops/logs/d/"):
        assert [each.path for each in files.list(spelling)] == ["/Volumes/main/ops/logs/d/e/f"]


def test_files_larger_than_a_block_are_whole(files: Files, workspace: FakeWorkspace) -> None:
    body = bytes(range(256)) * (DBFS_BLOCK_BYTES // 128) + b"end"
    for _, stored in FOLDERS:
        workspace.files[f"{stored}/big"] = body
    for root, _ in FOLDERS:
        assert b"".join(files.open(f"{root}/big")) == body
    assert len(list(files.open("dbfs:/mnt/logs/big"))) == 3


def test_a_listing_is_lazy(files: Files, workspace: FakeWorkspace) -> None:
    next(files.list("dbfs:/mnt/logs"))
    assert len(workspace.asked) == 2


def test_a_broken_block_is_told(files: Files, workspace: FakeWorkspace) -> None:
    workspace.garbled = "===="
    with pytest.raises(SourceError, match="from byte 0 on is no base64"):
        list(files.open("dbfs:/mnt/logs/d/e/f"))


def test_each_process_connects_for_itself_and_once(files: Files) -> None:
    tasks = [(files, f"{root}/d/e/f") for root, _ in FOLDERS] * 3
    read = list(in_processes(read_elsewhere, tasks, workers=2))
    assert [body for _, _, body in read] == [b"d/e/f"] * 6
    assert {connected for _, connected, _ in read} == {1}
    assert os.getpid() not in {process for process, _, _ in read}


def test_a_local_folder_of_that_name_is_written_as_url(files: Files) -> None:
    assert not files.exists("file:///Volumes/main/ops/logs")
