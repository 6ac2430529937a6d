"""How a SQL warehouse lives: it starts for a query, adds clusters under load, stops when idle.

The owner plans what is asked of it and done to it; `play` then goes through everything in the
order of time, up to the end of the world.
"""

import heapq
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from overwatch_assets.demo.company import Person
from overwatch_assets.demo.estate import (
    QueryEnding,
    QueryMetrics,
    SettingsVersion,
    SqlQuery,
    SqlStatement,
    Warehouse,
    WarehouseSettings,
    WarehouseState,
    WarehouseStatus,
)
from overwatch_assets.demo.scene import MINUTE_MS, SECOND_MS

QUERIES_PER_CLUSTER = 2
"""Fewer than in the world, so that a small company's warehouse scales too."""

START_SECONDS = (150, 240)
SCALE_UP_SECONDS = (60, 90)
STOP_SECONDS = (15, 40)
LOW_LOAD_MS = 10 * MINUTE_MS
LARGE_BYTES = 2_000_000_000
"""What reads more than this spills."""

STOPPED_ERROR = "The query failed because the SQL warehouse that ran it was stopped."

UP = (WarehouseStatus.RUNNING, WarehouseStatus.SCALED_UP, WarehouseStatus.SCALED_DOWN)


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """A query as somebody will send it.

    Attributes:
        run_ms: What it takes, or after how long it fails or is cancelled.
    """

    at_ms: int
    user: Person
    run_as: Person
    client: str
    statement: SqlStatement
    run_ms: int
    ending: QueryEnding = QueryEnding.FINISHED
    error: str | None = None
    is_cached: bool = False


@dataclass(slots=True)
class _Query:
    """A query under way."""

    plan: QueryPlan
    query_id: str
    session_id: str
    has_waited_for_start: bool
    running_ms: int | None = None
    ended_ms: int | None = None
    fetched_ms: int | None = None
    ending: QueryEnding | None = None
    error: str | None = None
    metrics: QueryMetrics | None = None


@dataclass(slots=True)
class WarehouseEngine:
    """A warehouse whose life is being planned, then played.

    Attributes:
        is_new: It is made, and starts, at `created_ms`; otherwise it stands still since then.
    """

    warehouse_id: str
    creator: Person
    settings: WarehouseSettings
    created_ms: int
    until_ms: int
    rng: random.Random
    is_new: bool
    _agenda: list[tuple[int, int, Callable[[int], None]]] = field(
        default_factory=list[tuple[int, int, Callable[[int], None]]]
    )
    _states: list[WarehouseState] = field(default_factory=list[WarehouseState])
    _versions: list[SettingsVersion] = field(default_factory=list[SettingsVersion])
    _queries: list[_Query] = field(default_factory=list[_Query])
    _waiting: list[_Query] = field(default_factory=list[_Query])
    _running: list[_Query] = field(default_factory=list[_Query])
    _numbers: Iterator[int] = field(default_factory=count)
    _deleted_ms: int | None = None
    _size: str = ""
    _is_scaling: bool = False
    _idle_since: int | None = None
    _low_since: int | None = None

    def ask(self, plan: QueryPlan) -> None:
        """Plan a query."""
        self._plan(plan.at_ms, lambda at_ms: self._submit(plan, at_ms))

    def edit(self, at_ms: int, settings: WarehouseSettings) -> None:
        """Plan new settings; a new size shows when the warehouse starts the next time."""
        self._plan(at_ms, lambda now: self._set_settings(settings, now))

    def start(self, at_ms: int) -> None:
        """Plan a start by hand."""
        self._plan(at_ms, self._start_by_hand)

    def stop(self, at_ms: int) -> None:
        """Plan a stop by hand: what runs or waits fails."""
        self._plan(at_ms, self._stop_by_hand)

    def delete(self, at_ms: int) -> None:
        """Plan the warehouse's end."""
        self._plan(at_ms, self._delete)

    def play(self) -> tuple[Warehouse, tuple[SqlQuery, ...]]:
        """Let everything happen that happens before the end of the world."""
        self._set_settings(self.settings, self.created_ms)
        self._size = self.settings.size
        if self.is_new:
            self._begin_start(self.created_ms)
        else:
            self._enter(WarehouseStatus.STOPPED, 0, self.created_ms)
        while self._agenda and self._agenda[0][0] < self.until_ms and self._deleted_ms is None:
            at_ms, _, act = heapq.heappop(self._agenda)
            act(at_ms)
        warehouse = Warehouse(
            warehouse_id=self.warehouse_id,
            creator=self.creator,
            created_ms=self.created_ms,
            deleted_ms=self._deleted_ms,
            versions=tuple(self._versions),
            states=tuple(self._states),
        )
        return warehouse, tuple(self._as_left(query) for query in self._queries)

    @property
    def _status(self) -> WarehouseStatus:
        return self._states[-1].status

    @property
    def _clusters(self) -> int:
        return self._states[-1].clusters

    def _plan(self, at_ms: int, act: Callable[[int], None]) -> None:
        heapq.heappush(self._agenda, (at_ms, next(self._numbers), act))

    def _in_seconds(self, at_ms: int, seconds: tuple[int, int]) -> int:
        return at_ms + self.rng.randrange(seconds[0] * SECOND_MS, seconds[1] * SECOND_MS)

    def _enter(self, status: WarehouseStatus, clusters: int, at_ms: int) -> None:
        if self._states:
            self._states[-1] = replace(self._states[-1], until_ms=at_ms)
        self._states.append(WarehouseState(status, at_ms, None, clusters, self._size))

    def _set_settings(self, settings: WarehouseSettings, at_ms: int) -> None:
        self.settings = settings
        self._versions.append(SettingsVersion(at_ms, settings))

    def _submit(self, plan: QueryPlan, at_ms: int) -> None:
        query = _Query(
            plan=plan,
            query_id=self._new_id(),
            session_id=self._new_id(),
            has_waited_for_start=self._status not in UP,
        )
        self._queries.append(query)
        self._waiting.append(query)
        if self._status is WarehouseStatus.STOPPED:
            self._begin_start(at_ms)
        self._work(at_ms)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def _start_by_hand(self, at_ms: int) -> None:
        if self._status is WarehouseStatus.STOPPED:
            self._begin_start(at_ms)

    def _begin_start(self, at_ms: int) -> None:
        self._size = self.settings.size
        self._enter(WarehouseStatus.STARTING, 0, at_ms)
        ready_ms = self._in_seconds(at_ms, START_SECONDS)
        self._plan(ready_ms, lambda now: self._started(now, at_ms))

    def _started(self, at_ms: int, since_ms: int) -> None:
        state = self._states[-1]
        if state.status is WarehouseStatus.STARTING and state.since_ms == since_ms:
            self._enter(WarehouseStatus.RUNNING, self.settings.min_clusters, at_ms)
            self._work(at_ms)

    def _work(self, at_ms: int) -> None:
        """Give waiting queries to clusters, and see whether there are too few or too many."""
        if self._deleted_ms is not None or self._status not in UP:
            return
        while self._waiting and len(self._running) < self._clusters * QUERIES_PER_CLUSTER:
            self._take(self._waiting.pop(0), at_ms)
        is_short = bool(self._waiting) and self._clusters < self.settings.max_clusters
        if is_short and not self._is_scaling:
            self._is_scaling = True
            self._plan(self._in_seconds(at_ms, SCALE_UP_SECONDS), self._scale_up)
        self._watch_load(at_ms)

    def _take(self, query: _Query, at_ms: int) -> None:
        query.running_ms = at_ms
        self._running.append(query)
        ending, error = query.plan.ending, query.plan.error
        self._plan(at_ms + query.plan.run_ms, lambda now: self._finish(query, now, ending, error))

    def _finish(self, query: _Query, at_ms: int, ending: QueryEnding, error: str | None) -> None:
        if query.ended_ms is not None:
            return
        query.ended_ms, query.ending, query.error = at_ms, ending, error
        fetch_ms = self.rng.randrange(30, 900) if ending is QueryEnding.FINISHED else 0
        query.fetched_ms = at_ms + fetch_ms if at_ms + fetch_ms < self.until_ms else None
        if query in self._waiting:
            self._waiting.remove(query)
        else:
            self._running.remove(query)
            query.metrics = self._measure(query.plan, ending)
        self._work(at_ms)

    def _measure(self, plan: QueryPlan, ending: QueryEnding) -> QueryMetrics:
        rng, usual = self.rng, plan.statement
        around = rng.uniform(0.7, 1.3) * (1 if ending is QueryEnding.FINISHED else 0.3)
        read = 0 if plan.is_cached else round(usual.read_bytes * around)
        task_ms = 0 if plan.is_cached else round(plan.run_ms * rng.uniform(4, 12))
        is_change = usual.kind not in {"SELECT", "SHOW"}
        is_large = read > LARGE_BYTES
        return QueryMetrics(
            compile_ms=min(plan.run_ms, rng.randrange(20, 400)),
            task_ms=task_ms,
            photon_ms=round(task_ms * rng.uniform(0.5, 0.95)),
            read_bytes=read,
            cache_bytes=round(read * rng.uniform(0, 0.6)),
            pruned_bytes=round(read * rng.uniform(0, 3)),
            written_bytes=round(read * rng.uniform(0.1, 0.4)) if is_change else 0,
            spilled_bytes=round(read * rng.uniform(0.05, 0.2)) if is_large else 0,
            sent_bytes=round(read * rng.uniform(0.01, 0.1)),
            rows_read=0 if plan.is_cached else round(usual.rows_read * around),
            rows=usual.rows if ending is QueryEnding.FINISHED else 0,
            files=0 if plan.is_cached else usual.files,
            pruned_files=0 if plan.is_cached else round(usual.files * rng.uniform(0, 3)),
            is_from_cache=plan.is_cached,
        )

    def _watch_load(self, at_ms: int) -> None:
        """Remember since when there is nothing to do, or little for so many clusters."""
        is_idle = not self._running and not self._waiting
        if not is_idle:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = at_ms
            patience = self.settings.auto_stop_minutes * MINUTE_MS
            self._plan(at_ms + patience, lambda now: self._stop_if_idle(now, at_ms))
        fewer = (self._clusters - 1) * QUERIES_PER_CLUSTER
        is_low = self._clusters > self.settings.min_clusters and len(self._running) <= fewer
        if not is_low or self._waiting:
            self._low_since = None
        elif self._low_since is None:
            self._low_since = at_ms
            self._plan(at_ms + LOW_LOAD_MS, lambda now: self._scale_down(now, at_ms))

    def _scale_up(self, at_ms: int) -> None:
        self._is_scaling = False
        if self._status in UP and self._clusters < self.settings.max_clusters:
            self._enter(WarehouseStatus.SCALED_UP, self._clusters + 1, at_ms)
            self._work(at_ms)

    def _scale_down(self, at_ms: int, since_ms: int) -> None:
        if self._low_since == since_ms:
            self._low_since = None
            self._enter(WarehouseStatus.SCALED_DOWN, self._clusters - 1, at_ms)
            self._watch_load(at_ms)

    def _stop_if_idle(self, at_ms: int, since_ms: int) -> None:
        if self._idle_since == since_ms:
            self._begin_stop(at_ms)

    def _stop_by_hand(self, at_ms: int) -> None:
        if self._status in {*UP, WarehouseStatus.STARTING}:
            self._begin_stop(at_ms)

    def _begin_stop(self, at_ms: int) -> None:
        self._enter(WarehouseStatus.STOPPING, 0, at_ms)
        self._let_go(at_ms)
        self._plan(self._in_seconds(at_ms, STOP_SECONDS), self._stopped)

    def _let_go(self, at_ms: int) -> None:
        """Fail whatever runs or waits, and forget what was watched."""
        self._idle_since = self._low_since = None
        for query in [*self._running, *self._waiting]:
            self._finish(query, at_ms, QueryEnding.FAILED, STOPPED_ERROR)

    def _stopped(self, at_ms: int) -> None:
        self._enter(WarehouseStatus.STOPPED, 0, at_ms)
        if self._waiting:
            self._plan(at_ms + SECOND_MS, self._start_by_hand)

    def _delete(self, at_ms: int) -> None:
        self._states[-1] = replace(self._states[-1], until_ms=at_ms)
        self._deleted_ms = at_ms
        self._let_go(at_ms)

    def _as_left(self, query: _Query) -> SqlQuery:
        """The query as it stood when the world ended."""
        plan = query.plan
        return SqlQuery(
            query_id=query.query_id,
            session_id=query.session_id,
            warehouse_id=self.warehouse_id,
            user=plan.user,
            run_as=plan.run_as,
            client=plan.client,
            statement=plan.statement,
            submitted_ms=plan.at_ms,
            has_waited_for_start=query.has_waited_for_start,
            running_ms=query.running_ms,
            ended_ms=query.ended_ms,
            fetched_ms=query.fetched_ms,
            ending=query.ending,
            error=query.error,
            metrics=query.metrics,
        )
