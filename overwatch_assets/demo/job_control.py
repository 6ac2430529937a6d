"""Does things to jobs and lets them run: the ledger keeps what is true, the audit log notes it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from overwatch_assets.demo.audit_diary import AuditDiary
from overwatch_assets.demo.company import Person, digits
from overwatch_assets.demo.job_definitions import JobDefinition, JobVersion, Settings, changed
from overwatch_assets.demo.job_runs import (
    Cancel,
    Ending,
    JobRun,
    Place,
    Repair,
    RunEnd,
    TaskRun,
)
from overwatch_assets.demo.ledger import Gap
from overwatch_assets.demo.run_notes import note_run
from overwatch_assets.demo.scene import Scene

Json = dict[str, object]
Span = tuple[int | None, int | None]


class JobControl:
    """Does things to one job, in the order of time."""

    def __init__(self, scene: Scene, subject: str, creator: Person) -> None:
        """Name a job that is about to be defined, or the unseen one of submitted runs."""
        self.scene = scene
        self.creator = creator
        self._rng = scene.chance("job", subject)
        self._diary = scene.diary_of("job", subject)
        self._subject = subject
        self._runs = 0
        self.job_id = digits(self._rng, 15)
        self._job: JobDefinition | None = None

    @property
    def job(self) -> JobDefinition:
        """The definition.

        Raises:
            ValueError: There is none.
        """
        if self._job is None:
            undefined = f"job {self._subject} is not defined"
            raise ValueError(undefined)
        return self._job

    def define(self, at_ms: int, settings: Settings, *, is_kept: bool = True) -> JobDefinition:
        """Create the job; with `is_kept` the ledger holds it."""
        owner = [{"user_name": self.creator.email, "permission_level": "IS_OWNER"}]
        params = {
            **settings,
            "job_type": "NORMAL",
            "access_control_list": owner,
            "is_from_dlt": False,
        }
        self._diary.note(at_ms, "jobs.create", self.creator, params, result=self._named())
        self._job = JobDefinition(self.job_id, self.creator, [JobVersion(at_ms, settings)])
        if is_kept:
            self.scene.ledger.all_jobs.append(self._job)
        return self._job

    def update(self, at_ms: int, by: Person, new: Settings, removed: Iterable[str] = ()) -> None:
        """Change some settings and remove others."""
        fields = list(removed)
        params = {**self._named(), "new_settings": dict(new)}
        if fields:
            params["fields_to_remove"] = fields
        self._diary.note(at_ms, "jobs.update", by, params, result={})
        settings = changed(self.job.settings, new, fields)
        self.job.versions.append(JobVersion(at_ms, settings))

    def reset(self, at_ms: int, by: Person, settings: Settings) -> None:
        """Replace all settings."""
        params = {**self._named(), "new_settings": dict(settings)}
        self._diary.note(at_ms, "jobs.reset", by, params, result={})
        self.job.versions.append(JobVersion(at_ms, settings))

    def delete(self, at_ms: int, by: Person) -> None:
        """Delete the job."""
        self._diary.note(at_ms, "jobs.delete", by, self._named(), result={})
        self.job.deleted_ms = at_ms

    def change_acl(self, at_ms: int, by: Person, whom: Person) -> None:
        """Give somebody a right."""
        self._acl(at_ms, "changeJobAcl", by, whom, "CAN_MANAGE")

    def reset_acl(self, at_ms: int, by: Person, whom: Person) -> None:
        """Replace all rights."""
        self._acl(at_ms, "resetJobAcl", by, whom, "CAN_VIEW")

    def run(
        self,
        asked: str,
        at_ms: int,
        by: Person,
        *,
        name: str | None = None,
        request: Settings | None = None,
    ) -> "RunDraft":
        """Ask for a run; its name is the job's unless it was submitted under another."""
        self._runs += 1
        return RunDraft(
            scene=self.scene,
            diary=self._diary,
            subject=f"{self._subject}-{self._runs}",
            run_id=digits(self._rng, 14),
            job_id=self.job_id,
            name=self.job.name if name is None else name,
            asked=asked,
            by=by,
            submitted_ms=at_ms,
            request=request or {},
        )

    def _named(self) -> Json:
        return {"job_id": self.job_id}

    def _acl(self, at_ms: int, action: str, by: Person, whom: Person, right: str) -> None:
        params = {
            "resourceId": self.job_id,
            "targetUserId": whom.user_id,
            "aclPermissionSet": [{"permission": right}],
        }
        self._diary.note(at_ms, f"jobs.{action}", by, params)


@dataclass(slots=True)
class RunDraft:
    """A run while it goes on; `keep` ends the telling.

    Attributes:
        subject: What the chance of its ids is drawn for.
    """

    scene: Scene
    diary: AuditDiary
    subject: str
    run_id: int
    job_id: int
    name: str
    asked: str
    by: Person
    submitted_ms: int
    request: Settings
    tasks: list[TaskRun] = field(default_factory=list[TaskRun])
    ends: list[RunEnd] = field(default_factory=list[RunEnd])
    cancels: list[Cancel] = field(default_factory=list[Cancel])
    repairs: list[Repair] = field(default_factory=list[Repair])

    def task_id(self, key: str) -> int:
        """Return the id that the next run of a task will have."""
        return digits(self.scene.chance("task run", self.subject, key, len(self.repairs)), 14)

    def task(
        self,
        key: str,
        span: Span,
        place: Place,
        cluster_id: str | None,
        *,
        ending: Ending | None = Ending.SUCCEEDED,
        kind: str = "notebook",
        depends_on: tuple[str, ...] = (),
        is_end_told: bool = True,
        is_legacy: bool = False,
    ) -> TaskRun:
        """A task runs from its start to its end; an end of None lies beyond the simulation."""
        started_ms, ended_ms = span
        task = TaskRun(
            run_id=self.run_id if is_legacy else self.task_id(key),
            key=key,
            kind=kind,
            place=place,
            cluster_id=cluster_id,
            started_ms=started_ms,
            ended_ms=ended_ms,
            ending=None if ended_ms is None else ending,
            depends_on=depends_on,
            repair_id=self.repairs[-1].repair_id if self.repairs else None,
            is_end_told=is_end_told,
        )
        self.tasks.append(task)
        if not is_end_told and ended_ms is not None:
            self.gap("lost_run_end", task.run_id, ended_ms)
        return task

    def end(self, at_ms: int, ending: Ending = Ending.SUCCEEDED) -> None:
        """The job run ends."""
        self.ends.append(RunEnd(at_ms, ending))

    def cancel(self, at_ms: int, by: Person, run_id: int | None = None) -> None:
        """Somebody asks to cancel the run, or one of its task runs."""
        self.cancels.append(Cancel(at_ms, run_id or self.run_id, by))

    def repair(self, at_ms: int, by: Person, *task_keys: str) -> None:
        """Somebody has tasks run again; they follow."""
        repair_id = digits(self.scene.chance("repair", self.subject, len(self.repairs)), 13)
        self.repairs.append(Repair(at_ms, repair_id, by, task_keys))

    def gap(self, kind: str, run_id: int, at_ms: int) -> None:
        """Write down that telemetry will not tell something."""
        self.scene.ledger.gaps.append(Gap(kind, str(run_id), at_ms))

    def keep(self, *, is_legacy: bool = False, has_echo: bool = True) -> JobRun:
        """Write the run down and have it noted."""
        run = JobRun(
            run_id=self.run_id,
            job_id=self.job_id,
            name=self.name,
            asked=self.asked,
            by=self.by,
            submitted_ms=self.submitted_ms,
            tasks=tuple(self.tasks),
            ends=tuple(self.ends),
            request=self.request,
            is_legacy=is_legacy,
            has_echo=has_echo,
            cancels=tuple(self.cancels),
            repairs=tuple(self.repairs),
        )
        self.scene.ledger.all_runs.append(run)
        note_run(self.diary, run)
        return run
