"""Changes of accounts: one row per user, group or membership that somebody changed, or tried to.

A row belongs to the day of its event; `response` tells whether it was carried out. Some events
name a user without an id: the id is the one that the name has next on that day, else the one that
it had last, on that day or in the 60 days before.
"""

import polars as pl

from overwatch_assets.expressions import audit
from overwatch_assets.expressions.durations import date_of
from overwatch_assets.module import Column, Day, Grain, History, Scope, Window, module

CHANGES = (
    "add",
    "addPrincipalToGroup",
    "removePrincipalFromGroup",
    "setAdmin",
    "updateUser",
    "delete",
)
"""Actions that change an account."""

TOLD = {
    "endpoint": "endpoint",
    "user_name": "targetUserName",
    "user_id": "targetUserId",
    "group_name": "targetGroupName",
    "group_id": "targetGroupId",
}
"""Columns and the parameters they are told as."""

COLUMNS = (
    Column("date", pl.Date, "Day of the event, UTC."),
    Column("timestamp", pl.Int64, "Epoch ms of the event; decides the day."),
    Column("serviceName", pl.String, "accounts."),
    Column("actionName", pl.String, f"{', '.join(CHANGES)}."),
    Column("endpoint", pl.String, "Way: scim, adminConsole, autoUserCreation, roleAssignment."),
    Column("modified_by", pl.String, "Who did it; null: nobody is named."),
    Column("user_name", pl.String, "User who was changed; null: a group, or not told."),
    Column(
        "user_id",
        pl.String,
        "Id of that user, as told, else as other events of the name tell it; null: none does.",
    ),
    Column("group_name", pl.String, "Group; null: none is concerned."),
    Column("group_id", pl.String, "Id of the group; null: not told."),
    Column("sourceIPAddress", pl.String, "Address of the request; null: not told."),
    Column("userAgent", pl.String, "Client of the request; null: not told."),
    Column("requestId", pl.String, "Request, which may change several; null: not told."),
    Column("response", audit.RESPONSE, "Answer; statusCode 200: carried out. Null: none told."),
    Column("hashKey", pl.Int64, "Tells events of one millisecond apart, as in the audit log."),
)


def _named_without_id(audit_log_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Users whose id the day may not tell."""
    lacking = _told(audit_log_bronze).filter(pl.col("user_id").is_null())
    return lacking.select("user_name").drop_nulls().unique()


@module(
    module_id=2017,
    name="Silver_ModifiedAccounts",
    scope=Scope.ACCOUNTS,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=("timestamp", "actionName", "requestId", "hashKey"),
    reads={
        "audit_log_bronze": Day(),
        "history": History(
            wanted=_named_without_id, columns=("user_name", "user_id", "timestamp", "hashKey")
        ),
    },
    decided_by="timestamp",
)
def account_mods_silver(
    audit_log_bronze: pl.LazyFrame,
    history: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its day
) -> pl.LazyFrame:
    """Choose what changes accounts, and find out whom it concerns.

    Args:
        audit_log_bronze: The day's events.
        history: Own rows of the days before, of users that the day names without an id.
        window: The day.
    """
    told = _told(audit_log_bronze).with_columns(_is_told=pl.lit(value=True))
    known = history.with_columns(_is_told=pl.lit(value=False))
    has_name = pl.col("user_name").is_not_null()
    user_id = pl.col("user_id")
    found = pl.coalesce(
        user_id,
        user_id.drop_nulls().first().over("user_name", "timestamp"),
        user_id.backward_fill().over("user_name"),
        user_id.forward_fill().over("user_name"),
    )
    return (
        pl.concat([known, told], how="diagonal")
        .sort("timestamp", "hashKey", "requestId")
        .with_columns(user_id=pl.when(has_name).then(found).otherwise(user_id))
        .filter("_is_told")
        .select(column.name for column in COLUMNS)
    )


def _told(audit_log_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Changes, as each event tells them."""
    said = pl.col("_said").struct
    return (
        audit_log_bronze.filter(
            pl.col("serviceName") == "accounts", pl.col("actionName").is_in(CHANGES)
        )
        .with_columns(audit.parameters(*TOLD.values()).alias("_said"))
        .select(
            "timestamp",
            "serviceName",
            "actionName",
            "sourceIPAddress",
            "userAgent",
            "requestId",
            "hashKey",
            audit.response(),
            *(said.field(parameter).alias(name) for name, parameter in TOLD.items()),
            date=date_of(pl.col("timestamp")),
            modified_by=audit.user_email(),
        )
    )
