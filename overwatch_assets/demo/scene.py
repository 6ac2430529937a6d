"""Where and when a part of the simulation plays: a workspace, its diary, the days."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from overwatch_assets.demo.audit_diary import AuditDiary
from overwatch_assets.demo.company import JobTask, Person, Workspace, seeded
from overwatch_assets.demo.ledger import Ledger
from overwatch_assets.demo.world import Origin

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def midnight_ms(day: date) -> int:
    """Return the epoch milliseconds at which a day begins in UTC."""
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND_MS


@dataclass(frozen=True, slots=True)
class Scene:
    """A workspace over the days of the simulation.

    Attributes:
        diary: Of the cast that every workspace has; other subjects have diaries of their own.
        ledger: What is true of the clusters, jobs and pools.
        diaries: Those given out by `diary_of`.
    """

    workspace: Workspace
    diary: AuditDiary
    seed: int
    first_day: date
    days: int
    scale: float
    ledger: Ledger = field(default_factory=Ledger)
    diaries: list[AuditDiary] = field(default_factory=list[AuditDiary])

    @property
    def until_ms(self) -> int:
        """End of the last day."""
        return self.at(self.days)

    def at(self, day: int, hour: int = 0, minute: int = 0) -> int:
        """Return an instant in epoch milliseconds; days are counted from 0."""
        return midnight_ms(self.first_day) + day * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS

    def chance(self, *subject: object) -> random.Random:
        """Return the source of chance of one subject of this workspace."""
        return seeded(self.seed, self.workspace.workspace_id, *subject)

    def diary_of(self, *subject: object) -> AuditDiary:
        """Return a new diary for one subject, so that another subject does not disturb its ids."""
        diary = AuditDiary(self.workspace, self.chance("diary", *subject))
        self.diaries.append(diary)
        return diary

    def times(self, ordinary: int, least: int) -> int:
        """Return how often something happens at this scale."""
        return max(least, round(ordinary * self.scale))


def session(person: Person | None, rng: random.Random) -> Origin:
    """Return a new notebook session of a person."""
    repl = "-".join(f"{rng.getrandbits(20):05x}" for _ in range(3))
    bits = f"{rng.getrandbits(128):032x}"
    isolation = f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"
    return Origin(
        user=person,
        job_group=f"{rng.randrange(10**18, 10**19)}_{rng.randrange(10**18, 10**19)}_{bits}",
        repl_id=f"ReplId-{repl}-{rng.choice('0123456789abcdef')}",
        isolation_id=isolation,
    )


def task_session(
    person: Person, task: JobTask, job_id: int, run_id: int, rng: random.Random
) -> Origin:
    """Return the session that runs a task of a Databricks job."""
    fresh = session(person, rng)
    prefix = "_".join(fresh.job_group.split("_")[:2])
    return Origin(
        user=person,
        job_group=f"{prefix}_job-{job_id}-run-{run_id}-action-{rng.randrange(10**6)}",
        repl_id=fresh.repl_id,
        isolation_id=fresh.isolation_id,
        notebook=task.notebook,
        job_id=job_id,
        run_id=run_id,
    )
