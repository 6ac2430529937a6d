import polars as pl
import pytest

from overwatch_assets.expressions.price_keys import (
    cluster_kind,
    folded,
    warehouse_kind,
    warehouse_size_key,
)
from overwatch_assets.reference.layout import SKU_CHOICE
from overwatch_assets.reference.shipped import shipped

LIGHT = "apache_spark_2.4.x-scala2.11"
RUNTIME = "13.3.x-scala2.12"
JOB = "job-10-run-501"


def value(expression: pl.Expr) -> object:
    return pl.select(expression).item()


def kind(
    name: str | None = None,
    source: str | None = None,
    of_type: str | None = None,
    version: str | None = None,
) -> object:
    def text(value: str | None) -> pl.Expr:
        return pl.lit(value, pl.String)

    return value(
        cluster_kind(
            cluster_name=text(name),
            cluster_source=text(source),
            cluster_type=text(of_type),
            spark_version=text(version),
        )
    )


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        ((JOB, None, None, LIGHT), "job_light"),
        ((JOB, None, None, RUNTIME), "job"),
        ((JOB, None, None, None), "job"),
        ((f"{JOB}-main", None, "Standard", RUNTIME), "job"),
        (("nightly", "JOB", None, RUNTIME), "job"),
        ((JOB, "UI", None, RUNTIME), "all_purpose"),
        (("nightly", "JOB", None, LIGHT), "job_light"),
        (("shared", None, None, LIGHT), "all_purpose"),
        (("warehouse", "SQL", "SQL Analytics", RUNTIME), "sql_analytics"),
        (("shared", None, "High-Concurrency", RUNTIME), "high_concurrency"),
        (("dlt-execution-1", "PIPELINE", None, RUNTIME), "pipeline"),
        (("dlt-execution-1", "PIPELINE_MAINTENANCE", None, RUNTIME), "pipeline"),
        (("shared", None, None, None), "all_purpose"),
        ((None, "UI", None, None), "all_purpose"),
        ((None, None, "SQL Analytics", None), "sql_analytics"),
        ((None, None, None, RUNTIME), None),
    ],
)
def test_a_cluster_is_of_the_kind_that_decides_its_sku(
    cluster: tuple[str | None, ...], expected: str | None
) -> None:
    assert kind(*cluster) == expected


def test_a_warehouse_is_of_the_kind_that_decides_its_sku() -> None:
    told = pl.DataFrame({"is_serverless": [True, False, None]})
    kinds = told.select(warehouse_kind(pl.col("is_serverless"))).to_series()
    assert kinds.to_list() == ["sql_warehouse_serverless", "sql_warehouse", "sql_warehouse"]


def test_there_is_a_sku_for_every_kind_of_cluster_and_warehouse() -> None:
    kinds = {"job_light", "job", "sql_analytics", "high_concurrency", "pipeline", "all_purpose"}
    kinds |= {"sql_warehouse", "sql_warehouse_serverless"}
    assert set(shipped(SKU_CHOICE)["cluster_kind"]) == kinds


@pytest.mark.parametrize(
    ("size", "key"),
    [
        ("2X-Small", "2xsmall"),
        ("2X_SMALL", "2xsmall"),
        ("XXSMALL", "2xsmall"),
        (" xx-small ", "2xsmall"),
        ("X-Small", "xsmall"),
        ("XSMALL", "xsmall"),
        ("Medium", "medium"),
        ("XXXXLARGE", "4xlarge"),
        ("4X-Large", "4xlarge"),
    ],
)
def test_a_warehouse_size_has_one_spelling(size: str, key: str) -> None:
    assert value(warehouse_size_key(pl.lit(size))) == key


def test_what_is_null_stays_null() -> None:
    nothing = pl.lit(None, pl.String)
    assert (value(warehouse_size_key(nothing)), value(folded(nothing))) == (None, None)
