"""What the API listed and was no object of its kind: one row per distinct record and reason.

Everything beside it in the list is loaded. A record belongs to the day that was asked for.
"""

import polars as pl

from overwatch_assets.module import Column, Content, Grain, Table

REJECTED = Table(
    name="api_rejected",
    grain=Grain.RECORD,
    keys=("table", "endpoint", "reason", "record_hash"),
    doc=__doc__ or "",
    columns=(
        Column("table", pl.String, "Table that the record was meant for."),
        Column("endpoint", pl.String, "What was asked: method and path."),
        Column("reason", pl.String, "Why it is no object, or why it could not be had whole."),
        Column(
            "record_hash",
            pl.Int64,
            "Signed xxh64 of record; where anything is redacted a keyed hash.",
            Content.FINGERPRINT,
        ),
        Column(
            "record",
            pl.String,
            "First kilobyte of the record, secrets struck out.",
            Content.RAW_RECORD,
        ),
    ),
)
