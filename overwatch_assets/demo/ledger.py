"""What is true of a workspace's compute: clusters, jobs, runs and pools, as they are told.

The simulation writes it while it plays. What happens later than an instant is left out by
whoever asks for that instant.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

from overwatch_assets.demo.cluster_life import ClusterLife
from overwatch_assets.demo.job_definitions import JobDefinition
from overwatch_assets.demo.job_runs import JobRun
from overwatch_assets.demo.pools import Pool
from overwatch_assets.demo.prices import Prices


@dataclass(frozen=True, slots=True)
class Gap:
    """Something true that telemetry cannot tell, or tells wrongly.

    | kind | subject | what is the matter |
    |---|---|---|
    | lost_termination | cluster | no event tells that it terminated |
    | restart_with_start | cluster | STARTING follows RESTARTING, though nothing stopped |
    | edited_while_scaled | cluster | EDITED tells a size that is not that of the moment |
    | running_since_before | cluster | it ran when the first day began; no event until later |
    | permanently_deleted | cluster | the API tells its events no longer |
    | lost_run_end | task run | no audit record tells that it ended |
    | started_before | task run | no audit record tells that it started |

    Attributes:
        kind: As above.
        subject: Cluster id or task run id.
        at_ms: When that happened which is not told.
    """

    kind: str
    subject: str
    at_ms: int


class Compute(Protocol):
    """A part of a workspace's compute; what it yields may be made anew each time."""

    def jobs(self) -> Iterable[JobDefinition]:
        """Yield the definitions of jobs."""
        ...

    def lives(self) -> Iterable[ClusterLife]:
        """Yield the lives of clusters."""
        ...

    def runs(self) -> Iterable[JobRun]:
        """Yield the runs of jobs."""
        ...


@dataclass(slots=True)
class Ledger:
    """A part of a workspace's compute that is held as it is written down."""

    all_jobs: list[JobDefinition] = field(default_factory=list[JobDefinition])
    all_lives: list[ClusterLife] = field(default_factory=list[ClusterLife])
    all_runs: list[JobRun] = field(default_factory=list[JobRun])
    pools: list[Pool] = field(default_factory=list[Pool])
    gaps: list[Gap] = field(default_factory=list[Gap])

    def jobs(self) -> Iterable[JobDefinition]:
        """Return the definitions of jobs."""
        return self.all_jobs

    def lives(self) -> Iterable[ClusterLife]:
        """Return the lives of clusters."""
        return self.all_lives

    def runs(self) -> Iterable[JobRun]:
        """Return the runs of jobs."""
        return self.all_runs


@dataclass(frozen=True, slots=True)
class WorkspaceCompute:
    """All compute of a workspace.

    Attributes:
        parts: Where jobs, lives and runs come from.
    """

    parts: tuple[Compute, ...]
    pools: tuple[Pool, ...]
    gaps: tuple[Gap, ...]
    prices: Prices

    def jobs(self) -> Iterator[JobDefinition]:
        """Yield the definitions of jobs."""
        return chain.from_iterable(part.jobs() for part in self.parts)

    def lives(self) -> Iterator[ClusterLife]:
        """Yield the lives of clusters."""
        return chain.from_iterable(part.lives() for part in self.parts)

    def runs(self) -> Iterator[JobRun]:
        """Yield the runs of jobs."""
        return chain.from_iterable(part.runs() for part in self.parts)
