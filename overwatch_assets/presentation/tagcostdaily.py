"""What clusters cost by the values of their tags and by day, as consumers query it."""

from collections.abc import Mapping

import polars as pl

from overwatch_assets.expressions import cost_days_sql
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
from overwatch_assets.sql_dialect import Dialect
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


def _sql(dialect: Dialect) -> Mapping[str, str]:
    told = dialect.tags_in("tagged", "organization_id, custom_tags", "custom_tags")
    return {
        **cost_days_sql.state_days(),
        "tagged": "select distinct organization_id, custom_tags from state_days",
        "all_values": told,
        "tag_values": "select * from all_values where tag_value is not null",
        "tag_keys": "select distinct organization_id, tag_key from tag_values",
        "tag_days": "select d.*, k.tag_key, v.tag_value from state_days d "
        "join tag_keys k on d.organization_id = k.organization_id "
        "left join tag_values v on d.organization_id = v.organization_id "
        "and d.custom_tags = v.custom_tags and k.tag_key = v.tag_key",
        "tags_by_day": cost_days_sql.summed_by(dialect, "tag_days", TAG_DAY),
        "shown": cost_days_sql.with_totals("tags_by_day"),
    }


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
    sql=_sql,
    doc=(
        "One row per tag of clusters, value and calendar day, idle time included. Choose "
        "one tag_key: the values of each are the whole cost, the rows of all are several times "
        "as much."
    ),
)
