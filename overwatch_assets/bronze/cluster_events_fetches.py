"""Cluster events that were asked for: one row per cluster and day.

Decides which clusters are asked the day after and which days are owed: a fetch that failed is
tried again for 30 days. A row is a record of the run that asked; losing rows costs time, and
the events of clusters that leave no other trace.
"""

import polars as pl

from overwatch_assets.module import Column, Grain, Table

FETCHES = Table(
    name="cluster_events_fetches",
    grain=Grain.RECORD,
    keys=("cluster_id",),
    doc=__doc__ or "",
    columns=(
        Column("cluster_id", pl.String, "Cluster that was asked about."),
        Column(
            "status",
            pl.String,
            "ok; failed; missing: the cluster does not exist (any more), which is final; late: "
            "the day after found events of the day, which have to be asked for.",
        ),
        Column("events", pl.Int64, "Events of the day that were told."),
        Column(
            "last_type",
            pl.String,
            "Type of the last event up to the day's end; null: none is known.",
        ),
        Column("last_event_ms", pl.Int64, "Epoch ms of that event; null: none is known."),
        Column(
            "sign_day",
            pl.Date,
            "Newest day that told of the cluster, by an event, an audit event or a capture.",
        ),
        Column("attempts", pl.Int64, "How often the day was asked for."),
        Column("first_failed_ms", pl.Int64, "Epoch ms of the first failure; null: it is over."),
        Column(
            "due_ms",
            pl.Int64,
            "Epoch ms from which on it is to be asked again; null: it is not.",
        ),
        Column("fetched_ms", pl.Int64, "Epoch ms as of which it was asked."),
        Column("error", pl.String, "What the API said; null: nothing went wrong."),
        Column("delta_version", pl.Int64, "Version of cluster_events_bronze with the events."),
    ),
)
