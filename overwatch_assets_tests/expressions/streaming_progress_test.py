import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.expressions.streaming_progress import STREAMING_METRICS, streaming_metrics

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from([field.name for field in STREAMING_METRICS.fields])


def metrics(*texts: str | None) -> list[dict[str, object] | None]:
    frame = pl.LazyFrame({"progress": texts}, {"progress": pl.String})
    made = frame.select(streaming_metrics(pl.col("progress"))).collect()["progress"]
    assert made.dtype == STREAMING_METRICS
    return made.to_list()


def metric(**told: object) -> dict[str, object]:
    [made] = metrics(json.dumps(told))
    assert made is not None
    return made


def test_parts_with_shapes_of_their_own_stay_json() -> None:
    made = metric(
        batchId=4,
        durationMs={"triggerExecution": 812, "addBatch": 640},
        sink={"description": "DeltaSink"},
        eventTime={"watermark": "2024-05-06T09:10:00.000Z"},
        inputRowsPerSecond=147,
        processedRowsPerSecond=0.5,
    )
    assert (made["batchId"], made["sink"]) == (4, '{"description":"DeltaSink"}')
    assert made["durationMs"] == '{"addBatch":640,"triggerExecution":812}'
    assert made["eventTime"] == {
        "avg": None,
        "max": None,
        "min": None,
        "watermark": "2024-05-06T09:10:00.000Z",
    }
    assert (made["inputRowsPerSecond"], made["processedRowsPerSecond"]) == (147.0, 0.5)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", "null", "7", "[" * 100_000, '{"sink":' * 5_000 + "1" + "}" * 5_000],
)
def test_what_is_no_json_object_is_null(text: str) -> None:
    assert metrics(text, None) == [None, None]


def test_a_field_of_another_type_is_null() -> None:
    made = metric(batchId="4", batchDuration=True, numInputRows=10**400, inputRowsPerSecond=10**400)
    names = ("batchId", "batchDuration", "numInputRows", "inputRowsPerSecond")
    assert [made[name] for name in names] == [None] * 4


@given(st.dictionaries(FIELDS | st.text(), JSON, max_size=4))
def test_no_shape_of_progress_fails(told: dict[str, object]) -> None:
    [made] = metrics(json.dumps(told))
    assert made is None or made.keys() == STREAMING_METRICS.to_schema().keys()
