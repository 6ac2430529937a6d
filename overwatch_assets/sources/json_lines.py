"""Lines of a file of unknown size, one at a time, in memory bounded by the longest allowed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_LINE_BYTES = 16 << 20
"""Longest line that is read whole; Databricks cuts request parameters at 100 kB."""

KEPT_BYTES = 1024
"""What is kept of a line that is no record."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its newline.

    Attributes:
        number: From 1.
        text: The bytes; only the first `KEPT_BYTES` where the line is too long.
        is_too_long: It has more than `MAX_LINE_BYTES`.
        is_ended: A newline ended it; false only for what follows the last newline.
    """

    number: int
    text: bytes
    is_too_long: bool
    is_ended: bool


def lines(chunks: Iterable[bytes], max_bytes: int = MAX_LINE_BYTES) -> Iterator[Line]:
    """Cut chunks into lines."""
    number = 0
    parts: list[bytes] = []
    held = 0
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for each in ended:
            parts.append(each)
            number += 1
            yield _line(number, parts, held + len(each), max_bytes, is_ended=True)
            parts, held = [], 0
        held += len(rest)
        if held <= max_bytes or not parts:
            parts.append(rest[: max(max_bytes, KEPT_BYTES)])
    if held:
        yield _line(number + 1, parts, held, max_bytes, is_ended=False)


def _line(number: int, parts: list[bytes], size: int, max_bytes: int, *, is_ended: bool) -> Line:
    is_too_long = size > max_bytes
    text = b"".join(parts)
    return Line(number, text[:KEPT_BYTES] if is_too_long else text, is_too_long, is_ended)
