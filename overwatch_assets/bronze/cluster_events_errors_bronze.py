"""Clusters whose events could not be fetched: one row per cluster and window asked for.

A row stays when the events are fetched later; whether they are still owed is told in
`cluster_events_fetches`.
"""

import polars as pl

from overwatch_assets.module import TIMESTAMP, Column, Grain, Table

ERRORS = Table(
    name="cluster_events_errors_bronze",
    grain=Grain.RECORD,
    keys=("cluster_id", "from_epoch", "until_epoch", "Overwatch_RunID"),
    doc=__doc__ or "",
    columns=(
        Column("cluster_id", pl.String, "Cluster that was asked about."),
        Column("from_epoch", pl.Int64, "Epoch ms of the begin of the window asked for."),
        Column("until_epoch", pl.Int64, "Epoch ms of its end."),
        Column("from_ts", TIMESTAMP, "Begin of the window asked for."),
        Column("until_ts", TIMESTAMP, "Its end."),
        Column("error", pl.String, "Error code and message of the API, or what else went wrong."),
    ),
)
