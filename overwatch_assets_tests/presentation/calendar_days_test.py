from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from dagster_deltalake.config import LocalConfig
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.configuration.days import window_of
from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.gold.clusterstatefact_gold import clusterstatefact_gold
from overwatch_assets.presentation.calendar_days import calendar_days, per_day
from overwatch_assets.presentation.clusterstatefactdaily import AMOUNTS, VIEW
from overwatch_assets.presentation.reading import Reach, view_rows
from overwatch_assets.presentation.sql import SqlViews
from overwatch_assets.view import PerDay
from overwatch_assets_tests.frames import Row, ms

HOUR = 3_600_000
UTC, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
SPREAD = PerDay("start", "end", ("cost",))
ZONES = ("UTC", "Europe/Berlin", "America/Havana", "Asia/Beirut", "Asia/Kathmandu")
"""Beirut's clocks skip midnight, Havana's show it twice."""

Interval = tuple[int, int, bool]


def spread(
    intervals: Sequence[Interval], first: date, last: date, zone: ZoneInfo
) -> list[tuple[int, date, float, float]]:
    """Number, day, share and cost of a part; every interval costs 1.0."""
    columns = {"start": pl.Int64, "end": pl.Int64, "is_open": pl.Boolean}
    rows = pl.LazyFrame(list(intervals), schema=columns, orient="row").with_row_index("number")
    days = calendar_days(first, last, zone)
    parts = per_day(rows.with_columns(cost=1.0), days, SPREAD).collect()
    return sorted(parts.select("number", "date", "share_of_state", "cost").rows())


def test_a_state_over_midnight_is_spread_by_the_time_on_either_side() -> None:
    first, last = date(2024, 3, 1), date(2024, 3, 2)
    interval = (ms("2024-03-01 23:50"), ms("2024-03-02 00:30") - 1, False)
    assert spread([interval], first, last, UTC) == [(0, first, 0.25, 0.25), (0, last, 0.75, 0.75)]


def test_a_state_that_ends_with_a_day_does_not_touch_the_next() -> None:
    day = date(2024, 3, 1)
    begin, midnight = ms("2024-03-01 08:00"), ms("2024-03-02")
    found = spread([(begin, midnight - 1, False), (begin, midnight, True)], day, day, UTC)
    assert found == [(0, day, 1.0, 1.0), (1, day, 1.0, 1.0)]


def test_a_state_without_length_is_a_row_of_its_day() -> None:
    day, at = date(2024, 3, 1), ms("2024-03-01")
    assert spread([(at, at - 1, False)], day, day, UTC) == [(0, day, 1.0, 1.0)]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25), (date(2024, 7, 1), 24)]
)
def test_a_day_of_a_clock_change_has_its_own_length(day: date, hours: int) -> None:
    whole = window_of(day - timedelta(days=1), BERLIN).since_ms
    until = whole + (48 if hours == 24 else 24 + hours) * HOUR
    found = spread([(whole, until - 1, False)], day - timedelta(days=1), day, BERLIN)
    assert [share for *_, share, _ in found] == pytest.approx(
        [24 / (24 + hours), hours / (24 + hours)]
    )


@st.composite
def intervals(draw: st.DrawFn) -> tuple[list[Interval], date, date, ZoneInfo]:
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    first = draw(st.sampled_from([date(2024, 3, 8), date(2024, 3, 29), date(2024, 10, 25)]))
    last = first + timedelta(days=draw(st.integers(3, 12)))
    since, until = window_of(first, zone).since_ms, window_of(last, zone).until_ms
    drawn: list[Interval] = []
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(since, until - 1))
        step = draw(st.sampled_from([1, HOUR]))
        start = max(since, start // step * step)
        end = draw(st.integers(start, until - 1))
        drawn.append((start, end, draw(st.booleans())))
    return drawn, first, last, zone


@given(intervals())
def test_the_days_of_an_interval_add_up_to_it_in_every_zone(
    drawn: tuple[list[Interval], date, date, ZoneInfo],
) -> None:
    found = spread(*drawn)
    for number in range(len(drawn[0])):
        costs = [cost for of, _, _, cost in found if of == number]
        assert sum(costs) == pytest.approx(1.0, rel=1e-12)
        assert min(costs) > 0


@given(intervals())
def test_a_part_lies_in_its_day(drawn: tuple[list[Interval], date, date, ZoneInfo]) -> None:
    given_intervals, _, _, zone = drawn
    for number, day, share, _ in spread(*drawn):
        start, end, is_open = given_intervals[number]
        stop = max(end + 1 - is_open, start + 1)
        window = window_of(day, zone)
        lies = min(stop, window.until_ms) - max(start, window.since_ms)
        assert share == pytest.approx(lies / (stop - start))


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    store = DeltaStore(StorageLocation(str(tmp_path), LocalConfig()))
    store.create(clusterstatefact_gold.table)
    return store


def put(store: DeltaStore, day: date, *rows: Row) -> None:
    table = clusterstatefact_gold.table
    partition = ("organization_id", "partition_date")
    schema = {name: dtype for name, dtype in table.schema.items() if name not in partition}
    staged = store.stage(table, "1", day, pl.DataFrame(list(rows), schema=schema))
    store.replace(table, "1", [day], staged, {"overwatch.run_id": "r"})


def fact(start: str, end: str, cost: float, *, is_open: bool = False) -> Row:
    instant = datetime.fromisoformat(start).replace(tzinfo=BERLIN)
    until = datetime.fromisoformat(end).replace(tzinfo=BERLIN)
    return {
        "cluster_id": "0506-1",
        "state": "RUNNING",
        "unixTimeMS_state_start": round(instant.timestamp() * 1000),
        "unixTimeMS_state_end": round(until.timestamp() * 1000) - (not is_open),
        "total_cost": cost,
        "is_open": is_open,
    }


def test_frames_and_sql_show_the_same_days(store: DeltaStore) -> None:
    put(store, date(2024, 3, 30), fact("2024-03-30 20:00", "2024-03-31", 4.0, is_open=True))
    put(
        store,
        date(2024, 3, 31),
        fact("2024-03-30 20:00", "2024-03-31 22:00", 25.0),
        fact("2024-03-31 22:00", "2024-04-01", 2.0, is_open=True),
    )
    reach = Reach(timezone=BERLIN)
    table = clusterstatefact_gold.table
    rows = view_rows(store, VIEW, table, reach).collect()
    costs = rows.select("date", "is_open", "share_of_state", "total_cost").sort(pl.all())
    assert costs.rows() == [
        (date(2024, 3, 30), False, pytest.approx(4 / 25), pytest.approx(4.0)),
        (date(2024, 3, 31), False, pytest.approx(21 / 25), pytest.approx(21.0)),
        (date(2024, 3, 31), True, 1.0, 2.0),
    ]
    by_sql = SqlViews(store, {table.name: table}, [VIEW], reach).query(f"from {VIEW.name}")
    assert by_sql.columns == rows.columns
    assert by_sql.sort("date", "is_open").rows() == rows.sort("date", "is_open").rows()


def test_a_table_that_was_never_written_has_no_days(tmp_path: Path) -> None:
    store = DeltaStore(StorageLocation(str(tmp_path), LocalConfig()))
    table = clusterstatefact_gold.table
    assert view_rows(store, VIEW, table, Reach()).collect().is_empty()
    assert SqlViews(store, {table.name: table}, [VIEW]).query(f"from {VIEW.name}").is_empty()


def test_what_is_spread_is_what_grows_with_time() -> None:
    dtypes = clusterstatefact_gold.table.schema
    assert all(dtypes[name] == pl.Float64 for name in AMOUNTS)
    assert set(AMOUNTS) <= set(VIEW.columns)
    assert {"dbu_rate", "photon_multiplier"}.isdisjoint(AMOUNTS)
