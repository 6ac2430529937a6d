"""What clusters cost by the values of their tags and by day, as consumers query it."""

import polars as pl

from overwatch_assets.expressions.cost_days import (
    COST_REASON,
    DATE,
    UNKNOWN_ROWS,
    state_days,
    summed_by,
)
from overwatch_assets.expressions.cost_sums import COST_COLUMNS, known_sum, with_totals
from overwatch_assets.expressions.tags import tags_of
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, RUN_COLUMNS, Column
from overwatch_assets.view import DerivedView

TAG_DAY = ("organization_id", "date", "tag_key", "tag_value")


def tag_cost_daily(clusterstatefact_gold: pl.LazyFrame, *, zone: str) -> pl.LazyFrame:
    """A row per tag, value and day; clusters without a tag have its row without a value.

    So the values of any one tag add up to the whole.
    """
    days = state_days(clusterstatefact_gold, zone)
    values = (
        days.select("organization_id", "custom_tags")
        .unique()
        .with_columns(_tag=tags_of(pl.col("custom_tags")))
        .explode("_tag")
        .drop_nulls("_tag")
        .unnest("_tag")
    )
    keys = values.select("organization_id", "tag_key").unique()
    tagged = days.join(keys, on="organization_id").join(
        values, on=["organization_id", "custom_tags", "tag_key"], how="left"
    )
    return summed_by(tagged, *TAG_DAY, amount=known_sum).pipe(with_totals)


VIEW = DerivedView(
    name="tagCostDaily",
    columns=(
        ORGANIZATION_ID,
        RUN_COLUMNS[-1],
        DATE,
        Column("tag_key", pl.String, "Tag that some cluster of the workspace has."),
        Column("tag_value", pl.String, "Its value; null: clusters without the tag."),
        *COST_COLUMNS,
        UNKNOWN_ROWS,
        COST_REASON,
        IS_OPEN,
    ),
    rows=tag_cost_daily,
    doc=(
        "One row per tag of clusters, value and calendar day, idle time included. Choose "
        "one tag_key: the values of each are the whole cost, the rows of all are several times "
        "as much."
    ),
)
