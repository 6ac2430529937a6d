from datetime import date

import pytest

from overwatch_assets.reference.layout import (
    DBU_COST_DETAILS,
    INSTANCE_DETAILS,
    WAREHOUSE_DBU_DETAILS,
    Layout,
)
from overwatch_assets.reference.problems import errors_of
from overwatch_assets.reference.sheet import LINE
from overwatch_assets_tests.reference.files import of_csv, told

NODE = "API_Name,vCPUs,Compute_Contract_Price,activeFrom,activeUntil"
SKU = "sku,contract_price"
SIZE = "cloud,cluster_size,total_dbus"
KEEP = "Leave the cell blank where the figure is not known."


def test_cells_become_typed_rows() -> None:
    text = (
        "api_name,Name,vCPUs,Memory_GB,Hourly_DBUs,Compute_Contract_Price,activeFrom,activeUntil\n"
        " M5.large ,General,2.0,8,.35,9.6e-2,2024-01-01,9999-12-31\n"
    )
    [row] = of_csv(text, INSTANCE_DETAILS).rows.to_dicts()
    assert row == {
        "organization_id": None,
        "cloud": None,
        "instance": "General",
        "API_Name": "M5.large",
        "vCPUs": 2,
        "Memory_GB": 8.0,
        "Compute_Contract_Price": 0.096,
        "On_Demand_Cost_Hourly": None,
        "Linux_Reserved_Cost_Hourly": None,
        "Hourly_DBUs": 0.35,
        "activeFrom": date(2024, 1, 1),
        "activeUntil": None,
        "isActive": None,
        "_line": 2,
        "_key": "m5.large",
    }


def test_skus_clouds_and_sizes_are_recognised_in_any_spelling() -> None:
    skus = of_csv(f"{SKU}\nSQLCOMPUTE,0.2\n JobsLight,0.1\n", DBU_COST_DETAILS).rows
    assert skus["sku"].to_list() == ["sqlCompute", "jobsLight"]
    sizes = of_csv(f"{SIZE}\nAzure,XX_SMALL,4\nAWS,2x-small,4\n", WAREHOUSE_DBU_DETAILS).rows
    assert sizes["_key"].to_list() == ["azure 2xsmall", "aws 2xsmall"]


def test_a_table_of_overwatch_can_be_read_as_it_is() -> None:
    text = (
        "organization_id,workspace_name,sku,contract_price,activeFrom,activeUntil,isActive,"
        "Pipeline_SnapTS,Overwatch_RunID\n"
        "123,prod,interactive,0.55,2024-01-01,2024-07-01,false,2024-01-01 00:00,r\n"
        "123,prod,interactive,0.50,2024-07-01,null,true,2024-01-01 00:00,r\n"
    )
    read = of_csv(text, DBU_COST_DETAILS)
    assert (read.rows.height, read.problems) == (2, ())


@pytest.mark.parametrize(
    ("layout", "text", "message"),
    [
        (
            INSTANCE_DETAILS,
            "API_Name,vCPU\nm5,4\n",
            "prices.csv, line 1: 'vCPU' is no column of instance_details. Did you mean vCPUs?",
        ),
        (
            DBU_COST_DETAILS,
            f"{SKU},zzz\ndlt,1,1\n",
            "line 1: 'zzz' is no column of dbu_cost_details. Leave it out; known are organization_",
        ),
        (DBU_COST_DETAILS, "price\n1\n", "line 1: the column sku is missing. Write it into the"),
        (
            DBU_COST_DETAILS,
            f"{SKU},SKU\ndlt,1,dlt\n",
            "line 1: 'SKU' is a second column sku. Keep one of the two.",
        ),
        (
            DBU_COST_DETAILS,
            f"{SKU},\ndlt,1,x\n",
            "line 1: column 3 has no name. Write one into the header.",
        ),
        (
            DBU_COST_DETAILS,
            f"{SKU}\ninteractiv,1\n",
            "line 2: interactiv: sku 'interactiv' is an unknown sku. Did you mean interactive?",
        ),
        (
            DBU_COST_DETAILS,
            f"{SKU}\nzzz,1\n",
            "sku 'zzz' is an unknown sku. Known are interactive, automated, sqlCompute, ",
        ),
        (
            WAREHOUSE_DBU_DETAILS,
            f"{SIZE}\noracle,Small,1\n",
            "line 2: oracle Small: cloud 'oracle' is an unknown cloud. Known are aws, azure, gcp.",
        ),
        (DBU_COST_DETAILS, f"{SKU}\n,1\n", "line 2: sku is blank. Write it, or take the line out"),
        (
            DBU_COST_DETAILS,
            f"{SKU}\ndlt,\n",
            "line 2: dlt: contract_price is blank. Write it, or take the line out.",
        ),
        (
            DBU_COST_DETAILS,
            f"{SKU}\ndlt,-0.1\n",
            f"line 2: dlt: contract_price '-0.1' is a negative price. {KEEP}",
        ),
        (
            DBU_COST_DETAILS,
            f'{SKU}\ndlt,"0,55"\n',
            "dlt: contract_price '0,55' is no number. Write digits with a point before decimals,",
        ),
        (DBU_COST_DETAILS, f"{SKU}\ndlt,$0.55\n", "contract_price '$0.55' is no number."),
        (DBU_COST_DETAILS, f"{SKU}\ndlt,NaN\n", "contract_price 'NaN' is no number."),
        (DBU_COST_DETAILS, f"{SKU}\ndlt,1e999\n", "contract_price '1e999' is no number."),
        (DBU_COST_DETAILS, f"{SKU}\ndlt,1e10\n", "contract_price '1e10' is above 1,000,000,000."),
        (INSTANCE_DETAILS, f"{NODE}\nm5,0,,,\n", f"m5: vCPUs '0' is not above 0. {KEEP}"),
        (INSTANCE_DETAILS, f"{NODE}\nm5,0.5,,,\n", "m5: vCPUs '0.5' is no whole number."),
        (INSTANCE_DETAILS, "API_Name,Memory_GB\nm5,0\n", "Memory_GB '0' is not above 0."),
        (INSTANCE_DETAILS, "API_Name,Hourly_DBUs\nm5,-1\n", "Hourly_DBUs '-1' is not above 0."),
        (WAREHOUSE_DBU_DETAILS, f"{SIZE}\naws,Small,0\n", "total_dbus '0' is not above 0."),
        (
            INSTANCE_DETAILS,
            f"{NODE}\nm5,,,01.07.2024,\n",
            "m5: activeFrom '01.07.2024' is no day. Write it as YYYY-MM-DD",
        ),
        (INSTANCE_DETAILS, f"{NODE}\nm5,,,2024-02-30,\n", "activeFrom '2024-02-30' is no day."),
        (INSTANCE_DETAILS, f"{NODE}\nm5,,,0000-01-01,\n", "activeFrom '0000-01-01' is no day."),
        (
            INSTANCE_DETAILS,
            "API_Name,isActive\nm5,1\n",
            "m5: isActive '1' is neither true nor false. Write true or false.",
        ),
        (
            INSTANCE_DETAILS,
            "API_Name\nm5\x07\n",
            "API_Name 'm5\\x07' holds a character that is not printable. Remove it.",
        ),
        (INSTANCE_DETAILS, f"API_Name\n{'x' * 201}\n", "xxx...' is longer than 200 characters."),
    ],
)
def test_a_mistake_is_told_with_line_key_value_and_remedy(
    layout: Layout, text: str, message: str
) -> None:
    problems = of_csv(text, layout).problems
    assert message in "\n".join(map(str, problems))
    assert errors_of(problems) == list(problems)


def test_everything_is_told_at_once_in_the_order_of_the_lines() -> None:
    text = f"{NODE},price\nm5,0,-1,,,\nm6,1,x,2024-01-01,2024-01-01,\nm7,1\nm8,,1,,,\nm8,,1,,,\n"
    places = [problem.line for problem in of_csv(text, INSTANCE_DETAILS).problems]
    assert places == [1, 2, 2, 3, 4, 6]


def test_good_rows_beside_bad_ones_are_kept_and_checked() -> None:
    read = of_csv(f"{SKU}\ndlt,x\ndlt,1\nautomated,1\n", DBU_COST_DETAILS)
    assert read.rows.select("sku", LINE).rows() == [("dlt", 3), ("automated", 4)]
    assert len(read.problems) == 1


def test_a_secret_in_the_wrong_file_is_not_repeated() -> None:
    secret = "dapi" + "0123456789abcdef" * 2
    problems = told(f"{SKU},{secret}\n{secret},{secret},1\n", DBU_COST_DETAILS)
    assert len(problems) == 3
    assert [problem for problem in problems if secret in problem] == []
