import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.expressions.json_texts import TEXTS, json_text, texts_in
from overwatch_assets.sources.canonical_json import canonical_params

texts = st.dictionaries(st.text(alphabet='abü."\\\n', min_size=1), st.text())


@given(texts.filter(bool))
def test_a_map_reads_as_it_was_written(value: dict[str, str]) -> None:
    frame = pl.DataFrame({"map": [value]}, schema={"map": TEXTS})
    written = frame.select(json_text(pl.col("map"))).to_series()
    assert json.loads(written[0]) == value
    assert written.to_frame().select(texts_in(pl.col("map"))).to_series()[0] == value


@given(texts.filter(bool))
def test_a_map_of_a_capture_is_written_as_the_audit_log_writes_it(value: dict[str, str]) -> None:
    frame = pl.DataFrame({"map": [value]}, schema={"map": TEXTS})
    params = json.loads(canonical_params({"conf": value}) or "")
    assert frame.select(json_text(pl.col("map"))).item() == params["conf"]


def test_nulls_and_empty_values_say_nothing() -> None:
    conf = pl.Struct({"dbfs": pl.Struct({"destination": pl.String}), "count": pl.Int64})
    values = [{"dbfs": None, "count": 3}, {"dbfs": None, "count": None}, None]
    frame = pl.DataFrame({"conf": values}, schema={"conf": conf})
    assert frame.select(json_text(pl.col("conf"))).to_series().to_list() == [
        '{"count":"3"}',
        None,
        None,
    ]


@pytest.mark.parametrize("text", ["[1]", "{", "spark.x true", "", "3", None])
def test_a_text_that_is_no_object_has_no_entries(text: str | None) -> None:
    frame = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    assert frame.select(texts_in(pl.col("text"))).to_series().to_list() == [None]


def test_entries_are_text_nested_ones_json_and_nulls_none() -> None:
    frame = pl.DataFrame({"text": ['{"n":1,"o":{"b":1,"a":null},"none":null,"t":true}']})
    assert frame.select(texts_in(pl.col("text"))).to_series()[0] == {
        "n": "1",
        "o": '{"a":null,"b":1}',
        "t": "true",
    }
