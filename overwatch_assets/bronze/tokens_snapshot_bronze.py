"""Personal access tokens: one row per token and day, as the workspace showed it last that day.

Only those of the identity that asks, and never the token itself. A token belongs to the day of
the capture; no past day is captured later.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.captures import CAPTURE_COLUMNS, last_seen
from overwatch_assets.module import Column, FromSource, Grain, Scope, Stored, Window, module

COLUMNS = (
    Column("token_id", pl.String, "Id of the token, which opens nothing."),
    Column("comment", pl.String, "What its owner wrote."),
    Column("creation_time", pl.Int64, "Epoch ms of its creation."),
    Column("expiry_time", pl.Int64, "Epoch ms of its expiry; -1: never."),
    *CAPTURE_COLUMNS,
)


@module(
    module_id=1010,
    name="Bronze_Token_Snapshot",
    scope=Scope.ACCOUNTS,
    grain=Grain.CAPTURE,
    columns=COLUMNS,
    keys=("token_id",),
    reads={"objects": FromSource("tokens"), "stored": Stored()},
    decided_by="captured_at_ms",
    rejected=REJECTED,
)
def tokens_snapshot_bronze(
    objects: pl.LazyFrame, stored: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Keep of each token what was seen last.

    Args:
        objects: Tokens captured now, without their values.
        stored: Rows that the day holds already; what vanished since stays.
        window: The day.
    """
    of_day = objects.filter(window.contains_ms(pl.col("captured_at_ms")))
    return last_seen(of_day, stored, columns=COLUMNS, key="token_id")
