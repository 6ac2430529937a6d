"""The life of a cluster: what is true of it, state by state, and the events that tell of it.

Every event opens a state named after it, which lasts until the next event; so the events are
the states seen from outside. A state whose event was lost is true all the same.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from overwatch_assets.demo.cluster_spec import ClusterSpec, event_attributes, size_object

Json = dict[str, object]
Details = Mapping[str, object]

NOT_DBU_BILLABLE = frozenset({"CREATING", "STARTING", "RESTARTING", "TERMINATING"})
"""States in which Databricks bills no DBUs though machines run; in TERMINATING none do."""


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """An event of the cluster events API."""

    at_ms: int
    type: str
    details: Details


@dataclass(frozen=True, slots=True)
class Phase:
    """What is true of a cluster from an instant on.

    Attributes:
        state: Type of the event that began it.
        current: Workers in service.
        target: Workers wanted.
        is_running: Machines run and cost.
        api_state: State that the Clusters API tells; `TERMINATING` covers the time after, too.
        is_told: False: the event that began it was lost.
    """

    since_ms: int
    state: str
    current: int
    target: int
    is_running: bool
    api_state: str
    is_told: bool = True

    @property
    def is_dbu_billable(self) -> bool:
        """Whether Databricks bills DBUs."""
        return self.is_running and self.state not in NOT_DBU_BILLABLE


@dataclass(frozen=True, slots=True)
class Version:
    """A configuration and when it was saved."""

    at_ms: int
    spec: ClusterSpec


@dataclass(frozen=True, slots=True)
class Boot:
    """A start of the cluster; `context_id` is that of the Spark context it brings."""

    at_ms: int
    context_id: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A termination, asked for or not, and when it was done."""

    at_ms: int
    done_ms: int
    reason: Details


def reason(code: str, kind: str = "SUCCESS", **parameters: str) -> Json:
    """Return a termination reason."""
    return {"code": code, "type": kind, "parameters": dict(parameters)}


@dataclass(slots=True)
class ClusterLife:
    """A cluster from its creation; every method tells one event, in the order of time.

    Attributes:
        region: Cloud region, part of some attributes.
        pins: When it was pinned (True) or unpinned.
        deleted_ms: When it was permanently deleted.
    """

    cluster_id: str
    region: str
    versions: list[Version]
    phases: list[Phase] = field(default_factory=list["Phase"])
    events: list[ClusterEvent] = field(default_factory=list["ClusterEvent"])
    boots: list[Boot] = field(default_factory=list["Boot"])
    stops: list[Stop] = field(default_factory=list["Stop"])
    pins: list[tuple[int, bool]] = field(default_factory=list[tuple[int, bool]])
    deleted_ms: int | None = None

    @property
    def created_ms(self) -> int:
        """When it was created."""
        return self.versions[0].at_ms

    @property
    def spec(self) -> ClusterSpec:
        """The configuration saved last."""
        return self.versions[-1].spec

    @property
    def last(self) -> Phase:
        """The phase that began last."""
        return self.phases[-1]

    def spec_at(self, at_ms: int) -> ClusterSpec:
        """Return the configuration valid at an instant, the first one before there was any."""
        position = bisect_right(self.versions, at_ms, key=lambda version: version.at_ms)
        return self.versions[max(position - 1, 0)].spec

    def phase_at(self, at_ms: int) -> Phase | None:
        """Return the phase that an instant lies in; None: there was no event yet."""
        position = bisect_right(self.phases, at_ms, key=lambda phase: phase.since_ms)
        return self.phases[position - 1] if position else None

    def stop_at(self, at_ms: int) -> Stop | None:
        """Return the last termination that had begun at an instant."""
        begun = [stop for stop in self.stops if stop.at_ms <= at_ms]
        return begun[-1] if begun else None

    def is_pinned(self, at_ms: int) -> bool:
        """Whether it was pinned at an instant."""
        changes = [is_pinned for changed_ms, is_pinned in self.pins if changed_ms <= at_ms]
        return bool(changes) and changes[-1]

    def creating(self, at_ms: int, context_id: str, by: str) -> None:
        """Machines are asked for, for the first time."""
        details = {
            **self._sized(),
            "attributes": event_attributes(self.spec, self.region),
            "user": by,
        }
        self._boot(at_ms, "CREATING", context_id, details)

    def starting(self, at_ms: int, context_id: str, by: str) -> None:
        """Machines are asked for again."""
        self._boot(at_ms, "STARTING", context_id, {**self._sized(), "user": by})

    def restarting(self, at_ms: int, context_id: str, by: str) -> None:
        """The driver and Spark begin anew on the same machines."""
        self.boots.append(Boot(at_ms, context_id))
        self._settled(at_ms, "RESTARTING", {"user": by}, "RESTARTING")

    def running(self, at_ms: int, workers: int) -> None:
        """The cluster is up with that many workers."""
        self._counted(at_ms, "RUNNING", (workers, workers), "RUNNING")

    def resizing(self, at_ms: int, target: int, cause: str, by: str | None = None) -> None:
        """Another number of workers is wanted."""
        more = {"cause": cause} if by is None else {"cause": cause, "user": by}
        self._counted(at_ms, "RESIZING", (self.last.current, target), "RESIZING", **more)

    def upsized(self, at_ms: int, workers: int) -> None:
        """Added workers are in service; fewer than wanted may have come."""
        self._counted(at_ms, "UPSIZE_COMPLETED", (workers, workers), "RUNNING")

    def nodes_lost(self, at_ms: int, workers: int) -> None:
        """Workers are gone that are still wanted; that many are left."""
        self._counted(at_ms, "NODES_LOST", (workers, self.last.target), "RUNNING")

    def decommissioned(self, at_ms: int, workers: int) -> None:
        """A worker has been given back; that many are left."""
        self._counted(at_ms, "DECOMMISSION_ENDED", (workers, workers), "RUNNING")

    def notice(self, at_ms: int, kind: str, details: Details) -> None:
        """Something that changes neither machines nor workers.

        Raises:
            ValueError: A resize is under way, which such an event would hide.
        """
        if self.last.current != self.last.target:
            hidden = f"{self.cluster_id}: {kind} would hide the resize under way"
            raise ValueError(hidden)
        self._settled(at_ms, kind, details, self.last.api_state)

    def edited(self, saved_ms: int, at_ms: int, spec: ClusterSpec, by: str) -> None:
        """Another configuration was saved; machines change with the next start."""
        before = self.spec
        self.versions.append(Version(saved_ms, spec))
        details = {
            "previous_cluster_size": size_object(before),
            "cluster_size": size_object(spec),
            "previous_attributes": event_attributes(before, self.region),
            "attributes": event_attributes(spec, self.region),
            "user": by,
        }
        self._settled(at_ms, "EDITED", details, self.last.api_state)

    def terminating(
        self,
        at_ms: int,
        done_ms: int,
        why: Details,
        *,
        by: str | None = None,
        run_name: str | None = None,
        is_lost: bool = False,
    ) -> None:
        """The machines go; with `is_lost` no event tells it."""
        self.stops.append(Stop(at_ms, done_ms, why))
        optional = {"user": by, "job_run_name": run_name}
        details = {
            "reason": why,
            **{key: value for key, value in optional.items() if value is not None},
        }
        phase = Phase(
            at_ms,
            "TERMINATING",
            0,
            0,
            is_running=False,
            api_state="TERMINATING",
            is_told=not is_lost,
        )
        self._tell(phase, details)

    def pinned(self, at_ms: int, by: str, *, is_pinned: bool) -> None:
        """Somebody pins or unpins it."""
        self.pins.append((at_ms, is_pinned))
        self._settled(
            at_ms, "PINNED" if is_pinned else "UNPINNED", {"user": by}, self.last.api_state
        )

    def _sized(self) -> Json:
        return {"cluster_size": size_object(self.spec)}

    def _boot(self, at_ms: int, state: str, context_id: str, details: Details) -> None:
        self.boots.append(Boot(at_ms, context_id))
        workers = self.spec.min_workers
        self._tell(_up(at_ms, state, workers, workers, "PENDING"), details)

    def _counted(
        self, at_ms: int, state: str, counts: tuple[int, int], api_state: str, **more: str
    ) -> None:
        current, target = counts
        details = {"current_num_workers": current, "target_num_workers": target, **more}
        self._tell(_up(at_ms, state, current, target, api_state), details)

    def _settled(self, at_ms: int, state: str, details: Details, api_state: str) -> None:
        last = self.last
        phase = Phase(at_ms, state, last.current, last.target, last.is_running, api_state)
        self._tell(phase, details)

    def _tell(self, phase: Phase, details: Details) -> None:
        if self.phases and phase.since_ms <= self.last.since_ms:
            early = f"{self.cluster_id}: {phase.state} is not after {self.last.state}"
            raise ValueError(early)
        self.phases.append(phase)
        if phase.is_told:
            self.events.append(ClusterEvent(phase.since_ms, phase.state, details))


def _up(at_ms: int, state: str, current: int, target: int, api_state: str) -> Phase:
    return Phase(at_ms, state, current, target, is_running=True, api_state=api_state)
