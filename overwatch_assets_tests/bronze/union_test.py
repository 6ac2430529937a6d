import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.bronze.union import union_by_key

SCHEMA = pl.Schema(
    {
        "key": pl.Int64,
        "part": pl.String,
        "cluster": pl.String,
        "number": pl.Int64,
        "struct": pl.Struct({"a": pl.Int64, "b": pl.List(pl.Int64)}),
        "map": pl.Map(pl.String, pl.String),
        "file": pl.String,
    }
)
CONTENT = ("key", "part", "cluster", "number", "struct", "map")

few = st.none() | st.integers(0, 1)
names = st.sampled_from([None, "a", "b"])
structs = st.none() | st.fixed_dictionaries(
    {"a": few, "b": st.none() | st.lists(st.integers(0, 1), max_size=1)}
)
maps = st.none() | st.dictionaries(st.sampled_from("xy"), st.sampled_from("12"), max_size=2)
rows = st.lists(
    st.tuples(few, names, names, few, structs, maps, st.sampled_from(["f1", "f2", "g"])), max_size=8
)
frames = rows.map(lambda each: frame(*each))


def frame(*each: tuple[object, ...]) -> pl.DataFrame:
    columns = list(zip(*each, strict=True)) if each else [()] * len(SCHEMA)
    return pl.DataFrame(
        [
            pl.Series(name, list(values), dtype=dtype)
            for (name, dtype), values in zip(SCHEMA.items(), columns, strict=True)
        ]
    )


def united(*each: pl.DataFrame) -> pl.DataFrame:
    return union_by_key(
        *(one.lazy() for one in each),
        keys=[pl.col("key"), pl.col("part")],
        content=CONTENT,
        origin=pl.col("file"),
        least=["cluster"],
    ).collect()


def as_set(rows: pl.DataFrame) -> list[str]:
    return sorted(repr(row) for row in rows.to_dicts())


@given(frames, frames)
def test_the_union_is_commutative(one: pl.DataFrame, other: pl.DataFrame) -> None:
    assert as_set(united(one, other)) == as_set(united(other, one))


@given(frames, frames, frames)
def test_the_union_is_associative(
    one: pl.DataFrame, two: pl.DataFrame, three: pl.DataFrame
) -> None:
    assert as_set(united(united(one, two), three)) == as_set(united(one, united(two, three)))


@given(frames)
def test_the_union_is_idempotent(one: pl.DataFrame) -> None:
    once = united(one)
    assert as_set(united(once, once)) == as_set(once)
    assert as_set(united(once, one)) == as_set(once)


@given(frames, frames)
def test_every_key_is_there_once_and_every_row_was_given(
    one: pl.DataFrame, other: pl.DataFrame
) -> None:
    both = pl.concat([one, other])
    result = united(one, other)
    keys = result.select("key", "part").rows()
    assert sorted(map(repr, keys)) == sorted(map(repr, set(both.select("key", "part").rows())))
    assert set(as_set(result)) <= set(as_set(both))


def row(**values: object) -> tuple[object, ...]:
    given_row = {"key": 1, "file": "f1", **values}
    return tuple(given_row.get(name) for name in SCHEMA)


def test_the_greatest_content_wins_by_columns_in_order_and_null_is_lowest() -> None:
    result = united(frame(row(number=2), row(number=None), row(number=1, map={"z": "9"})))
    assert result["number"].to_list() == [2]


def test_a_later_column_decides_where_the_earlier_ones_are_equal() -> None:
    result = united(frame(row(number=1, struct={"a": 1}), row(number=1, struct={"a": 2})))
    assert result["struct"].to_list() == [{"a": 2, "b": None}]


def test_of_equal_content_the_smallest_origin_stays() -> None:
    result = united(frame(row(file="g"), row(file="f2"), row(file="f2")))
    assert result["file"].to_list() == ["f2"]


def test_the_smallest_cluster_wins_and_any_cluster_beats_none() -> None:
    result = united(frame(row(cluster=None), row(cluster="b"), row(cluster="a", number=None)))
    assert result["cluster"].to_list() == ["a"]


def test_what_stands_first_decides_before_the_content_and_is_no_column() -> None:
    given_rows = frame(row(part="a", number=2), row(part="a", number=1, cluster="x"))
    result = union_by_key(
        given_rows.lazy(),
        keys=[pl.col("key")],
        content=CONTENT,
        origin=pl.col("file"),
        first=[pl.col("cluster") == "x", pl.col("number")],
    ).collect()
    assert result.schema == SCHEMA
    assert result["number"].to_list() == [1]


def test_null_keys_are_equal_to_each_other_and_to_nothing_else() -> None:
    result = united(frame(row(key=None), row(key=None), row(key=0)))
    assert sorted(result["key"].to_list(), key=str) == [0, None]


def test_a_null_struct_and_a_struct_of_nulls_are_told_apart() -> None:
    nothing, of_nulls = row(struct=None), row(struct={"a": None, "b": None})
    assert as_set(united(frame(nothing, of_nulls))) == as_set(united(frame(of_nulls, nothing)))


def test_lists_of_maps_are_united_though_they_come_in_several_pieces() -> None:
    maps = pl.List(pl.Struct({"map": pl.Map(pl.String, pl.String)}))
    one = pl.DataFrame({"key": [1, 2, 3], "maps": pl.Series([None] * 3, dtype=maps)})
    key = pl.col("key")
    result = union_by_key(
        one.lazy(), one.lazy(), keys=[key], content=["key", "maps"], origin=pl.lit("")
    ).collect()
    assert result.sort("key").equals(one)


def test_no_rows_give_no_rows_of_the_same_columns() -> None:
    assert united(frame()).schema == SCHEMA
