"""The company's prices as price files: what machines and DBUs cost, and when."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

from overwatch_assets.demo.node_types import NODE_TYPES
from overwatch_assets.demo.prices import PriceRow, Prices

INSTANCE_DETAILS, DBU_COST_DETAILS = "instance_details.csv", "dbu_cost_details.csv"


def price_files(prices: Prices) -> dict[str, str]:
    """Content of the files by name."""
    return {
        INSTANCE_DETAILS: _text(
            (
                "API_Name",
                "vCPUs",
                "Memory_GB",
                "Hourly_DBUs",
                "Compute_Contract_Price",
                "activeFrom",
                "activeUntil",
            ),
            map(_node_row, prices.node),
        ),
        DBU_COST_DETAILS: _text(
            ("sku", "contract_price", "activeFrom", "activeUntil"), map(_dbu_row, prices.dbu)
        ),
    }


def _node_row(row: PriceRow) -> Sequence[object]:
    node = NODE_TYPES[row.name]
    return (row.name, node.cores, node.memory_gb, node.dbus, row.usd, *_validity(row))


def _dbu_row(row: PriceRow) -> Sequence[object]:
    return (row.name, row.usd, *_validity(row))


def _validity(row: PriceRow) -> tuple[date, date | str]:
    return row.active_from, row.active_until or ""


def _text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return written.getvalue()
