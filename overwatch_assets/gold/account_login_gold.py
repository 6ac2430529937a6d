"""Logins: one row per attempt to come in, whether it succeeded or not, under business names.

A row lies on the day of its event (`account_login_silver`).
"""

import polars as pl

from overwatch_assets.expressions.audit import RESPONSE, SSH_LOGIN_DETAILS
from overwatch_assets.expressions.renaming import renamed
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.module import PARTITION_DATE, Column, Day, Grain, Scope, Window, module

COLUMNS = (
    Column("login_unixTimeMS", pl.Int64, "Epoch ms of the attempt."),
    Column("login_date", pl.Date, "Its day, UTC."),
    Column("login_type", pl.String, "login, tokenLogin, samlLogin, aadTokenLogin, ssh and others."),
    Column("login_user", pl.String, "User who wants to come in, as told; null: not told."),
    Column("user_email", pl.String, "Whom the log names; null: nobody, as of shells."),
    Column("ssh_login_details", SSH_LOGIN_DETAILS, "Where a shell was opened; null elsewhere."),
    Column("from_ip_address", pl.String, "Address of the attempt; null: not told."),
    Column("user_agent", pl.String, "Client; null: not told."),
    Column("request_id", pl.String, "Request; null: not told, as of shells."),
    Column("response", RESPONSE, "Answer; statusCode 200: came in. Null: none told."),
    Column("hashKey", pl.Int64, "Tells events of one millisecond apart, as in the audit log."),
)
RENAMED = {
    "login_unixTimeMS": "timestamp",
    "from_ip_address": "sourceIPAddress",
    "user_agent": "userAgent",
    "request_id": "requestId",
}
"""Columns by the name they have in silver; the others keep theirs."""


@module(
    module_id=3008,
    name="Gold_AccountLogin",
    scope=Scope.ACCOUNTS,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=("login_unixTimeMS", "login_type", "request_id", "hashKey"),
    reads={"account_login_silver": Day()},
    decided_by="login_unixTimeMS",
    rules=(keeps_rows("account_login_silver", by={"login_type": pl.col("login_type")}),),
)
def account_login_gold(
    account_login_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Name the columns.

    Args:
        account_login_silver: Attempts of one or several days.
        window: From the first of the days to the end of the last.
    """
    return account_login_silver.select(
        PARTITION_DATE.name,
        *renamed(COLUMNS, RENAMED),
    )
