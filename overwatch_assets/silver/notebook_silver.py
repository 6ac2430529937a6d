"""Notebooks: one row per thing that was done to a notebook and carried out, whatever it was.

A row belongs to the day of its event. With verbose audit logs each command that was run is a row,
too. `effective_name` and `effective_path` are the notebook's when the event had happened: as the
event tells them, else as an earlier one did. What a notebook was called at an instant is its last
row before it; who was silent for 180 days is not looked up any more. Some events name no notebook.
"""

import polars as pl

from overwatch_assets.expressions import audit
from overwatch_assets.expressions.durations import DAY_MS, date_of
from overwatch_assets.module import Carried, Column, Day, Grain, Scope, Timeline, Window, module

NOTEBOOK = "notebookId"
REMEMBERED_MS = 180 * DAY_MS
"""How long a notebook is looked up after its last event."""

FIRST_OF_ALL, LAST_OF_ALL = ("createNotebook", "importNotebook"), ("deleteNotebook",)
"""Actions that come before, and after, others of the same millisecond."""

TOLD = (NOTEBOOK, "path", "oldName", "oldPath", "newName", "newPath", "parentPath", "clusterId")
"""Parameters that are columns."""

EFFECTIVE = ("effective_name", "effective_path")

COLUMNS = (
    Column("serviceName", pl.String, "notebook."),
    Column("actionName", pl.String, "createNotebook, renameNotebook, attachNotebook and others."),
    Column("timestamp", pl.Int64, "Epoch ms of the event; decides the day."),
    Column("date", pl.Date, "Day of the event, UTC."),
    Column("requestId", pl.String, "Request; null: not told."),
    Column("hashKey", pl.Int64, "Tells events of one millisecond apart, as in the audit log."),
    Column("userEmail", pl.String, "Who did it; null: nobody is named."),
    Column("notebookId", pl.String, "Notebook; null: the event names none."),
    Column("notebookName", pl.String, "Name as told, else the last part of path; null: neither."),
    Column("path", pl.String, "Path as told; null: not told."),
    Column("oldName", pl.String, "Name before a renaming; null elsewhere."),
    Column("oldPath", pl.String, "Path before a move; null elsewhere."),
    Column("newName", pl.String, "Name after a renaming; null elsewhere."),
    Column("newPath", pl.String, "Path after a move; null elsewhere."),
    Column("parentPath", pl.String, "Folder after a renaming or a move; null elsewhere."),
    Column("clusterId", pl.String, "Cluster attached to, detached from or run on; null: none."),
    Column("response", audit.RESPONSE, "Answer to the request."),
    Column("effective_name", pl.String, "Name after the event; null: never told."),
    Column("effective_path", pl.String, "Path after the event; null: never told."),
    Column("seq", pl.Int64, "Position among the notebook's rows of the same millisecond."),
)


def _forgotten(until_ms: int) -> pl.Expr:
    return pl.col(NOTEBOOK).is_null() | (pl.col("timestamp") < until_ms - REMEMBERED_MS)


@module(
    module_id=2018,
    name="Silver_Notebooks",
    scope=Scope.NOTEBOOKS,
    grain=Grain.VERSION,
    columns=COLUMNS,
    keys=(NOTEBOOK, "timestamp", "actionName", "requestId", "hashKey"),
    reads={"audit_log_bronze": Day(), "carried": Carried()},
    decided_by="timestamp",
    timeline=Timeline(entity=(NOTEBOOK,), order=("timestamp", "seq"), forgotten=_forgotten),
)
def notebook_silver(
    audit_log_bronze: pl.LazyFrame,
    carried: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its day
) -> pl.LazyFrame:
    """Follow what notebooks are called through the day.

    Args:
        audit_log_bronze: The day's events; those of notebooks that were carried out count.
        carried: Each notebook's last row before the day.
        window: The day.
    """
    told = _told(audit_log_bronze)
    known = carried.join(told.select(NOTEBOOK).unique(), on=NOTEBOOK, how="semi").select(
        NOTEBOOK, *EFFECTIVE, "timestamp", _is_told=pl.lit(value=False)
    )
    is_named = pl.col(NOTEBOOK).is_not_null()
    return (
        pl.concat([known, told], how="diagonal")
        .sort(NOTEBOOK, "timestamp", "_rank", "requestId", "hashKey", nulls_last=False)
        .with_columns(
            *(
                pl.when(is_named).then(pl.col(name).forward_fill().over(NOTEBOOK)).otherwise(name)
                for name in EFFECTIVE
            ),
            seq=pl.int_range(pl.len(), dtype=pl.Int64).over(NOTEBOOK, "timestamp"),
        )
        .filter("_is_told")
        .select(column.name for column in COLUMNS)
    )


def _told(audit_log_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """What was carried out, with the names that it tells itself."""
    said = pl.col("_said").struct
    action = pl.col("actionName")
    rank = pl.when(action.is_in(FIRST_OF_ALL)).then(0).when(action.is_in(LAST_OF_ALL)).then(2)
    renamed_to = pl.concat_str(
        pl.col("parentPath").str.strip_chars_end("/"), pl.lit("/"), pl.col("newName")
    )
    return (
        audit_log_bronze.filter(pl.col("serviceName") == "notebook", audit.is_successful())
        .with_columns(audit.parameters(*TOLD, "notebookName").alias("_said"))
        .select(
            "serviceName",
            "actionName",
            "timestamp",
            "requestId",
            "hashKey",
            audit.response(),
            *(said.field(name) for name in TOLD),
            pl.coalesce(said.field("notebookName"), _last_part(said.field("path"))).alias(
                "notebookName"
            ),
            date=date_of(pl.col("timestamp")),
            userEmail=audit.user_email(),
            _rank=rank.otherwise(1),
            _is_told=pl.lit(value=True),
        )
        .with_columns(
            effective_name=pl.coalesce("newName", "notebookName", _last_part(pl.col("newPath"))),
            effective_path=pl.coalesce("newPath", renamed_to, "path"),
        )
    )


def _last_part(path: pl.Expr) -> pl.Expr:
    """What stands behind a path's last slash; null for the root."""
    return path.str.extract("([^/]+)/*$")
