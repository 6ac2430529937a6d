"""Requests for runs of jobs: what the audit log tells of them, kept as JSON text while it lasts.

A run may be asked for by `runNow` or `submitRun`, and be told to be triggered, or any of these. One
text holds all that is known of it, so that a run that starts days later, a repair among them, finds
it as it was told.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import cast

import msgspec
import polars as pl

from overwatch_assets.expressions.job_definitions import (
    LEGACY_WORK,
    Unreadable,
    listed,
    parameters,
    setting,
)

Json = Mapping[str, object]
Row = Mapping[str, object]

RUN_NOW, SUBMIT, TRIGGERED = REQUESTS = ("runNow", "submitRun", "runTriggered")
"""Actions that ask for a run; where several tell something, the first one holds."""

OVERRIDES = ("jar_params", "python_params", "spark_submit_params", "dbt_commands")
"""Parameters given for one run that are lists of texts."""

OVERRIDING = ("notebook_params", "python_named_params", "sql_params", "pipeline_params")
"""Parameters given for one run that are texts by name."""

REPAIRED_WITH = ("jar_params", "python_params", "spark_submit_params", "notebook_params")

SUBMITTED = (
    "existing_cluster_id",
    "new_cluster",
    "job_clusters",
    "tasks",
    "libraries",
    "git_source",
    "sql_task",
    *LEGACY_WORK,
)
"""Settings that a submitted run brings along."""

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder().decode


def requests_of(events: pl.DataFrame) -> pl.DataFrame:
    """Per run of a job the request for it as text.

    Args:
        events: Requests in the order of time: `jobRunId`, `timestamp`, `actionName`, `jobId`,
            `jobTriggerType`, `requestId`, `sessionId`, `sourceIPAddress`, `userAgent`, `email`,
            `response` and `requestParams`.
    """
    of_runs: dict[int, dict[str, Row]] = {}
    for event in events.iter_rows(named=True):
        of_run = of_runs.setdefault(cast("int", event["jobRunId"]), {})
        of_run.setdefault(cast("str", event["actionName"]), event)
    texts = [
        merged_text([_request_text(told[action]) for action in REQUESTS if action in told])
        for told in of_runs.values()
    ]
    schema = {"jobRunId": pl.Int64, "submission": pl.String}
    return pl.DataFrame({"jobRunId": list(of_runs), "submission": texts}, schema=schema)


def repairs_of(events: pl.DataFrame) -> pl.DataFrame:
    """Per run of a job its repairs as the text of a list, in the order of time."""
    of_runs: dict[int, list[Json]] = {}
    for event in events.iter_rows(named=True):
        of_runs.setdefault(cast("int", event["jobRunId"]), []).append(_repair(event))
    texts = [_encode(each).decode() for each in of_runs.values()]
    schema = {"jobRunId": pl.Int64, "repairs": pl.String}
    return pl.DataFrame({"jobRunId": list(of_runs), "repairs": texts}, schema=schema)


def merged_text(texts: Iterable[str | None]) -> str | None:
    """What several texts tell together; of what several tell, the first one holds.

    The time of the request is the earliest.
    """
    known = list(dict.fromkeys(text for text in texts if text is not None))
    if not known:
        return None
    if len(known) == 1:
        return known[0]
    told = [object_in(text) for text in known]
    times = [cast("int", each["submissionTime"]) for each in told]
    merged: dict[str, object] = {}
    for each in reversed(told):
        merged |= each
    return _encode({**merged, "submissionTime": min(times)}).decode()


def merged_requests(texts: pl.Expr) -> pl.Expr:
    """The texts of a list as one."""
    return texts.map_batches(
        lambda lists: pl.Series(lists.name, [merged_text(each or ()) for each in lists.to_list()]),
        return_dtype=pl.String,
    )


def joined_repairs(texts: pl.Expr) -> pl.Expr:
    """The texts of a list, each of which is a list, as one; null: there is none."""

    def joined(lists: Sequence[str | None] | None) -> str | None:
        known = [text for text in lists or () if text is not None]
        repairs = [each for text in known for each in cast("list[Json]", _decode(text))]
        return _encode(repairs).decode() if repairs else None

    return texts.map_batches(
        lambda lists: pl.Series(lists.name, [joined(each) for each in lists.to_list()], pl.String),
        return_dtype=pl.String,
    )


@lru_cache(maxsize=4096)
def object_in(text: str | None) -> Json:
    """The object that one of these texts holds; empty for none."""
    return {} if text is None else cast("Json", _decode(text))


def list_in(text: str | None) -> Sequence[Json]:
    """The list of objects that one of these texts holds; empty for none."""
    return [] if text is None else cast("list[Json]", _decode(text))


def _request_text(event: Row) -> str:
    params = parameters(cast("str | None", event["requestParams"]))
    told: dict[str, object] = {
        "submissionTime": event["timestamp"],
        "jobId": event["jobId"],
        "request": {
            "submitRequestId": event["requestId"],
            "submitResponse": event["response"],
            "submitSessionId": event["sessionId"],
            "submitSourceIP": event["sourceIPAddress"],
            "submitUserAgent": event["userAgent"],
            "submittedBy": event["email"],
        },
    }
    match event["actionName"]:
        case "runNow":
            told["isRunNow"] = True
            told["workflow_context"] = params.get("workflow_context")
            told["overrides"] = _overrides(params) or None
        case "submitRun":
            told |= {
                name: params.get(name)
                for name in ("run_name", "workflow_context", "timeout_seconds")
            }
            told["settings"] = _settings(params)
        case _:
            told["jobTriggerType"] = event["jobTriggerType"]
    return _encode({name: value for name, value in told.items() if value is not None}).decode()


def _overrides(params: Mapping[str, str]) -> Json:
    """Parameters given for this run alone."""
    lists = {name: listed(params.get(name)) for name in OVERRIDES}
    maps = {name: _entries(params.get(name)) for name in OVERRIDING}
    return {name: value for name, value in (lists | maps).items() if value}


def _settings(params: Mapping[str, str]) -> Json:
    """The definition that a submitted run brings along; what was cut short is left out."""
    settings: dict[str, object] = {"access_control_list": listed(params.get("access_control_list"))}
    for name in SUBMITTED:
        if name in params:
            try:
                settings[name] = setting(name, params[name])
            except Unreadable:
                settings[name] = None
    sql_task = _entries(params.get("sql_task"))
    return {
        name: value
        for name, value in {**settings, "sql_task": sql_task}.items()
        if value is not None
    }


def _repair(event: Row) -> Json:
    params = parameters(cast("str | None", event["requestParams"]))
    given = {
        name: _entries(params.get(name)) if name == "notebook_params" else listed(params.get(name))
        for name in REPAIRED_WITH
    }
    with_params = {name: value for name, value in given.items() if value}
    return {
        "repairId": event["repairId"],
        "repair_timestamp": event["timestamp"],
        "rerun_tasks": params.get("rerun_tasks"),
        "latest_repair_id": params.get("latest_repair_id"),
        "repair_params": with_params or None,
        "repair_response": event["response"],
        "repairedBy": event["email"],
        "repairUserAgent": event["userAgent"],
        "repairRequestId": event["requestId"],
    }


def _entries(text: str | None) -> Json | None:
    if text is None:
        return None
    try:
        found = _decode(text)
    except msgspec.DecodeError:
        return None
    return cast("Json", found) if isinstance(found, dict) else None
