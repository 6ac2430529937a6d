"""What clusters cost by their true states, and which part of it each task run bears.

Rules, in plain arithmetic on milliseconds:

* A running cluster has one driver and `target` workers to pay for as machines; Databricks bills
  the driver and the `current` workers, unless the state is one it bills nothing in. A single
  node has no workers. Photon multiplies DBUs by 2.9 on job clusters, else by 2.0.
* The configuration and the prices at the start of a state hold for all of it.
* Task runs on a cluster share each moment of it evenly. The first one in a state also bears the
  state's beginning, if the state is CREATING or STARTING or the cluster was made for the run.
* What no run bears is idle.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from overwatch_assets.demo.cluster_life import ClusterLife, Phase
from overwatch_assets.demo.job_runs import Place, TaskRun
from overwatch_assets.demo.node_types import NODE_TYPES
from overwatch_assets.demo.prices import Prices
from overwatch_assets.demo.scene import DAY_MS, HOUR_MS

PHOTON_ON_JOBS, PHOTON = 2.9, 2.0


@dataclass(slots=True)
class Amount:
    """What an interval of a cluster amounts to; seconds of machines, DBUs, USD."""

    driver_s: float = 0.0
    worker_s: float = 0.0
    billed_driver_s: float = 0.0
    billed_worker_s: float = 0.0
    dbus: float = 0.0
    compute_usd: float = 0.0
    dbu_usd: float = 0.0

    @property
    def total_usd(self) -> float:
        """Machines and DBUs."""
        return self.compute_usd + self.dbu_usd

    def add(self, other: "Amount", share: float = 1.0) -> None:
        """Add a share of another amount."""
        self.driver_s += other.driver_s * share
        self.worker_s += other.worker_s * share
        self.billed_driver_s += other.billed_driver_s * share
        self.billed_worker_s += other.billed_worker_s * share
        self.dbus += other.dbus * share
        self.compute_usd += other.compute_usd * share
        self.dbu_usd += other.dbu_usd * share


@dataclass(frozen=True, slots=True)
class State:
    """A true state of a cluster.

    Attributes:
        until_ms: Begin of the next one, the deletion, or the end of the simulation.
        is_open: It lasts when the simulation ends.
    """

    phase: Phase
    since_ms: int
    until_ms: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a state between two instants of one day.

    Attributes:
        day: Days since 1970.
        runs: Task runs that share it; none: it is idle.
    """

    state: State
    day: int
    amount: Amount
    runs: tuple[TaskRun, ...]


def states_of(life: ClusterLife, until_ms: int) -> list[State]:
    """Return the states that began before an instant."""
    stop_ms = until_ms if life.deleted_ms is None else min(until_ms, life.deleted_ms)
    phases = [phase for phase in life.phases if phase.since_ms < stop_ms]
    ends = [phase.since_ms for phase in phases[1:]]
    states = [
        State(phase, phase.since_ms, end, is_open=False)
        for phase, end in zip(phases, ends, strict=False)
    ]
    if phases:
        is_open = stop_ms == until_ms
        states.append(State(phases[-1], phases[-1].since_ms, stop_ms, is_open=is_open))
    return states


def pieces_of(
    life: ClusterLife, runs: Sequence[TaskRun], prices: Prices, since_ms: int, until_ms: int
) -> Iterator[Piece]:
    """Yield the pieces of a cluster's states in `[since_ms, until_ms)`, in the order of time."""
    waiting = deque(sorted(runs, key=_start))
    near: list[TaskRun] = []
    for state in states_of(life, until_ms):
        while waiting and _start(waiting[0]) < state.until_ms:
            near.append(waiting.popleft())
        near = [run for run in near if run.ended_ms is None or run.ended_ms > state.since_ms]
        begin_ms = max(state.since_ms, since_ms)
        if begin_ms >= state.until_ms:
            continue
        hourly = hourly_of(state, life, prices)
        for start_ms, end_ms, sharing in _segments(state, begin_ms, near):
            piece = Amount()
            piece.add(hourly, (end_ms - start_ms) / HOUR_MS)
            yield Piece(state, start_ms // DAY_MS, piece, sharing)


def hourly_of(state: State, life: ClusterLife, prices: Prices) -> Amount:
    """Return what an hour of a state of a cluster amounts to."""
    phase, spec = state.phase, life.spec_at(state.since_ms)
    if not phase.is_running:
        return Amount()
    hour_s, at_ms = HOUR_MS / 1000, phase.since_ms
    driver, worker = NODE_TYPES[spec.driver_type], NODE_TYPES[spec.node_type]
    billed = phase.current if phase.is_dbu_billable else 0
    drivers = 1 if phase.is_dbu_billable else 0
    photon = PHOTON_ON_JOBS if spec.source == "JOB" else PHOTON
    dbus = (drivers * driver.dbus + billed * worker.dbus) * (photon if spec.is_photon else 1.0)
    driver_usd = prices.of_node(driver.name, at_ms)
    return Amount(
        driver_s=hour_s,
        worker_s=phase.target * hour_s,
        billed_driver_s=drivers * hour_s,
        billed_worker_s=billed * hour_s,
        dbus=dbus,
        compute_usd=driver_usd + phase.target * prices.of_node(worker.name, at_ms),
        dbu_usd=dbus * prices.of_dbu(spec.sku, at_ms),
    )


def _segments(
    state: State, begin_ms: int, runs: Sequence[TaskRun]
) -> Iterator[tuple[int, int, tuple[TaskRun, ...]]]:
    """Cut a state at midnights and wherever a run begins or ends."""
    joins: dict[int, list[TaskRun]] = defaultdict(list)
    leaves: dict[int, list[TaskRun]] = defaultdict(list)
    for run, start_ms, end_ms in _in_state(state, runs):
        if max(start_ms, begin_ms) < end_ms:
            joins[max(start_ms, begin_ms)].append(run)
            leaves[end_ms].append(run)
    midnights = range((begin_ms // DAY_MS + 1) * DAY_MS, state.until_ms, DAY_MS)
    cuts = sorted({begin_ms, state.until_ms, *joins, *leaves, *midnights})
    sharing: dict[int, TaskRun] = {}
    for start_ms, end_ms in pairwise(cuts):
        for run in leaves.get(start_ms, ()):
            del sharing[run.run_id]
        for run in joins.get(start_ms, ()):
            sharing[run.run_id] = run
        yield start_ms, end_ms, tuple(sharing.values())


def _in_state(state: State, runs: Sequence[TaskRun]) -> Iterator[tuple[TaskRun, int, int]]:
    """Yield the runs of a state, and from when to when each of them bears it."""
    first_ms = min(map(_start, runs), default=state.since_ms)
    is_coming_up = state.phase.state in {"CREATING", "STARTING"}
    for run in runs:
        is_first = _start(run) == first_ms and (is_coming_up or run.place is Place.NEW)
        begin_ms = state.since_ms if is_first else max(_start(run), state.since_ms)
        end_ms = state.until_ms if run.ended_ms is None else min(run.ended_ms, state.until_ms)
        yield run, begin_ms, end_ms


def _start(run: TaskRun) -> int:
    """When a run began.

    Raises:
        ValueError: It never did, so it is on no cluster.
    """
    if run.started_ms is None:
        never = f"task run {run.run_id} never started"
        raise ValueError(never)
    return run.started_ms
