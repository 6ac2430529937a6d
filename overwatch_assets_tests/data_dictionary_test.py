from pathlib import Path

import polars as pl
import pytest

from overwatch_assets.data_dictionary import PAGE, described_view, null_meaning, page, unit_of
from overwatch_assets.module import Column
from overwatch_assets.operations.catalogue import views_catalogue
from overwatch_assets.registry import DERIVED_VIEWS, VIEWS
from overwatch_assets.view import DerivedView, View

DOCS = Path(__file__).parent.parent / "docs"
ALL: list[View | DerivedView] = [*VIEWS, *DERIVED_VIEWS]
BY_NAME = {view.name: view for view in ALL}


def test_the_page_is_what_the_declarations_make() -> None:
    """`python -m overwatch_assets.data_dictionary docs` writes it."""
    assert (DOCS / PAGE).read_text() == page()


@pytest.mark.parametrize("view", ALL, ids=lambda view: view.name)
def test_every_column_of_a_view_says_what_it_is_and_where_it_is_from(
    view: View | DerivedView,
) -> None:
    told = described_view(view)
    assert [each.name for each in told if not (each.meaning and each.source and each.type)] == []
    assert len({each.name for each in told}) == len(told)


@pytest.mark.parametrize(
    ("name", "doc", "unit", "null"),
    [
        ("total_cost", "Machines and DBUs, USD; null where a part is unknown.", "USD", ""),
        ("uptime_in_state_S", "Seconds. Null: never told.", "s", "never told"),
        ("start_time", "Epoch ms of its creation.", "epoch ms", ""),
        ("Compute_Contract_Price", "USD; null: see price_origin.", "USD per hour", ""),
        ("seq", "Order within a millisecond.", "", ""),
    ],
)
def test_units_and_nulls_are_those_that_text_and_name_say(
    name: str, doc: str, unit: str, null: str
) -> None:
    column = Column(name, pl.Float64, doc)
    assert unit_of(column) == unit
    if null:
        assert null_meaning(column) == null


def test_a_text_has_no_unit() -> None:
    assert unit_of(Column("total_cost", pl.String, "In USD.")) == ""
    assert null_meaning(Column("x", pl.String, "A text that is annulled.")) == ""


def source(view: str, column: str) -> str:
    return next(each.source for each in described_view(BY_NAME[view]) if each.name == column)


def test_columns_name_the_columns_that_they_are_copies_of_and_no_others() -> None:
    assert source("jobRun", "run_id") == "`jobrun_gold.run_id`, `jobrun_silver.runId`"
    assert source("cluster", "date") == "`cluster_gold.date`"
    assert source("clusterStateFactDaily", "total_cost") == (
        "`share_of_state` of `clusterstatefact_gold.total_cost`"
    )
    assert source("sparkJobOwner", "user") == "computed from `sparkjob_gold`, `jobrun_gold`"


def test_machines_are_told_the_same() -> None:
    told = {each["name"]: each for each in views_catalogue()}
    assert told.keys() == BY_NAME.keys()
    for name, view in BY_NAME.items():
        columns = [(each["name"], each["doc"], each["from"]) for each in told[name]["columns"]]
        assert columns == [(each.name, each.meaning, each.source) for each in described_view(view)]
