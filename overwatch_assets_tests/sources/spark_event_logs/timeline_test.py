"""When events happened that don't tell, and which events are not kept."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.sources.spark_event_logs.layout import log_path
from overwatch_assets.sources.spark_event_logs.reading import Limits, LogSummary, read_log
from overwatch_assets_tests.sources.spark_event_logs.lines import (
    NOON,
    compact,
    job_end,
    job_start,
    line,
    task_end,
    text,
)

HOUR = 3_600_000
UNTIMED_TASK_END = task_end(9, 0).replace(b'"Launch Time":-1000', b'"Launch Time":0')
LIMITS = Limits(first_ms=0, latest_ms=NOON + HOUR)
UNTIMED_STAGE = {"Stage ID": 3}


def read(
    *lines: bytes, limits: Limits = LIMITS, cuts: Sequence[int] = ()
) -> tuple[LogSummary, list[tuple[str, int]]]:
    """The summary; and the events, as type and time. Every cut ends a batch."""
    kept: list[tuple[str, int]] = []

    def take(name: str, events: pl.DataFrame) -> None:
        short = name.removeprefix("SparkListener")
        kept.extend((short, at) for at in events["eventTimeMS"].to_list())

    whole = text(*lines)
    bounds = [0, *sorted(cuts), len(whole)]
    chunks = (whole[a:b] for a, b in pairwise(bounds))
    return read_log(log_path("app-1"), chunks, limits, take, batch_bytes=1), sorted(kept)


def test_an_event_without_a_time_has_that_of_the_event_before() -> None:
    _, events = read(job_start(1), job_end(1, None), task_end(2, NOON + 5))
    assert events == [("JobEnd", NOON), ("JobStart", NOON), ("TaskEnd", NOON + 5)]


def test_without_an_event_before_it_has_that_of_the_event_after() -> None:
    _, events = read(job_start(1, None), job_end(1, None), task_end(2, NOON + 5))
    assert {at for _, at in events} == {NOON + 5}


def test_in_a_file_without_any_time_events_are_counted_not_kept() -> None:
    summary, events = read(job_start(1, None), UNTIMED_TASK_END)
    assert (events, summary.left_out) == ([], {"no_time": 2})
    assert summary.event_counts.total() == 2


def test_zero_and_negative_times_are_none() -> None:
    _, events = read(task_end(1), job_end(1, 0), job_end(2, -5), UNTIMED_TASK_END)
    assert [at for _, at in events] == [NOON] * 4


def test_a_completed_stage_takes_its_neighbours_time_and_a_submitted_one_is_left_out() -> None:
    completed = line("SparkListenerStageCompleted", **{"Stage Info": UNTIMED_STAGE})
    submitted = line("SparkListenerStageSubmitted", **{"Stage Info": UNTIMED_STAGE})
    summary, events = read(task_end(1), submitted, completed)
    assert events == [("StageCompleted", NOON), ("TaskEnd", NOON)]
    assert summary.left_out == {"no_time": 1}


def test_events_that_are_not_kept_are_no_neighbours_in_time() -> None:
    future = task_end(1, NOON + 2 * HOUR)
    other = line("SparkListenerBlockManagerAdded", Timestamp=NOON + 7)
    summary, events = read(job_start(1), future, other, job_end(1, None))
    assert events == [("JobEnd", NOON), ("JobStart", NOON)]
    [bad] = summary.bad_lines
    assert (bad.line.number, bad.line.reason, bad.time_ms) == (2, "time_in_future", NOON)
    assert bad.line.text == future[:1024]
    assert summary.rejected == 1


def test_the_latest_allowed_millisecond_is_kept() -> None:
    summary, events = read(task_end(1, NOON + HOUR), task_end(2, NOON + HOUR + 1))
    assert (events, summary.rejected) == ([("TaskEnd", NOON + HOUR)], 1)


def test_events_before_the_first_day_are_counted_and_still_neighbours() -> None:
    limits = Limits(first_ms=NOON, latest_ms=NOON + HOUR)
    summary, events = read(task_end(1, NOON - 1), job_end(1, None), task_end(2), limits=limits)
    assert events == [("TaskEnd", NOON)]
    assert summary.left_out == {"before_first_day": 2}
    assert (summary.first_ms, summary.last_ms) == (NOON - 1, NOON)


def test_rejected_lines_are_dated_by_the_event_before_else_after_else_not() -> None:
    summary, _ = read(b"first", task_end(1), b"second", task_end(2, NOON + 5), b"third")
    dated = sorted((each.line.number, each.time_ms) for each in summary.bad_lines)
    assert dated == [(1, NOON), (3, NOON), (5, NOON + 5)]
    alone, _ = read(b"first")
    assert [each.time_ms for each in alone.bad_lines] == [None]


def test_a_log_that_begins_after_the_days_is_not_read() -> None:
    late = Limits(first_ms=0, latest_ms=2**62, skip_from_ms=NOON)
    summary, events = read(job_start(0, None), task_end(1), limits=late)
    assert (summary.is_skipped, events) == (True, [])
    summary, events = read(task_end(1, NOON - 1), task_end(2), limits=late)
    assert (summary.is_skipped, len(events)) == (False, 2)


def test_the_applications_own_start_names_the_context() -> None:
    def context(*lines: bytes, path: str = "/logs/app-x.gz") -> str:
        chunks = iter([text(*lines)])
        return read_log(log_path(path), chunks, Limits(0, 2**62), lambda _, __: None).context_id

    start = {"Event": "SparkListenerApplicationStart", "Timestamp": NOON, "App ID": "app-1"}
    assert context(task_end(1), compact(start)) == "app-1"
    assert context(compact({**start, "App Attempt ID": "2"})) == "app-1_2"
    assert context(compact({**start, "App ID": None}), task_end(1)) == "app-x"
    rolled = "/logs/eventlog_v2_app-7_1/events_1_app-7_1"
    assert context(compact(start), path=rolled) == "app-7_1"


events = st.lists(
    st.tuples(
        st.sampled_from([job_start, job_end, task_end]),
        st.sampled_from([None, NOON, NOON + 1, NOON + 2 * HOUR]),
    ),
    max_size=12,
)


@given(events, st.lists(st.integers(0, 2000), max_size=4))
def test_times_depend_on_the_lines_not_on_how_they_were_read(
    made: list[tuple[Callable[..., bytes], int | None]], cuts: list[int]
) -> None:
    lines = [
        UNTIMED_TASK_END if make is task_end and at is None else make(number, at)
        for number, (make, at) in enumerate(made)
    ]
    length = len(text(*lines))
    summary, kept = read(*lines, cuts=[cut for cut in cuts if cut < length])
    told = [at for _, at in made if at is not None and at <= NOON + HOUR]
    untimed = sum(at is None for _, at in made)
    assert len(kept) == len(told) + (untimed if told else 0)
    assert summary.left_out.total() == (0 if told else untimed)
    assert summary.rejected == sum(at == NOON + 2 * HOUR for _, at in made)
    assert read(*lines)[1] == kept
