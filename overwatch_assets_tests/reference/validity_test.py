from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.reference.layout import INSTANCE_DETAILS
from overwatch_assets.reference.problems import errors_of
from overwatch_assets_tests.reference.files import of_csv, told

HEAD = "API_Name,activeFrom,activeUntil,isActive\n"


def messages(*rows: str) -> list[str]:
    return told(HEAD + "".join(f"{row}\n" for row in rows), INSTANCE_DETAILS)


def test_rows_that_follow_on_each_other_are_fine() -> None:
    rows = ("m5,,2024-01-01,false", "m5,2024-02-01,,true", "M5 ,2024-01-01,2024-02-01,")
    assert messages(*rows, "m6,,,") == []


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ("m5,2024-01-01,2024-03-01,", "m5,2024-02-01,,"),
            (
                "line 3: m5: the row (from 2024-02-01 on) overlaps line 2 (from 2024-01-01 until "
                "2024-03-01). Close the earlier one where this begins: activeUntil 2024-02-01."
            ),
        ),
        (
            ("m5,2024-01-01,,", " M5,2024-02-01,,"),
            (
                "line 3: M5: the row (from 2024-02-01 on) and line 2 (from 2024-01-01 on) are both "
                "open: neither has activeUntil. Close the earlier one where this begins: "
                "activeUntil 2024-02-01."
            ),
        ),
        (
            ("m5,,,", "M5,,,"),
            (
                "line 3: M5: the row (from the beginning on) has the key and the interval of line "
                "2 (from the beginning on). Keep one of the two; blanks around a key and capital "
                "letters do not count."
            ),
        ),
        (
            ("m5,2024-01-01,2024-03-01,", "m5,2024-01-01,,"),
            (
                "line 3: m5: the row (from 2024-01-01 on) overlaps line 2 (from 2024-01-01 until "
                "2024-03-01). Keep one of the two, or let one begin where the other ends."
            ),
        ),
        (
            ("m5,2024-02-01,2024-02-01,",),
            (
                "line 2: m5: activeFrom 2024-02-01 is not before activeUntil 2024-02-01, so it is "
                "never valid. activeUntil is the first day on which the row no longer holds."
            ),
        ),
        (
            ("m5,2024-02-01,,false",),
            (
                "line 2: m5: isActive is false, but the row is valid from 2024-02-01 on. Active "
                "are rows without activeUntil; leave the column isActive out."
            ),
        ),
    ],
)
def test_a_wrong_interval_is_told_with_both_intervals_and_the_remedy(
    rows: tuple[str, ...], message: str
) -> None:
    assert messages(*rows) == [f"prices.csv, {message}"]


def test_a_gap_is_only_a_warning() -> None:
    text = f"{HEAD}m5,2024-03-01,,\nm5,,2024-01-01,\n"
    [problem] = of_csv(text, INSTANCE_DETAILS).problems
    assert problem.is_warning
    assert str(problem) == (
        "prices.csv, line 2: m5: the row (from 2024-03-01 on) does not follow on line 3 (from the "
        "beginning until 2024-01-01): nothing is given from 2024-01-01 until 2024-03-01. What "
        "lies below the file applies there, if anything; write activeUntil 2024-03-01 in the "
        "earlier row if that is not meant."
    )


def test_an_interval_is_held_against_the_longest_before_it() -> None:
    rows = ("m5,2024-01-01,2024-12-31,", "m5,2024-02-01,2024-03-01,", "m5,2024-06-01,2024-07-01,")
    assert [message.count("overlaps line 2") for message in messages(*rows)] == [1, 1]


def test_rows_of_two_workspaces_do_not_overlap() -> None:
    text = "organization_id,API_Name\n1,m5\n2,m5\n,m5\n"
    assert told(text, INSTANCE_DETAILS) == []


DAYS = st.integers(0, 12)
ROWS = st.lists(st.tuples(st.sampled_from(["m5", "M5", "m6"]), DAYS, DAYS), min_size=1, max_size=6)


@given(ROWS)
def test_rows_are_accepted_exactly_if_no_instant_meets_two_of_a_key(
    rows: list[tuple[str, int, int]],
) -> None:
    first = date(2024, 1, 1)
    lines = [f"{key},{first + timedelta(a)},{first + timedelta(b)},\n" for key, a, b in rows]
    problems = of_csv(HEAD + "".join(lines), INSTANCE_DETAILS).problems
    met = [(key.lower(), day) for key, begin, end in rows for day in range(begin, end)]
    is_sound = len(met) == len(set(met)) and all(begin < end for _, begin, end in rows)
    assert (not errors_of(problems)) == is_sound
