import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from overwatch_assets.bronze.audit_log_processedfiles import PROCESSED_FILES
from overwatch_assets.errors import SourceError
from overwatch_assets.module import DayWindow, Window
from overwatch_assets.sources.audit_azure import (
    CATEGORIES,
    CATEGORY,
    AzureAuditLogs,
    diagnostic_line,
    epoch_ms,
)
from overwatch_assets.sources.audit_records import AuditRecords, NoRecord, Row
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.gathering import Gathered, Request

MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)
NOW = datetime(2024, 5, 10, 6, tzinfo=UTC)
RESOURCE = "/SUBSCRIPTIONS/0A1B/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.DATABRICKS/WORKSPACES/PROD"
OTHER = RESOURCE.replace("PROD", "LAB")

BUCKET: dict[str, object] = {
    "version": "2.0",
    "timestamp": 1714986845412,
    "serviceName": "clusters",
    "actionName": "edit",
    "requestId": "r-1",
    "sessionId": "s-1",
    "sourceIPAddress": "203.0.113.24",
    "userAgent": "Mozilla/5.0",
    "userIdentity": {"email": "maria@acme.example", "subjectName": None},
    "requestParams": {"cluster_id": "c-1", "num_workers": "4"},
    "response": {"statusCode": 200, "errorMessage": None, "result": "{}"},
}


def record(at: str = "2024-05-06T09:14:05.4120000Z", **more: object) -> dict[str, object]:
    names = ("serviceName", "actionName", "requestId", "sessionId", "sourceIPAddress", "userAgent")
    properties = {name: BUCKET[name] for name in names}
    properties["requestParams"] = '{"num_workers":4,"cluster_id":"c-1"}'
    properties["response"] = '{"statusCode":200,"result":"{}"}'
    return {
        "resourceId": RESOURCE,
        "operationVersion": "1.0.0",
        "operationName": "Microsoft.Databricks/clusters/edit",
        "identity": '{"email":"maria@acme.example","subjectName":null}',
        "time": at,
        "category": "clusters",
        "properties": {**properties, "logId": "3f2c1d"},
        **more,
    }


def decoded(value: object, resource_id: str | None = None) -> list[Row | NoRecord]:
    return list(AuditRecords(diagnostic_line(resource_id)).decode(json.dumps(value).encode()))


def accepted(value: object) -> Row:
    [row] = decoded(value)
    assert not isinstance(row, NoRecord)
    return row


def test_the_same_event_by_bucket_and_by_azure_is_one() -> None:
    [by_bucket] = AuditRecords().decode(json.dumps(BUCKET).encode())
    by_azure = accepted(record())
    assert not isinstance(by_bucket, NoRecord)
    differ = {name for name in by_bucket if by_bucket[name] != by_azure[name]}
    assert differ == {"version", "category"}


def test_properties_may_be_json_text() -> None:
    whole = record()
    assert accepted({**whole, "properties": json.dumps(whole["properties"])}) == accepted(whole)


def test_a_line_of_an_event_hub_holds_several_records_of_which_a_bad_one_costs_itself() -> None:
    found = decoded({"records": [record(), 7, record("no time"), record()]})
    assert [isinstance(each, NoRecord) for each in found] == [False, True, True, False]
    assert [str(each) for each in found if isinstance(each, NoRecord)] == [
        "not an audit record: Expected `object`, got `int`",
        "no timestamp in epoch milliseconds",
    ]


def test_a_record_of_another_resource_is_none_of_this_workspace() -> None:
    [row] = decoded({**record(), "resourceId": OTHER}, RESOURCE.lower())
    assert isinstance(row, NoRecord)
    assert "of another workspace" in str(row)
    [own] = decoded(record(), RESOURCE.lower().strip("/"))
    assert not isinstance(own, NoRecord)


@pytest.mark.parametrize(
    ("time", "ms"),
    [
        ("2024-05-06T09:14:05.4129999Z", 1714986845412),
        ("2024-05-06T09:14:05Z", 1714986845000),
        ("2024-05-06T11:14:05.412+02:00", 1714986845412),
        ("2024-05-06T09:14:05.412", 1714986845412),
        ("yesterday", None),
        (1714986845412, None),
        (None, None),
    ],
)
def test_times_keep_their_milliseconds(time: object, ms: int | None) -> None:
    assert epoch_ms(time) == ms


def archived(root: Path, hour: str, *records: object, resource: str = RESOURCE) -> Path:
    day, hour = hour.split(" ")
    year, month, of_month = day.split("-")
    folder = f"resourceId={resource}/y={year}/m={month}/d={of_month}/h={hour}/m=00"
    path = root / folder / "PT1H.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
    os.utime(path, times=(NOW.timestamp(), NOW.timestamp()))
    return path


def gathered(source: AzureAuditLogs, *days: date, known: pl.DataFrame | None = None) -> Gathered:
    windows = [
        DayWindow(day, Window(since, since + timedelta(days=1)))
        for day in days
        for since in [datetime(day.year, day.month, day.day, tzinfo=UTC)]
    ]
    scratch = Path(source.path.partition("/insights")[0]).parent / "scratch"
    scratch.mkdir(exist_ok=True)
    return source.gather(
        Request(
            organization_id="1",
            days=windows,
            first_ms=round(datetime(2024, 4, 1, tzinfo=UTC).timestamp() * 1000),
            now_ms=round(NOW.timestamp() * 1000),
            known=PROCESSED_FILES.schema.to_frame() if known is None else known,
            coverage=pl.DataFrame(),
            scratch=scratch,
            zone=ZoneInfo("UTC"),
        )
    )


def times(found: Gathered, day: date) -> list[int]:
    return sorted(found.rows[day].collect()["timestamp"].to_list()) if day in found.rows else []


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


def test_the_folders_of_all_categories_are_read_and_records_go_to_the_day_of_their_time(
    root: Path,
) -> None:
    early, late = record("2024-05-06T23:10:00.000Z"), record("2024-05-07T00:00:00.000Z")
    archived(root / "insights-logs-clusters", "2024-05-06 23", early, late)
    archived(root / "insights-logs-jobs", "2024-05-07 09", record("2024-05-06T08:00:00.000Z"))
    found = gathered(AzureAuditLogs(Files(), str(root)), MONDAY, TUESDAY)
    assert times(found, MONDAY) == [1714982400000, 1715037000000]
    assert times(found, TUESDAY) == [1715040000000]
    assert found.failures == ()


def test_a_path_may_name_the_containers_by_their_category(root: Path) -> None:
    assert "instancepools" in CATEGORIES
    archived(root / "insights-logs-instancepools", "2024-05-06 09", record())
    named = AzureAuditLogs(Files(), f"{root}/insights-logs-{CATEGORY}")
    assert times(gathered(named, MONDAY), MONDAY) == [1714986845412]


def test_a_path_may_be_the_container_of_one_category(root: Path) -> None:
    archived(root, "2024-05-06 09", record())
    assert times(gathered(AzureAuditLogs(Files(), str(root)), MONDAY), MONDAY) == [1714986845412]


def test_an_hour_that_is_written_again_is_read_again(root: Path) -> None:
    source = AzureAuditLogs(Files(), str(root))
    archived(root, "2024-05-06 09", record())
    first = gathered(source, MONDAY)
    known = first.processed.with_columns(
        organization_id=pl.lit("1"),
        delta_version=pl.lit(0, dtype=pl.Int64),
        partition_date=pl.lit(MONDAY),
        Pipeline_SnapTS=pl.lit(NOW).cast(pl.Datetime("us", "UTC")),
        Overwatch_RunID=pl.lit("run"),
        workspace_name=pl.lit("one"),
    ).select(PROCESSED_FILES.schema.names())
    assert times(gathered(source, TUESDAY, known=known), TUESDAY) == []
    archived(root, "2024-05-06 09", record(), record("2024-05-06T09:59:59.999Z"))
    assert len(times(gathered(source, MONDAY, known=known), MONDAY)) == 2


def test_of_several_workspaces_the_configured_one_is_read(root: Path) -> None:
    archived(root, "2024-05-06 09", record())
    archived(root, "2024-05-06 09", {**record(), "resourceId": OTHER}, resource=OTHER)
    with pytest.raises(
        SourceError, match=r"several workspaces: /SUBS.*/LAB, .*/PROD\. .*`resource_id`"
    ):
        gathered(AzureAuditLogs(Files(), str(root)), MONDAY)
    own = AzureAuditLogs(Files(), str(root), RESOURCE.lower())
    found = gathered(own, MONDAY)
    assert (len(times(found, MONDAY)), dict(found.rejected)) == (1, {})


def test_a_day_without_folders_says_so(root: Path) -> None:
    archived(root, "2024-05-06 09", record())
    found = gathered(AzureAuditLogs(Files(), str(root)), TUESDAY)
    assert "has no folder of 2024-05-07" in found.failures[0]


def test_a_line_that_is_no_record_is_rejected_and_its_neighbours_land(root: Path) -> None:
    path = archived(root, "2024-05-06 09", record(), record())
    path.write_bytes(path.read_bytes() + b"{broken\n" + json.dumps(record()).encode() + b"\n")
    found = gathered(AzureAuditLogs(Files(), str(root)), MONDAY)
    assert len(times(found, MONDAY)) == 3
    [rejected] = found.rejected[MONDAY].to_dicts()
    assert (rejected["route"], rejected["line_number"]) == ("azure", 3)
