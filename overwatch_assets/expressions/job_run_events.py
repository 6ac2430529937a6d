"""Events of runs of jobs in the audit log: what they are of, in their order, each once."""

import polars as pl

from overwatch_assets.expressions import audit
from overwatch_assets.expressions.job_requests import REQUESTS, RUN_NOW, SUBMIT

FAMILY, AT = "jobRunId", "timestamp"

START, SUCCEEDED, FAILED, CANCEL, REPAIR = (
    "runStart",
    "runSucceeded",
    "runFailed",
    "cancel",
    "repairRun",
)
ENDS = (SUCCEEDED, FAILED)

NUMBERS = (
    "runId",
    "run_id",
    "jobId",
    "job_id",
    "multitaskParentRunId",
    "parentRunId",
    "repairId",
    "idInJob",
)
TEXT_PARAMS = (
    "taskKey",
    "taskDependencies",
    "jobClusterType",
    "jobTaskType",
    "jobTriggerType",
    "clusterId",
    "jobTerminalState",
)
REQUEST_COLUMNS = (
    FAMILY,
    AT,
    "actionName",
    "jobId",
    "jobTriggerType",
    "requestId",
    "sessionId",
    "sourceIPAddress",
    "userAgent",
    "email",
    "response",
    "requestParams",
)


def run_events(audit_log_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Events of runs in their order, without repeated deliveries, with the job run they are of."""
    actions = (*REQUESTS, START, *ENDS, CANCEL, REPAIR)
    is_run = (pl.col("serviceName") == "jobs") & pl.col("actionName").is_in(actions)
    made = audit.of_result("run_id").cast(pl.Int64, strict=False)
    family = (
        pl.when(pl.col("actionName").is_in([RUN_NOW, SUBMIT]))
        .then("_made")
        .when(pl.col("actionName").is_in([CANCEL, REPAIR]))
        .then("run_id")
        .otherwise(pl.coalesce("multitaskParentRunId", "runId"))
    )
    is_asked = pl.col("actionName").is_in([*REQUESTS, CANCEL, REPAIR])
    once = [AT, "actionName", "requestId", "_status", "runId", "run_id", "_made"]
    return (
        audit_log_bronze.filter(is_run)
        .select(
            AT,
            "actionName",
            "requestId",
            "hashKey",
            "sessionId",
            "sourceIPAddress",
            "userAgent",
            "response",
            "requestParams",
            audit.user_email().alias("email"),
            audit.is_successful().alias("_is_granted"),
            audit.parameters(*NUMBERS, *TEXT_PARAMS).alias("_told"),
            _made=made,
            _repair_made=audit.of_result("repair_id").cast(pl.Int64, strict=False),
            _status=pl.col("response").struct.field("statusCode"),
        )
        .unnest("_told")
        .with_columns(pl.col(NUMBERS).cast(pl.Int64, strict=False))
        .with_columns(
            jobId=pl.coalesce("jobId", "job_id"),
            jobClusterType=pl.col("jobClusterType").replace({"jobCluster": "job_cluster"}),
        )
        .with_columns(family.alias(FAMILY))
        .filter(pl.col(FAMILY).is_not_null() & (is_asked | pl.col("runId").is_not_null()))
        .sort(AT, "requestId", "hashKey", nulls_last=False)
        .unique(once, keep="first", maintain_order=True)
    )


def starts_in(events: pl.LazyFrame) -> pl.LazyFrame:
    """The first start of each run."""
    started = events.filter(pl.col("actionName") == START)
    return started.unique("runId", keep="first", maintain_order=True)


def ends_in(events: pl.LazyFrame) -> pl.LazyFrame:
    """Ends of runs, of job runs among them."""
    return events.filter(pl.col("actionName").is_in(ENDS))


def requests_in(events: pl.LazyFrame) -> pl.LazyFrame:
    """Requests for runs."""
    return events.filter(pl.col("actionName").is_in(REQUESTS))


def repairs_in(events: pl.LazyFrame) -> pl.LazyFrame:
    """Granted requests for repairs."""
    return events.filter((pl.col("actionName") == REPAIR) & pl.col("_is_granted"))
