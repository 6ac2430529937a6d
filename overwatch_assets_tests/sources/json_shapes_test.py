import json
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.sources.json_shapes import Shaper

TEXTS = pl.Map(pl.String, pl.String)
SCHEMA = pl.Schema(
    {
        "text": pl.String,
        "whole": pl.Int64,
        "short": pl.Int32,
        "real": pl.Float64,
        "truth": pl.Boolean,
        "texts": pl.List(pl.String),
        "map": TEXTS,
        "struct": pl.Struct(
            {"text": pl.String, "list": pl.List(pl.Struct({"whole": pl.Int64, "map": TEXTS}))}
        ),
        "_extra": pl.String,
    }
)
SHAPER = Shaper(SCHEMA)
BIGGEST = 2**63 - 1


def row(each: Mapping[str, object]) -> dict[str, Any]:
    [made] = SHAPER.shape([each]).rows.to_dicts()
    return made


def shaped(name: str, value: object) -> tuple[object, bool]:
    """What becomes of a field's value, and whether it was counted as lost."""
    made = SHAPER.shape([{name: value}])
    assert made.rows.schema == SCHEMA
    assert set(made.lost) <= {name}
    return made.rows[name].to_list()[0], name in made.lost


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("text", "abc", "abc"),
        ("text", "", ""),
        ("text", 8, "8"),
        ("text", True, "true"),
        ("text", 1.5, "1.5"),
        ("whole", "17", 17),
        ("whole", " -17 ", -17),
        ("whole", 3.0, 3),
        ("whole", "3.0", 3),
        ("whole", True, 1),
        ("whole", BIGGEST, BIGGEST),
        ("whole", -(2**63), -(2**63)),
        ("short", 2**31 - 1, 2**31 - 1),
        ("real", 3, 3.0),
        ("real", "0.5", 0.5),
        ("truth", "TRUE", True),
        ("truth", 0, False),
        ("texts", ["a", None, 3], ["a", None, "3"]),
        ("texts", [], []),
        ("map", {}, {}),
        ("map", {"Cost-Center": "1", "a.b": 8}, {"Cost-Center": "1", "a.b": "8"}),
        ("map", {"on": True, "half": 0.5}, {"half": "0.5", "on": "true"}),
        ("map", {"gone": None, "kept": "x"}, {"kept": "x"}),
        ("map", {"nested": {"b": 1, "a": [None, "x"]}}, {"nested": '{"a":[null,"x"],"b":1}'}),
        ("map", [{"key": "team", "value": "bi"}, {"key": "no"}], {"team": "bi"}),
        ("struct", {}, {"text": None, "list": None}),
        ("struct", {"list": [{"whole": "4", "other": 1}, None]},
         {"text": None, "list": [{"whole": 4, "map": None}, None]}),
        ("text", None, None),
    ],
)  # fmt: skip
def test_a_value_is_cast_leniently(name: str, value: object, expected: object) -> None:
    assert shaped(name, value) == (expected, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", {"a": 1}),
        ("text", ["a"]),
        ("whole", "abc"),
        ("whole", "1.5"),
        ("whole", 1.5),
        ("whole", ""),
        ("whole", 2**63),
        ("whole", int("9" * 400)),
        ("whole", {"a": 1}),
        ("short", 2**31),
        ("real", "nan"),
        ("real", 10**400),
        ("real", "much"),
        ("truth", 2),
        ("truth", "yes"),
        ("texts", "a"),
        ("map", "a"),
        ("map", ["a"]),
        ("map", [{"key": 1, "value": 2}]),
        ("struct", "a"),
        ("struct", [1]),
    ],
)
def test_a_value_that_does_not_fit_is_null_and_counted(name: str, value: object) -> None:
    assert shaped(name, value) == (None, True)


def test_inside_lists_and_structs_the_field_is_named() -> None:
    each: dict[str, object] = {
        "struct": {"text": [], "list": [{"whole": "x"}, {"whole": {}}, 3]},
        "texts": [{}],
    }
    made = SHAPER.shape([each, each])
    assert made.lost == {
        "struct.list": 2, "struct.list.whole": 4, "struct.text": 2, "texts": 2,
    }  # fmt: skip
    [kept, _] = made.rows["struct"].to_list()
    assert kept == {"text": None, "list": [{"whole": None, "map": None}] * 2 + [None]}


def test_fields_that_no_column_has_are_kept_as_json_with_sorted_keys() -> None:
    each = {"text": "a", "new": {"b": [1, None], "a": "ü"}, "gone": None, "also": 2**70}
    assert row(each)["_extra"] == '{"also":1180591620717411303424,"new":{"a":"ü","b":[1,null]}}'
    assert row({"text": "a", "gone": None})["_extra"] is None


def test_values_of_keys_that_name_a_secret_are_struck_out() -> None:
    each = {
        "map": {"fs.s3a.secret.key": "hunter22", "plain": {"password": "hunter22", "a": 1}},
        "text": '{"conf":{"client_secret":"hunter22","b":1}}',
        "struct": {"list": [{"map": {"API_TOKEN": "hunter22"}}]},
        "token_value": "hunter22",
        "new": [{"credentials": {"x": "hunter22"}}],
    }
    made = row(each)
    assert "hunter22" not in str(made)
    assert made["map"] == {
        "fs.s3a.secret.key": "[REDACTED]", "plain": '{"a":1,"password":"[REDACTED]"}',
    }  # fmt: skip
    assert made["text"] == '{"conf":{"b":1,"client_secret":"[REDACTED]"}}'
    assert made["_extra"] == '{"new":[{"credentials":"[REDACTED]"}],"token_value":"[REDACTED]"}'


def test_texts_that_look_like_secrets_are_struck_out_wherever_they_stand() -> None:
    each = {
        "text": "dapi0123456789abcdef",
        "texts": ["--url", "https://u:hunter22@h/x"],
        "map": {"url": "https://a.net/c?sig=hunter22&x=1"},
        "struct": {"text": "Bearer hunter22"},
        "new": {"a": "Bearer hunter22", "b": 1},
    }
    made = row(each)
    assert "hunter22" not in str(made)
    assert made["text"] == "[REDACTED]"
    assert made["texts"] == ["--url", "https://u:[REDACTED]@h/x"]
    assert made["map"] == {"url": "https://a.net/c?sig=[REDACTED]&x=1"}
    assert json.loads(made["_extra"]) == {"new": {"a": "Bearer [REDACTED]", "b": 1}}


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    each = json.loads('{"text":"a\\ud800b","map":{"k\\udfff":"\\ud800"},"n\\ud800":"\\ud800"}')
    made = row(each)
    assert (made["text"], made["map"]) == ("a?b", {"k?": "?"})
    assert json.loads(made["_extra"])["n?"] == "\ud800"


def test_what_is_nested_too_deeply_is_lost_and_its_neighbours_stay() -> None:
    deep: object = "x"
    for _ in range(5_000):
        deep = [deep]
    made = SHAPER.shape([{"map": {"deep": deep, "a": 1}, "deep": deep, "new": 1}])
    [kept] = made.rows.to_dicts()
    assert (kept["map"], kept["_extra"]) == ({"a": "1"}, '{"new":1}')
    assert made.lost == {"_extra.deep": 1, "map": 1}


def test_no_objects_are_no_rows_of_the_schema() -> None:
    made = SHAPER.shape([])
    assert made.rows.is_empty()
    assert made.rows.schema == SCHEMA


def test_a_type_that_json_has_no_value_for_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="day: JSON has no value for a column of type Date"):
        Shaper(pl.Schema({"day": pl.Date}))


GOOD: dict[str, object] = {
    "text": "ü\n\"'\\\u2028",
    "whole": BIGGEST,
    "real": 0.1,
    "truth": False,
    "texts": ["a", ""],
    "map": {"Cost-Center": "4711", "": ""},
    "struct": {"text": "x", "list": [{"whole": 1, "map": {"k": "v"}}]},
}
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "list", "whole", "map", "key", "value", "token"])
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
objects = st.dictionaries(
    st.sampled_from(SCHEMA.names()) | st.text(max_size=4), json_values, max_size=8
)


@settings(max_examples=60)
@given(st.lists(st.tuples(objects, st.sets(st.sampled_from([*GOOD]))), max_size=4))
def test_any_json_has_a_shape_and_known_good_fields_survive(
    each: list[tuple[dict[str, object], set[str]]],
) -> None:
    given_objects = [{**anything, **{n: GOOD[n] for n in good}} for anything, good in each]
    made = SHAPER.shape(given_objects)
    assert made.rows.schema == SCHEMA
    assert made.rows.height == len(given_objects)
    for (_, good), kept in zip(each, made.rows.to_dicts(), strict=True):
        assert {name: kept[name] for name in good} == {name: GOOD[name] for name in good}
        assert kept["_extra"] is None or isinstance(json.loads(kept["_extra"]), dict)


@settings(max_examples=30)
@given(objects)
def test_the_order_of_keys_does_not_matter(each: dict[str, object]) -> None:
    backwards = dict(reversed(each.items()))
    assert SHAPER.shape([each]).rows.equals(SHAPER.shape([backwards]).rows)
