"""What fits a declared schema and what does not."""

from datetime import UTC, datetime

import polars as pl
import pytest

from overwatch_assets.delta.schema import additions, delta_schema, fitted, polars_schema
from overwatch_assets.errors import SchemaMismatch
from overwatch_assets.module import TIMESTAMP, Column, Grain, Table
from overwatch_assets_tests.delta.lake import JOBRUNS, data_schema, runs

TASK = pl.Struct({"key": pl.String, "attempts": pl.Int64})


def declared(dtype: pl.DataType | type[pl.DataType]) -> Table:
    columns = (Column("organization_id", pl.String, "Workspace."), Column("v", dtype, "Value."))
    return Table("values_bronze", columns, ("v",), Grain.EVENT, "Values.")


def offered(values: pl.Series) -> pl.LazyFrame:
    return pl.LazyFrame(
        {
            "workspace_name": ["acme"] * len(values),
            "v": values,
            "Overwatch_RunID": ["r-1"] * len(values),
            "Pipeline_SnapTS": pl.Series([datetime(2024, 5, 6, tzinfo=UTC)] * len(values)).cast(
                TIMESTAMP
            ),
        }
    )


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (pl.Series([1, None], dtype=pl.Int32), pl.Int64),
        (pl.Series([1, 255], dtype=pl.UInt8), pl.Int16),
        (pl.Series([1, 2**32 - 1], dtype=pl.UInt32), pl.Int64),
        (pl.Series([None, None]), pl.String),
        (pl.Series([None, None]), pl.Map(pl.String, pl.String)),
        (pl.Series([[None], []], dtype=pl.List(pl.Null)), pl.List(TASK)),
        (pl.Series([[{"attempts": 1, "key": "a"}]]), pl.List(TASK)),
        (pl.Series([{"a": {"n": 3}}], dtype=pl.Struct({"a": pl.Struct({"n": pl.Int8})})),
         pl.Struct({"a": pl.Struct({"n": pl.Int64})})),
        (pl.Series([{"k": 3}], dtype=pl.Map(pl.String, pl.Int32)), pl.Map(pl.String, pl.Int64)),
    ],
)  # fmt: skip
def test_what_loses_nothing_is_converted(values: pl.Series, dtype: pl.DataType) -> None:
    table = declared(dtype)
    rows = fitted(table, offered(values))
    for engine in ("in-memory", "streaming"):
        collected = rows.collect(engine=engine)
        assert collected.schema == data_schema(table)
        assert collected["v"].to_list() == values.to_list()


@pytest.mark.parametrize(
    ("given", "dtype", "where"),
    [
        (pl.Float64, pl.Int64, "v is declared as Int64 but given as Float64"),
        (pl.Int64, pl.Int32, "v is declared as Int32 but given as Int64"),
        (pl.UInt32, pl.Int32, "v is declared as Int32 but given as UInt32"),
        (pl.UInt64, pl.Int64, "v is declared as Int64 but given as UInt64"),
        (pl.Int64, pl.Float64, "v is declared as Float64 but given as Int64"),
        (pl.Int64, pl.String, "v is declared as String but given as Int64"),
        (pl.Datetime("us"), TIMESTAMP, "v is declared as Datetime"),
        (pl.Datetime("ms", "UTC"), TIMESTAMP, "v is declared as Datetime"),
        (pl.String, pl.Binary, "v is declared as Binary but given as String"),
        (pl.Categorical, pl.String, "v is declared as String but given as Categorical"),
        (pl.List(pl.Float64), pl.List(pl.Int64), "v.element is declared as Int64"),
        (
            pl.List(pl.Struct({"key": pl.String, "attempts": pl.Float64})),
            pl.List(TASK),
            "v.element.attempts is declared as Int64 but given as Float64",
        ),
        (pl.Struct({"key": pl.String}), TASK, r"v.attempts \(Int64\) is missing"),
        (
            pl.Struct({"key": pl.String, "attempts": pl.Int64, "x": pl.Int64}),
            TASK,
            "v.x is not declared",
        ),
        (pl.Map(pl.String, pl.Int64), pl.Map(pl.String, pl.String), "v.value is declared as"),
        (pl.Map(pl.Int64, pl.String), pl.Map(pl.String, pl.String), "v.key is declared as"),
        (TASK, pl.Map(pl.String, pl.String), "v is declared as Map"),
        (pl.List(TASK), TASK, "v is declared as Struct"),
    ],
)
def test_what_could_lose_something_is_refused_naming_the_field(
    given: pl.DataType, dtype: pl.DataType, where: str
) -> None:
    with pytest.raises(SchemaMismatch, match=f"table values_bronze: {where}"):
        fitted(declared(dtype), offered(pl.Series([None], dtype=given)))


def test_unknown_and_missing_columns_are_refused_together() -> None:
    frame = runs(1).drop("tags").with_columns(cost=pl.lit(1.5)).lazy()
    with pytest.raises(SchemaMismatch, match=r"cost is not declared; tags \(.*\) is missing"):
        fitted(JOBRUNS, frame)


def test_the_columns_of_the_partition_are_not_the_frames_to_give() -> None:
    frame = runs(1).with_columns(organization_id=pl.lit("another")).lazy()
    with pytest.raises(SchemaMismatch, match="organization_id is not declared"):
        fitted(JOBRUNS, frame)


def test_columns_come_in_the_declared_order() -> None:
    shuffled = runs(1).select(sorted(data_schema(), reverse=True))
    assert fitted(JOBRUNS, shuffled.lazy()).collect_schema() == data_schema()


@pytest.mark.parametrize(
    "dtype",
    [
        pl.Int8, pl.Int64, pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Binary, pl.Date,
        TIMESTAMP, pl.Decimal(38, 18), pl.List(TASK), pl.Map(pl.String, pl.List(pl.Int64)),
    ],
)  # fmt: skip
def test_a_type_that_delta_has_comes_back_as_declared(dtype: pl.DataType) -> None:
    table = declared(dtype)
    assert polars_schema(delta_schema(table)) == table.schema
    assert additions(table, table.schema) == ()


@pytest.mark.parametrize(
    "dtype",
    [
        pl.UInt32, pl.Int128, pl.Categorical(), pl.Time, pl.Duration("us"), pl.Null,
        pl.Datetime("ms", "UTC"), pl.Datetime("us", "Europe/Berlin"), pl.Array(pl.Int64, 2),
        pl.List(pl.UInt8),
    ],
)  # fmt: skip
def test_a_type_that_delta_would_change_cannot_be_declared(dtype: pl.DataType) -> None:
    with pytest.raises(SchemaMismatch, match="table values_bronze: v is declared as"):
        delta_schema(declared(dtype))
