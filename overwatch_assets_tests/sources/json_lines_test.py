from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.sources.json_lines import KEPT_BYTES, Line, lines


def test_a_last_line_without_newline_is_told_from_a_whole_one() -> None:
    assert list(lines([b"a\nb"])) == [
        Line(1, b"a", is_too_long=False, is_ended=True),
        Line(2, b"b", is_too_long=False, is_ended=False),
    ]


def test_of_a_line_that_is_too_long_only_the_beginning_is_kept() -> None:
    chunks = [b"x" * 3000, b"x" * 3000, b"x\nok\n"]
    assert list(lines(chunks, max_bytes=4000)) == [
        Line(1, b"x" * KEPT_BYTES, is_too_long=True, is_ended=True),
        Line(2, b"ok", is_too_long=False, is_ended=True),
    ]


def test_an_endless_line_takes_bounded_memory() -> None:
    [line] = lines((b"x" * 100_000 for _ in range(1000)), max_bytes=200_000)
    assert (line.is_too_long, line.is_ended, len(line.text)) == (True, False, KEPT_BYTES)


@given(st.lists(st.binary(max_size=5)), st.integers(1, 7))
def test_chunk_borders_make_no_difference(texts: list[bytes], size: int) -> None:
    whole = b"\n".join(texts)
    chunks = [whole[start : start + size] for start in range(0, len(whole), size)]
    assert list(lines(chunks)) == list(lines([whole]))
    expected = [text for text in whole.split(b"\n") if text]
    assert [line.text for line in lines(chunks) if line.text] == expected
