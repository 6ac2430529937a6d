import polars as pl
import pytest

from overwatch_assets.expressions.tags import tags_of, warehouse_tags

TEAM_AND_N = {"team": "bi", "n": "7"}


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


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('{"custom_tags":[{"key":"team","value":"bi"},{"key":"n","value":"7"}]}', TEAM_AND_N),
        ('{"team":"bi","n":"7","none":null}', TEAM_AND_N),
        ('{"custom_tags":[{"key":"flag"},{"value":"of no key"},"x"]}', {"flag": ""}),
        ('{"custom_tags":[]}', {}),
        ('{"custom_tags":"a tag of that name"}', {"custom_tags": "a tag of that name"}),
        ("[1]", None),
        ("cut sho", None),
        (None, None),
    ],
)
def test_tags_of_a_warehouse_are_keys_and_values(
    text: str | None, tags: dict[str, str] | None
) -> None:
    frame = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    assert frame.select(warehouse_tags(pl.col("text"))).to_series().to_list() == [tags]
