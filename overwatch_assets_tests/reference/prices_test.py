from datetime import date

import polars as pl
import pytest

from overwatch_assets.errors import ConfigError
from overwatch_assets.expressions.price_lookup import with_valid
from overwatch_assets.reference.prices import INPUTS, PriceFigures
from overwatch_assets.reference.tables import REFERENCE_TABLES
from overwatch_assets_tests.frames import utc
from overwatch_assets_tests.reference.files import FOLDER, ORG, configured, reference

NODES = "prices: {instance_details: nodes.csv}"
SKUS = "prices: {dbu_cost_details: skus.csv}"
NODE_HEAD = "API_Name,Compute_Contract_Price,activeFrom,activeUntil\n"
SKU_HEAD = "sku,contract_price,activeFrom,activeUntil\n"
ALWAYS = date(2012, 1, 1)
JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)
SHIPPED = "shipped: Overwatch 0.8.2.0, as of 2024-07-11"
SHIPPED_DBU = "shipped: Overwatch 0.8.2.0, as of 2021-06-07"
CONTRACT = "configuration: contract price of the workspace"

Rows = list[tuple[object, ...]]


def node(given: PriceFigures, name: str) -> Rows:
    columns = ("Compute_Contract_Price", "activeFrom", "activeUntil", "isActive", "price_origin")
    return given.instance_details.filter(pl.col("API_Name") == name).select(columns).rows()


def sku(given: PriceFigures, name: str) -> Rows:
    columns = ("contract_price", "activeFrom", "activeUntil", "isActive", "origin")
    return given.dbu_cost_details.filter(pl.col("sku") == name).select(columns).rows()


def test_without_files_the_shipped_figures_always_hold() -> None:
    given = reference(configured())
    assert node(given, "i3.xlarge") == [(0.312, ALWAYS, None, True, SHIPPED)]
    assert sku(given, "interactive") == [(0.55, ALWAYS, None, True, SHIPPED_DBU)]
    assert given.warnings == ()


@pytest.mark.parametrize(
    ("cloud", "nodes", "sizes"), [("aws", 85, 9), ("azure", 75, 9), ("gcp", 69, 0)]
)
def test_only_figures_of_the_workspaces_cloud_are_there(cloud: str, nodes: int, sizes: int) -> None:
    given = reference(configured(cloud=cloud))
    assert (given.instance_details.height, given.warehouse_dbu_details.height) == (nodes, sizes)
    assert set(given.warehouse_dbu_details["cloud"]) <= {cloud}


def test_frames_have_the_declared_columns_and_are_sorted() -> None:
    given = reference(configured())
    for table in REFERENCE_TABLES:
        frame = given.frames[table.name]
        assert frame.schema == {column.name: column.dtype for column in table.columns}
        assert frame.select(pl.col("organization_id").unique()).rows() == [(ORG,)]
        keys = [name for name in table.keys if name != "cloud"]
        folded = pl.col(keys[0]).str.to_lowercase()
        assert frame.sort(folded, keys[1]).equals(frame)


def test_a_price_that_was_left_out_is_null_and_says_why() -> None:
    why = "left out: the list held the DBU charge in its place"
    assert node(reference(configured()), "m6i.xlarge") == [(None, ALWAYS, None, True, why)]


def test_the_workspaces_file_lies_over_the_deployments_over_its_contract_over_the_shipped() -> None:
    config = configured(
        "prices: {dbu_cost_details: own.csv}",
        "interactive_dbu_price: 0.3",
        "automated_dbu_price: 0.2",
        "sql_compute_dbu_price: 0.1",
        deployment=SKUS,
    )
    files = {
        "own.csv": "sku,contract_price\ninteractive,0.5\n",
        "skus.csv": "sku,contract_price\ninteractive,0.4\nautomated,0.4\n",
    }
    given = reference(config, files)
    assert given.dbu_cost_details.select("sku", "contract_price", "origin").rows() == [
        ("automated", 0.4, f"{FOLDER}/skus.csv, line 3"),
        ("interactive", 0.5, f"{FOLDER}/own.csv, line 2"),
        ("jobsLight", 0.1, SHIPPED_DBU),
        ("sqlCompute", 0.1, CONTRACT),
    ]


def test_a_figure_holds_from_its_day_on_and_what_is_below_before() -> None:
    text = f"{NODE_HEAD}m5.large,0.08,2026-07-01,2026-08-01\n"
    origin = f"{FOLDER}/nodes.csv, line 2"
    assert node(reference(configured(deployment=NODES), {"nodes.csv": text}), "m5.large") == [
        (0.096, ALWAYS, JULY, False, SHIPPED),
        (0.08, JULY, AUGUST, False, origin),
        (0.096, AUGUST, None, True, SHIPPED),
    ]


def test_a_contract_price_holds_until_the_next_one_begins() -> None:
    prices = "[{price: 0.4, valid_from: 2026-08-01}, {price: 0.45, valid_from: 2026-07-01}]"
    assert sku(reference(configured(f"interactive_dbu_price: {prices}")), "interactive") == [
        (0.55, ALWAYS, JULY, False, SHIPPED_DBU),
        (0.45, JULY, AUGUST, False, CONTRACT),
        (0.4, AUGUST, None, True, CONTRACT),
    ]


def test_blank_cells_leave_a_figure_to_what_is_below() -> None:
    text = "API_Name,vCPUs,Hourly_DBUs,Compute_Contract_Price\n M5.LARGE ,,0.4,\n"
    given = reference(configured(deployment=NODES), {"nodes.csv": text}).instance_details
    columns = ("vCPUs", "Memory_GB", "Hourly_DBUs", "Compute_Contract_Price")
    origins = ("size_origin", "dbu_origin", "price_origin")
    row = given.filter(pl.col("API_Name") == "m5.large").select(columns + origins).row(0)
    assert row == (2, 8.0, 0.4, 0.096, SHIPPED, f"{FOLDER}/nodes.csv, line 2", SHIPPED)


def test_the_list_price_is_paid_where_a_row_names_no_other() -> None:
    text = "API_Name,On_Demand_Cost_Hourly\nm5.large,0.1\nm9.large,0.2\n"
    given = reference(configured(deployment=NODES), {"nodes.csv": text})
    assert [node(given, name)[0][0] for name in ("m5.large", "m9.large")] == [0.1, 0.2]


def test_rows_of_other_workspaces_and_clouds_do_not_count() -> None:
    text = f"organization_id,cloud,API_Name,Compute_Contract_Price\n{ORG},aws,m5.large,0.1\n"
    text += "9,,m5.large,0.2\n,azure,m5.xlarge,0.3\n,AWS,m5.large,0.4\n,,m5.2xlarge,0.5\n"
    given = reference(configured(deployment=NODES), {"nodes.csv": text})
    prices = [node(given, f"m5.{size}")[0][0] for size in ("large", "xlarge", "2xlarge")]
    assert prices == [0.1, 0.192, 0.5]


def test_a_gcp_workspace_gets_the_warehouse_sizes_of_a_file() -> None:
    text = "cloud,cluster_size,driver_size,worker_count,total_dbus,activeFrom\n"
    text += "gcp,2X_SMALL,n2-highmem-8,1,4,2026-07-01\n"
    config = configured(deployment="prices: {warehouse_dbu_details: w.csv}", cloud="gcp")
    given = reference(config, {"w.csv": text})
    [row] = given.warehouse_dbu_details.to_dicts()
    assert (row["total_dbus"], row["activeFromEpochMillis"]) == (4, 1782864000000)
    assert (row["activeUntil"], row["activeUntilEpochMillis"]) == (None, None)
    assert given.warnings == ()


def test_the_api_completes_cores_and_memory_and_never_prices_or_dbus() -> None:
    answer = [
        {"node_type_id": "m5.large", "num_cores": 99, "memory_mb": 1024},
        {"node_type_id": "m9.large", "num_cores": 2, "memory_mb": 8192},
        {"node_type_id": "m9.xlarge", "num_cores": 4, "memory_mb": 16384},
    ]
    text = f"{NODE_HEAD}m9.large,0.1,,\n"
    given = reference(configured(deployment=NODES), {"nodes.csv": text}, answer)
    figures = ("API_Name", "vCPUs", "Memory_GB", "Hourly_DBUs", "Compute_Contract_Price")
    told = given.instance_details.select(*figures, "size_origin", "price_origin")
    api = "the workspace's clusters/list-node-types"
    own = f"{FOLDER}/nodes.csv, line 2"
    assert [row for row in told.rows() if row[0] in {"m5.large", "m9.large", "m9.xlarge"}] == [
        ("m5.large", 2, 8.0, 0.35, 0.096, SHIPPED, SHIPPED),
        ("m9.large", 2, 8.0, None, 0.1, api, own),
        ("m9.xlarge", 4, 16.0, None, None, api, "unknown"),
    ]


def test_all_problems_of_all_files_are_in_one_error() -> None:
    config = configured(SKUS, deployment=NODES)
    files = {"nodes.csv": f"{NODE_HEAD}m5,-1,,\nm5,x,,\n", "skus.csv": f"{SKU_HEAD}dlt,y,,\n"}
    with pytest.raises(ConfigError) as raised:
        reference(config, files)
    first, *others = str(raised.value).splitlines()
    assert first == "the price files have 3 problems; `overwatch prices --check` lists them:"
    assert [line.partition(":")[0].strip() for line in others] == [
        f"{FOLDER}/nodes.csv, line 2",
        f"{FOLDER}/nodes.csv, line 3",
        f"{FOLDER}/skus.csv, line 2",
    ]


def test_a_key_that_begins_after_the_workspaces_first_day_is_a_warning() -> None:
    days = {"m9.large": "2026-10-01", "m5.large": "2026-10-01", "m9.xlarge": "2026-09-21"}
    text = NODE_HEAD + "".join(f"{name},0.1,{day},\n" for name, day in days.items())
    given = reference(configured(deployment=NODES), {"nodes.csv": text})
    assert [str(each) for each in given.warnings] == [
        (
            "instance_details of workspace analytics: m9.large: is given from 2026-10-01 on only, "
            "the workspace's first day is 2026-09-21. Leave activeFrom blank if it held before."
        )
    ]


def test_transforms_read_figures_without_their_origins() -> None:
    text = f"{NODE_HEAD}m5.large,0.096,2026-07-01,\n"
    given = reference(configured(deployment=NODES), {"nodes.csv": text})
    assert tuple(given.inputs) == INPUTS
    for table in REFERENCE_TABLES:
        told = {name for name in given.frames[table.name].columns if name.endswith("origin")}
        assert set(given.inputs[table.name].columns) == set(given.frames[table.name].columns) - told
    [read] = given.inputs["instancedetails"].filter(API_Name="m5.large").rows(named=True)
    assert (read["activeFrom"], read["activeUntil"]) == (ALWAYS, None)
    assert len(node(given, "m5.large")) == 2


def version(text: str) -> int:
    return reference(configured(deployment=NODES), {"nodes.csv": text}).version


def test_the_version_follows_the_figures_and_their_validity_alone() -> None:
    one = version(f"{NODE_HEAD}m5.large,0.1,2026-07-01,\nm9,0.2,,\n")
    assert version(f"{NODE_HEAD}\nm9,0.2,,\n M5.LARGE ,0.10,2026-07-01,\n") == one
    cut = "M5.large,0.1,2026-07-01,2026-08-01\nm5.large,0.1,2026-08-01,\n"
    assert version(f"{NODE_HEAD}m9,0.2,,\n{cut}") == one
    assert version(f"{NODE_HEAD}m5.large,0.1,2026-07-02,\nm9,0.2,,\n") != one
    assert version(f"{NODE_HEAD}m5.large,0.11,2026-07-01,\nm9,0.2,,\n") != one
    assert version(f"{NODE_HEAD}m5.large,0.1,2026-07-01,\n") != one


def test_a_changed_table_changes_its_version_and_no_others() -> None:
    before = reference(configured())
    after = reference(configured("interactive_dbu_price: 0.5"))
    changed = [name for name in before.versions if before.versions[name] != after.versions[name]]
    assert changed == ["dbucostdetails"]
    assert before.version != after.version


def test_the_worked_cases_come_out() -> None:
    """One hour on i3.xlarge; two nodes with Photon for half an hour; a Medium warehouse."""
    at = utc("2026-10-01")
    given = reference(configured())
    hour = with_valid(
        pl.LazyFrame({"sku": ["interactive"], "at": [at]}),
        given.dbu_cost_details.lazy(),
        key=pl.col("sku"),
        reference_key=pl.col("sku"),
        at=pl.col("at"),
        columns={"rate": pl.col("contract_price")},
    )
    photon = with_valid(
        hour,
        given.inputs["photon_multipliers"].lazy(),
        key=pl.col("sku"),
        reference_key=pl.col("sku"),
        at=pl.col("at"),
        columns={"photon": pl.col("multiplier")},
    )
    assert photon.collect().rows() == [("interactive", at, 0.55, 2.0)]
    azure = reference(configured(cloud="azure")).instance_details
    figures = ("Hourly_DBUs", "Compute_Contract_Price")
    [(dbus, price)] = azure.filter(API_Name="Standard_DS3_v2").select(figures).rows()
    assert (dbus * 2 * 0.5 * 2.0 * 0.55, price * 2 * 0.5) == (0.8250000000000001, 0.23)
    [(per_hour,)] = (
        given.warehouse_dbu_details.filter(cluster_size="Medium").select("total_dbus").rows()
    )
    [(rate, *_)] = sku(given, "sqlCompute")
    assert per_hour * 2 * 0.5 * float(str(rate)) == 5.28
