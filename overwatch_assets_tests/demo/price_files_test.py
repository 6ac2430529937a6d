from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from overwatch_assets.config import config_of
from overwatch_assets.configuration.document import parse_document
from overwatch_assets.demo.node_types import NODE_TYPES
from overwatch_assets.demo.prices import DBU_PRICES, price_list
from overwatch_assets.demo.scene import DAY_MS, midnight_ms
from overwatch_assets.demo.setup import LOGS, demo_config_text
from overwatch_assets.demo.write import FIRST_DAY, write_demo
from overwatch_assets.operations.prices import WorkspacePrices, prices_of

DAYS = 4
PRICES = price_list(FIRST_DAY, DAYS)
SHOWN = [FIRST_DAY + timedelta(days=number) for number in range(-30, DAYS + 2)]


@pytest.fixture(scope="module")
def in_force(tmp_path_factory: pytest.TempPathFactory) -> dict[date, list[WorkspacePrices]]:
    """What `overwatch prices` shows of a demo's workspaces on each day."""
    root = tmp_path_factory.mktemp("demo")
    write_demo(root / LOGS, days=DAYS, scale=0.1, spark_logs=False)
    document = parse_document(root / "overwatch.yaml", demo_config_text(7).encode())
    config = config_of(document, now=datetime(2026, 11, 1, tzinfo=UTC))
    return {day: prices_of(config, day=day) for day in SHOWN}


def figures(shown: WorkspacePrices, table: str, *columns: str) -> dict[str, tuple[object, ...]]:
    rows = shown.in_force[table]
    return {str(row[0]): row[1:] for row in rows.select(columns).rows()}


def test_the_prices_in_force_are_those_of_the_company(
    in_force: dict[date, list[WorkspacePrices]],
) -> None:
    for day, workspaces in in_force.items():
        noon = midnight_ms(day) + DAY_MS // 2
        for shown in workspaces:
            assert shown.problems == ()
            dbu = figures(shown, "dbucostdetails", "sku", "contract_price")
            assert dbu == {sku: (PRICES.of_dbu(sku, noon),) for sku in DBU_PRICES}
            columns = ("API_Name", "Compute_Contract_Price", "Hourly_DBUs", "vCPUs", "Memory_GB")
            nodes = figures(shown, "instancedetails", *columns)
            for name, node in NODE_TYPES.items():
                price = PRICES.of_node(name, noon)
                assert nodes[name] == (price, node.dbus, node.cores, node.memory_gb)


def test_a_price_changes_while_the_demo_lasts(
    in_force: dict[date, list[WorkspacePrices]],
) -> None:
    [first, *_] = in_force[FIRST_DAY]
    [last, *_] = in_force[FIRST_DAY + timedelta(days=DAYS - 1)]
    rate = pl.col("contract_price")
    assert (
        not first.in_force["dbucostdetails"]
        .select(rate)
        .equals(last.in_force["dbucostdetails"].select(rate))
    )


def test_the_figures_say_which_line_of_the_files_they_come_from(
    in_force: dict[date, list[WorkspacePrices]],
) -> None:
    [shown, *_] = in_force[FIRST_DAY]
    origins = figures(shown, "dbucostdetails", "sku", "origin")
    assert all("prices/dbu_cost_details.csv, line" in str(told) for (told,) in origins.values())
