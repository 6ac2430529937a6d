from pathlib import Path

import pytest

from overwatch_assets.errors import ConfigError, SourceError
from overwatch_assets.sources.cluster_log_destinations import readable
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.mounts import Mounts, known_mounts, mounts_of_api, mounts_of_file
from overwatch_assets.sources.rest_api.api import ApiRefused, Json


class Told:
    """An API that tells of mounts."""

    def __init__(self, *mounts: object) -> None:
        self.mounts = mounts

    def get(self, path: str) -> Json:
        assert path == "/api/2.0/dbfs/search-mounts"
        return {"mounts": list(self.mounts)}


class Denied:
    """An API that tells of none."""

    def get(self, path: str) -> Json:
        raise ApiRefused(f"GET {path} answered 403", status=403, code="", said="", is_missing=False)


def told(point: object, source: object) -> Json:
    return {"mount_point": point, "source": source}


def csv_file(tmp_path: Path, content: str) -> str:
    path = tmp_path / "mounts.csv"
    path.write_text(content)
    return str(path)


def of_file(tmp_path: Path, content: str) -> dict[str, str]:
    return mounts_of_file(Files(), csv_file(tmp_path, content), "123")


def test_the_api_tells_mounts_of_storages_that_can_be_read() -> None:
    api = Told(
        told("/mnt/logs", "s3a://acme-logs/bi"),
        told("/mnt/lake/", "abfss://c@acme.dfs.core.windows.net/x"),
        told("/", "DatabricksRoot"),
        told("/mnt/odd", None),
        "no object",
    )
    assert mounts_of_api(api) == {
        "/mnt/logs": "s3a://acme-logs/bi",
        "/mnt/lake": "abfss://c@acme.dfs.core.windows.net/x",
    }
    assert mounts_of_api(Told()) == {}


def test_a_mount_of_what_nothing_here_reads_is_read_through_the_workspace() -> None:
    mounts = mounts_of_api(Told(told("/mnt/old", "wasbs://c@a.blob.core.windows.net/x")))
    assert readable("dbfs:/mnt/old/logs", mounts) == "dbfs:/mnt/old/logs"


def test_a_password_in_a_source_is_left_behind() -> None:
    mounts = mounts_of_api(Told(told("/mnt/logs", "s3a://AKIA:c2VjcmV0@acme-logs/bi")))
    assert mounts == {"/mnt/logs": "s3a://acme-logs/bi"}


def test_the_configured_mount_counts_before_the_file_and_the_api() -> None:
    api = Told(told("/mnt/a", "s3://api/a"), told("/mnt/b", "s3://api/b"), told("/mnt/c", "gs://c"))
    found = known_mounts(
        {"dbfs:/mnt/a/": "s3://own/a"}, {"/mnt/a": "x", "/mnt/b": "s3://csv/b"}, api
    )
    assert found == Mounts({"/mnt/a": "s3://own/a", "/mnt/b": "s3://csv/b", "/mnt/c": "gs://c"})


def test_an_api_that_does_not_tell_is_a_warning_and_not_the_end() -> None:
    found = known_mounts({"/mnt/a": "s3://own/a"}, {}, Denied())
    assert found.by_point == {"/mnt/a": "s3://own/a"}
    [failure] = found.failures
    assert "mounts could not be asked for" in failure
    assert "403" in failure


def test_only_the_rows_of_the_workspace_count(tmp_path: Path) -> None:
    content = """\ufeffmountPoint, source ,workspace_id
/mnt/a,s3a://acme/a,123
/mnt/a,s3a://other/a,124
dbfs:/mnt/b/,/srv/b, 123
/mnt/c,wasbs://c@a.blob.core.windows.net/x,123
"""
    assert of_file(tmp_path, content) == {
        "/mnt/a": "s3a://acme/a",
        "/mnt/b": "/srv/b",
        "/mnt/c": "dbfs:/mnt/c",
    }


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("mount,source,workspace_id\n", "mountPoint, source, workspace_id.*names mount"),
        ("", "names none"),
        ("mountPoint,source,workspace_id\nmnt/a,s3://a,123\n", "line 2.*begin with /"),
        ("mountPoint,source,workspace_id\n/,s3://a,123\n", "line 2.*begin with /"),
        ("mountPoint,source,workspace_id\n/mnt/a,,123\n", "line 2: /mnt/a has no source"),
        ("mountPoint,source,workspace_id\n/mnt/a", None),
        ('mountPoint,source,workspace_id\n"/mnt/a,s3://a,123\n', "is no CSV file"),
    ],
)
def test_a_file_that_is_no_mapping_is_told_with_its_line(
    tmp_path: Path, content: str, complaint: str | None
) -> None:
    if complaint is None:
        assert of_file(tmp_path, content) == {}
        return
    with pytest.raises(ConfigError, match=complaint):
        of_file(tmp_path, content)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no such file"):
        mounts_of_file(Files(), str(tmp_path / "none.csv"), "123")
