from datetime import date, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from overwatch_assets.configuration.days import window_of
from overwatch_assets.module import DayWindow
from overwatch_assets.sources.rest_api.cluster_days import clusters_by_day
from overwatch_assets_tests.frames import ms, table

MONDAY = date(2024, 5, 6)
UTC_ZONE = ZoneInfo("UTC")

Row = dict[str, object]


def days(count: int, zone: ZoneInfo = UTC_ZONE) -> list[DayWindow]:
    each = (MONDAY + timedelta(days=number) for number in range(count))
    return [DayWindow(day, window_of(day, zone)) for day in each]


def audit(day: date, cluster_id: str, **more: object) -> Row:
    return {
        "partition_date": day,
        "serviceName": "clusters",
        "actionName": "start",
        "requestParams": f'{{"cluster_id":"{cluster_id}"}}',
        **more,
    }


def capture(day: date, state: str, start: str, end: str | None = None) -> Row:
    return {
        "partition_date": day,
        "cluster_id": "c-1",
        "state": state,
        "start_time": ms(start),
        "terminated_time": None if end is None else ms(end),
    }


CAPTURES = pl.Schema(
    {
        "partition_date": pl.Date,
        "cluster_id": pl.String,
        "state": pl.String,
        "start_time": pl.Int64,
        "terminated_time": pl.Int64,
    }
)


def asked(
    *rows: Row, captures: list[Row] | None = None, of: list[DayWindow] | None = None
) -> list[tuple[str, int, bool]]:
    """Cluster, day as its distance from Monday, whether the day tells of it."""
    found = clusters_by_day(
        table("audit_log_bronze", *rows),
        pl.LazyFrame(captures or [], schema=CAPTURES),
        of or days(6),
        UTC_ZONE,
    )
    return [(cluster_id, (day - MONDAY).days, is_sign) for cluster_id, day, is_sign in found.rows()]


def test_an_audit_event_names_a_cluster_for_its_day_and_the_days_beside_it() -> None:
    wednesday = MONDAY + timedelta(days=2)
    assert asked(audit(wednesday, "c-1"), audit(wednesday, "c-1")) == [
        ("c-1", 1, False),
        ("c-1", 2, True),
        ("c-1", 3, False),
    ]


def test_an_audit_event_of_the_day_before_or_after_the_days_counts_too() -> None:
    before, after = MONDAY - timedelta(days=1), MONDAY + timedelta(days=6)
    assert asked(audit(before, "c-1"), audit(after, "c-2")) == [
        ("c-1", 0, False),
        ("c-2", 5, False),
    ]


def test_what_is_no_cluster_id_is_not_asked_for() -> None:
    assert asked(audit(MONDAY, "a b"), audit(MONDAY, ""), audit(MONDAY, "../x")) == []


def test_a_cluster_is_alive_from_its_creation_to_its_end_as_any_capture_tells() -> None:
    ended = capture(
        MONDAY + timedelta(days=5), "TERMINATED", "2024-05-07 09:00", "2024-05-09 01:00"
    )
    assert [day for _, day, _ in asked(captures=[ended])] == [1, 2, 3]


def test_a_cluster_that_had_ended_before_a_day_is_not_asked_for_then() -> None:
    ended = capture(MONDAY, "TERMINATED", "2024-04-01 00:00", "2024-05-05 23:59")
    assert asked(captures=[ended]) == []
    unknown = capture(MONDAY, "TERMINATED", "2024-04-01 00:00")
    assert asked(captures=[unknown]) == []


def test_a_cluster_that_the_newest_capture_shows_alive_is_asked_for_thirty_days() -> None:
    shown = capture(MONDAY - timedelta(days=28), "RUNNING", "2024-03-01 00:00")
    assert [day for _, day, _ in asked(captures=[shown])] == [0, 1, 2]
    ended = capture(MONDAY - timedelta(days=27), "TERMINATED", "2024-03-01 00:00", "2024-04-09")
    assert asked(captures=[shown, ended]) == []


def test_the_day_of_a_capture_that_shows_a_cluster_alive_tells_of_it() -> None:
    shown = capture(MONDAY + timedelta(days=1), "RESIZING", "2024-03-01 00:00")
    assert asked(captures=[shown], of=days(3)) == [
        ("c-1", 0, False),
        ("c-1", 1, True),
        ("c-1", 2, False),
    ]


def test_days_are_those_of_the_zone() -> None:
    zone = ZoneInfo("Asia/Tokyo")
    ended = capture(MONDAY, "TERMINATED", "2024-05-05 16:00", "2024-05-06 15:30")
    found = clusters_by_day(
        table("audit_log_bronze"), pl.LazyFrame([ended], schema=CAPTURES), days(3, zone), zone
    )
    assert found["day"].to_list() == [MONDAY, MONDAY + timedelta(days=1)]


def test_nothing_known_gives_nothing_to_ask() -> None:
    assert asked() == []
