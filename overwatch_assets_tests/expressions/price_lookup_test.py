from datetime import date, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.expressions.price_keys import folded
from overwatch_assets.expressions.price_lookup import with_valid
from overwatch_assets.module import TIMESTAMP
from overwatch_assets_tests.frames import utc

Interval = tuple[date, date | None, float]
ONE_US = timedelta(microseconds=1)
FIRST = date(2024, 6, 20)


def prices(**by_name: list[Interval]) -> pl.LazyFrame:
    rows = [(name, *interval) for name, intervals in by_name.items() for interval in intervals]
    schema = {"name": pl.String, "activeFrom": pl.Date, "activeUntil": pl.Date, "usd": pl.Float64}
    columns = ["name", "activeFrom", "activeUntil", "usd"]
    return pl.LazyFrame(rows, schema={name: schema[name] for name in columns}, orient="row")


def priced(
    reference: pl.LazyFrame, *states: tuple[str | None, datetime | None]
) -> list[tuple[object, ...]]:
    """Node type, instant and price of each state."""
    rows = pl.LazyFrame(list(states), {"node": pl.String, "at": TIMESTAMP}, orient="row")
    found = with_valid(
        rows,
        reference,
        key=folded(pl.col("node")),
        reference_key=folded(pl.col("name")),
        at=pl.col("at"),
        columns={"price": pl.col("usd")},
    ).collect()
    assert found.columns == ["node", "at", "price"]
    return found.rows()


CHANGE = date(2024, 7, 1)
M5 = prices(m5=[(date(2012, 1, 1), CHANGE, 0.192), (CHANGE, None, 0.173)])


def test_a_state_has_the_price_of_its_start_and_meets_one_row_at_the_change() -> None:
    before, at, after = (
        utc("2024-06-30 23:59:59.999999"),
        utc("2024-07-01"),
        utc("2024-07-01 00:00:00.000001"),
    )
    assert priced(M5, ("m5", before), ("m5", at), ("m5", after)) == [
        ("m5", before, 0.192),
        ("m5", at, 0.173),
        ("m5", after, 0.173),
    ]


def test_blanks_and_capitals_of_a_node_type_do_not_count() -> None:
    at = utc("2024-01-01")
    assert priced(M5, (" M5 ", at)) == [(" M5 ", at, 0.192)]


def test_what_is_not_in_the_table_has_no_price_and_not_zero() -> None:
    at = utc("2024-01-01")
    assert priced(M5, ("m6", at), (None, at), ("m5", None)) == [
        ("m5", None, None),
        ("m6", at, None),
        (None, at, None),
    ]


def test_a_price_that_has_ended_is_none() -> None:
    closed = prices(m5=[(FIRST, CHANGE, 1.0)])
    at = utc("2024-07-01")
    assert priced(closed, ("m5", at), ("m5", at - ONE_US), ("m5", utc("2024-06-19 23:59"))) == [
        ("m5", utc("2024-06-19 23:59"), None),
        ("m5", at - ONE_US, 1.0),
        ("m5", at, None),
    ]


def test_a_whole_row_can_be_taken_as_a_struct() -> None:
    rows = pl.LazyFrame({"node": ["m5", "m6"], "at": [utc("2024-01-01")] * 2})
    specs = pl.struct("name", "usd")
    found = with_valid(
        rows,
        M5,
        key=pl.col("node"),
        reference_key=pl.col("name"),
        at=pl.col("at"),
        columns={"specs": specs},
    ).collect()
    assert found["specs"].to_list() == [{"name": "m5", "usd": 0.192}, None]


@st.composite
def interval_tables(draw: st.DrawFn) -> dict[str, list[Interval]]:
    """Per key disjoint intervals, with gaps and an open end or none; every price is another."""
    table: dict[str, list[Interval]] = {}
    number = 0.0
    for key in draw(st.sets(st.sampled_from(["a", "b", "c"]))):
        cuts = sorted(draw(st.sets(st.integers(0, 20), min_size=1, max_size=6)))
        days = [FIRST + timedelta(each) for each in cuts]
        ends: list[date | None] = [*days[1:], draw(st.sampled_from([None, date(2024, 7, 20)]))]
        table[key] = []
        for begin, end in zip(days, ends, strict=True):
            number += 1
            if draw(st.booleans()):
                table[key].append((begin, end, number))
    return table


@given(interval_tables(), st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-2, 32))))
def test_every_state_meets_exactly_the_row_that_is_valid_at_its_start_or_none(
    table: dict[str, list[Interval]], drawn: list[tuple[str, int]]
) -> None:
    midnights = [(key, utc(str(FIRST + timedelta(day)))) for key, day in drawn]
    midnights += [
        (key, utc(str(day)))
        for key, intervals in table.items()
        for begin, end, _ in intervals
        for day in (begin, end)
        if day is not None
    ]
    states = [(key, at + step) for key, at in midnights for step in (-ONE_US, ONE_US * 0, ONE_US)]
    expected: list[tuple[object, ...]] = []
    for key, at in states:
        valid = [
            price
            for begin, end, price in table.get(key, [])
            if utc(str(begin)) <= at and (end is None or at < utc(str(end)))
        ]
        assert len(valid) <= 1
        expected.append((key, at, *(valid or [None])))
    found = priced(prices(**table), *states)
    assert sorted(found, key=str) == sorted(expected, key=str)
