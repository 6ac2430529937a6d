"""Runs of jobs and of their tasks: what happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from overwatch_assets.demo.company import Person

Params = Mapping[str, object]

SUBMIT = "jobs.submitRun"
RUN_NOW = "jobs.runNow"
TRIGGERED = "jobs.runTriggered"


class Ending(StrEnum):
    """How a run ended, in the words of the audit log."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"
    TIMED_OUT = "TimedOut"
    SKIPPED = "Skipped"
    INTERNAL_ERROR = "InternalError"


class Place(StrEnum):
    """On which kind of cluster a task ran, in the words of the audit log."""

    NEW = "new"
    JOB_CLUSTER = "job_cluster"
    EXISTING = "existing"


@dataclass(frozen=True, slots=True)
class TaskRun:
    """A run of a task.

    Attributes:
        run_id: The job run's own id where the job has no task structure.
        cluster_id: None: it never reached one.
        started_ms: None: it never started.
        ended_ms: None: it runs on when the simulation ends.
        is_end_told: False: the audit record of its end was lost.
    """

    run_id: int
    key: str
    kind: str
    place: Place
    cluster_id: str | None
    started_ms: int | None
    ended_ms: int | None
    ending: Ending | None
    depends_on: tuple[str, ...] = ()
    repair_id: int | None = None
    is_end_told: bool = True


@dataclass(frozen=True, slots=True)
class RunEnd:
    """An end of a job run; a repaired run has several."""

    at_ms: int
    ending: Ending


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair of a job run."""

    at_ms: int
    repair_id: int
    by: Person
    task_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cancel:
    """A request to cancel a run."""

    at_ms: int
    run_id: int
    by: Person


@dataclass(frozen=True, slots=True)
class JobRun:
    """A run of a job.

    Attributes:
        job_id: A submitted run has a job of its own that nobody sees.
        asked: `jobs.runTriggered`, `jobs.runNow` or `jobs.submitRun`.
        by: Who asked for it; its cost is theirs.
        request: Parameters of the request beside the ids.
        is_legacy: Without task structure: the only task run is the job run.
        has_echo: The end of the job run is told beside those of its tasks.
    """

    run_id: int
    job_id: int
    name: str
    asked: str
    by: Person
    submitted_ms: int
    tasks: tuple[TaskRun, ...]
    ends: tuple[RunEnd, ...] = ()
    request: Params = field(default_factory=dict[str, object])
    is_legacy: bool = False
    has_echo: bool = True
    cancels: tuple[Cancel, ...] = ()
    repairs: tuple[Repair, ...] = ()

    @property
    def trigger(self) -> str:
        """What set it off, in the words of the audit log."""
        return "cron" if self.asked == TRIGGERED else "manual"
