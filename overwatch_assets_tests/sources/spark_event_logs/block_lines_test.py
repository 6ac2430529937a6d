from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.sources.spark_event_logs.lines import Block, LongLine, blocks_of

LONGEST = 5
contents = st.text("ab\n", max_size=60).map(str.encode)


def lines_of(content: bytes, sizes: list[int]) -> tuple[list[bytes], bytes, int]:
    """Whole lines, the tail, and how many lines were too long."""
    chunks: list[bytes] = []
    at = 0
    while at < len(content):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(content[at : at + size])
        at += size
    whole: list[bytes] = []
    tail, too_long = b"", 0
    for part in blocks_of(iter(chunks), LONGEST):
        match part:
            case LongLine():
                too_long += 1
            case Block(text, begin, end, is_tail=True):
                tail = text[begin:end]
            case Block(text, begin, end):
                assert text[end - 1 : end] == b"\n"
                whole += text[begin : end - 1].split(b"\n")
    return whole, tail, too_long


@given(contents, st.lists(st.integers(1, 20), min_size=1))
def test_lines_are_those_of_the_content_however_it_is_cut(content: bytes, sizes: list[int]) -> None:
    *expected, tail = content.split(b"\n")
    whole, found_tail, too_long = lines_of(content, sizes)
    assert whole == [each for each in expected if len(each) <= LONGEST]
    assert found_tail == (tail if len(tail) <= LONGEST else b"")
    assert too_long == sum(len(each) > LONGEST for each in content.split(b"\n"))
