"""Small logs whose events share frames are read as each alone."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.sources.gathering import Gathered
from overwatch_assets.sources.spark_event_logs import reading
from overwatch_assets_tests.sources.spark_event_logs.lines import (
    DAY,
    NOON,
    days,
    gathered,
    job_end,
    job_start,
    line,
    ms,
    task_end,
    task_start,
    text,
    united,
)

DAY_MS = 86_400_000
ASKED = 2
DAYS = [each.day for each in days(DAY, ASKED)]

INSTANTS = [
    *(NOON, NOON + 1, NOON + DAY_MS // 2, NOON + DAY_MS, NOON + ASKED * DAY_MS),
    *(NOON - 400 * DAY_MS, ms("2009-12-31")),
]


def _application_start(name: int, at_ms: int) -> bytes:
    told: dict[str, object] = {"App ID": f"app-{name}", "App Name": "n", "User": "u"}
    return line("SparkListenerApplicationStart", **told, Timestamp=at_ms)


def _execution_start(number: int, at_ms: int) -> bytes:
    plan: dict[str, object] = {"nodeName": "Scan", "simpleString": "s", "children": []}
    told: dict[str, object] = {"description": "count", "details": "d", "sparkPlanInfo": plan}
    name = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart"
    return line(name, **told, executionId=number, time=at_ms)


def _failed_task(number: int, at_ms: int) -> bytes:
    return task_end(number, at_ms, reason={"Reason": "Resubmitted"}, metrics={})


MADE: list[Callable[[int, int], bytes]] = [
    *(job_start, job_end, task_start, task_end),
    *(_application_start, _execution_start, _failed_task),
]
ODD_LINES = [
    *(b"bad", b"", b'{"Event":"Unknown"}', job_start(9, None)),
    *(task_end(9, 0), job_end(9, ms("2200-01-01"))),
]


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """A log: events, perhaps a line that needs looking at, perhaps a line that is cut off."""
    events = draw(st.lists(st.tuples(*map(st.sampled_from, (MADE, range(4), INSTANTS)))))
    lines = [make(number, at_ms) for make, number, at_ms in events]
    odd = draw(st.lists(st.sampled_from(ODD_LINES), max_size=1))
    return text(*lines, *odd) + draw(st.sampled_from([b"", b'{"Event":"Spark']))


def _read(folder: Path, name: str) -> tuple[object, ...]:
    given: Gathered = gathered(folder / "logs", DAY, ASKED, scratch=folder / name)
    return (
        {day: sorted(map(str, united(given, day).to_dicts())) for day in DAYS if day in given.rows},
        given.processed.sort("path").to_dicts(),
        {day: rows.sort("filename").to_dicts() for day, rows in given.rejected.items()},
        given.counts,
    )


@given(logs=st.lists(contents(), min_size=1, max_size=4))
def test_many_read_together_are_as_each_read_alone(logs: list[bytes]) -> None:
    with TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        folder = Path(made)
        (folder / "logs").mkdir()
        changed = ms("2024-05-09") / 1000
        for number, content in enumerate(logs):
            path = folder / "logs" / f"log-{number}"
            path.write_bytes(content)
            os.utime(path, (changed, changed))
        together = _read(folder, "together")
        patch.setattr(reading, "MOST_SHARED_ROWS", -1)
        assert together == _read(folder, "alone")
