from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from overwatch_assets.column_lineage import copied_columns, input_of
from overwatch_assets.module import (
    Column,
    Day,
    Grain,
    Module,
    Scope,
    Table,
    Window,
    module,
)
from overwatch_assets.registry import MODULES, TABLES

BY_NAME = {table.name: table for table in TABLES}
INPUT = Table(
    "raw_silver",
    (Column("a", pl.Int64, "A."), Column("b", pl.String, "B."), Column("c", pl.String, "C.")),
    ("a",),
    Grain.EVENT,
    "Raw.",
)
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))


def made(*steps: pl.Expr, added: tuple[pl.Expr, ...] = ()) -> Module:
    names = ("a", "b", "c", "d")

    @module(
        module_id=3999,
        name="Gold_Toy",
        scope=Scope.AUDIT,
        grain=Grain.EVENT,
        columns=tuple(Column(name, pl.String, "Toy.") for name in names),
        keys=("a",),
        reads={"raw_silver": Day()},
    )
    def toy_gold(raw_silver: pl.LazyFrame, *, window: Window) -> pl.LazyFrame:  # noqa: ARG001 - as declared
        return raw_silver.with_columns(*added).filter(pl.col("a") > 0).select(*steps)

    return toy_gold


def copies(*steps: pl.Expr, added: tuple[pl.Expr, ...] = ()) -> dict[str, str]:
    return dict(copied_columns(made(*steps, added=added), {"raw_silver": INPUT}))


def test_a_column_under_its_own_or_another_name_is_a_copy() -> None:
    assert copies(pl.col("a"), pl.col("b").alias("d")) == {"a": "a", "d": "b"}


def test_what_is_made_of_a_column_is_no_copy_even_under_its_name() -> None:
    steps = (pl.col("a") + 1, pl.col("b").str.to_lowercase().alias("d"))
    assert copies(*steps, pl.col("c").fill_null("x")) == {}


def test_a_column_that_was_replaced_before_is_no_copy_any_more() -> None:
    added = (pl.col("c").str.to_lowercase().alias("b"), pl.col("a").alias("d"))
    assert copies(pl.col("b"), pl.col("c"), pl.col("d"), added=added) == {"c": "c", "d": "a"}


def test_swapped_names_are_followed() -> None:
    added = (pl.col("c").alias("b"), pl.col("b").alias("c"))
    assert copies(pl.col("b"), pl.col("c"), added=added) == {"b": "c", "c": "b"}


def test_nothing_is_told_after_what_is_not_understood() -> None:
    assert copies(pl.col("a"), added=(pl.col("b").name.suffix("_x"),)) == {}


def test_nothing_is_told_of_a_plan_with_a_function_of_pythons() -> None:
    mapped = pl.col("b").map_elements(str.lower, return_dtype=pl.String)
    assert copies(pl.col("a"), added=(mapped.alias("b"),)) == {}


def test_nothing_is_told_of_several_inputs() -> None:
    of_two = replace(made(pl.col("a")), reads={"raw_silver": Day(), "other": Day()})
    assert copied_columns(of_two, {"raw_silver": INPUT}) == {}


def test_business_names_are_traced_to_silver() -> None:
    found = {each.table.name: copied_columns(each, BY_NAME) for each in MODULES}
    assert found["cluster_gold"]["action"] == "actionName"
    assert found["cluster_gold"].get("date") is None
    assert found["jobrun_gold"]["run_id"] == "runId"
    assert found["sparktask_gold"]["task_id"] == "TaskID"
    assert found["sparktask_gold"].get("executor_id") is None
    assert found["jobruncostpotentialfact_gold"] == {}


@pytest.mark.parametrize(
    "of",
    [each for each in MODULES if each.layer == "gold" and input_of(each)],
    ids=lambda each: each.table.name,
)
def test_what_is_called_a_copy_holds_what_the_input_holds(of: Module) -> None:
    table = BY_NAME[input_of(of) or ""]
    values = {name: value(dtype, name) for name, dtype in table.schema.items()}
    values |= {"row_kind": "run"} if "row_kind" in values else {}
    read = pl.DataFrame([values], schema=table.schema)
    [row] = of.transform(read.lazy(), window=WINDOW).collect().to_dicts()
    [stored] = read.to_dicts()
    told = copied_columns(of, BY_NAME)
    assert told
    assert {name: row[name] for name in told if name in row} == {
        name: stored[source] for name, source in told.items() if name in row
    }


def value(dtype: object, name: str) -> object:
    """A value of a type that no other column of it has."""
    number = sum(map(ord, name)) + len(name)
    match dtype:
        case pl.List():
            return [value(dtype.inner, name)]
        case pl.Struct():
            return {each.name: value(each.dtype, name + each.name) for each in dtype.fields}
        case pl.Map():
            return {name: name}
        case pl.Datetime():
            return datetime(2026, 1, 1, 0, 0, number % 60, number, tzinfo=UTC)
        case _:
            of_type = {
                pl.String: name,
                pl.Int64: number,
                pl.Int32: number,
                pl.Float64: number / 7,
                pl.Boolean: True,
                pl.Date: date.fromordinal(700_000 + number),
            }
            return next(each for known, each in of_type.items() if dtype == known)
