import polars as pl
import pytest

from overwatch_assets.expressions.price_keys import folded
from overwatch_assets.reference.layout import (
    BILLABLE_STATES,
    DBU_COST_DETAILS,
    INSTANCE_DETAILS,
    PHOTON_MULTIPLIERS,
    SKU_CHOICE,
    WAREHOUSE_DBU_DETAILS,
)
from overwatch_assets.reference.shipped import AS_OF, LEFT_OUT, ORIGIN, shipped

PRICE, DBUS = pl.col("On_Demand_Cost_Hourly"), pl.col("Hourly_DBUs")
INTERACTIVE_PRICE = 0.55


def node_types() -> pl.DataFrame:
    return shipped(INSTANCE_DETAILS)


def test_every_node_type_has_cores_memory_and_dbus() -> None:
    filled = node_types().select("cloud", "API_Name", "vCPUs", "Memory_GB", "Hourly_DBUs")
    assert filled.null_count().sum_horizontal().item() == 0
    assert dict(filled.group_by("cloud").len().iter_rows()) == {"aws": 85, "azure": 75, "gcp": 69}


def test_no_price_is_the_charge_for_the_dbus_in_disguise() -> None:
    disguised = ((DBUS * INTERACTIVE_PRICE) - PRICE).abs() < 0.001 * PRICE
    assert node_types().filter(disguised).rows() == []


def test_a_price_that_is_left_out_says_why() -> None:
    why = pl.col(LEFT_OUT)
    assert node_types().filter(PRICE.is_null() == why.is_null()).rows() == []
    left_out = node_types().filter(why.is_not_null())
    assert dict(left_out.group_by("cloud").len().iter_rows()) == {"aws": 11, "azure": 2, "gcp": 69}


def test_every_price_has_an_origin_and_a_day() -> None:
    for layout in (INSTANCE_DETAILS, DBU_COST_DETAILS, WAREHOUSE_DBU_DETAILS):
        assert shipped(layout).select(ORIGIN, AS_OF).null_count().sum_horizontal().item() == 0


def test_names_are_those_of_the_apis() -> None:
    names = node_types()["API_Name"].to_list()
    assert [name for name in names if "(" in name or " " in name or "_standard_" in name] == []
    azure = node_types().filter(pl.col("cloud") == "azure")["API_Name"]
    assert azure.str.starts_with("Standard_").all()


def test_the_driver_of_each_warehouse_size_is_a_node_type_of_its_cloud() -> None:
    drivers = shipped(WAREHOUSE_DBU_DETAILS).select("cloud", name=folded(pl.col("driver_size")))
    known = node_types().select("cloud", name=folded(pl.col("API_Name")))
    assert drivers.join(known, on=["cloud", "name"], how="anti").rows() == []
    assert drivers["cloud"].value_counts().sort("cloud").rows() == [("aws", 9), ("azure", 9)]


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("i3.xlarge", (4, 30.5, 1.0, 0.312)),
        ("Standard_DS3_v2", (4, 14.0, 0.75, 0.23)),
        ("p4d.24xlarge", (96, 1152.0, 44.45, 32.7726)),
        ("m6i.xlarge", (4, 16.0, 0.76, None)),
        ("m7gd.xlarge", (4, 16.0, 0.96, None)),
        ("n2-standard-4", (4, 16.0, 0.72, None)),
    ],
)
def test_figures_are_those_of_the_list(name: str, figures: tuple[object, ...]) -> None:
    columns = ("vCPUs", "Memory_GB", "Hourly_DBUs", "On_Demand_Cost_Hourly")
    assert node_types().filter(pl.col("API_Name") == name).select(columns).rows() == [figures]


def test_skus_photon_and_states_are_data() -> None:
    prices = shipped(DBU_COST_DETAILS).select("sku", "contract_price")
    assert dict(prices.iter_rows()) == {
        "interactive": 0.55,
        "automated": 0.15,
        "sqlCompute": 0.22,
        "jobsLight": 0.1,
    }
    photon = shipped(PHOTON_MULTIPLIERS).select("sku", "multiplier")
    assert dict(photon.iter_rows()) == {
        "interactive": 2.0,
        "automated": 2.9,
        "jobsLight": 2.9,
        "sqlCompute": 1.0,
        "dlt": 2.0,
    }
    chosen = shipped(SKU_CHOICE)
    # Photon costs the same on serverless warehouses.
    assert set(chosen["sku"]) == {*photon["sku"], "serverless"}
    states = shipped(BILLABLE_STATES).filter("is_dbu_billable")
    assert states.select("resource", "state").rows() == [
        ("cluster", "INIT_SCRIPTS_STARTED"),
        ("cluster", "INIT_SCRIPTS_FINISHED"),
    ]
