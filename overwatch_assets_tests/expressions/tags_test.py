import polars as pl
import pytest

from overwatch_assets.expressions.tags import tags_of


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('{"b":"2","a":"1"}', [("a", "1"), ("b", "2")]),
        ('{"a":"","b":null,"c":{"d":1}}', [("a", ""), ("c", '{"d":1}')]),
        ("{}", []),
        (None, None),
        ("", None),
        ("[1]", None),
        ("[" * 100_000, None),
    ],
)
def test_tags_are_the_entries_of_a_json_object(
    text: str | None, tags: list[tuple[str, str]] | None
) -> None:
    told = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    [found] = told.select(tags_of(pl.col("text"))).to_series().to_list()
    expected = tags and [{"tag_key": key, "tag_value": value} for key, value in tags]
    assert found == expected
