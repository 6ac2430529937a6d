import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest

from overwatch_assets.bronze.audit_log_processedfiles import PROCESSED_FILES
from overwatch_assets.bronze.audit_log_rejected import REJECTED
from overwatch_assets.module import DayWindow, Window
from overwatch_assets.sources.audit_records import RECORD_SCHEMA, AuditRecords, NoRecord
from overwatch_assets.sources.audit_system import SystemAuditTable
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets_tests.sources.rest_api.warehouse import Values, Warehouse

MONDAY, TUESDAY, WEDNESDAY = date(2024, 5, 6), date(2024, 5, 7), date(2024, 5, 8)
NOW = datetime(2024, 5, 9, 6, tzinfo=UTC)
WORKSPACE = "5206439413157315"


def event(at: str, action: str | None = "edit", **more: object) -> dict[str, object]:
    return {
        "account_id": "8a7b",
        "workspace_id": WORKSPACE,
        "version": "2.0",
        "event_time": at,
        "event_date": at[:10],
        "source_ip_address": "203.0.113.24",
        "user_agent": "Mozilla/5.0",
        "session_id": None,
        "user_identity": '{"email":"maria@acme.example","subject_name":null}',
        "service_name": "clusters",
        "action_name": action,
        "request_id": "r-1",
        "request_params": '{"cluster_id":"c-1","num_workers":"4"}',
        "response": '{"status_code":200,"error_message":null,"result":"{}"}',
        "audit_level": "WORKSPACE_LEVEL",
        "event_id": "34ac",
        **more,
    }


COLUMNS = tuple(event("2024-05-06T00:00:00.000Z"))


@dataclass
class AuditTable:
    """The system table in an embedded database, so that statements are run for real."""

    events: list[dict[str, object]] = field(default_factory=list[dict[str, object]])

    def answer(
        self, statement: str, parameters: Mapping[str, str]
    ) -> tuple[Sequence[str], Sequence[Values]]:
        with duckdb.connect() as database:
            database.execute("set timezone = 'UTC'")
            types = {"event_time": "timestamptz", "event_date": "date"}
            columns = ", ".join(f"{name} {types.get(name, 'varchar')}" for name in COLUMNS)
            database.execute(f"create table audit ({columns})")
            places = ", ".join("?" * len(COLUMNS))
            insert = f"insert into audit values ({places})"  # noqa: S608 - placeholders only
            for each in self.events:
                database.execute(insert, [each[name] for name in COLUMNS])
            text = statement.replace("system.access.audit", "audit")
            for name in sorted(parameters, key=len, reverse=True):
                text = text.replace(f":{name}", f"'{parameters[name]}'")
            found = database.execute(text)
            names = [each[0] for each in found.description or ()]
            return names, [[_text(value) for value in row] for row in found.fetchall()]


def _text(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return None if value is None else str(value)


def gathered(
    table: AuditTable,
    scratch: Path,
    *days: date,
    known: pl.DataFrame | None = None,
    zone: str = "UTC",
) -> Gathered:
    windows = [
        DayWindow(day, Window(since.astimezone(UTC), (since + timedelta(days=1)).astimezone(UTC)))
        for day in days
        for since in [datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))]
    ]
    source = SystemAuditTable(Warehouse(table.answer), "w-1", sleep=lambda _: None)
    return source.gather(
        Request(
            organization_id=WORKSPACE,
            days=windows,
            first_ms=round(datetime(2024, 4, 1, tzinfo=UTC).timestamp() * 1000),
            now_ms=round(NOW.timestamp() * 1000),
            known=PROCESSED_FILES.schema.to_frame() if known is None else known,
            coverage=pl.DataFrame(),
            scratch=scratch,
            zone=ZoneInfo(zone),
        )
    )


def tracker(*found: Gathered) -> pl.DataFrame:
    return pl.concat(
        each.processed.with_columns(
            organization_id=pl.lit(WORKSPACE),
            delta_version=pl.lit(number, dtype=pl.Int64),
            partition_date=pl.lit(MONDAY),
            Pipeline_SnapTS=pl.lit(NOW + timedelta(hours=number)).cast(pl.Datetime("us", "UTC")),
            Overwatch_RunID=pl.lit("run"),
            workspace_name=pl.lit("one"),
        ).select(PROCESSED_FILES.schema.names())
        for number, each in enumerate(found)
    )


def late(found: Gathered) -> dict[date, int]:
    return {
        each["day"]: each["rows"]
        for rows in found.processed["late_rows"].to_list()
        for each in rows
    }


def test_what_is_handed_over_fits_the_tables(tmp_path: Path) -> None:
    table = AuditTable([event("2024-05-06T09:14:05.412Z"), event("2024-05-06T10:00:00.000Z", None)])
    found = gathered(table, tmp_path, MONDAY)
    assert found.rows[MONDAY].collect_schema() == RECORD_SCHEMA
    run_columns = {"organization_id", "partition_date", "delta_version"}
    run_columns |= {"Pipeline_SnapTS", "Overwatch_RunID", "workspace_name"}
    for handed_over, stored in (
        (found.processed, PROCESSED_FILES),
        (found.rejected[MONDAY], REJECTED),
    ):
        kept = {name: kind for name, kind in stored.schema.items() if name not in run_columns}
        assert handed_over.schema == pl.Schema(kept)


def test_the_same_event_by_bucket_and_by_system_table_has_one_hash(tmp_path: Path) -> None:
    delivered = {
        "timestamp": 1714986845412,
        "serviceName": "clusters",
        "actionName": "edit",
        "requestId": "r-1",
        "sourceIPAddress": "203.0.113.24",
        "userIdentity": {"email": "maria@acme.example"},
        "requestParams": {"cluster_id": "c-1", "num_workers": 4},
        "response": {"statusCode": 200, "result": "{}"},
    }
    [by_bucket] = AuditRecords().decode(json.dumps(delivered).encode())
    assert not isinstance(by_bucket, NoRecord)
    found = gathered(AuditTable([event("2024-05-06T09:14:05.412Z")]), tmp_path, MONDAY)
    [row] = found.rows[MONDAY].collect().to_dicts()
    assert row["hashKey"] == by_bucket["hashKey"]
    assert row["response"] == {"statusCode": 200, "errorMessage": None, "result": "{}"}
    assert row["filename"] is None


def test_events_go_to_the_day_of_their_time_in_the_configured_zone(tmp_path: Path) -> None:
    table = AuditTable(
        [
            event("2024-05-05T21:59:59.999Z", "before"),
            event("2024-05-05T22:00:00.000Z", "first"),
            event("2024-05-06T21:59:59.999Z", "last"),
            event("2024-05-06T22:00:00.000Z", "next"),
        ]
    )
    found = gathered(table, tmp_path, MONDAY, zone="Europe/Berlin")
    assert found.rows[MONDAY].collect()["actionName"].to_list() == ["first", "last"]


def test_an_event_whose_date_is_another_than_its_time_is_found(tmp_path: Path) -> None:
    table = AuditTable([event("2024-05-06T23:59:00.000Z", event_date="2024-05-07")])
    assert MONDAY in gathered(table, tmp_path, MONDAY).rows


def test_events_of_other_workspaces_are_not_asked_for(tmp_path: Path) -> None:
    table = AuditTable([event("2024-05-06T09:00:00.000Z", workspace_id="0")])
    found = gathered(table, tmp_path, MONDAY)
    assert (dict(found.rows), found.failures) == ({}, ())


def test_an_event_that_is_none_is_rejected_and_its_neighbours_land(tmp_path: Path) -> None:
    table = AuditTable([event("2024-05-06T09:00:00.000Z", None), event("2024-05-06T10:00:00.000Z")])
    found = gathered(table, tmp_path, MONDAY)
    [rejected] = found.rejected[MONDAY].to_dicts()
    assert (rejected["route"], rejected["filename"]) == ("system", "system.access.audit")
    assert rejected["reason"] == "no serviceName or no actionName"
    assert found.rows[MONDAY].collect().height == 1


def test_a_day_that_has_grown_since_it_was_read_is_told_once(tmp_path: Path) -> None:
    table = AuditTable([event("2024-05-06T09:00:00.000Z"), event("2024-05-06T09:30:00.000Z", None)])
    first = gathered(table, tmp_path, MONDAY)
    calm = gathered(table, tmp_path, TUESDAY, known=tracker(first))
    assert late(calm) == {}
    table.events += [event("2024-05-06T20:00:00.000Z", "late", request_id="r-9")]
    grown = gathered(table, tmp_path, TUESDAY, known=tracker(first, calm))
    assert late(grown) == {MONDAY: 1}
    again = gathered(table, tmp_path, WEDNESDAY, known=tracker(first, calm, grown))
    assert late(again) == {}


def test_a_day_that_was_read_again_has_grown_no_more(tmp_path: Path) -> None:
    table = AuditTable([event("2024-05-06T09:00:00.000Z")])
    first = gathered(table, tmp_path, MONDAY)
    table.events += [event("2024-05-06T20:00:00.000Z", "late", request_id="r-9")]
    grown = gathered(table, tmp_path, TUESDAY, known=tracker(first))
    reread = gathered(table, tmp_path, MONDAY, known=tracker(first, grown))
    after = gathered(table, tmp_path, WEDNESDAY, known=tracker(first, grown, reread))
    assert (late(grown), late(reread), late(after)) == ({MONDAY: 1}, {}, {})


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Auckland"])
def test_days_are_counted_by_their_own_midnights(tmp_path: Path, zone: str) -> None:
    hours = [f"2024-05-{day:02}T{hour:02}:30:00.000Z" for day in (5, 6, 7) for hour in range(24)]
    table = AuditTable([event(at, request_id=at) for at in hours])
    first = gathered(table, tmp_path, MONDAY, zone=zone)
    assert first.rows[MONDAY].collect().height == 24
    assert late(gathered(table, tmp_path, WEDNESDAY, known=tracker(first), zone=zone)) == {}
