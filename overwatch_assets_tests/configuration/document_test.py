from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.configuration.document import Document, parse_document, read_document
from overwatch_assets.errors import ConfigError

FILE = Path("overwatch.yaml")


def parsed(text: str) -> Document:
    return parse_document(FILE, text.encode())


def refused(content: bytes) -> str:
    with pytest.raises(ConfigError) as raised:
        parse_document(FILE, content)
    return str(raised.value)


@pytest.mark.parametrize(
    "text", ["0123", "1_000", "1e3", "0x1F", "no", "true", "2026-01-04", "1:30", "9" * 5000]
)
def test_a_value_stays_the_text_that_was_written(text: str) -> None:
    assert parsed(f"a: {text}").values == {"a": text}


def test_only_an_unquoted_null_is_null() -> None:
    document = parsed("a: null\nb: ~\nc:\nd: 'null'\ne: ''\n")
    assert document.values == {"a": None, "b": None, "c": None, "d": "null", "e": ""}


def test_lines_of_keys_and_items_are_known() -> None:
    document = parsed("a:\n  - b: 1\n    c: 2\n  - d\n")
    assert document.line_of(("a", 0, "c")) == 3
    assert document.line_of(("a", 1)) == 4
    assert document.line_of(("a", 0, "c", "unknown")) == 3
    assert document.line_of(("unknown",)) is None


def test_a_merged_mapping_gives_way_to_the_keys_beside_it_and_the_first_to_the_second() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 3}\n"
    assert parsed(text).values["z"] == {"a": "3", "b": "1", "c": "2"}


def test_a_repeated_key_is_a_problem_with_both_lines() -> None:
    [problem] = parsed("a: 1\nb: 2\na: 3\n").problems
    assert str(problem) == "line 3, a: is written twice, first in line 1. Keep one of the two."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !int 3", "line 1, a: has a YAML tag (!). Leave it out, or quote the value."),
        ("a: {{secrets/a/b}}", "a key that is no text. Put text with braces in quotes"),
        ("a: &a [*a]", "line 1: the file holds too many nested values. Write it shorter."),
        ("a: &a {<<: *a}", "line 1: the file holds too many nested values. Write it shorter."),
        ("<<: 1", "<<: is no mapping. Merge a mapping: <<: *name."),
    ],
)
def test_what_yaml_allows_but_a_configuration_does_not_is_a_problem(
    text: str, message: str
) -> None:
    [problem] = parsed(text).problems
    assert message in str(problem)


def test_aliases_that_multiply_are_cut_off() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert [problem.what for problem in parsed("\n".join(lines)).problems] == [
        "the file holds too many nested values"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "overwatch.yaml: the file is empty. Write one with `overwatch init`"),
        (b"- a", "overwatch.yaml: the file is no mapping of keys to values."),
        (b"a: [1, 2\nb: 3", "overwatch.yaml: line 2: this is no YAML"),
        (b"a: b: c", "overwatch.yaml: line 1: this is no YAML"),
        (b"a: \xff", "overwatch.yaml: line 1: the file is not UTF-8 text. Save it as UTF-8."),
        (b"a: 1\nb: \x00", "overwatch.yaml: line 2: the file holds a character that YAML forbids"),
        (b'a: "\\U99999999"', "overwatch.yaml: the file holds an escape"),
        (b"[" * 100_000, "overwatch.yaml: the values are nested too deeply. Write them flat."),
        (b"a" * 10_000_001, "overwatch.yaml: the file is larger than 10 MB."),
    ],
)
def test_what_is_no_yaml_mapping_is_refused_with_its_line(content: bytes, message: str) -> None:
    assert refused(content).startswith(message)


@pytest.mark.parametrize("text", ["a: *hunter22", "a: 'b' \"hunter22\"", "a: !<hunter22 x"])
def test_a_syntax_error_does_not_repeat_what_the_file_says(text: str) -> None:
    assert "hunter22" not in refused(text.encode())


def test_a_missing_file_is_refused_with_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"there is no such file. Write one with `overwatch init`"
    ):
        read_document(tmp_path / "overwatch.yaml")


def test_a_folder_is_refused_as_unreadable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        read_document(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert parse_document(FILE, b"\xef\xbb\xbfa: 1").values == {"a": "1"}


YAML_TEXT = st.text(st.sampled_from(list("ab1:-[]{}&*!|>'\"%@`#,?\\ \n\t<~é\x85")))


@given(st.one_of(st.binary(), YAML_TEXT.map(str.encode)))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        message = str(parse_document(FILE, content).path)
    except ConfigError as error:
        message = str(error)
    assert message.startswith("overwatch.yaml")
