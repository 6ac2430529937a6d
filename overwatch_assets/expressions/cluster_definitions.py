"""What follows from a cluster's definition: its kind, its engine, who may do what on it.

`spark_conf` and `custom_tags` are JSON text, as the audit log has them.
"""

import polars as pl

SECURITY_PROFILE = pl.Struct(
    {
        "table_acls_enabled": pl.Boolean,
        "credential_passthrough_enabled": pl.Boolean,
        "isolation_enabled": pl.Boolean,
        "repl_languages_permitted": pl.List(pl.String),
        "single_user_profile": pl.Struct(
            {"is_single_user": pl.Boolean, "single_user_name": pl.String}
        ),
        "instance_profile_arn": pl.String,
    }
)

AUTOMATED = "^job-.*-run-.*$"
"""Names that Databricks gives to jobs' clusters."""

LIMITS = ("min_workers", "max_workers")
"""Fields of `autoscale`."""

PHOTON, STANDARD, UNKNOWN = "PHOTON", "STANDARD", "UNKNOWN"


def is_automated(cluster_name: pl.Expr) -> pl.Expr:
    """Whether a cluster was made for a run of a job; null without a name."""
    return cluster_name.str.contains(AUTOMATED)


def of_warehouse(custom_tags: pl.Expr) -> pl.Expr:
    """Whether a cluster belongs to a SQL warehouse."""
    return custom_tags.str.json_path_match("$.SqlEndpointId").is_not_null()


def setting(spark_conf: pl.Expr, name: str) -> pl.Expr:
    """A Spark setting; null: not set, or the text is no JSON object."""
    return spark_conf.str.json_path_match(f"$['{name}']")


def is_single_node(spark_conf: pl.Expr) -> pl.Expr:
    """Whether the driver is the only machine."""
    return (_profile(spark_conf) == "singleNode").fill_null(value=False)


def is_driver_only(custom_tags: pl.Expr, cluster_type: pl.Expr) -> pl.Expr:
    """Whether the driver is the only machine; without tags the type of the cluster tells."""
    is_tagged = custom_tags.str.json_path_match("$.ResourceClass") == "SingleNode"
    is_typed = cluster_type == "Single Node"
    return is_tagged.fill_null(value=False) | is_typed.fill_null(value=False)


def autoscale_text(min_workers: pl.Expr, max_workers: pl.Expr) -> pl.Expr:
    """Least and most workers as JSON, numbers as numbers; null when either is missing."""
    least, most = (each.cast(pl.Int64, strict=False) for each in (min_workers, max_workers))
    return pl.concat_str(
        pl.lit('{"min_workers":'), least, pl.lit(',"max_workers":'), most, pl.lit("}")
    )


def cluster_type(spark_conf: pl.Expr, custom_tags: pl.Expr) -> pl.Expr:
    """Single Node, High-Concurrency, SQL Analytics or Standard."""
    return (
        pl.when(is_single_node(spark_conf))
        .then(pl.lit("Single Node"))
        .when(_profile(spark_conf) == "serverless")
        .then(pl.lit("High-Concurrency"))
        .when(of_warehouse(custom_tags))
        .then(pl.lit("SQL Analytics"))
        .otherwise(pl.lit("Standard"))
    )


def runtime_engine(told: pl.Expr, spark_version: pl.Expr) -> pl.Expr:
    """What computes: as it was told, else as the runtime's name says."""
    of_version = (
        pl.when(spark_version.str.contains(".photon.", literal=False))
        .then(pl.lit(PHOTON))
        .when(spark_version.is_not_null())
        .then(pl.lit(STANDARD))
        .otherwise(pl.lit(UNKNOWN))
    )
    return pl.coalesce(pl.when(told != UNKNOWN).then(told), of_version)


def security_profile(
    spark_conf: pl.Expr, single_user_name: pl.Expr, aws_attributes: pl.Expr
) -> pl.Expr:
    """`SECURITY_PROFILE` of a definition."""
    languages = setting(spark_conf, "spark.databricks.repl.allowedLanguages")
    return pl.struct(
        _is_on(spark_conf, "spark.databricks.acl.dfAclsEnabled").alias("table_acls_enabled"),
        _is_on(spark_conf, "spark.databricks.passthrough.enabled").alias(
            "credential_passthrough_enabled"
        ),
        _is_on(spark_conf, "spark.databricks.pyspark.enableProcessIsolation").alias(
            "isolation_enabled"
        ),
        languages.str.split(",").fill_null(pl.lit(["All"])).alias("repl_languages_permitted"),
        pl.struct(
            single_user_name.is_not_null().alias("is_single_user"),
            single_user_name.alias("single_user_name"),
        ).alias("single_user_profile"),
        aws_attributes.map.get("instance_profile_arn").alias("instance_profile_arn"),
    )


def _profile(spark_conf: pl.Expr) -> pl.Expr:
    return setting(spark_conf, "spark.databricks.cluster.profile")


def _is_on(spark_conf: pl.Expr, name: str) -> pl.Expr:
    return (setting(spark_conf, name).str.to_lowercase() == "true").fill_null(value=False)
