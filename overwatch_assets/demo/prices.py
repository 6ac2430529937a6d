"""What a DBU and a machine cost: price rows with validity, one change in the middle of the days.

A row is valid from the UTC midnight that begins `active_from` up to the one that begins
`active_until`. The price at the start of a cluster's state holds for the whole state.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from overwatch_assets.demo.node_types import NODE_TYPES

KNOWN_SINCE = timedelta(days=90)

DBU_PRICES = {
    "interactive": (0.55, 0.60),
    "automated": (0.15, 0.17),
    "sqlCompute": (0.22, 0.22),
    "jobsLight": (0.10, 0.10),
}
"""USD per DBU by SKU, before and after the change; equal: there is no change."""

CHEAPER = {"i3.xlarge": 0.298, "r5d.xlarge": 0.271, "m5.xlarge": 0.185}
"""Node types whose price per hour changes, and what it becomes."""


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price and the days it holds.

    Attributes:
        name: SKU or node type.
        usd: Per DBU, or per node and hour.
        active_until: First day it no longer holds; None: it holds on.
    """

    name: str
    usd: float
    active_from: date
    active_until: date | None

    def holds(self, day: date) -> bool:
        """Whether a price asked for on a day is this one."""
        return self.active_from <= day and (self.active_until is None or day < self.active_until)


@dataclass(frozen=True, slots=True)
class Prices:
    """The price rows of a workspace."""

    dbu: tuple[PriceRow, ...]
    node: tuple[PriceRow, ...]

    def of_dbu(self, sku: str, at_ms: int) -> float:
        """Return USD per DBU."""
        return _valid(self.dbu, sku, at_ms)

    def of_node(self, node_type: str, at_ms: int) -> float:
        """Return USD per node and hour."""
        return _valid(self.node, node_type, at_ms)


def price_list(first_day: date, days: int) -> Prices:
    """Return the prices of a world; they change when half of its days are over."""
    changes_on = first_day + timedelta(days=days // 2)
    before = first_day - KNOWN_SINCE
    nodes = {name: (node.price, CHEAPER.get(name, node.price)) for name, node in NODE_TYPES.items()}
    return Prices(_rows(DBU_PRICES, before, changes_on), _rows(nodes, before, changes_on))


def _rows(
    prices: dict[str, tuple[float, float]], before: date, changes_on: date
) -> tuple[PriceRow, ...]:
    rows: list[PriceRow] = []
    for name, (old, new) in prices.items():
        if old == new:
            rows.append(PriceRow(name, old, before, None))
        else:
            rows += (PriceRow(name, old, before, changes_on), PriceRow(name, new, changes_on, None))
    return tuple(rows)


def _valid(rows: Iterable[PriceRow], name: str, at_ms: int) -> float:
    day = datetime.fromtimestamp(at_ms / 1000, tz=UTC).date()
    for row in rows:
        if row.name == name and row.holds(day):
            return row.usd
    unpriced = f"{name} has no price on {day}"
    raise ValueError(unpriced)
