import itertools
from datetime import date, timedelta
from random import Random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.configuration.days import EARLIEST_DAY
from overwatch_assets.execution.versions import version_of_rows
from overwatch_assets.reference.layering import Figures, Stack
from overwatch_assets.reference.validity import ENDLESS

STACK = Stack(
    names=("name",), figures=(Figures(("price", "list"), "origin"), Figures(("n",), None))
)
SCHEMA = {
    "_key": pl.String,
    "name": pl.String,
    "price": pl.Float64,
    "list": pl.Float64,
    "n": pl.Int32,
    "origin": pl.String,
    "activeFrom": pl.Date,
    "activeUntil": pl.Date,
}
DAY = date(2024, 1, 1)
SPAN = 12

Cell = int | None
Piece = tuple[Cell, Cell, Cell, bool]
"""Price, list, n, and whether there is a row at all."""

PIECE = st.tuples(*[st.one_of(st.none(), st.integers(1, 2))] * 3, st.booleans())


@st.composite
def layers(draw: st.DrawFn) -> dict[str, list[Piece | None]]:
    """A layer as what it gives on each day, by key."""
    given_by_key: dict[str, list[Piece | None]] = {}
    for key in ("a", "b"):
        cuts = sorted(draw(st.sets(st.integers(1, SPAN - 1), max_size=3)))
        bounds = [0, *cuts, SPAN]
        days: list[Piece | None] = []
        for begin, end in itertools.pairwise(bounds):
            piece = draw(PIECE)
            days += [piece if piece[3] else None] * (end - begin)
        given_by_key[key] = days
    return given_by_key


def frame_of(number: int, given_by_key: dict[str, list[Piece | None]]) -> pl.DataFrame:
    """The layer as rows of a day each; its last day has no end."""
    rows = [
        {
            "_key": key,
            "name": f"{key}{number}",
            "price": piece[0],
            "list": piece[1],
            "n": piece[2],
            "origin": f"layer {number}" if piece[0] else None,
            "activeFrom": None if day == 0 else DAY + timedelta(day),
            "activeUntil": None if day == SPAN - 1 else DAY + timedelta(day + 1),
        }
        for key, days in given_by_key.items()
        for day, piece in enumerate(days)
        if piece is not None
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


@given(st.lists(layers(), min_size=1, max_size=3))
def test_on_each_day_every_column_is_that_of_the_topmost_layer_that_gives_it(
    stacked: list[dict[str, list[Piece | None]]],
) -> None:
    laid = STACK.laid([frame_of(number, each) for number, each in enumerate(stacked)])
    for key in ("a", "b"):
        for day in range(SPAN):
            pieces = [each[key][day] for each in stacked]
            there = [piece for piece in pieces if piece is not None]
            at = DAY + timedelta(day) if day else EARLIEST_DAY
            begun, goes_on = pl.col("activeFrom") <= at, at < pl.col("activeUntil")
            found = laid.filter(pl.col("_key") == key, begun, goes_on)
            columns = [next((p[i] for p in there if p[i] is not None), None) for i in range(3)]
            priced = (n for n, piece in enumerate(pieces) if piece and piece[0])
            origin = next((f"layer {number}" for number in priced), "unknown")
            expected = [(*columns, origin)] if there else []
            assert found.select("price", "list", "n", "origin").rows() == expected


@given(st.lists(layers(), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_cutting_of_rows_changes_anything(
    stacked: list[dict[str, list[Piece | None]]], random: Random
) -> None:
    frames = [frame_of(number, each) for number, each in enumerate(stacked)]
    joined = [STACK.laid([each]).drop("name").with_columns(name="_key") for each in frames]
    shuffled = [
        each.sample(fraction=1, shuffle=True, seed=random.getrandbits(30)) for each in frames
    ]
    whole = STACK.laid(frames)
    assert STACK.laid(shuffled).equals(whole)
    again = STACK.laid([each.select(STACK.columns) for each in joined])
    figures, others = (STACK.without_origins(each).drop("name") for each in (whole, again))
    assert others.equals(figures)
    assert version_of_rows(others[::-1]) == version_of_rows(figures)


def test_stretches_that_say_the_same_are_one_row() -> None:
    rows = [
        {"_key": "a", "name": "a", "price": 1.0, "activeUntil": DAY},
        {"_key": "a", "name": "a", "price": 1.0, "activeFrom": DAY},
    ]
    laid = STACK.laid([pl.DataFrame(rows, schema=SCHEMA)])
    assert laid.select("price", "activeFrom", "activeUntil").rows() == [
        (1.0, EARLIEST_DAY, ENDLESS)
    ]


def test_a_key_keeps_the_spelling_of_its_lowest_layer() -> None:
    rows = [{"_key": "a", "name": name, "price": 1.0} for name in ("A", "a")]
    top, bottom = (pl.DataFrame([row], schema=SCHEMA) for row in rows)
    assert STACK.laid([top, bottom])["name"].to_list() == ["a"]


def test_rows_that_ended_before_anything_can_be_loaded_are_left_out() -> None:
    row = {"_key": "a", "name": "a", "price": 1.0, "activeUntil": EARLIEST_DAY}
    assert STACK.laid([pl.DataFrame([row], schema=SCHEMA)]).is_empty()


def test_where_no_layer_has_a_value_the_topmost_reason_is_told() -> None:
    rows = [{"_key": "a", "name": "a", "origin": origin} for origin in (None, "left out: b", "c")]
    laid = STACK.laid([pl.DataFrame([row], schema=SCHEMA) for row in rows])
    assert laid.select("price", "origin").rows() == [(None, "left out: b")]
