"""The page about prices: its example works, its figures are those that are shipped."""

import re
from pathlib import Path

import polars as pl

from overwatch_assets.reference.checking import checked
from overwatch_assets.reference.layout import DBU_COST_DETAILS, INSTANCE_DETAILS
from overwatch_assets.reference.sheet import sheet_of_csv
from overwatch_assets.reference.shipped import AS_OF, shipped
from overwatch_assets_tests.configuration.loading import STORAGE, loaded

PAGE = (Path(__file__).parents[2] / "docs" / "prices.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    return PAGE.partition(f"```{language}\n")[2].partition("```")[0]


def test_the_example_of_the_configuration_loads() -> None:
    [workspace] = loaded(STORAGE + block("yaml")).workspaces
    assert [each.price for each in workspace.dbu_prices["automated"]] == [0.15, 0.12]


def test_the_example_of_a_file_has_no_problem() -> None:
    read = checked(sheet_of_csv("prices.csv", [block("csv").encode()]), INSTANCE_DETAILS)
    assert (read.rows.height, read.problems) == (2, ())


def test_the_figures_of_the_page_are_the_shipped_ones() -> None:
    rows = shipped(INSTANCE_DETAILS)
    for name, cloud in (("AWS", "aws"), ("Azure", "azure"), ("GCP", "gcp")):
        of_cloud = rows.filter(pl.col("cloud") == cloud)
        priced = of_cloud["On_Demand_Cost_Hourly"].count() or "none"
        [day] = of_cloud[AS_OF].unique()
        assert (
            f"| node types of {name} | {of_cloud.height}, {priced} with a price | {day} |" in PAGE
        )
    for sku, price in shipped(DBU_COST_DETAILS).select("sku", "contract_price").rows():
        assert f"{sku} {price:.2f}" in PAGE


def test_every_node_type_without_a_price_is_named_by_name_or_family() -> None:
    told = PAGE.partition("**Left out**")[2].partition("An unknown node type")[0]
    rows = shipped(INSTANCE_DETAILS).filter(pl.col("cloud") != "gcp")
    for name, price in rows.select("API_Name", "On_Demand_Cost_Hourly").rows():
        is_told = f"`{name}`" in told or bool(re.search(rf"\b{name.partition('.')[0]}\b", told))
        if name.startswith("Standard_"):
            is_told = f"`{name}`" in told
        assert is_told == (price is None), name
