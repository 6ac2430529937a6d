"""Notebooks: one row per thing that was done to a notebook and carried out, under business names.

A row lies on the day of its event (`notebook_silver`). Names and paths are those that the event
itself tells. With verbose audit logs each command that was run is a row, too; what commands cost
is in `notebookcommands_gold`.
"""

import polars as pl

from overwatch_assets.expressions.audit import RESPONSE
from overwatch_assets.expressions.durations import timestamp_of
from overwatch_assets.expressions.renaming import renamed
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.module import (
    PARTITION_DATE,
    TIMESTAMP,
    Column,
    Day,
    Grain,
    Scope,
    Window,
    module,
)

COLUMNS = (
    Column("notebook_id", pl.String, "Notebook; null: the event names none."),
    Column("notebook_name", pl.String, "Name as told, else the last part of the path."),
    Column("notebook_path", pl.String, "Path as told; null: not told."),
    Column("cluster_id", pl.String, "Cluster attached to, detached from or run on; null: none."),
    Column(
        "action",
        pl.String,
        "createNotebook, deleteNotebook, renameNotebook, moveNotebook, attachNotebook, "
        "detachNotebook, runCommand and others.",
    ),
    Column("unixTimeMS", pl.Int64, "Epoch ms of the event."),
    Column("timestamp", TIMESTAMP, "The same instant, UTC."),
    Column("date", pl.Date, "Its day, UTC."),
    Column("old_name", pl.String, "Name before a renaming; null elsewhere."),
    Column("old_path", pl.String, "Path before a move; null elsewhere."),
    Column("new_name", pl.String, "Name after a renaming; null elsewhere."),
    Column("new_path", pl.String, "Path after a move; null elsewhere."),
    Column("parent_path", pl.String, "Folder after a renaming or a move; null elsewhere."),
    Column("user_email", pl.String, "Who did it; null: nobody is named."),
    Column("request_id", pl.String, "Request; null: not told."),
    Column("response", RESPONSE, "Answer to the request."),
    Column("hashKey", pl.Int64, "Tells events of one millisecond apart, as in the audit log."),
)
RENAMED = {
    "notebook_id": "notebookId",
    "notebook_name": "notebookName",
    "notebook_path": "path",
    "cluster_id": "clusterId",
    "action": "actionName",
    "unixTimeMS": "timestamp",
    "old_name": "oldName",
    "old_path": "oldPath",
    "new_name": "newName",
    "new_path": "newPath",
    "parent_path": "parentPath",
    "user_email": "userEmail",
    "request_id": "requestId",
}
"""Columns by the name they have in silver; the others keep theirs."""


@module(
    module_id=3004,
    name="Gold_Notebook",
    scope=Scope.NOTEBOOKS,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=("notebook_id", "unixTimeMS", "action", "request_id", "hashKey"),
    reads={"notebook_silver": Day()},
    decided_by="unixTimeMS",
    rules=(keeps_rows("notebook_silver", by={"notebook_id": pl.col("notebookId")}),),
)
def notebook_gold(
    notebook_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Name the columns.

    Args:
        notebook_silver: Events of one or several days.
        window: From the first of the days to the end of the last.
    """
    made = {"timestamp": timestamp_of(pl.col("timestamp"))}
    return notebook_silver.select(
        PARTITION_DATE.name,
        *renamed(COLUMNS, RENAMED, made),
    )
