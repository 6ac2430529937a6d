"""The product's own readers on one world's audit log, delivered in three ways."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import requests

from overwatch_assets.bronze.audit_log_processedfiles import PROCESSED_FILES
from overwatch_assets.demo.audit_azure import resource_id, write_azure_audit_logs
from overwatch_assets.demo.audit_files import write_audit_log
from overwatch_assets.demo.audit_rows import audit_rows
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.demo.emulator.statements import StatementOptions
from overwatch_assets.demo.scene import DAY_MS
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import World
from overwatch_assets.module import DayWindow, Window
from overwatch_assets.sources.audit_azure import AzureAuditLogs
from overwatch_assets.sources.audit_logs import AuditLogFiles
from overwatch_assets.sources.audit_system import SystemAuditTable
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.gathering import Gathered, Request, Source
from overwatch_assets.sources.rest_api.api import Query
from overwatch_assets_tests.demo.emulator.literal import CREDENTIALS, WAREHOUSE, LiteralWorkspace
from overwatch_assets_tests.demo.emulator.sdk import ask, client

FIRST_DAY, DAYS = date(2026, 10, 5), 3


class SdkApi:
    """An API that asks the SDK, once."""

    def __init__(self, emulator: Emulator, workspace_id: str) -> None:
        self._sdk = client(emulator, workspace_id)

    def get(self, path: str, query: Query | None = None) -> Any:
        return ask(self._sdk, "GET", path, query=query)

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        return ask(self._sdk, "POST", path, body=body)

    def fetch(self, url: str) -> bytes:
        return requests.get(url, timeout=30).content

    def download(self, path: str) -> Iterator[bytes]:
        yield self.fetch(path)


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(seed=7, first_day=FIRST_DAY, days=DAYS, scale=0.3)


def gathered(source: Source, organization_id: str, now_ms: int, scratch: Path) -> Gathered:
    midnights = [
        datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(days=n)
        for n in range(DAYS)
    ]
    day = timedelta(days=1)
    return source.gather(
        Request(
            organization_id=organization_id,
            days=[DayWindow(each.date(), Window(each, each + day)) for each in midnights],
            first_ms=round(midnights[0].timestamp() * 1000),
            now_ms=now_ms,
            known=PROCESSED_FILES.schema.to_frame(),
            coverage=pl.DataFrame(),
            scratch=scratch,
            zone=ZoneInfo("UTC"),
        )
    )


def events(found: Gathered) -> pl.DataFrame:
    """Each event once, without what differs by route."""
    rows = pl.concat([frame.collect() for frame in found.rows.values()])
    by_route = ["version", "auditLevel", "accountId", "category", "filename"]
    return rows.drop(by_route).unique("hashKey").sort("timestamp", "hashKey")


def test_the_three_routes_tell_the_same_events(world: World, tmp_path: Path) -> None:
    now_ms, account = world.until_ms + 2 * DAY_MS, world.company.account_id
    write_azure_audit_logs(tmp_path / "azure", world)
    served = [
        LiteralWorkspace(
            each.workspace.workspace_id, rows_given=[row for _, row in audit_rows(each, account)]
        )
        for each in world.workspaces
    ]
    options = StatementOptions(rows_per_chunk=40)
    with Emulator(served, CREDENTIALS, clock=Clock(now_ms), statements=options) as emulator:
        for each in world.workspaces:
            org, name = each.workspace.workspace_id, resource_id(each.workspace, account)
            folder = write_audit_log(tmp_path / "bucket", each, account)
            sources: list[Source] = [
                AuditLogFiles(Files(), str(folder)),
                AzureAuditLogs(Files(), str(tmp_path / "azure"), name),
                SystemAuditTable(SdkApi(emulator, org), WAREHOUSE),
            ]
            by_bucket, by_azure, by_table = (
                gathered(source, org, now_ms, tmp_path) for source in sources
            )
            assert events(by_bucket).height == len(each.actions)
            assert events(by_azure).equals(events(by_bucket))
            assert events(by_table).equals(events(by_bucket))
            strays = pl.concat(by_azure.rejected.values())
            assert strays.height > 0
            assert strays["reason"].str.starts_with("of another workspace").all()
        assert len(emulator.journal.requests("GET /results/*")) > len(served)
