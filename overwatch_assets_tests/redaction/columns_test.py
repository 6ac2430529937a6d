import json
from typing import cast

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.module import Content
from overwatch_assets.redaction.columns import may_change, redacted
from overwatch_assets.redaction.fingerprints import tag_in
from overwatch_assets.redaction.treatment import Treatment, Treatments
from overwatch_assets_tests.redaction.treated import (
    DROPPED,
    HASHED,
    KEY,
    address,
    text,
    texts,
    user,
)

INES = "ines@acme.example"
MAP = pl.Map(pl.String, pl.String)
TASKS = pl.List(
    pl.Struct(
        {
            "name": pl.String,
            "tags": MAP,
            "commands": pl.List(pl.String),
            "sql": pl.Struct({"query": pl.Struct({"id": pl.String})}),
            "number": pl.Int64,
        }
    )
)


def test_texts_are_replaced_however_deeply_they_lie_and_all_else_stays() -> None:
    task = {
        "name": INES,
        "tags": {"owner": INES, "queryText": "select 1", INES: "10.1.2.3", "none": None},
        "commands": ["dbt run", None],
        "sql": {"query": {"id": "q1"}},
        "number": 2**62,
    }
    nothing = dict.fromkeys(task)
    tasks = pl.Series("tasks", [[task, None, nothing], None, [], [task]], dtype=TASKS)
    stored = {
        "name": user(INES),
        "tags": {
            "owner": user(INES),
            "queryText": text("select 1"),
            user(INES): address("10.1.2.3"),
            "none": None,
        },
        "commands": [text("dbt run"), None],
        "sql": {"query": {"id": "q1"}},
        "number": 2**62,
    }
    assert may_change(tasks.dtype, None)
    found = redacted(tasks, None, texts())
    assert (found.name, found.dtype) == ("tasks", TASKS)
    assert found.to_list() == [[stored, None, nothing], None, [], [stored]]


def test_what_has_nothing_to_redact_is_the_very_same() -> None:
    nested = pl.Series([[{"name": "etl", "tags": {"a": "b"}}]], dtype=TASKS)
    numbers = pl.Series([1, 2])
    assert redacted(nested, None, texts()) is nested
    assert redacted(numbers, None, texts()) is numbers
    assert not may_change(numbers.dtype, None)
    kept = pl.Series(["select 1"])
    assert redacted(kept, Content.SQL_TEXT, texts(Treatments(emails=Treatment.HASH))) is kept


def test_keys_of_maps_are_never_null() -> None:
    tags = pl.Series([{INES: "a"}], dtype=MAP)
    assert redacted(tags, None, texts(DROPPED)).to_list() == [{"[text]": "a"}]


def tags(hashes: pl.Series) -> list[int | None]:
    return pl.select(tag_in(pl.lit(hashes))).to_series().to_list()


def test_hashes_are_hashed_once_and_tell_whose_key_it_was() -> None:
    plain = pl.Series([1, -7, None, 2**63 - 1])
    once = redacted(plain, Content.FINGERPRINT, texts())
    assert once.null_count() == 1
    assert not set(once.drop_nulls()) & set(plain.drop_nulls())
    assert redacted(once, Content.FINGERPRINT, texts()).equals(once)
    other = texts(key="quite another key").pseudonyms
    assert other.of_hashes(once).equals(once), "what another key hid is left alone"
    own = texts().pseudonyms.tag
    assert own != other.tag
    assert tags(once) == [own, own, None, own]
    assert tags(plain) == [None] * 4


@given(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True))
def test_different_hashes_stay_different_and_are_known_for_keyed(plain: list[int]) -> None:
    made = texts().pseudonyms.of_hashes(pl.Series(plain, dtype=pl.Int64))
    assert made.n_unique() == len(plain)
    assert set(tags(made)) <= {texts().pseudonyms.tag}


LEAVES = st.one_of(
    st.none(), st.sampled_from([INES, f"by {INES}", "10.1.2.3", "etl", "", '{"sql":"select 1"}'])
)
ROWS = st.lists(
    st.one_of(
        st.none(),
        st.lists(
            st.one_of(
                st.none(),
                st.fixed_dictionaries(
                    {
                        "name": LEAVES,
                        "tags": st.one_of(
                            st.none(),
                            st.dictionaries(
                                st.sampled_from([INES, "a", "b", "query"]), LEAVES, max_size=3
                            ),
                        ),
                        "commands": st.one_of(st.none(), st.lists(LEAVES, max_size=2)),
                        "sql": st.none(),
                        "number": st.one_of(st.none(), st.integers(0, 9)),
                    }
                ),
            ),
            max_size=3,
        ),
    ),
    max_size=4,
)


def shape(value: object) -> object:
    """What is left of a value when all texts are one."""
    match value:
        case str():
            return ""
        case list():
            return [shape(each) for each in cast("list[object]", value)]
        case dict():
            entries = cast("dict[str, object]", value)
            return sorted(str(shape(each)) for each in entries.values())
        case _:
            return value


@settings(max_examples=60)
@given(ROWS)
def test_redaction_keeps_the_shape_and_doing_it_twice_changes_nothing(
    rows: list[list[dict[str, object] | None] | None],
) -> None:
    tasks = pl.Series("tasks", rows, dtype=TASKS)
    once = redacted(tasks, None, texts(HASHED))
    assert shape(once.to_list()) == shape(tasks.to_list())
    told = json.dumps(once.to_list())
    assert not [each for each in (INES, "10.1.2.3", "select 1", KEY) if each in told]
    assert redacted(once, None, texts(HASHED)).equals(once)
