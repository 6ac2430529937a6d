import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from overwatch_assets.errors import SourceError
from overwatch_assets.expressions.databricks_structs import LOGCONF
from overwatch_assets.module import DayWindow, Window
from overwatch_assets.sources.cluster_log_destinations import (
    cluster_log_destinations,
    clusters_of_days,
    readable,
)
from overwatch_assets.sources.files import Files
from overwatch_assets_tests.frames import Row, ms, table

CAPTURES = pl.Schema(
    {
        "cluster_id": pl.String,
        "state": pl.String,
        "start_time": pl.Int64,
        "terminated_time": pl.Int64,
        "captured_at_ms": pl.Int64,
        "cluster_log_conf": LOGCONF,
    }
)
FETCHES = pl.Schema(
    {
        "cluster_id": pl.String,
        "status": pl.String,
        "events": pl.Int64,
        "last_type": pl.String,
        "sign_day": pl.Date,
        "partition_date": pl.Date,
    }
)


MOUNTS = {"/mnt/logs": "s3a://acme-logs/all/", "/mnt/logs/prod": "/srv/prod", "/": "/nowhere"}


def event(action: str, at: str = "2024-05-06 12:00", **more: object) -> Row:
    params = more.pop("params", {})
    return {
        "timestamp": ms(at),
        "serviceName": "clusters",
        "actionName": action,
        "requestParams": json.dumps(params),
        **more,
    }


def edited(cluster_id: str, kind: str, destination: str, at: str = "2024-05-06 12:00") -> Row:
    conf = json.dumps({kind: {"destination": destination}})
    return event("edit", at, params={"cluster_id": cluster_id, "cluster_log_conf": conf})


def prefixes(*rows: Row) -> list[tuple[str, str]]:
    return cluster_log_destinations(table("audit_log_bronze", *rows), MOUNTS).rows()


def day(text: str) -> DayWindow:
    since = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return DayWindow(date.fromisoformat(text), Window(since, since + timedelta(days=1)))


def running(on: str, *rows: Row) -> list[str]:
    found = clusters_of_days(table("audit_log_bronze", *rows), [day(on)]).collect()
    return sorted(found["cluster_id"].to_list())


def test_every_destination_a_cluster_was_ever_given_counts_once() -> None:
    rows = (
        edited("c-1", "s3", "s3://acme/prod"),
        edited("c-1", "s3", "s3://acme/prod/", at="2024-05-07 12:00"),
        edited("c-1", "dbfs", "dbfs:/mnt/logs/bi/"),
    )
    assert prefixes(*rows) == [
        ("c-1", "s3://acme-logs/all/bi/c-1/eventlog"),
        ("c-1", "s3://acme/prod/c-1/eventlog"),
    ]


def test_a_created_cluster_is_named_in_the_response() -> None:
    conf = '{"volumes":{"destination":"/Volumes/main/ops/logs"}}'
    created = event(
        "create",
        params={"cluster_name": "etl", "cluster_log_conf": conf},
        response={"result": '{"cluster_id":"c-2"}'},
    )
    failed = event("create", params={"cluster_log_conf": conf}, response={"statusCode": 400})
    assert prefixes(created, failed) == [("c-2", "/Volumes/main/ops/logs/c-2/eventlog")]


def test_clusters_without_destination_and_odd_ones_are_left_out() -> None:
    rows = (
        event("edit", params={"cluster_id": "c-1"}),
        edited("../c-1", "s3", "s3://acme/prod"),
        edited("c-1", "dbfs", "file:/etc"),
        edited("c-1", "dbfs", "http://169.254.169.254/latest"),
        event("edit", params={"cluster_id": "c-1", "cluster_log_conf": "[1"}),
        event("edit", params={"cluster_id": "c-1", "cluster_log_conf": '{"s3":"x"}'}),
        event("edit", requestParams=None),
    )
    assert prefixes(*rows) == []


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("s3://acme/logs/", "s3://acme/logs"),
        ("s3a://acme/logs", "s3://acme/logs"),
        ("abfss://c@a.dfs.core.windows.net/logs", "abfss://c@a.dfs.core.windows.net/logs"),
        ("gs://acme/logs", "gs://acme/logs"),
        ("dbfs:/mnt/logs", "s3://acme-logs/all"),
        ("dbfs:///mnt/logs/a/logs", "s3://acme-logs/all/a/logs"),
        ("/mnt/logs/a", "s3://acme-logs/all/a"),
        ("dbfs:/mnt/logs/prod/logs", "/srv/prod/logs"),
        ("dbfs:/mnt/logs/production", "s3://acme-logs/all/production"),
        ("dbfs:/mnt/logs2/a", "dbfs:/mnt/logs2/a"),
        ("/Volumes/main/ops", "/Volumes/main/ops"),
        ("dbfs:/Volumes/main/ops", "/Volumes/main/ops"),
        ("wasbs://c@a.blob.core.windows.net/logs", None),
        ("file:///etc", None),
        ("logs", None),
    ],
)
def test_destinations_are_translated_by_the_longest_mount(
    destination: str, expected: str | None
) -> None:
    assert readable(destination, MOUNTS) == expected


def test_what_no_mount_covers_fails_with_the_remedy() -> None:
    [(_, prefix)] = prefixes(edited("c-1", "dbfs", "dbfs:/cluster-logs"))
    with pytest.raises(SourceError, match="or the mount that holds"):
        list(Files().list(prefix))


def test_a_mount_may_stand_for_a_local_folder(tmp_path: Path) -> None:
    log = tmp_path / "c-1" / "eventlog" / "c-1_10_0_0_1" / "123" / "eventlog"
    log.parent.mkdir(parents=True)
    log.write_text("{}\n")
    audit = table("audit_log_bronze", edited("c-1", "dbfs", "dbfs:/mnt/cluster_logs"))
    found = cluster_log_destinations(audit, {"/mnt/cluster_logs": str(tmp_path)})
    assert [each.path for each in Files().list(found["prefix"].item())] == [str(log)]


def test_clusters_with_a_sign_shortly_before_or_right_after_the_day_are_asked() -> None:
    rows = [
        event("delete", f"2024-05-{number:02} 12:00", params={"cluster_id": f"c-{number}"})
        for number in range(1, 9)
    ]
    assert running("2024-05-06", *rows) == ["c-2", "c-3", "c-4", "c-5", "c-6", "c-7"]


def test_a_cluster_that_was_not_ended_is_asked_for_thirty_days() -> None:
    started = event("start", "2024-04-08 12:00", params={"cluster_id": "c-1"})
    ended = event("deleteResult", "2024-04-09 12:00", params={"clusterId": "c-1"})
    assert running("2024-05-06", started) == ["c-1"]
    assert running("2024-05-09", started) == []
    assert running("2024-05-06", started, ended) == []


def test_a_run_is_a_sign_of_its_cluster() -> None:
    run: Row = {**event("runStart", params={"clusterId": "c-9"}), "serviceName": "jobs"}
    assert running("2024-05-06", run) == ["c-9"]


def test_only_clusters_of_the_days_are_asked_when_days_are_given() -> None:
    audit = table(
        "audit_log_bronze",
        edited("c-1", "s3", "s3://acme/prod", at="2024-01-01 12:00"),
        edited("c-2", "s3", "s3://acme/prod", at="2024-01-01 12:00"),
        event("start", params={"cluster_id": "c-1"}),
    )
    found = cluster_log_destinations(audit, {}, [day("2024-05-06")])
    assert found["cluster_id"].to_list() == ["c-1"]


def captured(cluster_id: str, state: str, at: str, **more: Any) -> Row:
    start = more.pop("start", "2024-01-01 00:00")
    end = more.pop("end", None)
    return {
        "cluster_id": cluster_id,
        "state": state,
        "start_time": ms(start),
        "terminated_time": end and ms(end),
        "captured_at_ms": ms(at),
        **more,
    }


def shown(on: str, *rows: Row) -> list[str]:
    captures = pl.LazyFrame(list(rows), schema=CAPTURES)
    found = clusters_of_days(table("audit_log_bronze"), [day(on)], captures=captures)
    return sorted(found.collect()["cluster_id"].to_list())


def fetched(on: str, *rows: Row) -> list[str]:
    given: list[Row] = [{"status": "ok", "events": 0, **row} for row in rows]
    fetches = pl.LazyFrame(given, schema=FETCHES)
    found = clusters_of_days(table("audit_log_bronze"), [day(on)], fetches=fetches)
    return sorted(found.collect()["cluster_id"].to_list())


def test_destinations_of_captures_are_united_with_those_of_the_audit_log() -> None:
    audit = table("audit_log_bronze", edited("c-1", "s3", "s3://acme/prod"))
    volume = {"volumes": {"destination": "/Volumes/main/ops/logs"}}
    captures = pl.LazyFrame(
        [
            {"cluster_id": "c-1", "cluster_log_conf": {"dbfs": {"destination": "dbfs:/logs"}}},
            {"cluster_id": "c-1", "cluster_log_conf": {"s3": {"destination": "s3://acme/prod"}}},
            {"cluster_id": "c-2", "cluster_log_conf": volume},
            {"cluster_id": "c-3", "cluster_log_conf": None},
            {"cluster_id": "c/4", "cluster_log_conf": volume},
        ],
        schema=CAPTURES,
    )
    expected = [
        ("c-1", "dbfs:/logs/c-1/eventlog"),
        ("c-1", "s3://acme/prod/c-1/eventlog"),
        ("c-2", "/Volumes/main/ops/logs/c-2/eventlog"),
    ]
    assert cluster_log_destinations(audit, MOUNTS, captures=captures).rows() == expected
    alone = cluster_log_destinations(audit, MOUNTS, captures=captures.clear())
    assert alone.rows() == expected[1:2]


def test_dbfs_without_an_api_is_read_from_the_bucket_that_it_stands_for() -> None:
    root = "gs://databricks-123/123"
    assert readable("dbfs:/cluster-logs", MOUNTS, dbfs_root=root) == f"{root}/cluster-logs"
    assert readable("dbfs:/mnt/logs", MOUNTS, dbfs_root=root) == "s3://acme-logs/all"


def test_a_cluster_without_audit_events_is_asked_while_captures_show_it_alive() -> None:
    rows = [
        captured("runs", "RUNNING", "2024-05-06 06:00"),
        captured("ran", "RUNNING", "2024-04-20 06:00"),
        captured("long_gone", "RUNNING", "2024-03-20 06:00"),
        captured("ended", "TERMINATED", "2024-05-09 06:00", end="2024-05-06 00:00"),
        captured("ended_before", "TERMINATED", "2024-05-09 06:00", end="2024-05-02 23:59"),
        captured("began_later", "RUNNING", "2024-05-09 06:00", start="2024-05-07 00:00"),
        captured("stopped", "RUNNING", "2024-05-01 06:00"),
        captured("stopped", "TERMINATED", "2024-05-02 06:00", end="2024-05-01 07:00"),
    ]
    assert shown("2024-05-06", *rows) == ["ended", "ran", "runs"]


def test_a_cluster_is_asked_while_its_fetched_events_have_no_end() -> None:
    yesterday, long_ago = date(2024, 5, 5), date(2024, 4, 1)
    common = {"partition_date": yesterday, "sign_day": yesterday}
    rows = [
        {**common, "cluster_id": "runs", "last_type": "RUNNING"},
        {**common, "cluster_id": "failed", "status": "failed"},
        {**common, "cluster_id": "ended", "last_type": "TERMINATING"},
        {**common, "cluster_id": "ended_that_day", "last_type": "TERMINATING", "events": 3},
        {**common, "cluster_id": "silent", "last_type": "RUNNING", "sign_day": long_ago},
        {**common, "cluster_id": "old", "last_type": "RUNNING", "partition_date": long_ago},
        {**common, "cluster_id": "unknown"},
    ]
    assert fetched("2024-05-06", *rows) == ["ended_that_day", "failed", "runs"]
