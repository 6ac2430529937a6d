"""Columns that the tables of states of clusters and SQL warehouses have in common."""

import polars as pl

from overwatch_assets.module import TIMESTAMP, Column

PROVISIONAL = (
    "unixTimeMS_state_end",
    "timestamp_state_end",
    "uptime_in_state_S",
    "uptime_in_state_H",
    "uptime_since_restart_S",
    "state_dates",
    "days_in_state",
    "last_sign_of_life",
    "end_imputed",
)
"""What grows while a state is open."""

OPENED_BY = Column(
    "state",
    pl.String,
    "Type of the event that opened it, or TERMINATING_IMPUTED, PERMENANT_DELETE.",
)
START = Column("unixTimeMS_state_start", pl.Int64, "Start, epoch ms.")
END = Column(
    "unixTimeMS_state_end",
    pl.Int64,
    "Last ms, epoch: one before the next state; the end of what is known while open.",
)
INSTANTS = (
    Column("timestamp_state_start", TIMESTAMP, "Start in UTC."),
    Column("timestamp_state_end", TIMESTAMP, "unixTimeMS_state_end in UTC."),
)
START_DATE = Column("state_start_date", pl.Date, "Day of the start in UTC; not the partition.")
UPTIME = (
    Column("uptime_in_state_S", pl.Float64, "From start to end in s."),
    Column("uptime_in_state_H", pl.Float64, "From start to end in h."),
)
BILLED = (
    Column("cloud_billable", pl.Boolean, "The cloud bills machines: isRunning."),
    Column(
        "databricks_billable",
        pl.Boolean,
        "Databricks bills DBUs: isRunning, and the state is billed when it begins.",
    ),
)
DATES = (
    Column("state_dates", pl.List(pl.Date), "Days in UTC from start to end, both included."),
    Column("days_in_state", pl.Int32, "Number of state_dates."),
)
LIFE_SIGN = Column(
    "last_sign_of_life",
    pl.Int64,
    "Epoch ms of the newest event, capture, or start or end of a run in the state.",
)
END_IMPUTED = Column("end_imputed", pl.Boolean, "No event told the end. False while open.")
