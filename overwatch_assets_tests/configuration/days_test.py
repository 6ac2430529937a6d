from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.configuration.days import (
    EARLIEST_DAY,
    days_between,
    first_instant,
    window_of,
)

ZONES = st.sampled_from(sorted(available_timezones() - {"Factory", "localtime"})).map(ZoneInfo)
DAYS = st.dates(EARLIEST_DAY, date(2037, 12, 31))
INSTANT = timedelta(microseconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "since", "until"),
    [
        ("UTC", "2024-02-29", "2024-02-29", "2024-03-01"),
        ("Europe/Berlin", "2026-01-01", "2025-12-31 23:00", "2026-01-01 23:00"),
        ("Europe/Berlin", "2026-03-29", "2026-03-28 23:00", "2026-03-29 22:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24 22:00", "2026-10-25 23:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00", "2018-11-05 02:00"),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17 02:00", "2018-02-18 03:00"),
        ("Asia/Beirut", "2026-03-29", "2026-03-28 22:00", "2026-03-29 21:00"),
        ("America/Havana", "2024-11-03", "2024-11-03 04:00", "2024-11-04 05:00"),
        ("Asia/Kathmandu", "2026-06-01", "2026-05-31 18:15", "2026-06-01 18:15"),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04 13:00", "2026-04-05 13:30"),
    ],
)
def test_a_day_runs_from_its_first_instant_to_the_next_days(
    zone: str, day: str, since: str, until: str
) -> None:
    window = window_of(date.fromisoformat(day), ZoneInfo(zone))
    assert (window.since, window.until) == (utc(since), utc(until))


def test_a_day_whose_midnight_clocks_jumped_over_begins_where_they_landed() -> None:
    zone = ZoneInfo("America/Toronto")
    jumped = datetime(1919, 3, 31, 0, 30, tzinfo=zone)
    assert first_instant(date(1919, 3, 31), zone) == jumped.astimezone(UTC)


@given(ZONES, DAYS)
def test_the_instant_before_a_days_first_belongs_to_the_day_before(
    zone: ZoneInfo, day: date
) -> None:
    first = first_instant(day, zone)
    assert first.astimezone(zone).date() == day
    assert (first - INSTANT).astimezone(zone).date() == day - timedelta(days=1)


@given(ZONES, DAYS)
def test_adjacent_days_leave_no_gap_and_do_not_overlap(zone: ZoneInfo, day: date) -> None:
    today, tomorrow = window_of(day, zone), window_of(day + timedelta(days=1), zone)
    assert today.since < today.until == tomorrow.since


@given(ZONES, DAYS)
def test_polars_puts_the_first_and_last_instant_of_a_window_into_its_day(
    zone: ZoneInfo, day: date
) -> None:
    window = window_of(day, zone)
    edges = pl.Series([window.since, window.until - INSTANT], dtype=pl.Datetime("us", "UTC"))
    assert edges.dt.convert_time_zone(zone.key).dt.date().to_list() == [day, day]


def test_days_between_two_days_include_both() -> None:
    leap = date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)
    assert days_between(date(2024, 2, 28), date(2024, 3, 1)) == leap
    assert days_between(date(2024, 2, 28), date(2024, 2, 28)) == leap[:1]
    assert days_between(date(2024, 2, 29), date(2024, 2, 28)) == ()
