"""Made-up lives of jobs and their runs: what the audit log and the API's captures tell of them.

Everything odd is frequent: jobs older than the audit log or known only from captures, runs whose
request, start or end is not told or is told twice, tasks over midnights, repairs days later,
cancels after the end, requests that come after what they asked for. A world is a function of its
seed.
"""

import json
import random
from collections.abc import Generator, Iterator

from overwatch_assets.bronze.jobs_snapshot_bronze import jobs_snapshot_bronze
from overwatch_assets.sources.rest_api.api import Json
from overwatch_assets_tests.laws.cluster_world import (
    CLUSTERS,
    USERS,
    audit_event,
    audit_rows,
    captured,
)
from overwatch_assets_tests.laws.harness import WorldSource
from overwatch_assets_tests.laws.spark_world import DAY, DAYS, HOUR, START

JOBS = (11, 12, 13, 14)
TASKS = ("bronze", "silver", "gold")
MINUTE = HOUR // 60
STATES = ("Succeeded", "Succeeded", "Failed", "Canceled", "TimedOut")


def job_sources(seed: int, days: int = len(DAYS)) -> dict[str, WorldSource]:
    """Audit events and captures of jobs and their runs, by the name of their source."""
    pick = random.Random(f"jobs {seed}")  # noqa: S311 - no secret
    return {
        "audit_logs": WorldSource(audit_rows(job_events(pick, days)), "timestamp"),
        "jobs": captured(jobs_snapshot_bronze, _captures(pick, days)),
    }


def job_events(pick: random.Random, days: int) -> list[Json]:
    """Everything that people and Databricks do to a few jobs, and their runs."""
    events = [
        _to_job(pick, job, _instant(pick, days)) for job in JOBS for _ in range(pick.randrange(6))
    ]
    for number in range(12):
        events += _RunStory(pick, 1000 * (number + 1), _instant(pick, days)).told()
    until = START + days * DAY
    return [each for each in events if START <= int(str(each["timestamp"])) < until]


def _to_job(pick: random.Random, job: int, at: int) -> Json:
    action = pick.choice(["create", "update", "update", "reset", "changeJobAcl", "delete"])
    user, request = pick.choice([*USERS, None]), pick.choice([None, f"r-{pick.randrange(99)}"])
    status = 200 if pick.random() < 0.9 else 400
    params: Json
    result: str | None = None
    match action:
        case "create":
            params = settings(pick)
            result = json.dumps({"job_id": job}) if pick.random() < 0.9 else None
        case "update":
            removed = pick.choice([None, ["schedule"], ["tags", "tasks/silver"], ["tasks"]])
            params = {"job_id": job, "new_settings": _some(pick), "fields_to_remove": removed}
        case "reset":
            params = {"job_id": job, "new_settings": settings(pick)}
        case "changeJobAcl":
            params = {"resourceId": job, "aclPermissionSet": [{"permission": "X"}]}
        case _:
            params = {"job_id": job}
    if pick.random() < 0.05 and action in {"update", "reset"}:
        params["new_settings"] = '{"name":"cut short... truncated'
    return audit_event(
        at, f"jobs.{action}", params, result=result, status=status, user=user, request=request
    )


def settings(pick: random.Random) -> Json:
    """A definition; some say little."""
    tasks = [_task(pick, key) for key in TASKS[: pick.randrange(4)]]
    cluster = {"num_workers": 2, "custom_tags": {"team": pick.choice("ab")}}
    return {
        "name": pick.choice(["etl", "export"]),
        "format": pick.choice([None, "MULTI_TASK"]),
        "max_concurrent_runs": pick.choice([None, 1, 4]),
        "timeout_seconds": pick.choice([None, 0, 600]),
        "tags": pick.choice([None, {"team": "bi"}]),
        "schedule": pick.choice([None, {"quartz_cron_expression": "0 0 2 * * ?"}]),
        "tasks": tasks or None,
        "job_clusters": [{"job_cluster_key": "main", "new_cluster": cluster}],
        "notebook_task": None if tasks else {"notebook_path": "/legacy"},
    }


def _some(pick: random.Random) -> Json:
    return {name: value for name, value in settings(pick).items() if pick.random() < 0.4}


def _task(pick: random.Random, key: str) -> Json:
    place: list[Json] = [
        {"job_cluster_key": "main"},
        {"existing_cluster_id": CLUSTERS[0]},
        {"sql_task": {"warehouse_id": "w-1"}},
        {"new_cluster": {"num_workers": 1}},
    ]
    return {"task_key": key, "max_retries": pick.choice([None, 3]), **pick.choice(place)}


def _captures(pick: random.Random, days: int) -> list[Json]:
    """One capture on most days, at any hour, at a midnight too."""
    hours = [pick.choice([0, 6 * HOUR, 17 * HOUR, DAY - 1]) for _ in range(days)]
    return [
        {
            "job_id": job,
            "created_time": pick.choice([None, START - DAY, _instant(pick, days)]),
            "creator_user_name": pick.choice([*USERS, None]),
            "run_as_user_name": pick.choice([USERS[0], None]),
            "settings": settings(pick),
            "captured_at_ms": START + number * DAY + hour,
        }
        for number, hour in enumerate(hours)
        if pick.random() < 0.75
        for job in pick.sample(JOBS, pick.randrange(len(JOBS) + 1))
    ]


class _RunStory:
    """A run of a job, and what of it is told; a submitted run has a job that nobody sees."""

    def __init__(self, pick: random.Random, run_id: int, asked: int) -> None:
        self.pick = pick
        self.run_id = run_id
        self.asked = asked
        self.requests = pick.choice(
            [(), ("now",), ("triggered",), ("submit",), ("now", "triggered")]
        )
        self.job = run_id if "submit" in self.requests else pick.choice([*JOBS, 99])
        self.is_legacy = pick.random() < 0.3

    def told(self) -> Iterator[Json]:
        """The events."""
        pick = self.pick
        skew = pick.choice([0, 0, 0, HOUR])
        for ask in self.requests:
            yield self._request(ask, self.asked + skew)
        clock = self.asked + pick.choice([0, MINUTE, HOUR, 20 * HOUR])
        if self.is_legacy:
            clock = yield from self._played(self.run_id, None, clock, None)
        else:
            clock = yield from self._tasks(clock, TASKS[: pick.randrange(4)], None)
            yield from self._end(self.run_id, None, clock + pick.choice([-MINUTE, 0, 1, MINUTE]))
        if pick.random() < 0.4:
            yield self._cancel(self.run_id, clock + pick.choice([-HOUR, HOUR]))
        if not self.is_legacy and pick.random() < 0.5:
            repaired = clock + pick.choice([MINUTE, 9 * HOUR, 30 * HOUR])
            yield from self._repair(repaired, self.run_id * 10)

    def _tasks(
        self, clock: int, keys: tuple[str, ...], repair: int | None
    ) -> Generator[Json, None, int]:
        """Tasks one after the other; returns when the last one ended."""
        for number, key in enumerate(keys, start=1):
            run_id = self.run_id + number + 100 * (repair is not None)
            clock = yield from self._played(run_id, key, clock, repair)
            clock += self.pick.choice([0, MINUTE, 5 * HOUR])
        return clock

    def _repair(self, at: int, repair: int) -> Iterator[Json]:
        params = {"run_id": self.run_id, "rerun_tasks": list(TASKS[:1])}
        result = json.dumps({"repair_id": repair})
        yield audit_event(at, "jobs.repairRun", params, result=result, request="repair")
        later = at + self.pick.choice([1, MINUTE, 9 * HOUR])
        clock = yield from self._tasks(later, TASKS[:1], repair)
        yield from self._end(self.run_id, None, clock + 1)

    def _played(
        self, run_id: int, key: str | None, clock: int, repair: int | None
    ) -> Generator[Json, None, int]:
        """The start and the end of a run; returns when it ended."""
        pick = self.pick
        if pick.random() < 0.85:
            more: Json = {"clusterId": pick.choice([*CLUSTERS, None])}
            yield self._said("runStart", run_id, key, clock, repair, **more)
        if pick.random() < 0.05:
            yield self._said("runStart", run_id, key, clock + MINUTE, repair)
        end = self._snapped(clock + pick.choice([1, MINUTE, 3 * HOUR, 14 * HOUR]), clock)
        if pick.random() < 0.2:
            yield self._cancel(run_id, end + pick.choice([-1, 0, MINUTE]))
        yield from self._end(run_id, key, end, repair)
        return end

    def _end(
        self, run_id: int, key: str | None, at: int, repair: int | None = None
    ) -> Iterator[Json]:
        """An end, often lost, sometimes told twice."""
        for number in range(self.pick.choice([0, 1, 1, 1, 2])):
            state = self.pick.choice(STATES)
            action = "runSucceeded" if state == "Succeeded" else "runFailed"
            later = at + number * self.pick.choice([0, 1, 10 * HOUR])
            yield self._said(action, run_id, key, later, repair, jobTerminalState=state)

    def _said(
        self, action: str, run_id: int, key: str | None, at: int, repair: int | None, **more: object
    ) -> Json:
        params: Json = {
            "jobId": self.job,
            "runId": run_id,
            "idInJob": run_id,
            "multitaskParentRunId": None if run_id == self.run_id else self.run_id,
            "taskKey": key,
            "taskDependencies": [],
            "repairId": repair,
            "jobTriggerType": "cron",
            "jobTaskType": "notebook",
            "jobClusterType": self.pick.choice(["job_cluster", "jobCluster", "new", None]),
            **more,
        }
        return audit_event(at, f"jobs.{action}", params, user=None, request=f"r-{at % 97}")

    def _cancel(self, run_id: int, at: int) -> Json:
        status = 200 if self.pick.random() < 0.8 else 400
        return audit_event(at, "jobs.cancel", {"run_id": run_id}, status=status, request="cancel")

    def _request(self, ask: str, at: int) -> Json:
        made = json.dumps({"run_id": self.run_id})
        match ask:
            case "now":
                params: Json = {"job_id": self.job, "notebook_params": {"day": "1"}}
                return audit_event(at, "jobs.runNow", params, result=made, request="now")
            case "triggered":
                params = {"jobId": self.job, "runId": self.run_id, "jobTriggerType": "cron"}
                return audit_event(at, "jobs.runTriggered", params, request="cron")
            case _:
                params = {"run_name": "adhoc", "tasks": [_task(self.pick, "bronze")]}
                return audit_event(at, "jobs.submitRun", params, result=made, request="submit")

    def _snapped(self, at: int, least: int) -> int:
        if self.pick.random() < 0.2:
            return max(least, at // DAY * DAY)
        return at


def _instant(pick: random.Random, days: int) -> int:
    """Often a midnight, the last millisecond of a day or a full hour: ties occur."""
    at = START + pick.randrange(days * DAY)
    chance = pick.random()
    if chance < 0.2:
        return at // DAY * DAY
    if chance < 0.3:
        return at // DAY * DAY + DAY - 1
    return at // HOUR * HOUR if chance < 0.6 else at
