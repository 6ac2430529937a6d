"""A reader that meets anything: random damage stops no line but the damaged one."""

import random
from collections.abc import Iterator

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.sources.spark_event_logs.layout import log_path
from overwatch_assets.sources.spark_event_logs.reading import Limits, LogSummary, read_log
from overwatch_assets_tests.damage import damaged
from overwatch_assets_tests.sources.spark_event_logs.lines import (
    NOON,
    job_end,
    job_start,
    line,
    task_end,
    task_start,
    text,
)

MUTATIONS = 200_000
SEED = 20240506

_ACCUMULABLE = {"ID": 1, "Name": "x]},y", "Update": "1", "Value": [1, {"a": 2}]}
SEEDS = (
    task_end(1, accumulables=[_ACCUMULABLE]),
    task_end(2, metrics={"Executor Run Time": 5, "Shuffle Read Metrics": {"Fetch Wait Time": 1}}),
    task_end(3, reason={"Reason": "ExceptionFailure", "Stack Trace": [{"Line Number": 7}]}),
    task_start(4),
    job_start(5, properties={"user": "maria"}),
    job_end(6),
    line("SparkListenerStageCompleted", **{"Stage Info": {"Stage ID": 1}}),
    line("SparkListenerExecutorAdded", **{"Executor ID": "1", "Timestamp": NOON}),
    line("org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart", executionId=1, time=1),
    line("SparkListenerEnvironmentUpdate", **{"JVM Information": {"Java Home": "/usr"}}),
)


def read(content: Iterator[bytes]) -> tuple[LogSummary, pl.DataFrame]:
    """The summary, and the job ends that were stored."""
    ends: list[pl.DataFrame] = []

    def take(name: str, events: pl.DataFrame) -> None:
        if name == "SparkListenerJobEnd":
            ends.append(events.select("JobID"))

    summary = read_log(log_path("app-1"), content, Limits(0, 2**62), take)
    return summary, pl.concat([pl.DataFrame(schema={"JobID": pl.Int64}), *ends])


def test_two_hundred_thousand_damaged_lines_cost_no_neighbour() -> None:
    randomly = random.Random(SEED)  # noqa: S311 - reproducible damage, no secret
    neighbours = MUTATIONS // 20
    lines: list[bytes] = []
    for number in range(neighbours):
        lines += [damaged(randomly.choice(SEEDS), randomly) for _ in range(20)]
        lines.append(job_end(1_000_000 + number))
    content = text(*lines)
    pieces = (content[at : at + (1 << 20)] for at in range(0, len(content), 1 << 20))
    summary, ends = read(pieces)
    assert summary.lines == len(lines)
    blank = sum(not each.strip() for each in lines)
    assert summary.event_counts.total() + summary.rejected == len(lines) - blank
    stored = ends.filter(pl.col("JobID").is_between(1_000_000, 1_000_000 + neighbours - 1))
    assert stored["JobID"].n_unique() == neighbours
    assert MUTATIONS // 2 < summary.rejected < MUTATIONS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.lists(st.binary(max_size=60).map(lambda each: each.replace(b"\n", b""))))
def test_any_bytes_between_good_lines_are_events_or_rejected(between: list[bytes]) -> None:
    content = text(job_end(1), *between, job_end(2))
    summary, ends = read(iter([content]))
    blank = sum(not each.strip() for each in between)
    assert summary.lines == len(between) + 2
    assert summary.event_counts.total() + summary.rejected == len(between) + 2 - blank
    assert ends["JobID"].to_list() == [1, 2]


@given(st.sampled_from(SEEDS), st.sampled_from(["Task Info", "Stage ID", "Job ID"]), json_values)
def test_any_value_in_place_of_a_field_is_an_event_or_rejected(
    seed: bytes, key: str, value: object
) -> None:
    event = {"Event": seed.decode().split('"')[3], key: value}
    name = event.pop("Event")
    content = text(job_end(1), line(str(name), **event), job_end(2))
    summary, ends = read(iter([content]))
    assert summary.event_counts.total() + summary.rejected == 3
    assert set(ends["JobID"].to_list()) >= {1, 2}


@given(st.binary(max_size=400), st.lists(st.integers(1, 50)))
def test_how_bytes_are_cut_into_chunks_does_not_matter(content: bytes, sizes: list[int]) -> None:
    whole = text(job_start()) + content + b"\n" + text(job_end(), task_end(1))
    chunks: list[bytes] = []
    at = 0
    for size in sizes:
        chunks.append(whole[at : at + size])
        at += size
    chunks.append(whole[at:])
    summary, _ = read(iter(chunks))
    expected, _ = read(iter([whole]))
    assert (summary.lines, summary.rejected, summary.event_counts, summary.tail_bytes) == (
        expected.lines,
        expected.rejected,
        expected.event_counts,
        expected.tail_bytes,
    )
