import polars as pl

from overwatch_assets.bronze.warehouse_events_bronze import COLUMNS, warehouse_events_bronze
from overwatch_assets.module import Window
from overwatch_assets_tests.frames import Row, ms, table, utc

WINDOW = Window(since=utc("2024-05-06"), until=utc("2024-05-07"))
SCALED: Row = {
    "warehouse_id": "w1",
    "timestamp": ms("2024-05-06 08:00"),
    "event_type": "SCALED_UP",
    "cluster_count": 2,
}


def united(*events: Row, stored: tuple[Row, ...] = ()) -> pl.DataFrame:
    names = [column.name for column in COLUMNS]
    frames = (table("warehouse_events_bronze", *rows).select(names) for rows in (events, stored))
    rows = warehouse_events_bronze(*frames, window=WINDOW).collect()
    return rows.sort("timestamp", "event_type")


def test_events_of_the_day_are_stored_once_whoever_told_them() -> None:
    other = {**SCALED, "event_type": "RUNNING"}
    rows = united(SCALED, SCALED, other, stored=(SCALED,))
    assert rows["event_type"].to_list() == ["RUNNING", "SCALED_UP"]


def test_what_the_system_table_has_forgotten_stays() -> None:
    assert united(stored=(SCALED,)).height == 1


def test_of_two_contents_of_one_event_the_same_wins_in_any_order() -> None:
    more, unknown = {**SCALED, "cluster_count": 3}, {**SCALED, "cluster_count": None}
    for events in ([SCALED, more, unknown], [unknown, more, SCALED]):
        assert united(*events)["cluster_count"].to_list() == [3]
        assert united(*events[1:], stored=(events[0],))["cluster_count"].to_list() == [3]


def test_a_midnight_event_belongs_to_the_new_day() -> None:
    begin, end = ms("2024-05-06"), ms("2024-05-07")
    rows = united(*({**SCALED, "timestamp": at} for at in (begin - 1, begin, end - 1, end)))
    assert rows["timestamp"].to_list() == [begin, end - 1]
