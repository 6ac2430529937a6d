"""Databricks jobs: their settings from version to version."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from overwatch_assets.demo.cluster_spec import new_cluster, spec_of
from overwatch_assets.demo.company import Job, Person, Workspace, job_cluster

Json = dict[str, object]
Settings = Mapping[str, object]

MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class JobVersion:
    """Settings and when they were saved."""

    at_ms: int
    settings: Settings


@dataclass(slots=True)
class JobDefinition:
    """A job and what became of its settings.

    Attributes:
        creator: Who made it; its runs belong to them.
        deleted_ms: When it was deleted.
    """

    job_id: int
    creator: Person
    versions: list[JobVersion]
    deleted_ms: int | None = None

    @property
    def created_ms(self) -> int:
        """When it was made."""
        return self.versions[0].at_ms

    @property
    def settings(self) -> Settings:
        """The settings saved last."""
        return self.versions[-1].settings

    @property
    def name(self) -> str:
        """The name saved last."""
        return str(self.settings["name"])

    def exists(self, at_ms: int) -> bool:
        """Whether there is such a job at an instant."""
        return self.created_ms <= at_ms and (self.deleted_ms is None or at_ms < self.deleted_ms)

    def settings_at(self, at_ms: int) -> Settings:
        """Return the settings valid at an instant, the first ones before there were any."""
        position = bisect_right(self.versions, at_ms, key=lambda version: version.at_ms)
        return self.versions[max(position - 1, 0)].settings


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """A task of a job's definition: what runs, and where."""

    key: str
    work: Settings
    cluster: Settings = field(default_factory=dict[str, object])
    depends_on: tuple[str, ...] = ()
    timeout_seconds: int = 0

    def as_object(self) -> Json:
        """Return the task as the API tells it."""
        depends = {"depends_on": [{"task_key": key} for key in self.depends_on]}
        return {
            "task_key": self.key,
            **(depends if self.depends_on else {}),
            **self.cluster,
            **self.work,
            "timeout_seconds": self.timeout_seconds,
        }


def notebook_work(path: str, **parameters: str) -> Json:
    """Return a notebook task."""
    base = {"base_parameters": parameters} if parameters else {}
    return {"notebook_task": {"notebook_path": path, "source": "WORKSPACE", **base}}


def python_work(file: str, *parameters: str) -> Json:
    """Return a Python task."""
    return {"spark_python_task": {"python_file": file, "parameters": list(parameters)}}


def settings_of(
    name: str,
    tasks: Iterable[TaskPlan],
    *,
    clusters: Mapping[str, Settings] | None = None,
    cron: str | None = None,
    concurrent: int = 1,
    timeout_seconds: int = 0,
) -> Json:
    """Return a job's settings as the API tells them; `clusters` are its job clusters by key."""
    shared = [{"job_cluster_key": key, "new_cluster": new} for key, new in (clusters or {}).items()]
    schedule = {
        "schedule": {
            "quartz_cron_expression": cron,
            "timezone_id": "UTC",
            "pause_status": "UNPAUSED",
        }
    }
    return {
        "name": name,
        "format": "MULTI_TASK",
        "max_concurrent_runs": concurrent,
        "timeout_seconds": timeout_seconds,
        "tags": {"team": "data-platform"},
        "tasks": [task.as_object() for task in tasks],
        **({"job_clusters": shared} if shared else {}),
        **(schedule if cron else {}),
    }


def daily_cron(minute_of_day: int) -> str:
    """Return the Quartz expression of a time of the day."""
    hour, minute = divmod(minute_of_day, MINUTES_PER_HOUR)
    return f"0 {minute} {hour} * * ?"


def cast_settings(job: Job, workspace: Workspace) -> Json:
    """Return the settings of a job of the cast; each task depends on the one before."""
    place: Json = {"job_cluster_key": "main"}
    if not job.is_scheduled:
        cluster = workspace.shared if job.is_on_shared else workspace.streaming
        place = {"existing_cluster_id": cluster.cluster_id}
    keys = [task.key for task in job.tasks]
    tasks = (
        TaskPlan(task.key, notebook_work(task.notebook.path), place, tuple(keys[max(n - 1, 0) : n]))
        for n, task in enumerate(job.tasks)
    )
    return settings_of(
        job.name,
        tasks,
        clusters={"main": new_cluster(spec_of(job_cluster(workspace, job)), workspace)}
        if job.is_scheduled
        else None,
        cron=_crons(job.start_minutes) if job.is_scheduled else None,
    )


def changed(settings: Settings, new: Settings, removed: Iterable[str]) -> Json:
    """Return settings after an update: `tasks` and `job_clusters` are merged by their keys."""
    merged: Json = {**settings, **new}
    for name, key in (("tasks", "task_key"), ("job_clusters", "job_cluster_key")):
        if name in settings and name in new:
            merged[name] = _merged(settings[name], new[name], key)
    for name in removed:
        merged.pop(name, None)
    return merged


def _merged(before: object, new: object, key: str) -> list[Json]:
    both = cast("list[Json]", before) + cast("list[Json]", new)
    return list({str(each[key]): each for each in both}.values())


def _crons(minutes: tuple[int, ...]) -> str:
    hours = sorted({minute // MINUTES_PER_HOUR for minute in minutes})
    minute = minutes[0] % MINUTES_PER_HOUR
    return f"0 {minute} {','.join(str(hour) for hour in hours)} * * ?"
