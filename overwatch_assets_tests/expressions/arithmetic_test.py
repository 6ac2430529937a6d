from typing import Literal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.expressions.arithmetic import quotient


@given(
    st.lists(st.integers(-(2**53), 2**53) | st.none(), min_size=1, max_size=40),
    st.sampled_from([60, 1000, 3_600_000]),
)
@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_a_quotient_has_the_same_digits_in_every_frame(
    engine: Literal["in-memory", "streaming"], numbers: list[int | None], divisor: int
) -> None:
    frame = pl.LazyFrame({"number": numbers}, schema={"number": pl.Int64})
    made = frame.select(quotient(pl.col("number"), divisor)).collect(engine=engine)
    assert made["number"].to_list() == [
        None if number is None else number / divisor for number in numbers
    ]


def test_polars_still_divides_a_column_by_a_scalar_inexactly() -> None:
    hours = pl.DataFrame({"ms": [3_600_000] * 3}).select(pl.col("ms") / 3_600_000)["ms"]
    assert hours.to_list() != [1.0] * 3


def test_a_divisor_that_is_held_as_a_constant_divides_as_exactly() -> None:
    rows = pl.DataFrame({"part": [90 * 720_720] * 3}).with_columns(whole=pl.lit(100 * 720_720))
    shares = rows.select(quotient(pl.col("part"), pl.col("whole"))).to_series()
    assert shares.to_list() == [0.9] * 3
    assert rows.select(pl.col("part") / pl.col("whole")).to_series().to_list() != [0.9] * 3
