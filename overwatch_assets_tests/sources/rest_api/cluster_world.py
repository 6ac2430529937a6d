"""A made-up workspace whose clusters start, run unnoticed, stop and are forgotten.

Its API shows what happened before the present, page by page, for as long as Databricks' does;
a test decides which calls fail and how pages come.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import polars as pl

from overwatch_assets.bronze.audit_log_bronze import audit_log_bronze
from overwatch_assets.bronze.cluster_events_bronze import cluster_events_bronze
from overwatch_assets.execution.load import Loader
from overwatch_assets.execution.records import Record
from overwatch_assets.execution.run import Run
from overwatch_assets.module import DayWindow, Module
from overwatch_assets.registry import MODULES
from overwatch_assets.sources.gathering import Source
from overwatch_assets.sources.rest_api.api import ApiError, ApiRefused, Json, Query
from overwatch_assets.sources.rest_api.cluster_days import clusters_by_day
from overwatch_assets.sources.rest_api.cluster_event_fetches import owed
from overwatch_assets.sources.rest_api.cluster_events import ClusterEvents
from overwatch_assets_tests.laws.harness import WorldSource
from overwatch_assets_tests.memory import MadeUpWorkspace, MemoryLedger, MemoryStore, UtcCalendar

HOUR = 3_600_000
DAY = 24 * HOUR
FIRST_DAY = date(2024, 5, 6)
DAYS = tuple(FIRST_DAY + timedelta(days=number) for number in range(6))
START = round(datetime(2024, 5, 6, tzinfo=UTC).timestamp() * 1000)
REMEMBERED_MS = 30 * DAY

Row = dict[str, object]
Fails = Callable[[str, int], bool]


def event(cluster_id: str, at_ms: int, event_type: str, **details: object) -> Json:
    return {"cluster_id": cluster_id, "timestamp": at_ms, "type": event_type, "details": details}


def audit_row(cluster_id: str, at_ms: int, action: str = "start") -> Row:
    return {
        "timestamp": at_ms,
        "serviceName": "clusters",
        "actionName": action,
        "requestId": f"{cluster_id}-{at_ms}-{action}",
        "requestParams": f'{{"cluster_id":"{cluster_id}"}}',
    }


@dataclass
class ClusterApi:
    """`clusters/events` as it was at an instant.

    Attributes:
        events: By cluster, ascending.
        now_ms: The present.
        page_size: Events on a page, whatever is asked for.
        fails: Whether asking for a page, from 0, of a cluster fails.
        mix: What comes of the pages' events.
        asked: The bodies, in the order they came.
    """

    events: Mapping[str, Sequence[Json]]
    now_ms: int = START + 40 * DAY
    page_size: int = 2
    fails: Fails = lambda _cluster, _page: False
    mix: Callable[[list[Json]], list[object]] = lambda events: [*events]
    asked: list[Mapping[str, object]] = field(default_factory=list[Mapping[str, object]])

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        assert path == "/api/2.1/clusters/events"
        self.asked.append(body)
        cluster_id = str(body["cluster_id"])
        page = int(str(body.get("page_token", "0")).rpartition("/")[2])
        if self.fails(cluster_id, page):
            message = f"workspace acme-prod: {path}: 500 for five minutes"
            raise ApiError(message)
        events = [e for e in self.events.get(cluster_id, ()) if at_of(e) < self.now_ms]
        if not events or self._is_forgotten(events[-1]):
            raise missing(cluster_id)
        since, until = body["start_time"], body["end_time"]
        assert isinstance(since, int)
        assert isinstance(until, int)
        found = [each for each in events if since <= at_of(each) <= until]
        start = page * self.page_size
        token = f"{cluster_id}/{page + 1}" if start + self.page_size < len(found) else ""
        return {
            "events": self.mix(found[start : start + self.page_size]),
            "next_page_token": token,
        }

    def get(self, path: str, query: Query | None = None) -> Json:
        raise AssertionError(path, query)

    def download(self, path: str) -> Iterator[bytes]:
        raise AssertionError(path)

    def fetch(self, url: str) -> bytes:
        raise AssertionError(url)

    def _is_forgotten(self, last: Json) -> bool:
        has_ended = last["type"] in {"TERMINATING", "NODES_LOST"}
        return has_ended and at_of(last) < self.now_ms - REMEMBERED_MS


def missing(cluster_id: str) -> ApiRefused:
    return ApiRefused(
        f"workspace acme-prod: clusters/events: 400 Cluster {cluster_id} does not exist",
        status=400,
        code="INVALID_PARAMETER_VALUE",
        said=f"Cluster {cluster_id} does not exist",
        is_missing=True,
    )


def at_of(each: Json) -> int:
    at_ms = each["timestamp"]
    assert isinstance(at_ms, int)
    return at_ms


@dataclass
class ClusterWorld:
    """Clusters of a few days; a function of the seed."""

    seed: int
    events: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    audit: list[Row] = field(default_factory=list[Row])

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - no secret
        for number in range(4):
            self._cluster(f"0506-{number}")

    def _cluster(self, cluster_id: str) -> None:
        pick = self.random
        told: list[Json] = []
        at = self._instant(START)
        # None starts on the last day: the audit log may tell of it on the day after only.
        while at < START + (len(DAYS) - 1) * DAY:
            told.append(event(cluster_id, at, "STARTING", user="maria"))
            # The audit log tells of it when the request has been answered.
            self.audit.append(audit_row(cluster_id, at + pick.choice([0, 0, 900])))
            at += 1 + pick.randrange(HOUR)
            told.append(event(cluster_id, at, "RUNNING", current_num_workers=2))
            end = self._instant(at + pick.choice([HOUR, 30 * HOUR, 90 * HOUR]))
            for _ in range(pick.randrange(4)):
                resized = min(end, at + pick.randrange(1, 30 * HOUR))
                told.append(event(cluster_id, resized, "RESIZING", target_num_workers=3))
            told.append(event(cluster_id, end, "TERMINATING"))
            if pick.random() < 0.3:
                told.append(event(cluster_id, end + pick.randrange(9000), "NODES_LOST"))
            if pick.random() < 0.5:
                self.audit.append(audit_row(cluster_id, end, "delete"))
            at = self._instant(end + pick.choice([HOUR, 40 * HOUR, 200 * HOUR]))
        self.events[cluster_id] = sorted(told, key=at_of)

    def _instant(self, least: int) -> int:
        """Often at or right before a midnight."""
        at = least + 1 + self.random.randrange(20 * HOUR)
        midnight = at // DAY * DAY
        if midnight > least and self.random.random() < 0.3:
            return midnight - self.random.choice([0, 1, 400])
        return at

    def api(self, **more: object) -> ClusterApi:
        return ClusterApi(self.events, **more)  # pyright: ignore[reportArgumentType] - as named


@dataclass
class ClusterDeployment:
    """Audit logs and cluster events of a workspace in memory.

    Attributes:
        api: What is asked; its present is that of each run.
        audit: Rows of the audit log.
        captures: Rows of `clusters_snapshot_bronze`.
    """

    api: ClusterApi
    audit: list[Row] = field(default_factory=list[Row])
    captures: pl.DataFrame | None = None
    store: MemoryStore = field(default_factory=MemoryStore)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    workspace: MadeUpWorkspace = field(default_factory=MadeUpWorkspace)
    runs: int = 0

    def load(
        self, *days: date, now: datetime | None = None, is_retry: bool = False
    ) -> list[Record]:
        """Load days as of an instant, else as of long after."""
        if not is_retry:
            self.load_audit(*days, now=now)
        return self._load(cluster_events_bronze, days, now, is_retry=is_retry)

    def load_audit(self, *days: date, now: datetime | None = None) -> None:
        """Load days of the audit log alone."""
        self._load(audit_log_bronze, days, now)

    def load_daily(self, *days: date) -> None:
        """Each day on the morning after, then what is owed by then."""
        for day in days:
            now = datetime(day.year, day.month, day.day, 6, tzinfo=UTC) + timedelta(days=1)
            self.load(day, now=now)
            self.mend(now=now)

    def mend(self, now: datetime | None = None) -> None:
        """Ask again for what is owed."""
        snapshot = now or datetime(2024, 5, 20, 6, tzinfo=UTC)
        if owed_days := self.owed(snapshot):
            first, last = owed_days[0], owed_days[-1]
            count = (last - first).days + 1
            days = [first + timedelta(days=number) for number in range(count)]
            self.load(*days, now=snapshot, is_retry=True)

    def owed(self, now: datetime) -> list[date]:
        """Days that are owed."""
        loaded = self.ledger.days("cluster_events_bronze", self.workspace.organization_id)
        windows = [self._window(day) for day in loaded]
        pairs = owed(
            self.fetches().lazy(),
            self._coverage(self.workspace.organization_id, windows).lazy(),
            round(now.timestamp() * 1000),
        )
        return sorted(set(pairs.collect()["day"]) & set(loaded))

    def rows(self, module: Module = cluster_events_bronze) -> pl.DataFrame:
        """Rows without the run's columns, in order of the key."""
        names = ["partition_date", *(column.name for column in module.table.columns)]
        rows = self.store.scan(module.table, self.workspace.organization_id).collect()
        return rows.select(names).sort(module.table.keys)

    def fetches(self) -> pl.DataFrame:
        """What was asked for."""
        tracker = cluster_events_bronze.tracker
        assert tracker is not None
        rows = self.store.scan(tracker, self.workspace.organization_id).collect()
        return rows.sort("cluster_id", "partition_date")

    def errors(self) -> pl.DataFrame:
        """What could not be fetched."""
        table = cluster_events_bronze.errors
        assert table is not None
        rows = self.store.scan(table, self.workspace.organization_id).collect()
        return rows.sort("cluster_id", "from_epoch", "Overwatch_RunID")

    def _load(
        self,
        module: Module,
        days: Sequence[date],
        now: datetime | None,
        *,
        is_retry: bool = False,
    ) -> list[Record]:
        snapshot = now or datetime(2024, 5, 20, 6, tzinfo=UTC)
        self.api.now_ms = round(snapshot.timestamp() * 1000)
        self.runs += 1
        run = Run(run_id=f"run-{self.runs}", snapshot=snapshot, retry=is_retry)
        records = self._loader().load(module, self.workspace, days, run)
        self.ledger.write(records)
        return records

    def _window(self, day: date) -> DayWindow:
        return DayWindow(day, UtcCalendar().window_of(day))

    def _coverage(self, organization_id: str, days: Sequence[DayWindow]) -> pl.DataFrame:
        captures = CAPTURES.to_frame() if self.captures is None else self.captures
        audit = self.store.scan(audit_log_bronze.table, organization_id)
        return clusters_by_day(audit, captures.lazy(), days, UtcCalendar().timezone)

    def _loader(self) -> Loader:
        def audit_logs(_organization_id: str) -> Source:
            return WorldSource(audit_frame(self.audit), "timestamp")

        def cluster_events(_organization_id: str) -> Source:
            return ClusterEvents(self.api, "cluster_events_bronze", threads=1)

        return Loader(
            store=self.store,
            ledger=self.ledger,
            modules={each.table.name: each for each in MODULES},
            calendar=UtcCalendar(),
            sources={"audit_logs": audit_logs, "cluster_events": cluster_events},
            coverage={"cluster_events": self._coverage},
            chunk_days=2,
        )


CAPTURES = pl.Schema(
    {
        "partition_date": pl.Date,
        "cluster_id": pl.String,
        "state": pl.String,
        "start_time": pl.Int64,
        "terminated_time": pl.Int64,
    }
)


def audit_frame(rows: Sequence[Row]) -> pl.DataFrame:
    schema = {column.name: column.dtype for column in audit_log_bronze.table.columns}
    full = [{name: row.get(name) for name in schema} for row in rows]
    return pl.DataFrame(full, schema=schema, infer_schema_length=None)
