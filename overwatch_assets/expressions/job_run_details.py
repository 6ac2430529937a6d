"""What a run of a job was to do, and where: from its job's definition and the request for it.

A definition is kept as JSON text: `effective_settings` of the job's version with who runs and who
made it. A submitted run has no job and brings its own definition.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
import polars as pl

from overwatch_assets.expressions.databricks_structs import (
    LIBRARIES,
    NEW_CLUSTER,
    SCHEDULE,
    TEXTS,
)
from overwatch_assets.expressions.job_definitions import LEGACY_WORK, listed
from overwatch_assets.expressions.job_requests import list_in, object_in
from overwatch_assets.expressions.job_structs import (
    MANUAL_OVERRIDE_PARAMS,
    REPAIR_DETAILS,
    REQUEST_DETAILS,
    SUBMIT_RUN_DETAILS,
    TASK_DETAIL,
    TASK_DETAIL_LEGACY,
)
from overwatch_assets.expressions.json_objects import shaped

Json = Mapping[str, object]
Row = Mapping[str, object]

SQL_WAREHOUSE = "sqlWarehouse"
"""Kind of a cluster that is a SQL warehouse."""

VERSION = ("run_as_user_name", "created_by", "last_edited_by", "is_complete", "effective_settings")
"""Columns of a job's version that its runs use."""

PLACE = pl.Schema({"taskKey": pl.String, "clusterId": pl.String, "clusterType": pl.String})

OF_TASK = (
    "job_cluster_key",
    "new_cluster",
    "libraries",
    "max_retries",
    "min_retry_interval_millis",
    "retry_on_timeout",
)
DETAILS = pl.Schema(
    {
        "taskDependencies": pl.List(pl.String),
        "run_name": pl.String,
        "workflow_context": pl.String,
        "existing_cluster_id": pl.String,
        "jobName": pl.String,
        "run_as_user_name": pl.String,
        "created_by": pl.String,
        "last_edited_by": pl.String,
        "tags": TEXTS,
        "schedule": SCHEDULE,
        "max_concurrent_runs": pl.Int64,
        "timeout_seconds": pl.Int64,
        "job_cluster_key": pl.String,
        "job_cluster": NEW_CLUSTER,
        "new_cluster": NEW_CLUSTER,
        "libraries": LIBRARIES,
        "max_retries": pl.Int64,
        "min_retry_interval_millis": pl.Int64,
        "retry_on_timeout": pl.Boolean,
        "task_detail": TASK_DETAIL,
        "task_detail_legacy": TASK_DETAIL_LEGACY,
        "submitRun_details": SUBMIT_RUN_DETAILS,
        "manual_override_params": MANUAL_OVERRIDE_PARAMS,
        "repair_details": REPAIR_DETAILS,
        "requestDetails": REQUEST_DETAILS,
    }
)
"""Columns that are read from the texts; `requestDetails` without answers to what came later."""

_encode = msgspec.json.Encoder(order="sorted").encode


def version_text() -> pl.Expr:
    """A job's version as text."""
    return pl.struct(VERSION).struct.json_encode()


def known_definition(known: pl.Expr, found: pl.Expr) -> pl.Expr:
    """The definition known of a run, with what it lacks taken from one found later."""
    return pl.struct(known.alias("known"), found.alias("found")).map_batches(
        lambda both: pl.Series(
            [_definition(each["known"], each["found"]) for each in both.to_list()], dtype=pl.String
        ),
        return_dtype=pl.String,
    )


def is_incomplete(definition: pl.Expr) -> pl.Expr:
    """Whether a definition is unknown, or not known as a whole."""
    return definition.str.json_path_match("$.is_complete").ne_missing("true")


def placed(runs: pl.DataFrame) -> pl.DataFrame:
    """Runs with the task they are of and where they ran, as far as it can be told.

    Args:
        runs: `taskKey`, `clusterId`, `clusterType` as events tell them, `has_started`,
            `definition` and `submission`.
    """
    places = [_place(row) for row in runs.iter_rows(named=True)]
    return runs.with_columns(shaped(places, PLACE))


def detailed(runs: pl.DataFrame) -> pl.DataFrame:
    """Runs with the columns of `DETAILS`.

    Args:
        runs: Placed ones, with `definition`, `submission`, `repairs`, `repairId`,
            `taskDependencies`, `_dependencies`, `startRequestId`, and of what ended it
            `cancellation`, `completionRequestId` and `completionResponse`.
    """
    details = [_details(row) for row in runs.iter_rows(named=True)]
    return runs.with_columns(shaped(details, DETAILS))


def _definition(known: str | None, found: str | None) -> str | None:
    if known is None or found is None:
        return found if known is None else known
    before, after = object_in(known), object_in(found)
    if before["is_complete"]:
        return known
    settings = {**_settings_of(after), **_settings_of(before)}
    told = {name: before[name] if before[name] is not None else after[name] for name in VERSION}
    told |= {
        "effective_settings": _encode(settings).decode(),
        "is_complete": after["is_complete"],
    }
    return _encode(told).decode()


def _settings_of(definition: Json) -> Json:
    return object_in(cast("str | None", definition.get("effective_settings")))


def _texts(row: Row) -> tuple[Json, Json, Json, Json]:
    """The job's version, the definition of the run, the request, and what of it that brings.

    A submitted run is defined by its request: the job that it is of is nobody's.
    """
    version = object_in(cast("str | None", row["definition"]))
    request = object_in(cast("str | None", row["submission"]))
    submitted = cast("Json", request.get("settings", {}))
    is_submitted = "settings" in request
    return version, submitted if is_submitted else _settings_of(version), request, submitted


def _objects(found: object) -> Sequence[Json]:
    if not isinstance(found, list):
        return ()
    return [cast("Json", each) for each in cast("list[object]", found) if isinstance(each, dict)]


def _task(settings: Json, key: object) -> Json:
    """The definition of a task; without a key, of the only one."""
    tasks = _objects(settings.get("tasks"))
    if key is None and len(tasks) == 1:
        return tasks[0]
    return _named(tasks, "task_key", key)


def _warehouse(task: Json) -> object:
    sql_task = task.get("sql_task")
    return cast("Json", sql_task).get("warehouse_id") if isinstance(sql_task, dict) else None


def _place(row: Row) -> Json:
    """Where a run was; one that never started was nowhere."""
    _, settings, _, submitted = _texts(row)
    task = _task(settings, row["taskKey"])
    kind = row["clusterType"]
    if kind is None and ("new_cluster" in submitted or "job_clusters" in submitted):
        kind = "new"
    cluster_id = (
        row["clusterId"] or submitted.get("existing_cluster_id") or task.get("existing_cluster_id")
    )
    if (warehouse := _warehouse(task)) is not None:
        kind, cluster_id = SQL_WAREHOUSE, warehouse
    return {
        "taskKey": row["taskKey"] if row["taskKey"] is not None else task.get("task_key"),
        "clusterId": cluster_id if row["has_started"] else row["clusterId"],
        "clusterType": kind,
    }


def _details(row: Row) -> Json:
    version, settings, request, submitted = _texts(row)
    task = _task(settings, row["taskKey"])
    dependencies = row["taskDependencies"]
    if dependencies is None:
        dependencies = listed(cast("str | None", row["_dependencies"])) or (
            None if row["_dependencies"] is None else []
        )
    return {
        **{name: version.get(name) for name in ("run_as_user_name", "created_by")},
        "last_edited_by": version.get("last_edited_by"),
        **{name: task.get(name) for name in OF_TASK},
        **{name: settings.get(name) for name in ("tags", "schedule", "max_concurrent_runs")},
        "timeout_seconds": settings.get("timeout_seconds"),
        "jobName": settings.get("name", request.get("run_name")),
        "taskDependencies": dependencies,
        "run_name": request.get("run_name", row["taskKey"]),
        "workflow_context": request.get("workflow_context"),
        "existing_cluster_id": submitted.get("existing_cluster_id"),
        "job_cluster": _job_cluster(settings, task.get("job_cluster_key")),
        "task_detail": _fields(TASK_DETAIL, task),
        "task_detail_legacy": {
            name: found for name in LEGACY_WORK if (found := settings.get(name)) is not None
        }
        or None,
        "submitRun_details": _fields(SUBMIT_RUN_DETAILS, submitted),
        "manual_override_params": request.get("overrides"),
        "repair_details": [
            each
            for each in list_in(cast("str | None", row["repairs"]))
            if each["repairId"] == row["repairId"]
        ]
        or None,
        "requestDetails": _requests(row, request),
    }


def _job_cluster(settings: Json, key: object) -> object:
    clusters = _objects(settings.get("job_clusters"))
    return _named(clusters, "job_cluster_key", key).get("new_cluster")


def _named(elements: Sequence[Json], name: str, key: object) -> Json:
    """The element of that key; an empty one: there is none."""
    if key is None:
        return {}
    nothing: Json = {}
    return next((each for each in elements if each.get(name) == key), nothing)


def _fields(struct: pl.Struct, told: Json) -> Json | None:
    """The fields of a struct that are told; None: none is."""
    names = [field.name for field in struct.fields]
    return {name: told[name] for name in names if told.get(name) is not None} or None


def _requests(row: Row, request: Json) -> Json:
    completion = {
        "completionRequestId": row["completionRequestId"],
        "completionResponse": row["completionResponse"],
    }
    started = {"startRequestId": row["startRequestId"]}
    parts: Json = {
        "submissionRequest": request.get("request"),
        "cancellationRequest": object_in(cast("str | None", row["cancellation"])) or None,
        "completionRequest": completion,
        "startRequest": started,
    }
    return {
        name: part
        for name, part in parts.items()
        if part is not None and any(each is not None for each in cast("Json", part).values())
    }
