import pytest

from overwatch_assets.sources.spark_event_logs.layout import LogPath, is_log, log_path

DATABRICKS = "k-1/eventlog/k-1_10_0_0_7/612098441/"


@pytest.mark.parametrize(
    "root",
    ["s3://b/logs", "abfss://c@a.dfs.core.windows.net/x/y/z", "dbfs:/mnt/l", "/Volumes/a/b", ""],
)
@pytest.mark.parametrize("name", ["eventlog", "eventlog-2023-11-21--10-00.gz"])
def test_ids_are_counted_from_the_right_at_any_depth(root: str, name: str) -> None:
    before = f"{root}/" if root else ""
    told = log_path(f"{before}{DATABRICKS}{name}")
    assert told == LogPath(
        path=f"{before}{DATABRICKS}{name}",
        context_id="612098441",
        is_told_by_content=False,
        cluster_id="k-1",
        by_cluster=f"{before}k-1",
        by_driver_host=f"{before}k-1/eventlog/k-1_10_0_0_7",
        by_spark_context=f"{before}k-1/eventlog/k-1_10_0_0_7/612098441",
    )


def test_a_folder_of_hourly_files_elsewhere_tells_the_context_but_no_cluster() -> None:
    told = log_path("/downloads/612098441/eventlog")
    assert (told.context_id, told.cluster_id, told.by_cluster) == ("612098441", None, None)
    assert told.by_spark_context == "/downloads/612098441"
    deeper = log_path("/a/k-1/events/h/612098441/eventlog")
    assert (deeper.context_id, deeper.cluster_id) == ("612098441", None)


@pytest.mark.parametrize(
    ("folder", "context_id"),
    [
        ("eventlog_v2_app-20240506-0001", "app-20240506-0001"),
        ("eventlog_v2_application_17_0001_2", "application_17_0001_2"),
        ("eventlog_v2_local-1623876083964", "local-1623876083964"),
    ],
)
@pytest.mark.parametrize("name", ["events_1_x", "events_2_x.zstd", "events_3_x.zstd.compact"])
def test_a_rolled_folder_names_application_and_attempt(
    folder: str, context_id: str, name: str
) -> None:
    told = log_path(f"/spark/{folder}/{name}")
    assert (told.context_id, told.is_told_by_content) == (context_id, False)
    assert told.by_spark_context == f"/spark/{folder}"


@pytest.mark.parametrize(
    ("name", "context_id"),
    [
        ("app-1", "app-1"),
        ("application_17_0001_2", "application_17_0001_2"),
        ("app-1.zstd", "app-1"),
        ("app-1.lz4.inprogress", "app-1"),
        ("app-1.inprogress", "app-1"),
        ("app-1.json.gz", "app-1.json"),
        ("events_4_app-1.zstd", "app-1"),
        ("eventlog", "eventlog"),
        (".gz", ".gz"),
    ],
)
def test_a_single_file_is_named_like_its_application(name: str, context_id: str) -> None:
    told = log_path(name)
    assert (told.context_id, told.is_told_by_content) == (context_id, True)


@pytest.mark.parametrize(
    "name", ["appstatus_app-1", "appstatus_app-1.inprogress", ".hidden", "_SUCCESS", "app-1.crc"]
)
def test_markers_and_hidden_files_are_no_logs(name: str) -> None:
    assert not is_log(f"/spark/{name}")


def test_logs_are_logs_whatever_they_are_called() -> None:
    assert all(map(is_log, ["eventlog", "/a/eventlog-1.gz", "app-1", "events_1_app-1", "x.txt"]))
