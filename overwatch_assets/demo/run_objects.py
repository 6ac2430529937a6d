"""A job run as `jobs/runs/list` tells it, tasks expanded, as of an instant."""

from collections.abc import Callable

from overwatch_assets.demo.job_definitions import JobDefinition, Settings
from overwatch_assets.demo.job_runs import SUBMIT, TRIGGERED, Ending, JobRun, TaskRun

Json = dict[str, object]
ContextOf = Callable[[str, int], str | None]

LIFE_CYCLES = {Ending.SKIPPED: "SKIPPED", Ending.INTERNAL_ERROR: "INTERNAL_ERROR"}
RESULTS = {
    Ending.SUCCEEDED: "SUCCESS",
    Ending.FAILED: "FAILED",
    Ending.CANCELED: "CANCELED",
    Ending.TIMED_OUT: "TIMEDOUT",
    Ending.INTERNAL_ERROR: "FAILED",
}


def run_object(
    run: JobRun, last_ms: int, api_url: str, job: JobDefinition | None, context_of: ContextOf
) -> Json:
    """Return a run.

    Args:
        run: Asked for by then.
        last_ms: Last millisecond that is known.
        api_url: Of the workspace.
        job: Definition of its job; None: it was submitted without one.
        context_of: Spark context of a cluster at an instant.
    """
    is_legacy = run.is_legacy
    tasks = [task for task in run.tasks if (task.started_ms or task.ended_ms or 0) <= last_ms]
    ended_ms, ending = _end(run, last_ms)
    settings: Settings = {} if job is None else job.settings_at(run.submitted_ms)
    is_cancelled = any(cancel.at_ms <= (ended_ms or last_ms) for cancel in run.cancels)
    begun = [task.started_ms for task in tasks if task.started_ms is not None]
    schedule = settings.get("schedule") if run.asked == TRIGGERED else None
    clusters = settings.get("job_clusters")
    return {
        "job_id": run.job_id,
        "run_id": run.run_id,
        "number_in_job": run.run_id,
        "original_attempt_run_id": run.run_id,
        "creator_user_name": run.by.email,
        "run_name": run.name,
        "run_page_url": f"{api_url}/#job/{run.job_id}/run/{run.run_id}",
        "run_type": "SUBMIT_RUN" if run.asked == SUBMIT else "JOB_RUN",
        "format": "SINGLE_TASK" if is_legacy else "MULTI_TASK",
        "trigger": "PERIODIC" if run.asked == TRIGGERED else "ONE_TIME",
        "attempt_number": 0,
        "state": _state(ended_ms, ending, has_begun=bool(begun), is_cancelled=is_cancelled),
        **({"schedule": schedule} if schedule else {}),
        **({"job_clusters": clusters} if clusters else {}),
        **({"overriding_parameters": dict(run.request)} if run.request and job else {}),
        **_times(run.submitted_ms, min(begun, default=None), ended_ms),
        **(_cluster(tasks[0], context_of) if is_legacy and tasks else {}),
        **({} if is_legacy else {"tasks": [_task(task, last_ms, context_of) for task in tasks]}),
    }


def _end(run: JobRun, last_ms: int) -> tuple[int | None, Ending | None]:
    """When and how a run had ended; a repair makes it run on."""
    ends = [end for end in run.ends if end.at_ms <= last_ms]
    repairs = [repair.at_ms for repair in run.repairs if repair.at_ms <= last_ms]
    if not ends or (repairs and repairs[-1] > ends[-1].at_ms):
        return None, None
    return ends[-1].at_ms, ends[-1].ending


def _task(task: TaskRun, last_ms: int, context_of: ContextOf) -> Json:
    is_over = task.ended_ms is not None and task.ended_ms <= last_ms
    ended_ms, ending = (task.ended_ms, task.ending) if is_over else (None, None)
    asked_ms = task.started_ms or task.ended_ms or 0
    depends = [{"task_key": key} for key in task.depends_on]
    return {
        "run_id": task.run_id,
        "task_key": task.key,
        **({"depends_on": depends} if depends else {}),
        "attempt_number": 0,
        "state": _state(ended_ms, ending, has_begun=task.started_ms is not None),
        **_times(asked_ms, task.started_ms, ended_ms),
        **_cluster(task, context_of),
    }


def _state(
    ended_ms: int | None, ending: Ending | None, *, has_begun: bool, is_cancelled: bool = False
) -> Json:
    stopped = is_cancelled or ending is Ending.TIMED_OUT
    if ended_ms is None or ending is None:
        state = "RUNNING" if has_begun else "PENDING"
        return {"life_cycle_state": state, "state_message": "", "user_cancelled_or_timedout": False}
    result = RESULTS.get(ending)
    return {
        "life_cycle_state": LIFE_CYCLES.get(ending, "TERMINATED"),
        **({} if result is None else {"result_state": result}),
        "state_message": "",
        "user_cancelled_or_timedout": stopped,
    }


def _times(asked_ms: int, begun_ms: int | None, ended_ms: int | None) -> Json:
    setup = 0 if begun_ms is None else begun_ms - asked_ms
    times: Json = {"start_time": asked_ms, "setup_duration": setup, "cleanup_duration": 0}
    if ended_ms is None:
        return {**times, "execution_duration": 0, "end_time": 0}
    executed = 0 if begun_ms is None else ended_ms - begun_ms
    return {
        **times,
        "execution_duration": executed,
        "end_time": ended_ms,
        "run_duration": ended_ms - asked_ms,
    }


def _cluster(task: TaskRun, context_of: ContextOf) -> Json:
    if task.cluster_id is None or task.started_ms is None:
        return {}
    context_id = context_of(task.cluster_id, task.started_ms)
    return {
        "cluster_instance": {
            "cluster_id": task.cluster_id,
            **({} if context_id is None else {"spark_context_id": context_id}),
        }
    }
