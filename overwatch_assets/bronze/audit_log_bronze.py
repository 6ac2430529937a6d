"""Audit events: one row per thing that a user or Databricks did in the workspace.

A row belongs to the day of its `timestamp`, whichever folder or route it was delivered by.
Delivery is at least once; the same event delivered twice is one row. A request and its
response may be two events with the same `requestId`, and events without any id happen in one
millisecond: `hashKey` tells them apart.
"""

import polars as pl

from overwatch_assets.bronze.audit_log_processedfiles import PROCESSED_FILES
from overwatch_assets.bronze.audit_log_rejected import REJECTED
from overwatch_assets.bronze.union import union_by_key
from overwatch_assets.module import (
    Column,
    Content,
    FromSource,
    Grain,
    Scope,
    Stored,
    Window,
    module,
)

USER_IDENTITY = pl.Struct({"email": pl.String, "subjectName": pl.String})
RESPONSE = pl.Struct({"statusCode": pl.Int64, "errorMessage": pl.String, "result": pl.String})

KEYS = ("timestamp", "serviceName", "actionName", "requestId", "hashKey")

COLUMNS = (
    Column("organization_id", pl.String, "Workspace whose audit logs were configured."),
    Column("serviceName", pl.String, "Service that logged the event, such as clusters or jobs."),
    Column("actionName", pl.String, "What was done, such as create or runStart."),
    Column("timestamp", pl.Int64, "Epoch ms of the event; decides the day."),
    Column("date", pl.Date, "Day of the event; equal to partition_date."),
    Column("sourceIPAddress", pl.String, "Address the request came from; null: none."),
    Column(
        "userAgent",
        pl.String,
        "Client the request came from; null: none.",
        Content.USER_AGENT,
    ),
    Column("requestId", pl.String, "Request that a response repeats; null on some events."),
    Column("sessionId", pl.String, "Session of the user; null: none."),
    Column("version", pl.String, "Version of the audit log's schema."),
    Column(
        "hashKey",
        pl.Int64,
        "Signed xxh64 of time, service, action, request, session, address, user, status and "
        "parameters: tells events of one millisecond apart. Of redacted events a keyed hash.",
        Content.FINGERPRINT,
    ),
    Column("userIdentity", USER_IDENTITY, "Who acted; null: nobody is named."),
    Column("response", RESPONSE, "Answer; `result` is JSON text as delivered. Null: none."),
    Column(
        "requestParams",
        pl.String,
        "Parameters as canonical JSON text: an object of text values with sorted keys; objects "
        "and arrays are compact JSON text, secrets are struck out. Null: none.",
    ),
    Column("auditLevel", pl.String, "WORKSPACE_LEVEL or ACCOUNT_LEVEL; null: not delivered."),
    Column("accountId", pl.String, "Databricks account; null: not delivered."),
    Column("category", pl.String, "Azure's log category; null elsewhere."),
    Column("filename", pl.String, "File the row was read from; one of them where several hold it."),
)


@module(
    module_id=1004,
    name="Bronze_AuditLogs",
    scope=Scope.AUDIT,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=KEYS,
    reads={"records": FromSource("audit_logs"), "stored": Stored()},
    decided_by="timestamp",
    tracker=PROCESSED_FILES,
    rejected=REJECTED,
)
def audit_log_bronze(
    records: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Unite the day's records with those stored, one per key.

    Of several records of one key the one with the greatest content stays, so that neither
    the order of files nor reading them again changes the table.

    Args:
        records: Audit events of the day, as delivered: repeated, in any order.
        stored: Rows that the day holds already; sources expire, so none is dropped.
        window: The day; records outside of it are not its own.
    """
    names = [column.name for column in COLUMNS if column.name != "organization_id"]
    of_day = records.filter(window.contains_ms(pl.col("timestamp")))
    return union_by_key(
        of_day.select(names),
        stored.select(names),
        keys=[pl.col(key) for key in KEYS],
        content=[name for name in names if name != "filename"],
        origin=pl.col("filename"),
    )
