import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import boto3  # pyright: ignore[reportMissingTypeStubs]
import fsspec  # pyright: ignore[reportMissingTypeStubs]
import pytest
from moto.server import ThreadedMotoServer

from overwatch_assets.errors import ConfigError, SourceError
from overwatch_assets.sources.files import FileGone, Files
from overwatch_assets.sources.paths import CHUNK_BYTES

SECRET = "s3cr3t/canary+value"  # noqa: S105 - a canary, searched for in messages
ODD_NAMES = (
    "date=2024-01-01/a b.json",
    "date=2024-01-01/a%20b.json",
    "date=2024-01-02/100%.json",
    "date=2024-01-02/x+y=z#1?.json",
    "üñ日.json",
)


def listed(files: Files, prefix: str) -> list[str]:
    return sorted(each.path for each in files.list(prefix))


def written(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = cast("Any", boto3).client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key=SECRET,
    )
    client.create_bucket(Bucket="logs")
    for name in (*ODD_NAMES, "date=2024-01-03/"):
        client.put_object(
            Bucket="logs", Key=f"audit/{name}", Body=name.encode() * (name[-1] != "/")
        )
    client.put_object(Bucket="logs", Key="audit-of-another/x.json", Body=b"x")
    client.close()
    yield {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ALLOW_HTTP": "true",
        "AWS_S3_ALLOW_UNSAFE_RENAME": "true",
        "max_retries": "1",
        "retry_timeout": "3m",
        "backoff_config.init_backoff": "100ms",
        "backoff_config.max_backoff": "1s",
        "backoff_config.base": "2",
        "connect_timeout": "5s",
    }
    server.stop()


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_every_listed_path_opens_whatever_its_name(tmp_path: Path, scheme: str) -> None:
    prefix = f"{scheme}{written(tmp_path, *ODD_NAMES)}"
    files = Files()
    assert listed(files, prefix + "/") == sorted(f"{prefix}/{name}" for name in ODD_NAMES)
    for each in files.list(prefix):
        assert b"".join(files.open(each.path)).decode() == each.path[len(prefix) + 1 :]


def test_folders_are_named_in_order_without_what_is_below_them(tmp_path: Path) -> None:
    root = written(tmp_path, *ODD_NAMES)
    (root / "link").symlink_to(root / "date=2024-01-01")
    files = Files()
    assert files.folders(f"{root}/") == ["date=2024-01-01", "date=2024-01-02"]
    assert list(files.folders(f"{root}/none")) == list(files.folders(f"{root}/üñ日.json")) == []


def test_a_relative_path_stays_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "logs/a/1.json")
    monkeypatch.chdir(tmp_path)
    assert listed(Files(), "logs") == ["logs/a/1.json"]


def test_size_and_time_are_those_of_the_file(tmp_path: Path) -> None:
    written(tmp_path, "a.json")
    os.utime(tmp_path / "a.json", ns=(0, 1_700_000_000_123_456_789))
    [found] = Files().list(str(tmp_path))
    assert (found.size, found.modified_ms, found.etag) == (6, 1_700_000_000_123, None)


def test_a_prefix_that_is_a_file_lists_that_file(tmp_path: Path) -> None:
    path = str(written(tmp_path, "a.json") / "a.json")
    assert listed(Files(), path) == [path]
    assert Files().exists(path)


def test_a_missing_prefix_is_empty(tmp_path: Path) -> None:
    missing = str(written(tmp_path, "a.json") / "none")
    assert listed(Files(), missing) == []
    assert listed(Files(), str(tmp_path / "a.json" / "below a file")) == []
    assert not Files().exists(missing)


def test_a_vanished_file_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileGone, match=r"gone\.json"):
        next(Files().open(str(tmp_path / "gone.json")))


def test_big_files_come_in_chunks(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(2 * CHUNK_BYTES + 1))
    sizes = [len(chunk) for chunk in Files().open(str(tmp_path / "big"))]
    assert sizes == [CHUNK_BYTES, CHUNK_BYTES, 1]


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    outside = written(tmp_path / "outside", "secret.json")
    root = written(tmp_path / "root", "a/1.json")
    (root / "a" / "loop").symlink_to(root)
    (root / "out").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret.json")
    assert listed(Files(), str(root)) == [f"{root}/a/1.json"]
    with pytest.raises(SourceError, match="symbolic link"):
        next(Files().open(f"{root}/file"))


def test_a_configured_root_confines_what_lies_below_it(tmp_path: Path) -> None:
    outside = written(tmp_path / "outside", "secret.json")
    root = written(tmp_path / "root", "a/1.json")
    (root / "out").symlink_to(outside)
    files = Files({str(root): {}})
    assert listed(files, str(root)) == [f"{root}/a/1.json"]
    for path in (f"{root}/out", f"file://{root}/out"):
        with pytest.raises(SourceError, match="leads out of"):
            listed(files, path)
    with pytest.raises(SourceError, match="leads out of"):
        next(files.open(f"{root}/out/secret.json"))


def test_a_pipe_is_neither_listed_nor_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert listed(Files(), str(tmp_path)) == []
    with pytest.raises(SourceError, match="not a regular file"):
        next(Files().open(str(tmp_path / "pipe")))


def test_a_name_that_is_no_text_is_named(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.json")).write_bytes(b"x")
    with pytest.raises(SourceError, match=r"udcff\.json"):
        listed(Files(), str(tmp_path))


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("wasbs://c@account.blob.core.windows.net/logs", "abfss://"),
        ("dbfs:/mnt/logs", "`databricks` for the workspace, or the mount"),
        ("/Volumes/main/ops/logs", "`databricks` for the workspace, or the mount"),
        ("dbfs:/Volumes/main", "catalog/schema/volume"),
        ("dbfs:/mnt/../logs", "whole path"),
        ("/logs/../etc", "whole path"),
        ("s3://logs/a/../b", "whole path"),
        ("/logs/\0", "whole path"),
        ("simplecache::http://host/file", "whole path"),
        ("file://host/logs", "file:///"),
        ("http://169.254.169.254/latest", "options"),
        ("", "Name the folder"),
    ],
)
def test_refused_paths_say_what_to_write_instead(path: str, remedy: str) -> None:
    with pytest.raises(SourceError, match=remedy):
        listed(Files(), path)


def test_a_password_in_a_path_is_refused_and_not_repeated() -> None:
    with pytest.raises(SourceError) as refused:
        listed(Files(), f"ftp://user:{SECRET[:6]}@host/logs")
    assert SECRET[:6] not in str(refused.value)


def test_other_stores_are_reached_through_fsspec() -> None:
    root = f"memory://{uuid4()}"
    store = cast("Any", fsspec).filesystem("memory")
    for name in ODD_NAMES:
        store.pipe(f"{root}/{name}", name.encode())
    files = Files()
    assert listed(files, root) == sorted(f"{root}/{name}" for name in ODD_NAMES)
    assert files.folders(root) == ["date=2024-01-01", "date=2024-01-02"]
    assert list(files.folders(f"{root}/none")) == []
    assert listed(files, f"{root}/üñ日.json") == [f"{root}/üñ日.json"]
    for each in files.list(root):
        assert b"".join(files.open(each.path)).decode() == each.path[len(root) + 1 :]
    assert not files.exists(f"{root}/none")
    with pytest.raises(FileGone):
        next(files.open(f"{root}/none"))


def test_an_s3_bucket_lists_and_opens_like_a_disk(s3: dict[str, str]) -> None:
    files = Files({"s3a://logs": s3})
    expected = sorted(f"s3://logs/audit/{name}" for name in ODD_NAMES)
    assert listed(files, "s3a://logs/audit/") == expected
    for each in files.list("s3://logs/audit"):
        body = b"".join(files.open(each.path))
        assert body.decode() == each.path.removeprefix("s3://logs/audit/")
        assert (each.size, each.etag is None, each.modified_ms is None) == (len(body), False, False)
    assert listed(files, expected[0]) == expected[:1]
    assert not files.exists("s3://logs/none")
    assert files.folders("s3://logs/audit") == [f"date=2024-01-0{day}" for day in (1, 2, 3)]
    assert files.folders("s3://logs") == ["audit", "audit-of-another"]
    assert list(files.folders("s3://logs/none")) == []
    with pytest.raises(FileGone):
        next(files.open("s3://logs/audit/none"))
    again = pickle.loads(pickle.dumps(files))  # noqa: S301 - what a worker process is handed
    assert listed(again, "s3://logs/audit/") == expected


def test_no_message_repeats_an_option(s3: dict[str, str]) -> None:
    nowhere = {**s3, "AWS_ENDPOINT_URL": "http://127.0.0.1:1/" + SECRET}
    files = Files(
        {
            "s3://nobucket": s3,
            "s3://nowhere": nowhere,
            "s3://odd": {"nonsense": SECRET},
            "s3://slow": {"retry_timeout": SECRET},
        }
    )
    messages = [repr(files)]
    for root, remedy in (
        ("s3://nobucket/a", "bucket's name"),
        ("s3://nowhere/a", "network"),
        ("s3://odd/a", "names and values"),
        ("s3://slow/a", "names and values"),
    ):
        with pytest.raises((SourceError, ConfigError), match=remedy) as failed:
            listed(files, root)
        messages.append(str(failed.value))
        assert failed.value.__cause__ is None
    assert not any(SECRET in message for message in messages)
