from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from overwatch_assets.demo.node_types import NODE_TYPES
from overwatch_assets.demo.prices import DBU_PRICES, PriceRow, price_list

FIRST_DAY = date(2026, 10, 5)
PRICES = price_list(FIRST_DAY, 4)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def rows_of(name: str) -> list[PriceRow]:
    return [row for row in (*PRICES.dbu, *PRICES.node) if row.name == name]


@pytest.mark.parametrize("name", [*DBU_PRICES, *NODE_TYPES])
def test_price_rows_adjoin_and_the_last_holds_on(name: str) -> None:
    rows = rows_of(name)
    assert all(before.active_until == after.active_from for before, after in pairwise(rows))
    assert rows[0].active_from < FIRST_DAY
    assert rows[-1].active_until is None


def test_prices_change_at_the_midnight_in_the_middle_of_the_days() -> None:
    before, after = ms("2026-10-06T23:59:59.999"), ms("2026-10-07")
    assert (PRICES.of_dbu("interactive", before), PRICES.of_dbu("interactive", after)) == (
        0.55,
        0.60,
    )
    assert PRICES.of_node("i3.xlarge", before) > PRICES.of_node("i3.xlarge", after)
    assert PRICES.of_dbu("jobsLight", before) == PRICES.of_dbu("jobsLight", after)


def test_what_has_no_price_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"p5.48xlarge has no price on 2026-10-05"):
        PRICES.of_node("p5.48xlarge", ms("2026-10-05"))
