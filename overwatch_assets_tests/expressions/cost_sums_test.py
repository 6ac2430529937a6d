from collections.abc import Callable, Sequence

import polars as pl

from overwatch_assets.expressions.cost_sums import (
    COST_COLUMNS,
    SUMMED,
    all_or_null,
    known_sum,
    reasons_of,
    with_totals,
)

Amounts = Sequence[float | None]


def summed(of_group: Callable[[pl.Expr], pl.Expr], *groups: Amounts) -> list[float | None]:
    """What amounts in groups come to."""
    rows = [(number, usd) for number, group in enumerate(groups) for usd in group]
    frame = pl.DataFrame(rows, schema={"group": pl.Int64, "usd": pl.Float64}, orient="row")
    made = frame.group_by("group", maintain_order=True).agg(of_group(pl.col("usd")))
    return made["usd"].to_list()


def totals(*amounts: float | None) -> dict[str, float | None]:
    parts = pl.LazyFrame([amounts], schema=dict.fromkeys(SUMMED, pl.Float64), orient="row")
    [row] = with_totals(parts).collect().to_dicts()
    return row


def test_totals_are_the_sums_of_their_parts() -> None:
    row = totals(1.0, 2.0, 4.0, 8.0, 5.0)
    assert row["total_driver_cost"] == 3.0
    assert row["total_worker_cost"] == 12.0
    assert row["total_compute_cost"] == 5.0
    assert row["total_dbu_cost"] == 10.0
    assert row["total_cost"] == 15.0
    assert set(row) == {column.name for column in COST_COLUMNS}


def test_what_is_unknown_makes_its_totals_unknown_and_no_others() -> None:
    row = totals(1.0, 2.0, None, 8.0, None)
    assert (row["total_worker_cost"], row["total_compute_cost"], row["total_cost"]) == (None,) * 3
    assert (row["total_driver_cost"], row["total_dbu_cost"]) == (3.0, 10.0)


def test_a_sum_is_unknown_with_a_part_unless_the_parts_that_are_known_are_asked_for() -> None:
    groups: Sequence[Amounts] = ([1.0, 2.0], [1.0, None, 4.0], [None, None])
    assert summed(all_or_null, *groups) == [3.0, None, None]
    assert summed(known_sum, *groups) == [3.0, 5.0, None]


def test_reasons_are_told_once_and_in_order() -> None:
    frame = pl.DataFrame(
        {"group": [1, 1, 1, 2, 3], "reason": ["c, b", None, "b, a", None, "d"]},
    )
    made = frame.group_by("group", maintain_order=True).agg(reasons_of(pl.col("reason")))
    assert made["reason"].to_list() == ["a, b, c", None, "d"]
