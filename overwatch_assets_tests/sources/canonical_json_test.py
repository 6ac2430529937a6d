import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.sources.canonical_json import (
    MAX_DEPTH,
    TooDeep,
    canonical_params,
    compact_text,
    without_secrets,
)

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
VALUES = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below),
    max_leaves=8,
)


def test_keys_are_sorted_and_every_value_is_text() -> None:
    params = {"b": 1, "a": True, "d": 13.789, "c": "x"}
    assert canonical_params(params) == '{"a":"true","b":"1","c":"x","d":"13.789"}'


def test_null_and_blank_entries_are_left_out() -> None:
    assert canonical_params({"a": None, "b": "", "c": " ", "d": "x"}) == '{"d":"x"}'
    assert canonical_params({"a": None}) is None


def test_an_object_and_text_that_holds_it_are_the_same() -> None:
    as_object = canonical_params({"autoscale": {"min": 1, "max": None, "on": False}})
    as_text = canonical_params({"autoscale": '{"on": false,  "min":"1"}'})
    assert as_object == as_text == '{"autoscale":"{\\"min\\":\\"1\\",\\"on\\":\\"false\\"}"}'


def test_text_that_only_looks_like_json_stays_as_it_is() -> None:
    assert canonical_params({"tasks": '[{"a":1}... truncated'}) == (
        '{"tasks":"[{\\"a\\":1}... truncated"}'
    )


@pytest.mark.parametrize(
    "params",
    [
        {"spark_env_vars": '{"DB_PASSWORD":"hunter2"}'},
        {"spark_conf": {"fs.azure.account.key.x": "hunter2"}},
        {"tokenValue": "hunter2"},
        {"clientSecret": {"deep": ["hunter2"]}},
        {"spark_conf": '{"aws.secretKey":"hunter2"... truncated'},
    ],
)
def test_values_of_secret_keys_are_struck_out(params: dict[str, object]) -> None:
    text = canonical_params(params)
    assert text is not None
    assert "[REDACTED]" in text
    assert "hunter2" not in text


def test_a_result_keeps_its_numbers_and_loses_its_secrets() -> None:
    assert compact_text('{"job_id": 482910337650112}') == '{"job_id": 482910337650112}'
    assert compact_text('{"token_value":"dapi1", "n": 1}') == '{"n":1,"token_value":"[REDACTED]"}'


def test_broken_json_is_cut_where_a_secret_begins() -> None:
    line = r'{"serviceName":"secrets","requestParams":{"x":"{\"password\": \"hunter2\"}'
    assert without_secrets(line).endswith(r"\"password\": [REDACTED]")
    assert without_secrets('{"serviceName":"secrets","a":1') == '{"serviceName":"secrets","a":1'


def test_deep_nesting_is_refused_and_deep_text_is_kept() -> None:
    deep = "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2)
    with pytest.raises(TooDeep):
        canonical_params({"a": json.loads(deep)})
    assert canonical_params({"a": deep}) == f'{{"a":"{deep}"}}'
    endless = "[" * 100_000
    assert canonical_params({"a": endless}) == f'{{"a":"{endless}"}}'


@given(st.dictionaries(st.text(max_size=3), VALUES))
def test_the_order_of_keys_and_text_or_object_make_no_difference(params: dict[str, object]) -> None:
    backwards = dict(reversed(params.items()))
    as_text = {
        key: json.dumps(value) if isinstance(value, dict | list) else value
        for key, value in backwards.items()
    }
    assert canonical_params(params) == canonical_params(as_text)


@given(st.dictionaries(st.text(max_size=3), VALUES))
def test_canonical_text_is_a_fixed_point(params: dict[str, object]) -> None:
    once = canonical_params(params)
    if once is not None:
        assert canonical_params(json.loads(once)) == once
