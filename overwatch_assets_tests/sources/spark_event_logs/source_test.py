"""Which logs are opened, and what the days get of them."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from overwatch_assets.errors import SourceError
from overwatch_assets.module import DayWindow, Window
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.spark_event_logs import source
from overwatch_assets.sources.spark_event_logs.source import SparkEventLogs
from overwatch_assets_tests.sources.spark_event_logs.lines import (
    DAY,
    NOON,
    days,
    gathered,
    job_end,
    job_start,
    line,
    ms,
    request,
    task_end,
    task_start,
    text,
    tracker,
    united,
)

DAY_MS = 86_400_000
MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "logs"
    made.mkdir()
    return made


def write(path: Path, *lines: bytes, at: str = "2024-05-08") -> Path:
    """A log that was last changed then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text(*lines))
    os.utime(path, (ms(at) / 1000, ms(at) / 1000))
    return path


def job_ids(rows: pl.LazyFrame) -> list[int]:
    return sorted(rows.collect()["JobID"].to_list())


def test_each_day_gets_its_events_of_a_log_that_spans_midnight(folder: Path) -> None:
    write(folder / "app-1", job_start(1, NOON), job_start(2, NOON + DAY_MS), job_end(3, NOON))
    given = gathered(folder, DAY, 2)
    assert {day: job_ids(rows) for day, rows in given.rows.items()} == {
        MONDAY: [1, 3],
        TUESDAY: [2],
    }
    assert given.counts == {}


def test_events_of_days_not_asked_for_are_counted_and_make_the_log_known_for_them(
    folder: Path,
) -> None:
    write(folder / "app-1", job_start(1, NOON), job_start(2, NOON + DAY_MS))
    given = gathered(folder, DAY)
    [tracked] = given.processed.to_dicts()
    assert list(given.rows) == [MONDAY]
    assert given.counts == {"other_days": 1}
    assert tracked["day_counts"] == [{"day": MONDAY, "rows": 1}, {"day": TUESDAY, "rows": 1}]
    assert tracked["late_rows"] == [{"day": TUESDAY, "rows": 1}]


def opened(folder: Path, first: str, known: pl.DataFrame | None = None) -> int:
    return gathered(folder, first, known=known).processed.filter(pl.col("gone_at").is_null()).height


def test_a_known_log_is_opened_only_for_days_it_has_events_of(folder: Path) -> None:
    write(folder / "app-1", job_start(1, NOON))
    known = tracker(gathered(folder, DAY))
    assert opened(folder, DAY, known) == 1
    assert opened(folder, "2024-05-07", known) == 0


def test_a_log_that_grew_is_unknown(folder: Path) -> None:
    write(folder / "app-1", job_start(1, NOON))
    known = tracker(gathered(folder, DAY))
    write(folder / "app-1", job_start(1, NOON), job_start(2, NOON))
    assert opened(folder, "2024-05-07", known) == 1


def test_a_log_that_changed_without_growing_is_unknown(folder: Path) -> None:
    write(folder / "app-1", job_start(1, NOON))
    known = tracker(gathered(folder, DAY))
    write(folder / "app-1", job_start(2, NOON), at="2024-05-09")
    assert opened(folder, "2024-05-07", known) == 1


def test_logs_from_before_the_first_day_are_not_opened(folder: Path) -> None:
    write(folder / "old", job_start(1, NOON), at="2024-04-30")
    write(folder / "new", job_start(1, NOON), at="2024-05-05 00:00:01")
    asked = request(folder.parent / "scratch", days(DAY), first=DAY)
    given = SparkEventLogs(Files(), [str(folder)]).gather(asked)
    assert given.processed["path"].to_list() == [str(folder / "new")]


def test_a_log_of_later_days_stays_unknown(folder: Path) -> None:
    write(folder / "app-1", job_start(1, NOON + DAY_MS))
    given = gathered(folder, DAY)
    assert (given.processed.height, given.counts) == (0, {"files_not_read": 1})
    assert opened(folder, "2024-05-07", None) == 1


def test_a_log_that_is_gone_is_told_once_and_its_facts_stay(folder: Path) -> None:
    log = write(folder / "app-1", job_start(1, NOON))
    known = tracker(gathered(folder, DAY))
    log.unlink()
    given = gathered(folder, DAY, known=known)
    [gone] = given.processed.to_dicts()
    assert gone["gone_at"] is not None
    assert gone["event_counts"] == {"SparkListenerJobStart": 1}
    again = pl.concat([known, tracker(given, "2024-05-08")])
    assert gathered(folder, DAY, known=again).processed.is_empty()


def test_a_damaged_log_is_tried_three_times_and_then_rejected(folder: Path) -> None:
    log = folder / "app-1"
    log.write_bytes(b"\x1f\x8b\x08\x00" + bytes(30))
    known: pl.DataFrame | None = None
    rejected: list[int] = []
    for run in range(4):
        given = gathered(folder, DAY, known=known)
        rejected.append(sum(frame.height for frame in given.rejected.values()))
        news = tracker(given, f"2024-05-1{run}")
        known = news if known is None else pl.concat([known, news])
    assert rejected == [0, 0, 1, 0]
    assert known is not None
    assert known["failures"].to_list() == [1, 2, 3]


def test_a_file_of_a_kind_that_is_not_read_is_rejected_at_once(folder: Path) -> None:
    (folder / "app-1.zip").write_bytes(b"PK\x03\x04" + bytes(40))
    given = gathered(folder, DAY)
    [(day, rejected)] = given.rejected.items()
    assert day == MONDAY
    assert rejected.select("reason", "record", "line_number").rows() == [
        ("file can't be read", str(folder / "app-1.zip"), None)
    ]
    assert given.processed["failures"].to_list() == [3]


def test_a_rejected_line_is_told_on_the_day_of_the_event_before_it(folder: Path) -> None:
    secret = b'{"Event":"SparkListenerJobStart","spark.password":"hunter2" broken'
    write(folder / "app-1", job_start(1, NOON), secret, job_start(2, NOON + DAY_MS), b"x")
    given = gathered(folder, DAY)
    told = {day: frame["record"].to_list() for day, frame in given.rejected.items()}
    assert list(told) == [MONDAY, TUESDAY]
    assert "hunter2" not in repr(told)
    assert given.rejected[MONDAY]["SparkContextID"].to_list() == ["app-1"]
    assert given.counts["rejected_lines"] == 2


def test_clusters_logs_are_read_below_the_prefixes_of_the_request(folder: Path) -> None:
    log = "eventlog/k-1_h/77/eventlog"
    write(folder / "k-1" / log, job_start(1, NOON))
    write(folder / "k-2" / log, job_start(2, NOON))
    clusters = pl.DataFrame({"cluster_id": ["k-1"], "prefix": [str(folder / "k-1" / "eventlog")]})
    asked = request(folder.parent / "scratch", days(DAY), clusters=clusters)
    given = SparkEventLogs(Files()).gather(asked)
    [rows] = [each.collect() for each in given.rows.values()]
    assert rows.select("JobID", "clusterId", "SparkContextID").rows() == [(1, "k-1", "77")]
    group = rows["filenameGroup"].item()
    assert group["byDriverHost"] == str(folder / "k-1" / "eventlog" / "k-1_h")


def test_the_cluster_of_an_event_outside_the_layout_is_the_one_it_names(folder: Path) -> None:
    tags = {"spark.databricks.clusterUsageTags.clusterId": "k-9"}
    write(folder / "app-1", job_start(1, NOON, tags), job_end(1, NOON))
    rows = united(gathered(folder, DAY), MONDAY).sort("Event")
    assert rows["clusterId"].to_list() == [None, "k-9"]


def test_a_folder_that_does_not_exist_has_no_logs(folder: Path) -> None:
    given = gathered(folder / "nothing", DAY)
    assert (given.rows, given.processed.height, given.failures) == ({}, 0, ())


def test_a_folder_that_can_not_be_listed_is_told_and_the_others_are_read(folder: Path) -> None:
    write(folder / "app-1", job_start(1, NOON))
    asked = request(folder.parent / "scratch", days(DAY))
    given = SparkEventLogs(Files(), ["dbfs:/logs", str(folder)]).gather(asked)
    assert list(given.rows) == [MONDAY]
    [failure] = given.failures
    assert "dbfs:/logs" in failure
    with pytest.raises(SourceError, match=r"workspace 1: no folder .* dbfs:/logs"):
        SparkEventLogs(Files(), ["dbfs:/logs"]).gather(asked)


def test_processes_give_what_one_gives(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        write(folder / f"app-{number}", job_start(number, NOON), task_start(number), b"bad")
    one = gathered(folder, DAY, scratch=folder.parent / "one")
    monkeypatch.setattr(source, "PROCESS_BYTES", 1)
    monkeypatch.setattr(source, "WORTH_STARTING_BYTES", 1)
    many = gathered(folder, DAY, workers=2, scratch=folder.parent / "many")
    assert (
        united(one, MONDAY)
        .sort("filename", "Event")
        .equals(united(many, MONDAY).sort("filename", "Event"))
    )
    assert one.processed.sort("path").equals(many.processed.sort("path"))
    assert one.rejected[MONDAY].sort("filename").equals(many.rejected[MONDAY].sort("filename"))
    assert one.counts == many.counts


def test_live_and_rolled_copies_of_an_hour_are_one(folder: Path) -> None:
    context = folder / "k-1" / "eventlog" / "k-1_h" / "77"
    hour = (job_start(1, NOON), task_start(1), task_end(1), job_end(1, NOON))
    write(context / "eventlog", *hour)
    live = united(gathered(folder, DAY), MONDAY)
    write(context / "eventlog-2024-05-06--12-00.gz", *hour)
    both = united(gathered(folder, DAY), MONDAY)
    content = [name for name in live.columns if not name.startswith("filename")]
    assert both.select(content).sort("Event").equals(live.select(content).sort("Event"))
    assert set(both["filename"]) == {str(context / "eventlog-2024-05-06--12-00.gz")}


def in_zone(day: date, zone: ZoneInfo) -> DayWindow:
    begin, end = (
        datetime.combine(each, datetime.min.time(), zone).astimezone(UTC)
        for each in (day, day + timedelta(days=1))
    )
    return DayWindow(day, Window(since=begin, until=end))


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Pacific/Auckland", "UTC"])
@pytest.mark.parametrize("first", [5, 25])
def test_a_log_is_opened_for_every_day_of_its_time_zone_that_it_has_events_of(
    folder: Path, zone: str, first: int
) -> None:
    # Clocks change in New York on 10 March and in Auckland on 7 April 2024.
    events = [ms("2024-03-08 00:30") + hours * 3_600_000 for hours in range(24 * 32)]
    write(folder / "app-1", *(job_start(n, at) for n, at in enumerate(events)))
    all_days = [in_zone(date(2024, 3, 7) + timedelta(days=n), ZoneInfo(zone)) for n in range(36)]
    scratch = folder.parent / "scratch"
    logs = SparkEventLogs(Files(), [str(folder)])
    known = tracker(logs.gather(request(scratch, [all_days[first]])))
    stored = 0
    for each in all_days:
        rows = logs.gather(request(scratch, [each], known=known)).rows
        stored += sum(len(job_ids(of_day)) for of_day in rows.values())
    assert stored == len(events)


def test_event_types_that_are_not_decoded_are_counted_in_the_tracker(folder: Path) -> None:
    write(folder / "app-1", line("SparkListenerLogStart"), line("SparkListenerLogStart"))
    given = gathered(folder, DAY)
    assert given.processed["event_counts"].to_list() == [{"SparkListenerLogStart": 2}]
    assert given.counts == {"not_decoded": 2}


def test_a_window_cut_at_the_snapshot_leaves_the_rest_of_the_day_for_later(folder: Path) -> None:
    write(folder / "app-1", job_start(1, NOON - 1), job_start(2, NOON))
    [whole] = days(DAY)
    until = datetime.fromtimestamp(NOON / 1000, UTC)
    cut = DayWindow(whole.day, Window(since=whole.window.since, until=until))
    scratch = folder.parent / "scratch"
    logs = SparkEventLogs(Files(), [str(folder)])
    given = logs.gather(request(scratch, [cut]))
    assert job_ids(given.rows[MONDAY]) == [1]
    later = logs.gather(request(scratch, [whole], known=tracker(given)))
    assert job_ids(later.rows[MONDAY]) == [1, 2]
