"""What the audit log notes of a run: the request, then the start and the end of every task."""

from overwatch_assets.demo.audit_diary import AuditDiary
from overwatch_assets.demo.job_runs import (
    RUN_NOW,
    SUBMIT,
    TRIGGERED,
    Ending,
    JobRun,
    Place,
    TaskRun,
)

Json = dict[str, object]

MESSAGES = {
    Ending.FAILED: "Workload failed, see run output for details",
    Ending.CANCELED: "Run cancelled",
    Ending.TIMED_OUT: "Run timed out",
    Ending.SKIPPED: "Skipped: the maximum of concurrent runs was reached",
    Ending.INTERNAL_ERROR: "Cluster could not be launched",
}


def note_run(diary: AuditDiary, run: JobRun) -> None:
    """Note everything that the audit log tells of a run."""
    _note_request(diary, run)
    for task in run.tasks:
        _note_task(diary, run, task)
    if run.has_echo and not run.is_legacy:
        for end in run.ends:
            _note_end(diary, end.at_ms, end.ending, _job_level(run))
    for cancel in run.cancels:
        diary.note(cancel.at_ms, "jobs.cancel", cancel.by, {"run_id": cancel.run_id}, result={})
    before: int | None = None
    for repair in run.repairs:
        params: Json = {
            "run_id": run.run_id,
            "rerun_tasks": list(repair.task_keys),
            "latest_repair_id": before,
        }
        result = {"repair_id": repair.repair_id}
        diary.note(repair.at_ms, "jobs.repairRun", repair.by, params, result=result)
        before = repair.repair_id


def _note_request(diary: AuditDiary, run: JobRun) -> None:
    match run.asked:
        case "jobs.runTriggered":
            params: Json = {"jobId": run.job_id, "jobTriggerType": "cron", "runId": run.run_id}
            diary.note(run.submitted_ms, TRIGGERED, run.by, params)
        case "jobs.runNow":
            params = {"job_id": run.job_id, **run.request, "idempotency_token": ""}
            result = {"run_id": run.run_id, "number_in_job": run.run_id}
            diary.note(run.submitted_ms, RUN_NOW, run.by, params, result=result)
        case _:
            params = {"run_name": run.name, **run.request, "workflow_context": None}
            diary.note(run.submitted_ms, SUBMIT, run.by, params, result={"run_id": run.run_id})


def _note_task(diary: AuditDiary, run: JobRun, task: TaskRun) -> None:
    params = _task_params(run, task)
    if task.started_ms is not None:
        started = {**params, "clusterId": task.cluster_id}
        diary.note(task.started_ms, "jobs.runStart", "unknown", started)
    if task.ended_ms is not None and task.ending is not None and task.is_end_told:
        _note_end(diary, task.ended_ms, task.ending, params)


def _note_end(diary: AuditDiary, at_ms: int, ending: Ending, params: Json) -> None:
    action = "runSucceeded" if ending is Ending.SUCCEEDED else "runFailed"
    told = {**params, "jobTerminalState": ending.value}
    diary.note(at_ms, f"jobs.{action}", "unknown", told, error=MESSAGES.get(ending))


def _task_params(run: JobRun, task: TaskRun) -> Json:
    parent = None if run.is_legacy else run.run_id
    return {
        "jobId": run.job_id,
        "runId": task.run_id,
        "idInJob": task.run_id,
        "multitaskParentRunId": parent,
        "parentRunId": parent,
        "taskKey": task.key,
        "taskDependencies": list(task.depends_on),
        "jobTriggerType": run.trigger if task.repair_id is None else "repair",
        "jobTaskType": task.kind,
        "jobClusterType": task.place.value,
        "repairId": task.repair_id,
    }


def _job_level(run: JobRun) -> Json:
    return {
        "jobId": run.job_id,
        "runId": run.run_id,
        "idInJob": run.run_id,
        "multitaskParentRunId": None,
        "parentRunId": None,
        "taskKey": "",
        "taskDependencies": [],
        "jobTriggerType": run.trigger,
        "jobTaskType": run.tasks[0].kind if run.tasks else "notebook",
        "jobClusterType": run.tasks[0].place.value if run.tasks else Place.NEW.value,
        "repairId": None,
    }
