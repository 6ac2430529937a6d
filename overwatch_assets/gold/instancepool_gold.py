"""Instance pools: one row per change of a pool's settings, as silver has them.

A row lies on the day of the change (`pools_silver`) and holds until the pool's next one; a
deletion is a row of its own. Alone among the gold tables it calls an epoch ms `timestamp`.
"""

import polars as pl

from overwatch_assets.expressions.pool_columns import POOL_COLUMNS
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.module import PARTITION_DATE, Day, Grain, Scope, Window, module


@module(
    module_id=3009,
    name="Gold_Pools",
    scope=Scope.POOLS,
    grain=Grain.EVENT,
    columns=POOL_COLUMNS,
    keys=("instance_pool_id", "timestamp", "actionName", "request_details.requestId"),
    reads={"pools_silver": Day()},
    decided_by="timestamp",
    rules=(keeps_rows("pools_silver", by={"instance_pool_id": pl.col("instance_pool_id")}),),
)
def instancepool_gold(
    pools_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its days
) -> pl.LazyFrame:
    """Show what consumers need.

    Args:
        pools_silver: Versions of one or several days.
        window: From the first of the days to the end of the last.
    """
    return pools_silver.select(PARTITION_DATE.name, *(each.name for each in POOL_COLUMNS))
