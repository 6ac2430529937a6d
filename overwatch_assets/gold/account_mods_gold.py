"""Changes of accounts: one row per user, group or membership, under business names.

A row lies on the day of its event (`account_mods_silver`); `response` tells whether it was carried
out.
"""

import polars as pl

from overwatch_assets.expressions.audit import RESPONSE
from overwatch_assets.expressions.renaming import renamed
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.module import PARTITION_DATE, Column, Day, Grain, Scope, Window, module

COLUMNS = (
    Column("mod_unixTimeMS", pl.Int64, "Epoch ms of the event."),
    Column("mod_date", pl.Date, "Its day, UTC."),
    Column(
        "action",
        pl.String,
        "add, addPrincipalToGroup, removePrincipalFromGroup, setAdmin, updateUser or delete.",
    ),
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
    Column("from_ip_address", pl.String, "Address of the request; null: not told."),
    Column("user_agent", pl.String, "Client of the request; null: not told."),
    Column("request_id", pl.String, "Request, which may change several; null: not told."),
    Column("response", RESPONSE, "Answer; statusCode 200: carried out. Null: none told."),
    Column("hashKey", pl.Int64, "Tells events of one millisecond apart, as in the audit log."),
)
RENAMED = {
    "mod_unixTimeMS": "timestamp",
    "mod_date": "date",
    "action": "actionName",
    "from_ip_address": "sourceIPAddress",
    "user_agent": "userAgent",
    "request_id": "requestId",
}
"""Columns by the name they have in silver; the others keep theirs."""


@module(
    module_id=3007,
    name="Gold_AccountMod",
    scope=Scope.ACCOUNTS,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=("mod_unixTimeMS", "action", "request_id", "hashKey"),
    reads={"account_mods_silver": Day()},
    decided_by="mod_unixTimeMS",
    rules=(keeps_rows("account_mods_silver", by={"user_name": pl.col("user_name")}),),
)
def account_mods_gold(
    account_mods_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Name the columns.

    Args:
        account_mods_silver: Changes of one or several days.
        window: From the first of the days to the end of the last.
    """
    return account_mods_silver.select(
        PARTITION_DATE.name,
        *renamed(COLUMNS, RENAMED),
    )
