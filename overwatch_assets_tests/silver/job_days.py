"""Days of audit events and captures of jobs, loaded as the machinery loads them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from overwatch_assets.bronze.jobs_snapshot_bronze import jobs_snapshot_bronze
from overwatch_assets.execution.records import Record
from overwatch_assets.module import Module
from overwatch_assets.registry import in_load_order
from overwatch_assets.sources.rest_api.api import Json
from overwatch_assets_tests.frames import ms
from overwatch_assets_tests.laws.cluster_world import audit_event, audit_rows, captured
from overwatch_assets_tests.laws.harness import World, WorldSource
from overwatch_assets_tests.memory import MadeUpWorkspace

FIRST = date(2024, 5, 6)


def event(
    at: str | int,
    action: str,
    by: str | None = "alice",
    *,
    result: Mapping[str, object] | None = None,
    status: int | None = 200,
    request: str | None = "r",
    **params: object,
) -> Json:
    """An audit event of the service `jobs` as bronze stores it; times are ISO text or epoch ms."""
    at_ms = ms(at) if isinstance(at, str) else at
    told = None if result is None else json.dumps(result)
    said = audit_event(
        at_ms, f"jobs.{action}", params, result=told, status=status, user=by, request=request
    )
    return {**said, "sessionId": "s-1", "sourceIPAddress": "203.0.113.1", "userAgent": "browser"}


def capture(at: str | int, job_id: int, settings: Mapping[str, object], **more: object) -> Json:
    """A job as the API showed it."""
    at_ms = ms(at) if isinstance(at, str) else at
    return {"job_id": job_id, "settings": settings, "captured_at_ms": at_ms, **more}


@dataclass
class JobDays:
    """A deployment of a table and of those it is made from, fed with literal records."""

    module: Module
    events: Sequence[Json] = ()
    captures: Sequence[Json] = ()
    first_day: date = FIRST
    days: int = 1
    world: World = field(init=False)
    records: list[Record] = field(default_factory=list[Record])

    def __post_init__(self) -> None:
        modules = _needed_by(self.module)
        workspace = MadeUpWorkspace(first_day=self.first_day)
        self.world = World({}, modules=modules, workspace=workspace)
        self.tell(self.events, self.captures)

    def tell(self, events: Sequence[Json], captures: Sequence[Json] = ()) -> None:
        """Replace what the sources tell."""
        self.world.sources = {
            "audit_logs": WorldSource(audit_rows(events), "timestamp"),
            "jobs": captured(jobs_snapshot_bronze, captures),
        }

    def load(self, *, redo: bool = False) -> "JobDays":
        """Load the days, or what of them became stale."""
        days = [self.first_day + timedelta(days=number) for number in range(self.days)]
        if redo:
            self.world.load_bronze(*days)
        self.records = self.world.load(*days, redo=redo)
        return self

    def rows(self) -> pl.DataFrame:
        """All stored rows."""
        return self.world.store.scan(self.module.table).collect()

    def counted(self) -> dict[str, int]:
        """What was left out, over all days."""
        sums: dict[str, int] = {}
        for record in self.records:
            if record.table == self.module.table.name:
                for why, number in record.counted.items():
                    sums[why] = sums.get(why, 0) + number
        return sums


def _needed_by(module: Module) -> list[Module]:
    """A module after all that it is made from."""
    modules = {each.table.name: each for each in in_load_order()}
    wanted = {module.table.name}
    for each in reversed(modules.values()):
        if each.table.name in wanted:
            wanted.update(each.dependencies)
    return [each for name, each in modules.items() if name in wanted]
