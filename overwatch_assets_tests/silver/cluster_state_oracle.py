"""The rules of cluster states once more, read event by event and without days."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from overwatch_assets_tests.frames import ms
from overwatch_assets_tests.silver.cluster_days import History, Run

HOUR = 3_600_000
DAY = 24 * HOUR
ANCHORS = {
    "CREATING",
    "STARTING",
    "INIT_SCRIPTS_STARTED",
    "RUNNING",
    "RESIZING",
    "UPSIZE_COMPLETED",
    "DRIVER_HEALTHY",
}
UP = {"PENDING", "RUNNING", "RESTARTING", "RESIZING"}

Details = Mapping[str, object]


@dataclass(frozen=True)
class State:
    """A state; `decided` None: it is open."""

    cluster: str
    start: int
    state: str
    is_running: bool
    workers: tuple[int, int]
    end: int = 0
    is_imputed: bool = False
    decided: int | None = None

    @property
    def row(self) -> tuple[object, ...]:
        return (
            self.cluster,
            self.start,
            self.state,
            self.is_running,
            *self.workers,
            self.end,
            self.is_imputed,
            self.decided,
        )


@dataclass
class Cluster:
    """A cluster while its history is read."""

    name: str
    is_automated: bool
    runs: Sequence[Run]
    closed: list[State] = field(default_factory=list[State])
    now: State | None = None
    sign: int = 0
    told: int | None = None
    revealed: int = 0

    def pass_to(self, at: int, captures: Sequence[int]) -> None:
        """Whatever happens by itself before an instant."""
        while self.now is not None:
            if self.now.is_running:
                due = self._silent(captures)
                if due >= at:
                    return
                self._impute("TERMINATING_IMPUTED", due)
            else:
                due = self.now.start + (2 if self.is_automated else 30) * DAY
                if due >= at:
                    return
                self._close(due, max(due, self.revealed), is_imputed=True)
                self.told = None

    def happens(self, at: int, kind: str, details: Details) -> None:
        """An event."""
        was_up = self.now is not None and self.now.is_running
        if was_up and kind in {"CREATING", "STARTING"}:
            self._impute("TERMINATING", at)
        before, is_running = self.now, self._is_running(kind)
        if before is not None:
            self._close(at - 1, at)
        is_edit = kind == "EDITED" and is_running
        asked = _least(details.get("cluster_size"))
        told = details.get("current_num_workers", asked)
        if not is_edit and told is not None:
            self.told = int(str(told))
        current = (self.told or 0) if is_running else 0
        wanted = int(str(details.get("target_num_workers", current)))
        if kind == "CREATING":
            wanted = asked or 0
        if is_edit and before is not None:
            wanted = before.workers[1]
        workers = (current, wanted if is_running else 0)
        self.now = State(self.name, at, kind, is_running, workers)
        self.sign = self.revealed = at

    def deleted(self, at: int) -> None:
        """A permanent deletion."""
        if self.now is not None:
            self._close(at, at)
        mark = State(self.name, at + 1, "PERMENANT_DELETE", is_running=False, workers=(0, 0))
        self.closed.append(replace(mark, end=at + 1, decided=at))

    def _is_running(self, kind: str) -> bool:
        if kind in {"CREATING", "STARTING"}:
            return True
        if kind == "TERMINATING":
            return False
        if self.now is None or self.now.state == "TERMINATING_IMPUTED":
            return kind in ANCHORS
        return self.now.is_running

    def _silent(self, captures: Sequence[int]) -> int:
        """When a silence means that it ended, if nothing comes before."""
        grace = self.sign + DAY
        dues = [self.sign + 90 * DAY]
        dues += [at for at in captures if at >= grace][:1]
        if self.is_automated and not any(_goes_on(run, grace) for run in self.runs):
            dues.append(grace)
        return min(dues)

    def _impute(self, state: str, revealed: int) -> None:
        assert self.now is not None
        start = min(revealed, max(self.now.start + 1, self.sign))
        self._close(start - 1, revealed, is_imputed=True)
        self.now = State(self.name, start, state, is_running=False, workers=(0, 0))
        self.revealed = revealed

    def _close(self, end: int, decided: int, *, is_imputed: bool = False) -> None:
        assert self.now is not None
        self.closed.append(replace(self.now, end=end, is_imputed=is_imputed, decided=decided))
        self.now = None


def states(history: History, until: int) -> list[State]:
    """All states of a history, those open at its end last."""
    found: list[State] = []
    told = (*history.events, *history.versions)
    for name in sorted({str(each["cluster_id"]) for each in told}):
        found += _of_cluster(history, name, until)
    return found


def _of_cluster(history: History, name: str, until: int) -> Iterator[State]:
    versions = [row for row in history.versions if row["cluster_id"] == name]
    runs = [run for run in history.runs if run.cluster == name]
    instants = sorted({int(str(row["captured_at_ms"])) for row in history.captures})
    shown = {
        int(str(row["captured_at_ms"])): str(row["state"])
        for row in history.captures
        if row["cluster_id"] == name
    }
    missed = [at for at in instants if shown.get(at) not in {*UP, "UNKNOWN"}]
    is_automated = any(bool(row["is_automated"]) for row in versions)
    cluster = Cluster(name, is_automated, runs)
    is_deleted = False
    for at, place, _, kind, details in sorted(
        _items(history, name, versions, runs, shown), key=lambda item: item[:4]
    ):
        if at >= until:
            break
        if is_deleted:
            continue
        cluster.pass_to(at, missed)
        if place == 1:
            cluster.happens(at, kind, details)
        elif place == 2:
            cluster.deleted(at)
            is_deleted = True
        elif cluster.now is not None:
            cluster.sign = max(cluster.sign, at)
    cluster.pass_to(until, missed)
    yield from cluster.closed
    if cluster.now is not None:
        yield replace(cluster.now, end=until)


Item = tuple[int, int, int, str, Details]


def _items(
    history: History,
    name: str,
    versions: Sequence[Mapping[str, object]],
    runs: Sequence[Run],
    shown: Mapping[int, str],
) -> Iterator[Item]:
    """What happens to a cluster: events (1), its deletion (2) and signs of life (3)."""
    for event in history.events:
        if event["cluster_id"] == name:
            kind = str(event["type"])
            rank = {"CREATING": 0, "STARTING": 0, "TERMINATING": 2}.get(kind, 1)
            details = event["details"]
            assert isinstance(details, Mapping)
            yield int(str(event["timestamp"])), 1, rank, kind, details
    for row in versions:
        if row["actionName"] == "permanentDelete":
            yield int(str(row["timestamp"])), 2, 0, "", {}
    for at in _signs(history, name, runs, shown):
        yield at, 3, 0, "", {}


def _signs(
    history: History, name: str, runs: Sequence[Run], shown: Mapping[int, str]
) -> Iterator[int]:
    """Instants at which a cluster shows that it is up: runs, captures and commands."""
    for run in runs:
        yield _epoch(run.begin)
        if run.end is not None:
            yield _epoch(run.end)
    yield from (at for at, state in shown.items() if state in UP)
    for command in history.commands:
        if json.loads(str(command["requestParams"]))["clusterId"] == name:
            yield int(str(command["timestamp"]))


def _goes_on(run: Run, at: int) -> bool:
    return _epoch(run.begin) <= at and (run.end is None or _epoch(run.end) > at)


def _least(size: object) -> int | None:
    """Workers that a fixed size tells."""
    if not isinstance(size, dict):
        return None
    told = cast("dict[str, object]", size)
    return int(str(told["num_workers"]))


def _epoch(at: str | int) -> int:
    return ms(at) if isinstance(at, str) else at
