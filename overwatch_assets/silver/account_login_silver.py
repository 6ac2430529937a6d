"""Logins: one row per attempt to come in, by any way, whether it succeeded or not.

A row belongs to the day of its event. Databricks' own administrator is left out. Shells opened on
a driver (`ssh`) say where; they name no user and no request, so that only their addresses may tell
two of one millisecond apart.
"""

import polars as pl

from overwatch_assets.expressions import audit
from overwatch_assets.expressions.durations import date_of
from overwatch_assets.module import PARTITION_DATE, Column, Day, Grain, Scope, Window, module

SSH = "ssh"
"""A service, and what its logins are called."""

ADMIN_OF_DATABRICKS = "dbadmin"

SHELL = {
    "instance_id": "instanceId",
    "login_port": "port",
    "login_public_key": "publicKey",
    "container_id": "containerId",
    "container_user_name": "userName",
}
"""What is told of a shell, and as which parameter."""

COLUMNS = (
    Column("timestamp", pl.Int64, "Epoch ms of the attempt; decides the day."),
    Column("login_date", pl.Date, "Day of the attempt, UTC."),
    Column("serviceName", pl.String, "accounts or ssh."),
    Column("login_type", pl.String, "login, tokenLogin, samlLogin, aadTokenLogin, ssh and others."),
    Column("login_user", pl.String, "User who wants to come in, as told; null: not told."),
    Column("user_email", pl.String, "Whom the log names; null: nobody, as of shells."),
    Column(
        "ssh_login_details", audit.SSH_LOGIN_DETAILS, "Where a shell was opened; null elsewhere."
    ),
    Column("sourceIPAddress", pl.String, "Address of the attempt; null: not told."),
    Column("userAgent", pl.String, "Client; null: not told."),
    Column("requestId", pl.String, "Request; null: not told, as of shells."),
    Column("response", audit.RESPONSE, "Answer; statusCode 200: came in. Null: none told."),
    Column("hashKey", pl.Int64, "Tells events of one millisecond apart, as in the audit log."),
)


@module(
    module_id=2016,
    name="Silver_AccountLogins",
    scope=Scope.ACCOUNTS,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=("timestamp", "login_type", "requestId", "hashKey"),
    reads={"audit_log_bronze": Day()},
    decided_by="timestamp",
)
def account_login_silver(
    audit_log_bronze: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Choose what is a login, and name its columns.

    Args:
        audit_log_bronze: Events of one or several days.
        window: From the first of the days to the end of the last.
    """
    service, action = pl.col("serviceName"), pl.col("actionName")
    is_ssh = (service == SSH) & (action == "login")
    is_login = action.str.to_lowercase().str.contains("login", literal=True)
    is_of_people = audit.user_email().ne_missing(ADMIN_OF_DATABRICKS)
    said = pl.col("_said").struct
    details = [
        (said.field(SHELL[each.name]) if each.name in SHELL else pl.col("sessionId")).alias(
            each.name
        )
        for each in audit.SSH_LOGIN_DETAILS.fields
    ]
    return (
        audit_log_bronze.filter(is_ssh | ((service == "accounts") & is_login & is_of_people))
        .with_columns(audit.parameters("user", *SHELL.values()).alias("_said"))
        .select(
            PARTITION_DATE.name,
            "timestamp",
            "serviceName",
            "sourceIPAddress",
            "userAgent",
            "requestId",
            "hashKey",
            audit.response(),
            login_date=date_of(pl.col("timestamp")),
            login_type=pl.when(is_ssh).then(pl.lit(SSH)).otherwise(action),
            login_user=said.field("user"),
            user_email=audit.user_email(),
            ssh_login_details=pl.when(is_ssh).then(pl.struct(details)),
        )
    )
