"""Jobs: one row per change of a job's definition or permissions, with the whole definition then.

A definition is replayed from the events: `create` and `reset` say all of it, `update` changes some
of it, other actions nothing. A job that the audit log does not tell from its beginning begins with
a `snapImpute` row, made of a capture: at the capture, or for jobs older than the workspace's first
day at that day's start. Such a row stands, too, where a capture tells what was not known before.

`effective_settings` is the definition as text; the columns of settings are read from it. With
`is_complete` false a null setting may be unknown rather than not set.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import cast

import polars as pl

from overwatch_assets.expressions import audit
from overwatch_assets.expressions.databricks_structs import (
    EMAIL_NOTIFICATIONS,
    GIT_SOURCE,
    JOB_CLUSTERS,
    LIBRARIES,
    NEW_CLUSTER,
    SCHEDULE,
    TEXTS,
)
from overwatch_assets.expressions.durations import DAY_MS
from overwatch_assets.expressions.job_definitions import (
    IMPUTED,
    RANKS,
    Capture,
    Change,
    Definition,
    Version,
    captured_settings,
    listed,
    parameters,
    replayed,
    settings_in_text,
)
from overwatch_assets.expressions.job_structs import (
    ACCESS_CONTROL_LIST,
    GRANTS,
    LEGACY_WORK,
    TASK_DETAIL_LEGACY,
    TASKS,
)
from overwatch_assets.expressions.json_objects import shaped
from overwatch_assets.module import (
    LEFT_OUT,
    Captures,
    Carried,
    Column,
    Day,
    Grain,
    Scope,
    Timeline,
    Window,
    module,
)

FORGOTTEN_MS = 60 * DAY_MS
"""How long after its deletion a job is carried on."""

COLUMNS = (
    Column("jobId", pl.Int64, "Job."),
    Column("timestamp", pl.Int64, "Epoch ms of the change or the capture; decides the day."),
    Column("seq", pl.Int64, "Position among the job's rows of one millisecond, from 0."),
    Column("serviceName", pl.String, "Always jobs."),
    Column(
        "actionName",
        pl.String,
        "create, update, reset, delete, changeJobAcl or resetJobAcl; snapImpute for what only a "
        "capture tells.",
    ),
    Column("jobName", pl.String, "Name of the job; null: not known."),
    Column("tags", TEXTS, "Tags of the job; null: none."),
    Column("job_type", pl.String, "Type, such as NORMAL; null: not told."),
    Column("format", pl.String, "SINGLE_TASK or MULTI_TASK; null: not told."),
    Column("schedule", SCHEDULE, "When it runs by itself; null: it does not."),
    Column("email_notifications", EMAIL_NOTIFICATIONS, "Who is told of its runs; null: nobody."),
    Column("run_as_user_name", pl.String, "Who it runs as, where that is told."),
    Column("timeout_seconds", pl.Int64, "When a run is ended, in seconds; 0 or null: never."),
    Column("max_concurrent_runs", pl.Int64, "How many runs may go on at once; null: not said."),
    Column("max_retries", pl.Int64, "How often a failed run is tried again; null: not said."),
    Column("retry_on_timeout", pl.Boolean, "Whether a run that timed out is tried again."),
    Column("min_retry_interval_millis", pl.Int64, "Milliseconds before it is; null: not said."),
    Column("existing_cluster_id", pl.String, "Cluster of a job without tasks; null: another."),
    Column("new_cluster", NEW_CLUSTER, "Cluster made for a run of a job without tasks."),
    Column("tasks", TASKS, "Tasks; null for a job without task structure."),
    Column("job_clusters", JOB_CLUSTERS, "Clusters that tasks share; null: none."),
    Column("libraries", LIBRARIES, "Libraries of a job without tasks; null: none."),
    Column("git_source", GIT_SOURCE, "Where the code is from; null: the workspace."),
    Column("task_detail_legacy", TASK_DETAIL_LEGACY, "Work of a job without tasks; null: none."),
    Column("is_from_dlt", pl.Boolean, "Made by Delta Live Tables; null: not told."),
    Column("access_control_list", ACCESS_CONTROL_LIST, "Permissions told last; null: none were."),
    Column("aclPermissionSet", pl.String, "What changeJobAcl gave, as JSON text; null elsewhere."),
    Column("grants", GRANTS, "What resetJobAcl gave; null elsewhere."),
    Column("targetUserId", pl.String, "User whom changeJobAcl gave it to; null elsewhere."),
    Column("sessionId", pl.String, "Session of the user; null: none."),
    Column("requestId", pl.String, "Request; -1 for snapImpute; null: none."),
    Column("userAgent", pl.String, "Client of the request; null: none."),
    Column("response", audit.RESPONSE, "Answer to the request; null for snapImpute."),
    Column("sourceIPAddress", pl.String, "Address of the request; null: none."),
    Column("created_by", pl.String, "Who created the job; null: not known."),
    Column("created_ts", pl.Int64, "Epoch ms of its creation; null: not known."),
    Column("deleted_by", pl.String, "Who deleted it, in the row of the deletion only."),
    Column("deleted_ts", pl.Int64, "Epoch ms of the deletion, in its row only."),
    Column("last_edited_by", pl.String, "Who changed it last, else who created it."),
    Column("last_edited_ts", pl.Int64, "Epoch ms of that."),
    Column(
        "effective_settings",
        pl.String,
        "The definition after the change, as JSON text with sorted keys: what the columns of "
        "settings are read from and the next change builds on.",
    ),
    Column(
        "is_complete",
        pl.Boolean,
        "A setting that is null is not set; false: it may be one that nothing has told yet.",
    ),
)
ABOUT = (
    "job_type",
    "format",
    "is_from_dlt",
    "run_as_user_name",
    "access_control_list",
    "created_by",
    "created_ts",
    "last_edited_by",
    "last_edited_ts",
)
"""Columns that the next change takes over, beside the settings."""

KEYS = ("jobId", "timestamp", "actionName", "requestId")

_JOB = "jobId"
_SCHEMA = pl.Schema({**{column.name: column.dtype for column in COLUMNS}, LEFT_OUT: pl.String})

Row = dict[str, object]


def _forgotten(until_ms: int) -> pl.Expr:
    is_old = pl.col("timestamp") + FORGOTTEN_MS < until_ms
    return (pl.col("actionName") == "delete") & is_old


@module(
    module_id=2010,
    name="Silver_JobsStatus",
    scope=Scope.JOBS,
    grain=Grain.VERSION,
    columns=COLUMNS,
    keys=KEYS,
    reads={
        "audit_log_bronze": Day(),
        "jobs_snapshot_bronze": Captures(),
        "carried": Carried(),
    },
    decided_by="timestamp",
    timeline=Timeline(entity=(_JOB,), order=("timestamp", "seq"), forgotten=_forgotten),
)
def job_status_silver(
    audit_log_bronze: pl.LazyFrame,
    jobs_snapshot_bronze: pl.LazyFrame,
    carried: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Replay the day's changes over what each job was.

    Args:
        audit_log_bronze: The day's events, in any order; only granted requests count.
        jobs_snapshot_bronze: Captures of the day and the closing one.
        carried: The latest version of each job when the day began.
        window: The day.
    """
    happenings = pl.concat(
        [_changes(audit_log_bronze), _captures(jobs_snapshot_bronze), _known(carried)],
        how="diagonal",
    )
    replay = partial(_replay, since_ms=window.since_ms)
    return happenings.map_batches(replay, schema=_SCHEMA)


def _changes(audit_log_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Granted changes with the job they concern."""
    is_change = (pl.col("serviceName") == "jobs") & pl.col("actionName").is_in(list(RANKS))
    named = audit.parameters("job_id", "resourceId").struct
    is_acl = pl.col("actionName").str.ends_with("Acl")
    job_id = (
        pl.when(pl.col("actionName") == "create")
        .then(audit.of_result("job_id"))
        .when(is_acl & named.field("resourceId").is_not_null())
        .then(named.field("resourceId"))
        .otherwise(named.field("job_id"))
    )
    return audit_log_bronze.filter(is_change & audit.is_successful()).select(
        "timestamp",
        "actionName",
        "requestId",
        "hashKey",
        "sessionId",
        "userAgent",
        "sourceIPAddress",
        "requestParams",
        "response",
        job_id.cast(pl.Int64, strict=False).alias(_JOB),
        audit.user_email().alias("email"),
        _rank=pl.col("actionName").replace_strict(RANKS, return_dtype=pl.Int64),
    )


def _captures(jobs_snapshot_bronze: pl.LazyFrame) -> pl.LazyFrame:
    settings = pl.col("settings").struct
    return jobs_snapshot_bronze.select(
        pl.col("job_id").alias(_JOB),
        pl.col("captured_at_ms").alias("timestamp"),
        "job_type",
        "run_as_user_name",
        "is_closing",
        "is_first_day",
        format=settings.field("format"),
        created_by="creator_user_name",
        created_ts="created_time",
        _captured=settings.json_encode(),
    )


def _known(carried: pl.LazyFrame) -> pl.LazyFrame:
    return carried.select(
        _JOB,
        *ABOUT,
        "effective_settings",
        "is_complete",
        _is_deleted=pl.col("actionName") == "delete",
    )


def _replay(happenings: pl.DataFrame, *, since_ms: int) -> pl.DataFrame:
    """The day's versions of every job, from what happened to it and what it was."""
    once = happenings.sort("timestamp", "_rank", "requestId", "hashKey", nulls_last=False)
    rows: list[Row] = []
    of_jobs = once.sort(_JOB, maintain_order=True).iter_rows(named=True)
    for job_id, of_job in groupby(of_jobs, key=lambda row: cast("int | None", row[_JOB])):
        if job_id is None:
            rows.extend({LEFT_OUT: "no_job_id"} for _ in of_job)
        else:
            rows += _rows_of_job(list(of_job), since_ms)
    return shaped(rows, _SCHEMA)


def _rows_of_job(happenings: Sequence[Row], since_ms: int) -> Iterator[Row]:
    job_id = cast("int", happenings[0][_JOB])
    before: Definition | None = None
    captures: list[Capture] = []
    changes: dict[tuple[object, ...], Change] = {}
    first_day_ms: int | None = None
    for row in happenings:
        if row["actionName"] is not None:
            key = tuple(row[name] for name in KEYS)
            if key in changes:
                yield {LEFT_OUT: "repeated_request"}
            else:
                changes[key] = _change(row)
        elif row["_captured"] is not None:
            captures.append(_capture(row))
            if row["is_closing"] and row["is_first_day"] and _is_older(row, since_ms):
                first_day_ms = since_ms
        else:
            before = _definition(row)
    seqs: dict[int, int] = {}
    for version in replayed(before, list(changes.values()), captures, first_day_ms):
        seq = seqs[version.at_ms] = seqs.get(version.at_ms, -1) + 1
        yield _row(job_id, seq, version)
        if version.is_unreadable:
            yield {LEFT_OUT: "unreadable_settings"}


def _is_older(row: Row, instant_ms: int) -> bool:
    """Whether a captured job was there before an instant, as far as one can tell."""
    created_ms = cast("int | None", row["created_ts"])
    return created_ms is None or created_ms < instant_ms


def _change(row: Row) -> Change:
    return Change(
        action=cast("str", row["actionName"]),
        at_ms=cast("int", row["timestamp"]),
        row=row,
        params=parameters(cast("str | None", row["requestParams"])),
    )


def _capture(row: Row) -> Capture:
    return Capture(
        at_ms=cast("int", row["timestamp"]),
        settings=captured_settings(cast("str", row["_captured"])),
        about=_about(row),
        is_closing=cast("bool", row["is_closing"]),
    )


def _definition(row: Row) -> Definition:
    return Definition(
        settings=settings_in_text(cast("str | None", row["effective_settings"])),
        is_complete=cast("bool", row["is_complete"]),
        about=_about(row),
        is_deleted=cast("bool", row["_is_deleted"]),
    )


def _about(row: Row) -> Mapping[str, object]:
    return {name: row[name] for name in ABOUT if row[name] is not None}


def _row(job_id: int, seq: int, version: Version) -> Row:
    definition, change = version.definition, version.change
    settings = definition.settings
    return {
        **settings,
        **definition.about,
        _JOB: job_id,
        "timestamp": version.at_ms,
        "seq": seq,
        "serviceName": "jobs",
        "jobName": settings.get("name"),
        "task_detail_legacy": {name: settings[name] for name in LEGACY_WORK if name in settings}
        or None,
        "effective_settings": definition.text,
        "is_complete": definition.is_complete,
        **(_imputed() if change is None else _told(change, definition)),
    }


def _imputed() -> Row:
    return {"actionName": IMPUTED, "requestId": "-1"}


def _told(change: Change, definition: Definition) -> Row:
    """What the event itself says, and who did it."""
    named = ("actionName", "sessionId", "requestId", "userAgent", "response", "sourceIPAddress")
    about, params = definition.about, change.params
    edited = "last_edited" if "last_edited_ts" in about else "created"
    deleted = {"deleted_by": change.by, "deleted_ts": change.at_ms}
    return {
        **{name: change.row[name] for name in named},
        "aclPermissionSet": params.get("aclPermissionSet"),
        "targetUserId": params.get("targetUserId"),
        "grants": listed(params.get("grants")),
        "last_edited_by": about.get(f"{edited}_by"),
        "last_edited_ts": about.get(f"{edited}_ts"),
        **(deleted if definition.is_deleted else {}),
    }
