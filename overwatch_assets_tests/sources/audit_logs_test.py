import gzip
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from overwatch_assets.bronze.audit_log_processedfiles import PROCESSED_FILES
from overwatch_assets.bronze.audit_log_rejected import REJECTED
from overwatch_assets.errors import SourceError
from overwatch_assets.module import DayWindow, Window
from overwatch_assets.sources.audit_logs import AuditLogFiles
from overwatch_assets.sources.audit_records import RECORD_SCHEMA
from overwatch_assets.sources.file_tracker import FAILURES_ALLOWED
from overwatch_assets.sources.files import FileInfo, Files
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.local_files import LocalFiles

NOW = datetime(2024, 5, 10, 6, tzinfo=UTC)
FIRST_DAY = date(2024, 4, 1)
MONDAY, TUESDAY, WEDNESDAY = date(2024, 5, 6), date(2024, 5, 7), date(2024, 5, 8)


def event(at: str, action: str = "edit", **more: object) -> str:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    record = {
        "timestamp": round(moment.timestamp() * 1000),
        "serviceName": "clusters",
        "actionName": action,
        **more,
    }
    return json.dumps(record)


def delivered(
    root: Path, folder: date | str, *lines: str | bytes, name: str = "auditlogs_1.json"
) -> Path:
    path = root / (folder if isinstance(folder, str) else f"date={folder}") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"".join((each if isinstance(each, bytes) else each.encode()) + b"\n" for each in lines)
    )
    os.utime(path, times=(NOW.timestamp(), NOW.timestamp()))
    return path


def window_of(day: date, zone: ZoneInfo) -> Window:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return Window(since=midnight, until=midnight + timedelta(days=1))


def gathered(
    root: Path,
    *days: date,
    known: pl.DataFrame | None = None,
    zone: str = "UTC",
    snapshot: datetime = NOW,
    first_day: date = FIRST_DAY,
) -> Gathered:
    scratch = root.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    wholes = {day: window_of(day, ZoneInfo(zone)) for day in days}
    windows = [
        DayWindow(day, Window(whole.since, min(whole.until, snapshot)))
        for day, whole in wholes.items()
    ]
    request = Request(
        organization_id="1",
        days=windows,
        first_ms=window_of(first_day, ZoneInfo(zone)).since_ms,
        now_ms=round(NOW.timestamp() * 1000),
        known=PROCESSED_FILES.schema.to_frame() if known is None else known,
        coverage=pl.DataFrame(),
        scratch=scratch,
        zone=ZoneInfo(zone),
    )
    return AuditLogFiles(Files(), str(root)).gather(request)


def tracker(*found: Gathered) -> pl.DataFrame:
    """The tracker as it is stored after these loads."""
    stored = [
        each.processed.with_columns(
            organization_id=pl.lit("1"),
            delta_version=pl.lit(number, dtype=pl.Int64),
            partition_date=pl.lit(MONDAY),
            Pipeline_SnapTS=pl.lit(NOW + timedelta(hours=number)).cast(pl.Datetime("us", "UTC")),
            Overwatch_RunID=pl.lit("run"),
            workspace_name=pl.lit("one"),
        )
        for number, each in enumerate(found)
    ]
    return pl.concat([each.select(PROCESSED_FILES.schema.names()) for each in stored])


def actions(found: Gathered, day: date) -> list[str]:
    if day not in found.rows:
        return []
    return found.rows[day].sort("timestamp").collect()["actionName"].to_list()


def reasons(found: Gathered) -> Sequence[tuple[date, str]]:
    return [
        (day, reason)
        for day, frame in sorted(found.rejected.items())
        for reason in frame["reason"].to_list()
    ]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "audit").mkdir()
    return tmp_path / "audit"


def test_what_is_handed_over_fits_the_tables(root: Path) -> None:
    delivered(root, MONDAY, event("2024-05-06 08:00"), "nonsense")
    found = gathered(root, MONDAY)
    assert found.rows[MONDAY].collect_schema() == RECORD_SCHEMA
    run_columns = {"organization_id", "partition_date", "delta_version"}
    run_columns |= {"Pipeline_SnapTS", "Overwatch_RunID", "workspace_name"}
    for handed_over, table in (
        (found.processed, PROCESSED_FILES),
        (found.rejected[MONDAY], REJECTED),
    ):
        stored = {name: kind for name, kind in table.schema.items() if name not in run_columns}
        assert handed_over.schema == pl.Schema(stored)


def test_a_record_belongs_to_the_day_of_its_time_whatever_the_folder_says(root: Path) -> None:
    delivered(root, MONDAY, event("2024-05-06 08:00", "a"), event("2024-05-07 00:00", "b"))
    delivered(root, WEDNESDAY, event("2024-05-06 23:59:59.999", "c"))
    found = gathered(root, MONDAY)
    assert actions(found, MONDAY) == ["a", "c"]
    assert found.counts == {"other_days": 1}
    assert found.rows[MONDAY].collect()["date"].to_list() == [MONDAY, MONDAY]


def test_days_are_those_of_the_configured_time_zone(root: Path) -> None:
    delivered(root, MONDAY, event("2024-05-06 21:59", "a"), event("2024-05-06 22:00", "b"))
    found = gathered(root, TUESDAY, zone="Europe/Berlin")
    assert actions(found, TUESDAY) == ["b"]


def test_what_comes_after_the_snapshot_waits_for_the_next_load(root: Path) -> None:
    delivered(root, MONDAY, event("2024-05-06 08:00", "a"), event("2024-05-06 09:00", "b"))
    morning = datetime(2024, 5, 6, 9, tzinfo=UTC)
    found = gathered(root, MONDAY, snapshot=morning)
    assert (actions(found, MONDAY), found.counts) == (["a"], {"after_snapshot": 1})
    assert actions(gathered(root, MONDAY, known=tracker(found)), MONDAY) == ["a", "b"]


def test_a_known_file_is_opened_only_for_the_days_it_holds(root: Path) -> None:
    delivered(root, MONDAY, event("2024-05-06 08:00", "a"), event("2024-05-08 08:00", "c"))
    first = gathered(root, MONDAY)
    assert gathered(root, TUESDAY, known=tracker(first)).processed.is_empty()
    again = gathered(root, WEDNESDAY, known=tracker(first))
    assert actions(again, WEDNESDAY) == ["c"]


def test_a_rewritten_file_is_read_again(root: Path) -> None:
    delivered(root, MONDAY, event("2024-05-06 08:00", "a"))
    first = gathered(root, MONDAY)
    delivered(root, MONDAY, event("2024-05-06 08:00", "a"), event("2024-05-06 09:00", "late"))
    found = gathered(root, TUESDAY, known=tracker(first))
    assert found.processed["late_rows"].to_list() == [[{"day": MONDAY, "rows": 2}]]
    assert actions(gathered(root, MONDAY, known=tracker(first, found)), MONDAY) == ["a", "late"]


def test_late_rows_stay_told_until_their_day_is_loaded(root: Path) -> None:
    lines = [event("2024-05-06 08:00"), event("2024-05-07 08:00"), event("2024-05-08 08:00")]
    delivered(root, WEDNESDAY, *lines)
    first = gathered(root, WEDNESDAY)
    second = gathered(root, MONDAY, known=tracker(first))
    assert second.processed["late_rows"].to_list() == [[{"day": TUESDAY, "rows": 1}]]
    third = gathered(root, TUESDAY, known=tracker(first, second))
    assert third.processed["late_rows"].to_list() == [[]]


def test_a_file_that_vanished_is_noted_once(root: Path) -> None:
    path = delivered(root, MONDAY, event("2024-05-06 08:00"))
    delivered(root, MONDAY, event("2024-05-06 09:00"), name="other.json")
    first = gathered(root, MONDAY)
    path.unlink()
    second = gathered(root, TUESDAY, known=tracker(first))
    assert second.processed.select("path", "gone_at").rows() == [(str(path), NOW)]
    assert gathered(root, TUESDAY, known=tracker(first, second)).processed.is_empty()


def test_a_file_that_vanishes_between_listing_and_reading_is_told_and_read_when_it_is_back(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = delivered(root, MONDAY, event("2024-05-06 08:00", "a"))
    delivered(root, MONDAY, event("2024-05-06 09:00", "b"), name="other.json")
    listed = LocalFiles.list

    def lost(files: LocalFiles, prefix: str) -> Iterator[FileInfo]:
        found = [*listed(files, prefix)]
        path.unlink(missing_ok=True)
        return iter(found)

    with monkeypatch.context() as patched:
        patched.setattr(LocalFiles, "list", lost)
        found = gathered(root, MONDAY)
    assert (actions(found, MONDAY), found.counts) == (["b"], {"files_gone": 1})
    assert [str(path) in failure for failure in found.failures] == [True]
    delivered(root, MONDAY, event("2024-05-06 08:00", "a"))
    assert actions(gathered(root, MONDAY, known=tracker(found)), MONDAY) == ["a", "b"]


def test_bad_lines_are_rejected_with_their_reason_and_their_neighbours_stay(root: Path) -> None:
    lines = [
        "{broken",
        event("2024-05-06 08:00", "a"),
        '{"timestamp":1}',
        event("2024-05-06 09:00", "b"),
    ]
    delivered(root, MONDAY, *lines, "[" * 100_000, b"\xff\xfe\x00", "x" * 2000)
    found = gathered(root, MONDAY)
    assert actions(found, MONDAY) == ["a", "b"]
    rejected = found.rejected[MONDAY].sort("line_number")
    assert rejected["line_number"].to_list() == [1, 3, 5, 6, 7]
    assert rejected["reason"].str.slice(0, 8).to_list() == [
        "not JSON",
        "no servi",
        "not an a",
        "not JSON",
        "not JSON",
    ]
    assert rejected["record"].str.len_bytes().max() == 1024
    assert found.processed.select("lines", "rejected").row(0) == (7, 5)


def test_a_rejected_line_is_of_the_day_of_the_record_before_it(root: Path) -> None:
    lines = ["bad 1", event("2024-05-07 08:00"), "bad 2", event("2024-05-08 08:00"), "bad 3"]
    delivered(root, MONDAY, *lines)
    delivered(root, TUESDAY, "bad 4")
    days = {
        day: frame["record"].to_list() for day, frame in gathered(root, MONDAY).rejected.items()
    }
    assert days == {
        TUESDAY: ["bad 1", "bad 2"],
        WEDNESDAY: ["bad 3"],
        NOW.date(): ["bad 4"],
    }


def test_a_rejected_line_keeps_no_secret(root: Path) -> None:
    delivered(root, MONDAY, '{"requestParams":{"tokenValue":"hunter2"},')
    [frame] = gathered(root, MONDAY).rejected.values()
    assert frame["record"].to_list() == ['{"requestParams":{"tokenValue":[REDACTED]']


def test_an_unfinished_last_line_is_left_alone(root: Path) -> None:
    path = delivered(root, MONDAY, event("2024-05-06 08:00", "a"))
    with path.open("ab") as file:
        file.write(event("2024-05-06 09:00", "b").encode()[:-5])
    found = gathered(root, MONDAY)
    assert actions(found, MONDAY) == ["a"]
    assert not found.rejected
    assert found.processed["tail_bytes"].item() == found.counts["tail_bytes"] > 0
    with path.open("ab") as file:
        file.write(event("2024-05-06 09:00", "b").encode()[-5:])
    assert actions(gathered(root, MONDAY, known=tracker(found)), MONDAY) == ["a", "b"]


def test_events_before_the_first_day_and_in_the_future_are_not_stored(root: Path) -> None:
    delivered(root, MONDAY, event("2024-03-31 23:59"), event("2024-05-12 08:00"))
    found = gathered(root, MONDAY)
    assert (dict(found.rows), found.counts) == ({}, {"before_first_day": 1})
    assert reasons(found) == [(FIRST_DAY, "time_in_future")]


def test_files_that_did_not_change_since_before_the_first_day_are_skipped(root: Path) -> None:
    path = delivered(root, MONDAY, event("2024-05-06 08:00"))
    os.utime(path, times=(0, datetime(2024, 3, 30, tzinfo=UTC).timestamp()))
    assert gathered(root, MONDAY).processed.is_empty()
    os.utime(path, times=(0, 0))
    assert gathered(root, MONDAY).processed.height == 1


@pytest.mark.parametrize("name", ["log.json.gz", "log.json", "log"])
def test_content_tells_what_is_compressed_not_the_name(root: Path, name: str) -> None:
    path = delivered(root, MONDAY, name=name)
    content = gzip.compress(event("2024-05-06 08:00", "a").encode())
    path.write_bytes(content)
    assert actions(gathered(root, MONDAY), MONDAY) == ["a"]


def test_of_a_cut_archive_the_whole_lines_are_rows_and_it_is_read_again(root: Path) -> None:
    path = delivered(root, MONDAY, name="log.gz")
    text = "\n".join(event("2024-05-06 08:00", f"a{n}") for n in range(5000)).encode()
    path.write_bytes(gzip.compress(text)[:-1000])
    loads: list[Gathered] = []
    for number in range(FAILURES_ALLOWED):
        loads.append(gathered(root, TUESDAY, known=tracker(*loads) if loads else None))
        assert loads[-1].processed.select("is_complete", "failures").rows() == [(False, number + 1)]
        assert str(path) in loads[-1].failures[-1]
        assert reasons(loads[-1]) == (
            [(TUESDAY, "file can't be read to its end")] if number == FAILURES_ALLOWED - 1 else []
        )
    assert gathered(root, TUESDAY, known=tracker(*loads)).processed.is_empty()
    assert len(actions(gathered(root, MONDAY, known=tracker(*loads)), MONDAY)) > 4000


def test_a_file_of_a_kind_that_is_not_read_is_rejected_at_once(root: Path) -> None:
    path = delivered(root, MONDAY, b"PK\x03\x04" + bytes(100))
    delivered(root, MONDAY, event("2024-05-06 08:00", "a"), name="good.json")
    found = gathered(root, MONDAY)
    assert actions(found, MONDAY) == ["a"]
    assert found.rejected[MONDAY].select("record", "line_number").rows() == [(str(path), None)]


def test_a_folder_that_is_no_date_is_an_error_that_says_what_to_configure(root: Path) -> None:
    delivered(root, "workspaceId=1", event("2024-05-06 08:00"))
    with pytest.raises(SourceError, match=r"workspace 1: .*workspaceId=1.*date="):
        gathered(root, MONDAY)


def test_a_day_without_folder_is_empty_and_told(root: Path) -> None:
    delivered(root, MONDAY, event("2024-05-06 08:00", "a"))
    found = gathered(root, MONDAY, TUESDAY)
    assert (actions(found, MONDAY), actions(found, TUESDAY)) == (["a"], [])
    [failure] = found.failures
    assert "has no folder of 2024-05-07" in failure
    assert len(gathered(root / "missing", MONDAY).failures) == 1


def test_many_rows_are_held_in_the_scratch_folder(root: Path) -> None:
    lines = [event(f"2024-05-0{6 + n % 2} 08:00", f"a{n}") for n in range(45_000)]
    delivered(root, MONDAY, *lines)
    found = gathered(root, MONDAY, TUESDAY)
    assert [found.rows[day].collect().height for day in (MONDAY, TUESDAY)] == [22_500, 22_500]


def test_every_published_sample_is_a_row_or_is_rejected(root: Path, test_data: Path) -> None:
    samples = (test_data / "api" / "audit_panther_samples.jsonl").read_bytes().splitlines()
    delivered(root, MONDAY, *samples)
    days = date(2009, 2, 13), date(2024, 1, 1)
    found = gathered(root, *days, first_day=date(2009, 1, 1))
    rows = [row for day in days for row in actions(found, day)]
    rejected = reasons(found)
    assert (len(samples), len(rows), len(rejected), found.counts) == (87, 80, 7, {})
    assert {reason for _, reason in rejected} == {"no timestamp in epoch milliseconds"}


def test_the_folder_of_another_workspace_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "workspaceId=77"
    delivered(root, MONDAY, event("2024-05-06 08:00"))
    with pytest.raises(SourceError, match="holds the audit logs of workspace 77"):
        gathered(root, MONDAY)
