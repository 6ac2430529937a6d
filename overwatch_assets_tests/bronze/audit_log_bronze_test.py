import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from overwatch_assets.bronze.audit_log_bronze import KEYS, audit_log_bronze
from overwatch_assets.module import DayWindow, Window
from overwatch_assets.sources.audit_logs import AuditLogFiles
from overwatch_assets.sources.audit_records import RECORD_SCHEMA
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.gathering import Request
from overwatch_assets_tests.frames import Row, ms, table

DAY = Window(
    since=datetime(2024, 5, 6, tzinfo=UTC),
    until=datetime(2024, 5, 7, tzinfo=UTC),
)
NOON = ms("2024-05-06 12:00")


def event(**values: object) -> Row:
    return {"timestamp": NOON, "serviceName": "clusters", "actionName": "edit", **values}


def united(records: Sequence[Row], stored: pl.LazyFrame | None = None) -> pl.DataFrame:
    rows = table("audit_log_bronze", *records)
    kept = table("audit_log_bronze") if stored is None else stored
    return audit_log_bronze(rows, kept, window=DAY).collect()


def as_stored(rows: pl.DataFrame) -> pl.LazyFrame:
    return table("audit_log_bronze", *rows.to_dicts())


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort(*KEYS, nulls_last=True)


def test_a_source_hands_over_what_the_table_declares() -> None:
    of_table = audit_log_bronze.table.schema
    assert {name: of_table[name] for name in RECORD_SCHEMA} == dict(RECORD_SCHEMA)
    assert united([]).schema == RECORD_SCHEMA


def test_an_event_delivered_twice_is_one_row() -> None:
    rows = united([event(hashKey=1, filename="b"), event(hashKey=1, filename="a")])
    assert rows["filename"].to_list() == ["a"]


def test_events_of_one_millisecond_without_ids_are_told_apart_by_their_hash() -> None:
    assert united([event(hashKey=1), event(hashKey=2)]).height == 2


def test_the_greatest_content_wins_whatever_came_first() -> None:
    poor, rich = event(hashKey=1, filename="a"), event(hashKey=1, filename="b", accountId="x")
    for order in ([poor, rich], [rich, poor]):
        assert united(order)["accountId"].to_list() == ["x"]
    assert united([poor], as_stored(united([rich])))["accountId"].to_list() == ["x"]


def test_stored_rows_stay_when_their_source_is_gone() -> None:
    stored = as_stored(united([event(hashKey=1)]))
    assert united([], stored).height == 1


def test_records_of_another_day_are_left_to_it() -> None:
    assert united([event(timestamp=ms("2024-05-07"))]).is_empty()


EVENTS = st.builds(
    event,
    timestamp=st.sampled_from([NOON, NOON + 1]),
    requestId=st.sampled_from([None, "r-1", "r-2"]),
    hashKey=st.integers(1, 2),
    response=st.sampled_from([None, {"statusCode": 200}, {"statusCode": 400, "result": "{}"}]),
    requestParams=st.sampled_from([None, '{"a":"1"}']),
    filename=st.sampled_from(["a", "b"]),
)
BATCH = st.lists(EVENTS, max_size=6)


@settings(max_examples=60)
@given(BATCH, BATCH, BATCH)
def test_the_union_does_not_depend_on_order_batches_or_repeats(
    first: list[Row], second: list[Row], third: list[Row]
) -> None:
    at_once = in_order(united([*first, *second, *third]))
    backwards = in_order(united([*reversed(third), *second, *first, *third]))
    one_by_one = united(third, as_stored(united(second, as_stored(united(first)))))
    other_way = united(first, as_stored(united(third, as_stored(united(second)))))
    assert_frame_equal(backwards, at_once)
    assert_frame_equal(in_order(one_by_one), at_once)
    assert_frame_equal(in_order(other_way), at_once)
    assert_frame_equal(in_order(united([], as_stored(at_once))), at_once)


LINES = [
    f'{{"timestamp":{NOON + n % 3},"serviceName":"jobs","actionName":"runStart",'
    f'"requestParams":{{"runId":"{n % 4}"}},"accountId":"{n % 2}"}}'
    for n in range(8)
]
FILES = st.lists(
    st.tuples(st.sampled_from(["2024-05-05", "2024-05-06", "2024-05-07"]), st.sampled_from(LINES)),
    min_size=1,
    max_size=8,
)


def loaded(root: Path, lines: Sequence[tuple[str, str]]) -> pl.DataFrame:
    for number, (folder, line) in enumerate(lines):
        path = root / "audit" / f"date={folder}" / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(line + "\n")
    request = Request(
        organization_id="1",
        days=[DayWindow(date(2024, 5, 6), DAY)],
        first_ms=0,
        now_ms=ms("2024-05-08"),
        known=pl.DataFrame(),
        coverage=pl.DataFrame(),
        scratch=root,
        zone=ZoneInfo("UTC"),
    )
    gathered = AuditLogFiles(Files(), str(root / "audit")).gather(request)
    stored = table("audit_log_bronze")
    records = gathered.rows.get(date(2024, 5, 6), stored)
    return in_order(audit_log_bronze(records, stored, window=DAY).collect()).drop("filename")


@settings(max_examples=25, deadline=None)
@given(FILES, st.randoms(use_true_random=False), st.data())
def test_neither_the_order_of_files_nor_folders_nor_repeats_matter(
    lines: list[tuple[str, str]], rng: Random, data: st.DataObject
) -> None:
    repeats = data.draw(st.lists(st.sampled_from(lines), max_size=4))
    shuffled = [("2024-05-06", line) for _, line in [*lines, *repeats]]
    rng.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        assert_frame_equal(loaded(Path(one), lines), loaded(Path(other), shuffled))
