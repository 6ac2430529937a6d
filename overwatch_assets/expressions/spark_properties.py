"""What Databricks tells about a Spark job in the job's properties."""

from collections.abc import Mapping

import polars as pl

from overwatch_assets.expressions.spark_property_names import OF_CLUSTER, OF_JOB

CLUSTER_DETAILS = pl.Struct(dict.fromkeys(OF_CLUSTER, pl.String))
POWER_PROPERTIES = pl.Struct(
    {**dict.fromkeys([*OF_JOB, "UserID"], pl.String), "ClusterDetails": CLUSTER_DETAILS}
)
"""Named properties of a job; a field is null when the job was started without the property."""


def property_of(properties: pl.Expr, name: str) -> pl.Expr:
    """A property by its Spark name; bronze keys its map by the name without dots."""
    return properties.map.get(name.replace(".", ""))


def power_properties(properties: pl.Expr) -> pl.Expr:
    """`POWER_PROPERTIES` of a property map; all fields null for a null map."""
    user_id = pl.coalesce(property_of(properties, "userID"), property_of(properties, "userId"))
    cluster_details = pl.struct(_named(properties, OF_CLUSTER))
    return pl.struct(
        [
            *_named(properties, OF_JOB),
            user_id.alias("UserID"),
            cluster_details.alias("ClusterDetails"),
        ]
    )


def _named(properties: pl.Expr, names: Mapping[str, str]) -> list[pl.Expr]:
    return [property_of(properties, name).alias(field) for field, name in names.items()]
