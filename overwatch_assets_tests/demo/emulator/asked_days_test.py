"""The product's own sources on the emulator: whatever goes wrong on the way, the same rows."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from overwatch_assets.bronze.cluster_events_bronze import cluster_events_bronze
from overwatch_assets.bronze.job_runs_snapshot_bronze import job_runs_snapshot_bronze
from overwatch_assets.bronze.sql_query_history_bronze import sql_query_history_bronze
from overwatch_assets.demo.emulator.faults import Fault, FaultRule, Storm
from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets.module import DayWindow, Module
from overwatch_assets.sources.gathering import Gathered, Request, Source
from overwatch_assets.sources.rest_api.cluster_days import CLUSTER_DAYS
from overwatch_assets.sources.rest_api.cluster_events import ClusterEvents
from overwatch_assets.sources.rest_api.job_runs import JobRuns
from overwatch_assets.sources.rest_api.login import Access
from overwatch_assets.sources.rest_api.sql_query_history import SqlQueryHistory
from overwatch_assets_tests.demo.emulator.literal import ORG, PAT, Json, LiteralWorkspace
from overwatch_assets_tests.memory import UtcCalendar
from overwatch_assets_tests.sources.rest_api.loopback import api_of

MONDAY = date(2026, 10, 5)
DAYS = [MONDAY + timedelta(days=number) for number in range(3)]
START = round(datetime(2026, 10, 5, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000
CLUSTERS = ("1005-a", "1005-b", "1005-c")


@pytest.fixture
def busy(here: LiteralWorkspace) -> LiteralWorkspace:
    """Three clusters of 1,100 events each, and a run and a query every seven minutes."""
    step = 72 * HOUR // 1100
    here.events_given = {
        cluster: [
            {"cluster_id": cluster, "timestamp": START + number * step, "type": "RESIZING"}
            for number in range(1100)
        ]
        for cluster in CLUSTERS
    }
    starts = [START + number * 420_000 for number in range(72 * HOUR // 420_000)]
    here.runs_given = [_job_run(number, start) for number, start in enumerate(starts)]
    here.queries_given = [
        {"query_id": f"q-{number}", "warehouse_id": "w", "query_start_time_ms": start}
        for number, start in enumerate(starts)
    ]
    return here


def _job_run(number: int, start: int) -> Json:
    tasks = [{"task_key": f"t-{task}"} for task in range(150 if number == 0 else 1)]
    return {"job_id": 1, "run_id": number, "start_time": start, "tasks": tasks}


def asked(emulator: Emulator, kind: type[ClusterEvents | JobRuns | SqlQueryHistory]) -> Source:
    access = Access(emulator.address(ORG), identity={"token": PAT}, timeout_seconds=10.0)
    return kind(api_of(lambda: access), "made_up_bronze", threads=3)


def gathered(source: Source, module: Module, scratch: Path) -> Gathered:
    windows = [DayWindow(day, UtcCalendar().window_of(day)) for day in DAYS]
    rows = [(cluster, MONDAY, True) for cluster in CLUSTERS]
    coverage = pl.DataFrame(rows, schema=CLUSTER_DAYS, orient="row")
    return source.gather(
        Request(
            organization_id=ORG,
            days=windows,
            first_ms=START,
            now_ms=START + 80 * HOUR,
            known=pl.DataFrame(),
            coverage=coverage if module is cluster_events_bronze else pl.DataFrame(),
            scratch=scratch,
            zone=ZoneInfo("UTC"),
            schema=pl.Schema({each.name: each.dtype for each in module.table.columns}),
        )
    )


def keys(found: Gathered, module: Module) -> set[tuple[object, ...]]:
    frames = [frame.select(module.table.key_columns).collect() for frame in found.rows.values()]
    return set(pl.concat(frames).rows())


def test_cluster_events_are_whole_through_faults_repeated_pages_and_expired_tokens(
    emulator: Emulator, busy: LiteralWorkspace, tmp_path: Path
) -> None:
    emulator.faults.storm = Storm(seed=3, throttled=0.1, server_error=0.1, reset=0.05)
    path = "POST /api/2.1/clusters/events"
    emulator.faults.add(FaultRule(Fault.REPEATED_PAGE, path, calls=[0], about="1005-a"))
    emulator.faults.add(FaultRule(Fault.TOKEN_EXPIRED, path, calls=[0], about="1005-b"))
    found = gathered(asked(emulator, ClusterEvents), cluster_events_bronze, tmp_path)
    expected = {
        (cluster, each["timestamp"], each["type"])
        for cluster, events in busy.events_given.items()
        for each in events
    }
    assert keys(found, cluster_events_bronze) == expected
    assert set(found.processed["status"]) == {"ok"}


def test_job_runs_are_whole_with_all_their_tasks(
    emulator: Emulator, busy: LiteralWorkspace, tmp_path: Path
) -> None:
    emulator.faults.storm = Storm(seed=5, throttled=0.1, server_error=0.1, reset=0.05)
    found = gathered(asked(emulator, JobRuns), job_runs_snapshot_bronze, tmp_path)
    assert keys(found, job_runs_snapshot_bronze) == {
        (1, each["run_id"]) for each in busy.runs_given
    }
    first = found.rows[MONDAY].filter(pl.col("run_id") == 0).collect()
    assert first["tasks"].list.len().to_list() == [150]


def test_queries_are_whole_and_those_that_go_on_are_asked_for_by_id(
    emulator: Emulator, busy: LiteralWorkspace, tmp_path: Path
) -> None:
    emulator.faults.storm = Storm(seed=8, throttled=0.1, server_error=0.1, reset=0.05)
    found = gathered(asked(emulator, SqlQueryHistory), sql_query_history_bronze, tmp_path)
    expected = {("w", each["query_id"], each["query_start_time_ms"]) for each in busy.queries_given}
    assert keys(found, sql_query_history_bronze) == expected
    monday, _, wednesday = (found.rows[day].collect()["query_id"].n_unique() for day in DAYS)
    assert (monday, wednesday) == (206, len(expected))
