"""Bytes as blocks of whole lines, however long the lines are."""

from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_LINE = 64 << 20
"""Bytes of the longest line that is read."""

HEAD_BYTES = 1024
"""Bytes kept of a line that is not read."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines with their newlines, or the file's last line without one.

    Attributes:
        text: Bytes that hold the lines.
        begin: Where the first line begins.
        end: Where the last line ends.
        is_tail: The last line of the file, which no newline ends.
    """

    text: bytes
    begin: int
    end: int
    is_tail: bool = False


@dataclass(frozen=True, slots=True)
class LongLine:
    """A line too long to be read.

    Attributes:
        head: Its first bytes.
    """

    head: bytes


def blocks_of(
    chunks: Iterator[bytes], longest_line: int = LONGEST_LINE
) -> Iterator[Block | LongLine]:
    """Split bytes into blocks of whole lines.

    A block is what a chunk holds of whole lines, uncopied, or the one line that begins in one
    chunk and ends in another. At most a chunk and the longest line are held.
    """
    cut_line = _CutLine(longest_line)
    for chunk in chunks:
        begin = 0
        if cut_line.has_begun:
            begin = chunk.find(b"\n") + 1
            cut_line.add(chunk[: begin or None])
            if not begin:
                continue
            yield cut_line.ended()
        end = chunk.rfind(b"\n") + 1
        if begin < end:
            yield from _without_long_lines(Block(chunk, begin, end), longest_line)
        if max(begin, end) < len(chunk):
            cut_line.add(chunk[max(begin, end) :])
    if cut_line.has_begun:
        yield cut_line.ended(is_tail=True)


class _CutLine:
    """A line that the chunks cut, as far as it has come; of a long one only the beginning."""

    def __init__(self, longest_line: int) -> None:
        self._longest_line = longest_line
        self._parts: list[bytes] = []
        self._length = 0

    @property
    def has_begun(self) -> bool:
        return self._length > 0

    def add(self, part: bytes) -> None:
        self._length += len(part)
        self._parts.append(part)
        if self._length - 1 > self._longest_line:
            self._parts = [b"".join(self._parts)[:HEAD_BYTES]]

    def ended(self, *, is_tail: bool = False) -> Block | LongLine:
        text, length = b"".join(self._parts), self._length - (not is_tail)
        self._parts, self._length = [], 0
        if length > self._longest_line:
            return LongLine(text[:HEAD_BYTES])
        return Block(text, 0, len(text), is_tail=is_tail)


def _without_long_lines(block: Block, longest_line: int) -> Iterator[Block | LongLine]:
    """A block, or what is left of it around lines that are too long."""
    good = position = block.begin
    while block.end - good > longest_line and position < block.end:
        newline = block.text.find(b"\n", position)
        if newline - position > longest_line:
            if good < position:
                yield Block(block.text, good, position)
            yield LongLine(block.text[position : position + HEAD_BYTES])
            good = newline + 1
        position = newline + 1
    if good < block.end:
        yield Block(block.text, good, block.end)
