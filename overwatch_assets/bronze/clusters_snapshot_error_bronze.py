"""Clusters that could not be fetched: one row per cluster and day, of the last try.

A cluster that does not exist any more is not among them. The next capture asks for them again.
"""

import polars as pl

from overwatch_assets.module import Column, Grain, Table

ERRORS = Table(
    name="clusters_snapshot_error_bronze",
    grain=Grain.RECORD,
    keys=("cluster_id",),
    doc=__doc__ or "",
    columns=(
        Column("cluster_id", pl.String, "Cluster that was asked for."),
        Column("error_code", pl.String, "Databricks' code of the error; null: it gave no answer."),
        Column("error", pl.String, "Code and message of the answer, or why there was none."),
        Column("http_status", pl.Int32, "Status of the answer; null: there was none."),
        Column("asked_at_ms", pl.Int64, "Epoch ms of the capture that asked for it."),
    ),
)
