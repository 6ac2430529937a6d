from datetime import date, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.configuration.days import window_of
from overwatch_assets.expressions.durations import (
    ALIVE_TIME,
    RUN_TIME,
    alive_time,
    date_of,
    midnight_ms,
    run_time,
    stop_ms,
)
from overwatch_assets_tests.frames import ms, utc


def between(start: int | None, end: int | None) -> dict[str, object]:
    frame = pl.DataFrame({"start": [start], "end": [end]}, {"start": pl.Int64, "end": pl.Int64})
    elapsed = frame.select(run_time(pl.col("start"), pl.col("end")).alias("elapsed"))["elapsed"]
    assert elapsed.dtype == RUN_TIME
    return elapsed.to_list()[0]


def test_the_time_between_is_told_in_four_units() -> None:
    elapsed = between(ms("2024-05-06 10:00"), ms("2024-05-06 11:30:00.500"))
    assert elapsed == {
        "startEpochMS": ms("2024-05-06 10:00"),
        "startTS": utc("2024-05-06 10:00"),
        "endEpochMS": ms("2024-05-06 11:30:00.500"),
        "endTS": utc("2024-05-06 11:30:00.500"),
        "runTimeMS": 5_400_500,
        "runTimeS": 5400.5,
        "runTimeM": 5_400_500 / 60_000,
        "runTimeH": 5_400_500 / 3_600_000,
    }


def test_an_unknown_end_leaves_the_start() -> None:
    elapsed = between(ms("2024-05-06 10:00"), None)
    assert elapsed["startTS"] == utc("2024-05-06 10:00")
    assert (elapsed["endTS"], elapsed["runTimeMS"], elapsed["runTimeH"]) == (None, None, None)


def test_an_unknown_start_leaves_the_end() -> None:
    elapsed = between(None, ms("2024-05-06 10:00"))
    assert (elapsed["startTS"], elapsed["runTimeMS"]) == (None, None)
    assert elapsed["endTS"] == utc("2024-05-06 10:00")


def test_an_executors_time_has_words_of_its_own() -> None:
    frame = pl.DataFrame({"added": [0], "removed": [3_600_000]})
    alive = frame.select(alive_time(pl.col("added"), pl.col("removed")).alias("alive"))["alive"]
    assert alive.dtype == ALIVE_TIME
    assert alive.to_list()[0]["uptimeH"] == 1.0


def test_a_state_lasts_up_to_the_millisecond_after_its_end_an_open_one_to_its_end() -> None:
    states = pl.DataFrame({"end": [999, 1000], "is_open": [False, True]})
    assert states.select(stop_ms(pl.col("end"), pl.col("is_open")))["end"].to_list() == [1000, 1000]


def test_a_day_ends_at_midnight_utc() -> None:
    midnight = ms("2024-05-07")
    days = pl.DataFrame({"at": [midnight - 1, midnight, None]}).select(date_of(pl.col("at")))
    assert days["at"].to_list() == [date(2024, 5, 6), date(2024, 5, 7), None]


ZONES = ("UTC", "Europe/Berlin", "America/Santiago", "Asia/Kathmandu", "Asia/Beirut")
"""In Santiago and Beirut clocks are put forward at midnight."""


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_begins_where_its_window_does(zone: str) -> None:
    days = [date(2024, 1, 1) + timedelta(number) for number in range(366)]
    began = pl.DataFrame({"day": days}).select(midnight_ms(pl.col("day"), zone))["day"].to_list()
    assert began == [window_of(day, ZoneInfo(zone)).since_ms for day in days]


@given(st.sampled_from(ZONES), st.integers(1_700_000_000_000, 1_760_000_000_000))
def test_an_instant_lies_in_the_window_of_its_day(zone: str, at_ms: int) -> None:
    [day] = pl.DataFrame({"at": [at_ms]}).select(date_of(pl.col("at"), zone))["at"].to_list()
    window = window_of(day, ZoneInfo(zone))
    assert window.since_ms <= at_ms < window.until_ms
    assert window.zone == zone
