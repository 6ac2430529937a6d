"""Jobs and their runs: the truth about the made-up company, as far as telemetry tells it."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, cast

import polars as pl

from overwatch_assets.demo.audit_rows import audit_row, row_delivered_ms
from overwatch_assets.demo.compute_truth import compute_truth
from overwatch_assets.demo.job_definitions import JobDefinition
from overwatch_assets.demo.world import AuditAction, WorkspaceWorld, World
from overwatch_assets.presentation import job, jobrun
from overwatch_assets.presentation.reading import Reach, view_rows
from overwatch_assets.registry import TABLES
from overwatch_assets.view import View
from overwatch_assets_tests.demo.compute_reading import Said
from overwatch_assets_tests.end_to_end.company import Observed
from overwatch_assets_tests.end_to_end.told import Span
from overwatch_assets_tests.laws.harness import MS_PER_DAY

Row = Mapping[str, object]

HOUR_MS = 3_600_000


def shown(observed: Observed, view: View, organization_id: str) -> pl.DataFrame:
    [table] = [each for each in TABLES if each.name == view.table]
    reach = Reach(workspaces=[organization_id])
    return view_rows(observed.deployment.store, view, table, reach).collect()


def runs_shown(observed: Observed, organization_id: str) -> dict[int, dict[str, Any]]:
    """The view `jobRun` in the words of the truth."""
    rows = shown(observed, jobrun.VIEW, organization_id)
    assert rows["run_id"].is_unique().all()
    return {
        row["run_id"]: {
            "job_run_id": row["job_run_id"],
            "job_id": row["job_id"],
            "job_name": row["job_name"],
            "key": row["task_key"],
            "kind": row["task_type"],
            "place": row["cluster_type"],
            "cluster_id": row["cluster_id"],
            "cluster_name": row["cluster_name"],
            "started_ms": row["task_runtime"]["startEpochMS"],
            "ended_ms": row["task_runtime"]["endEpochMS"],
            "ending": row["terminal_state"],
            "trigger": row["job_trigger_type"],
            "depends_on": row["task_dependencies"],
            "repair_id": row["repair_id"],
            "submitted_ms": row["time_detail"]["submissionTime"],
            "by": (row["request_detail"]["submissionRequest"] or {}).get("submittedBy"),
            "is_open": row["is_open"],
            "end_imputed": row["end_imputed"],
            "day": row["partition_date"],
        }
        for row in rows.iter_rows(named=True)
    }


def expected_runs(world: WorkspaceWorld, span: Span) -> dict[int, dict[str, Any]]:
    """What telemetry allows to know of the runs."""
    truth: Said = compute_truth(world.compute, span.since_ms, span.until_ms)
    lives = {life.cluster_id: life for life in world.compute.lives()}
    without_echo = {run.run_id for run in world.compute.runs() if not run.has_echo}
    found: dict[int, dict[str, Any]] = {}
    for run_id, run in truth["runs"].items():
        is_asked = run["submitted_ms"] >= span.since_ms
        of_run = {
            "job_run_id": int(run_id),
            "job_id": run["job_id"],
            "job_name": run["name"],
            "submitted_ms": run["submitted_ms"] if is_asked else None,
            "by": run["by"] if is_asked else None,
        }
        for task in run["tasks"]:
            started_ms: int | None = task["started_ms"]
            cluster_id, name = task["cluster_id"], task["key"]
            if started_ms is not None and started_ms < span.since_ms:
                started_ms = cluster_id = None
            if started_ms is not None:
                name = lives[str(cluster_id)].spec_at(started_ms).name
            ends: list[Any] = [] if int(run_id) in without_echo else run["ends"]
            found[task["run_id"]] = {
                **of_run,
                **{name: task[name] for name in ("key", "kind", "place", "depends_on")},
                "repair_id": task["repair_id"],
                "cluster_id": cluster_id,
                "cluster_name": name,
                "started_ms": started_ms,
                "trigger": trigger_of(run, task),
                **end_of(task, ends, span.until_ms),
            }
    return found


def trigger_of(run: Said, task: Said) -> str:
    if run["trigger"] == "cron" or task["repair_id"] is None:
        return str(run["trigger"])
    return "repair"


def end_of(task: Said, ends_of_job_run: list[Any], until_ms: int) -> dict[str, object]:
    """The end as it is told; a lost one is that of the job's run, once an hour has passed."""
    if task["is_end_told"] and task["ended_ms"] is not None:
        at_ms, ending, decided_ms = task["ended_ms"], task["ending"], task["ended_ms"]
    else:
        after = [end for end in ends_of_job_run if end[0] >= task["started_ms"]]
        at_ms, ending = after[0] if after else (None, None)
        decided_ms = until_ms if at_ms is None else at_ms + HOUR_MS
    if decided_ms >= until_ms:
        last_day = day_of(until_ms - 1)
        return {**STILL_OPEN, "day": last_day}
    return {
        "ended_ms": at_ms,
        "ending": ending,
        "is_open": False,
        "end_imputed": decided_ms != at_ms,
        "day": day_of(decided_ms),
    }


STILL_OPEN = {"ended_ms": None, "ending": None, "is_open": True, "end_imputed": False}


def day_of(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()


def undelivered(world: World, workspace: WorkspaceWorld, asked_ms: int) -> set[object]:
    """Runs of which a system table tells something only after it is asked."""
    late = set[object]()
    for action in workspace.actions:
        row = audit_row(action, workspace.workspace, world.company.account_id)
        if row_delivered_ms(action.at_ms, str(row["event_id"])) > asked_ms:
            late |= {(action.params or {}).get("runId"), (action.result or {}).get("run_id")}
    return late - {None}


OPEN, IMPUTED, NEVER_STARTED = "open", "imputed", "never started"
OVER_MIDNIGHT, FOR_DAYS, REPAIRED, SHARED = "over midnight", "for days", "repaired", "shared"


def kind_of(run: Row) -> tuple[object, ...]:
    begin, end = cast("int | None", run["started_ms"]), cast("int | None", run["ended_ms"])
    days = 0 if begin is None or end is None else end // MS_PER_DAY - begin // MS_PER_DAY
    kinds = {
        OPEN: run["is_open"],
        IMPUTED: run["end_imputed"],
        NEVER_STARTED: begin is None,
        OVER_MIDNIGHT: days == 1,
        FOR_DAYS: days > 1,
        REPAIRED: run["repair_id"],
        SHARED: run["place"] == "job_cluster",
    }
    return (run["ending"], *(name for name, is_so in kinds.items() if is_so))


CHANGES = ("create", "update", "reset", "delete", "changeJobAcl", "resetJobAcl")


def jobs_shown(observed: Observed, organization_id: str) -> dict[Any, dict[str, Any]]:
    """The view `job` in the words of the truth."""
    return {
        (row["job_id"], round(row["timestamp"].timestamp() * 1000), row["action"]): {
            "name": row["job_name"],
            "timeout_seconds": row["timeout_seconds"],
            "max_concurrent_runs": row["max_concurrent_runs"],
            "tags": dict(row["tags"] or {}),
            "cron": (row["schedule"] or {}).get("quartz_cron_expression"),
            "tasks": [task["task_key"] for task in row["tasks"] or ()],
            "clusters": [each["job_cluster_key"] for each in row["job_clusters"] or ()],
            "python_file": python_file(row["task_detail_legacy"]),
            "created_by": row["created_by"],
            "created_ms": row["created_ts"],
            "edited_by": row["last_edited_by"],
            "deleted_by": row["deleted_by"],
        }
        for row in shown(observed, job.VIEW, organization_id).iter_rows(named=True)
    }


def python_file(work: Said | None) -> object:
    return (
        None
        if not work or not work["spark_python_task"]
        else work["spark_python_task"]["python_file"]
    )


def expected_jobs(world: WorkspaceWorld, span: Span) -> dict[Any, Row]:
    """Each granted change with the settings after it; older jobs from the first day's start on."""
    since_ms, until_ms = span.since_ms, span.until_ms
    changes: dict[object, list[AuditAction]] = defaultdict(list)
    for action in world.actions:
        if action.service == "jobs" and action.action in CHANGES and action.at_ms < until_ms:
            said = {**(action.params or {}), **(action.result or {})}
            changes[said.get("job_id", said.get("resourceId"))].append(action)
    found: dict[Any, Row] = {}
    for definition in world.compute.jobs():
        older = definition.created_ms < since_ms
        edited_by = None if older else definition.creator.email
        if older:
            key = (definition.job_id, since_ms, "snapImpute")
            found[key] = definition_at(definition, span.first_asked_ms, None)
        for action in changes[definition.job_id]:
            if action.action in {"update", "reset"}:
                edited_by = action.by
            is_deleted = action.action == "delete"
            found[definition.job_id, action.at_ms, action.action] = {
                **definition_at(definition, action.at_ms, edited_by),
                "deleted_by": action.by if is_deleted else None,
            }
    return found


def definition_at(definition: JobDefinition, at_ms: int, edited_by: str | None) -> Row:
    settings: Said = dict(definition.settings_at(at_ms))
    return {
        "name": settings["name"],
        "timeout_seconds": settings["timeout_seconds"],
        "max_concurrent_runs": settings["max_concurrent_runs"],
        "tags": settings.get("tags", {}),
        "cron": settings.get("schedule", {}).get("quartz_cron_expression"),
        "tasks": [task["task_key"] for task in settings.get("tasks", ())],
        "clusters": [each["job_cluster_key"] for each in settings.get("job_clusters", ())],
        "python_file": settings.get("spark_python_task", {}).get("python_file"),
        "created_by": definition.creator.email,
        "created_ms": definition.created_ms,
        "edited_by": edited_by,
        "deleted_by": None,
    }
