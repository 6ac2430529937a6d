from datetime import date

import polars as pl

from overwatch_assets.expressions.durations import (
    ALIVE_TIME,
    RUN_TIME,
    alive_time,
    date_of,
    run_time,
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


def test_a_day_ends_at_midnight_utc() -> None:
    midnight = ms("2024-05-07")
    days = pl.DataFrame({"at": [midnight - 1, midnight, None]}).select(date_of(pl.col("at")))
    assert days["at"].to_list() == [date(2024, 5, 6), date(2024, 5, 7), None]
