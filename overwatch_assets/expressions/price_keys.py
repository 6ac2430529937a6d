"""What price tables are looked up by: node types, warehouse sizes, kinds of clusters."""

import polars as pl

JOB_CLUSTER_NAME = "^job-.*-run-.*$"
LIGHT_RUNTIME = "apache_spark_"
PIPELINE_SOURCES = ("PIPELINE", "PIPELINE_MAINTENANCE")


def folded(name: pl.Expr) -> pl.Expr:
    """A name as the price tables compare it: without blanks around it, in lower case."""
    return name.str.strip_chars().str.to_lowercase()


def warehouse_size_key(size: pl.Expr) -> pl.Expr:
    """A warehouse's size in one spelling: 2X-Small, 2X_SMALL and XXSMALL are `2xsmall`."""
    plain = folded(size).str.replace_all(r"[-_\s]", "")
    crosses = plain.str.extract("^(x*)", 1).str.len_chars()
    counted = pl.format("{}x{}", crosses, plain.str.strip_chars_start("x"))
    return pl.when(crosses > 1).then(counted).otherwise(plain)


def is_job_cluster(cluster_name: pl.Expr, cluster_source: pl.Expr) -> pl.Expr:
    """Whether a cluster was made for a run of a job; null where nothing tells.

    The source is believed before the name: Databricks states it, the name is only a habit.
    """
    return pl.coalesce(cluster_source == "JOB", cluster_name.str.contains(JOB_CLUSTER_NAME))


def cluster_kind(
    *, cluster_name: pl.Expr, cluster_source: pl.Expr, cluster_type: pl.Expr, spark_version: pl.Expr
) -> pl.Expr:
    """What decides a cluster's sku, as the sku choice names it; null where nothing tells."""
    is_job = is_job_cluster(cluster_name, cluster_source)
    is_light = spark_version.str.starts_with(LIGHT_RUNTIME)
    return (
        pl.when(is_job & is_light)
        .then(pl.lit("job_light"))
        .when(is_job)
        .then(pl.lit("job"))
        .when(cluster_source.is_in(PIPELINE_SOURCES))
        .then(pl.lit("pipeline"))
        .when(cluster_type == "SQL Analytics")
        .then(pl.lit("sql_analytics"))
        .when(cluster_type == "High-Concurrency")
        .then(pl.lit("high_concurrency"))
        .when(is_job.is_not_null())
        .then(pl.lit("all_purpose"))
    )


def warehouse_kind(is_serverless: pl.Expr) -> pl.Expr:
    """What decides a warehouse's sku, as the sku choice names it; null is not serverless."""
    return (
        pl.when(is_serverless)
        .then(pl.lit("sql_warehouse_serverless"))
        .otherwise(pl.lit("sql_warehouse"))
    )
