import json

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.reference.node_types import node_type_sizes, told_before

ANSWER = """
[
  {"node_type_id": "i3.xlarge", "memory_mb": 31232, "num_cores": 4.0, "num_gpus": 0},
  {"node_type_id": "n1-shared", "memory_mb": 15360, "num_cores": 0.5},
  {"node_type_id": " M7i.large ", "memory_mb": 8192, "num_cores": 2},
  {"node_type_id": "m7i.large", "memory_mb": 1, "num_cores": 1}
]
"""


def test_cores_and_memory_are_those_of_the_answer() -> None:
    sizes, problems = node_type_sizes(json.loads(ANSWER))
    assert problems == ()
    assert sizes.select("API_Name", "vCPUs", "Memory_GB", "_key").sort("_key").rows() == [
        ("i3.xlarge", 4, 30.5, "i3.xlarge"),
        ("M7i.large", 2, 8.0, "m7i.large"),
        ("n1-shared", None, 15.0, "n1-shared"),
    ]


def test_what_was_told_before_is_told_again_but_for_what_a_newer_answer_names() -> None:
    sizes, _ = node_type_sizes(json.loads(ANSWER))
    of_a_file = sizes.head(1).with_columns(API_Name=pl.lit("x"), size_origin=pl.lit("a file"))
    before = told_before(pl.concat([sizes, of_a_file]), [{"node_type_id": "I3.xlarge"}])
    again, problems = node_type_sizes(before)
    assert problems == ()
    assert again.equals(sizes.filter(pl.col("API_Name") != "i3.xlarge"))


def test_a_node_type_without_an_id_is_told_and_passed_over() -> None:
    sizes, problems = node_type_sizes([{"num_cores": 4}, {"node_type_id": 7}])
    assert sizes.is_empty()
    assert [str(each) for each in problems] == [
        (
            "the workspace's clusters/list-node-types: a node type has no usable id: 'None'. It "
            "is passed over; look at the answer of the API."
        ),
        (
            "the workspace's clusters/list-node-types: a node type has no usable id: '7'. It is "
            "passed over; look at the answer of the API."
        ),
    ]


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
JSON = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.text(max_size=2), LEAVES)
FIELDS = st.sampled_from(["node_type_id", "num_cores", "memory_mb"])


@given(st.lists(st.dictionaries(FIELDS, JSON)))
def test_no_answer_makes_up_cores_or_memory(answer: list[dict[str, object]]) -> None:
    sizes, problems = node_type_sizes(answer)
    assert sizes.height + len(problems) <= len(answer)
    for cores, memory in sizes.select("vCPUs", "Memory_GB").iter_rows():
        assert cores is None or cores > 0
        assert memory is None or memory > 0
    assert sizes.equals(node_type_sizes(answer[::-1])[0])
