from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from overwatch_assets.bronze.warehouse_events_bronze import COLUMNS
from overwatch_assets.errors import SourceError
from overwatch_assets.module import DayWindow, Window
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.warehouse_events import SystemWarehouseEvents
from overwatch_assets_tests.frames import ms
from overwatch_assets_tests.sources.rest_api.warehouse import Values, Warehouse

MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)
WORKSPACE = "5206439413157315"
NAMES = ("warehouse_id", "event_type", "cluster_count", "event_time")


def gathered(warehouse: Warehouse, scratch: Path, *days: date, zone: str = "UTC") -> Gathered:
    windows = [
        DayWindow(day, Window(since.astimezone(UTC), (since + timedelta(days=1)).astimezone(UTC)))
        for day in days
        for since in [datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))]
    ]
    source = SystemWarehouseEvents(warehouse, "w-0", "warehouse_events_bronze", lambda _: None)
    return source.gather(
        Request(
            organization_id=WORKSPACE,
            days=windows,
            first_ms=0,
            now_ms=ms("2024-05-09"),
            known=pl.DataFrame(),
            coverage=pl.DataFrame(),
            scratch=scratch,
            zone=ZoneInfo(zone),
            schema=pl.Schema({column.name: column.dtype for column in COLUMNS}),
        )
    )


def telling(*rows: Values) -> Warehouse:
    return Warehouse(lambda _statement, _parameters: (NAMES, rows))


def test_events_become_rows_of_their_days(tmp_path: Path) -> None:
    warehouse = telling(
        ("w1", "STARTING", "0", "2024-05-06T23:59:59.999Z"),
        ("w1", "RUNNING", "1", "2024-05-07T00:00:00.000Z"),
        ("w2", "STOPPED", None, "2024-05-07T08:00:00Z"),
    )
    found = gathered(warehouse, tmp_path, MONDAY, TUESDAY)
    rows = {day: each.collect().rows() for day, each in found.rows.items()}
    assert rows == {
        MONDAY: [("w1", ms("2024-05-06 23:59:59.999"), "STARTING", 0)],
        TUESDAY: [
            ("w1", ms("2024-05-07"), "RUNNING", 1),
            ("w2", ms("2024-05-07 08:00"), "STOPPED", None),
        ],
    }
    assert (found.rejected, found.counts, found.reasons) == ({}, {}, {})


def test_it_asks_for_the_workspace_and_the_days_alone(tmp_path: Path) -> None:
    asked: list[Mapping[str, str]] = []

    def answer(
        statement: str, parameters: Mapping[str, str]
    ) -> tuple[Sequence[str], Sequence[Values]]:
        assert "from system.compute.warehouse_events" in statement
        asked.append(parameters)
        return NAMES, ()

    gathered(Warehouse(answer), tmp_path, MONDAY, TUESDAY, zone="Europe/Berlin")
    assert asked == [
        {
            "workspace": WORKSPACE,
            "since": "2024-05-05T22:00:00.000000Z",
            "until": "2024-05-07T22:00:00.000000Z",
        }
    ]


def test_a_row_that_is_no_event_is_rejected_and_the_others_are_kept(tmp_path: Path) -> None:
    warehouse = telling(
        (None, "RUNNING", "1", "2024-05-06T08:00:00.000Z"),
        ("w1", " ", "1", "2024-05-06T08:00:00.000Z"),
        ("w1", "RUNNING", "1", "this morning"),
        ("w1", "RUNNING", "two", "2024-05-06T08:00:00.000Z"),
        ("w1", "RUNNING", "1", "2024-05-01T08:00:00.000Z"),
    )
    found = gathered(warehouse, tmp_path, MONDAY)
    assert found.rows[MONDAY].collect().rows() == [("w1", ms("2024-05-06 08:00"), "RUNNING", None)]
    reasons = ["no warehouse_id", "no event_type", "no event_time"]
    assert found.rejected[MONDAY]["reason"].to_list() == reasons
    assert dict(found.counts) == {"events_of_other_times": 1, "unfit_cluster_count": 1}


@pytest.mark.parametrize("code", ["TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND"])
def test_an_account_without_the_system_table_has_empty_days_that_say_why(
    tmp_path: Path, code: str
) -> None:
    warehouse = telling()
    warehouse.failure = ("BAD_REQUEST", f"[{code}] The table or view cannot be found.")
    found = gathered(warehouse, tmp_path, MONDAY, TUESDAY)
    assert (found.rows, found.failures) == ({}, ())
    for reason in (found.reasons[MONDAY], found.reasons[TUESDAY]):
        assert "there is no system.compute.warehouse_events" in reason
        assert "an account admin enables" in reason


def test_a_table_that_may_not_be_read_fails_with_what_to_do(tmp_path: Path) -> None:
    warehouse = telling()
    warehouse.failure = ("PERMISSION_DENIED", "[INSUFFICIENT_PERMISSIONS] no SELECT")
    with pytest.raises(SourceError) as raised:
        gathered(warehouse, tmp_path, MONDAY)
    for told in (WORKSPACE, "system.compute.warehouse_events", "w-0", "no SELECT", "grants"):
        assert told in str(raised.value)
