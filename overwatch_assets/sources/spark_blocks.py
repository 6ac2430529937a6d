"""The frames around lz4 and snappy blocks that Spark's event logs are written in.

Spark writes `lz4` as lz4-java's `LZ4BlockOutputStream` and `snappy` as snappy-java's
`SnappyOutputStream`. Arrow's codecs decompress the blocks; it is imported when such a file
comes up, which is rare.
"""

import io
import struct
from collections.abc import Iterator
from importlib import import_module
from typing import Any, cast

LARGEST_BLOCK = 64 << 20
"""Largest block that is decompressed, in bytes; Spark's are 32 kB, the format's 32 MB."""

_LZ4_HEADER = struct.Struct("<8sBIII")
_LZ4_RAW, _LZ4_COMPRESSED = 0x10, 0x20
_SNAPPY_HEADER = 16


def lz4_blocks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress lz4-java's block stream; a block of no bytes ends one of several streams.

    Raises:
        EOFError: It ends within a block, or without the block that marks its end.
        ValueError: It is damaged.
    """
    source = _Source(chunks)
    is_open = True
    while header := source.exactly(_LZ4_HEADER.size, or_nothing=True):
        magic, token, stored, plain, _ = cast(
            "tuple[bytes, int, int, int, int]", _LZ4_HEADER.unpack(header)
        )
        method = token & 0xF0
        if magic != b"LZ4Block" or method not in (_LZ4_RAW, _LZ4_COMPRESSED):
            raise ValueError("no lz4 block where one should begin")
        if max(stored, plain) > LARGEST_BLOCK:
            raise ValueError(f"an lz4 block of {max(stored, plain)} bytes")
        is_open = plain > 0
        if is_open:
            block = source.exactly(stored)
            yield block if method == _LZ4_RAW else _block("lz4_raw", block, plain)
    if is_open:
        raise EOFError("no end of the lz4 stream")


def snappy_blocks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress snappy-java's block stream, also several one after the other.

    Raises:
        EOFError: It ends within a block.
        ValueError: It is damaged.
    """
    source = _Source(chunks)
    source.exactly(_SNAPPY_HEADER)
    while header := source.exactly(4, or_nothing=True):
        if header == b"\x82SNA":
            source.exactly(_SNAPPY_HEADER - 4)
            continue
        stored = int.from_bytes(header, "big")
        if stored > LARGEST_BLOCK:
            raise ValueError(f"a snappy block of {stored} bytes")
        block = source.exactly(stored)
        yield _block("snappy", block, _snappy_length(block))


def lz4_frames(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress lz4's own frames.

    Raises:
        EOFError: It ends within a frame.
        ValueError: It is damaged.
    """
    arrow: Any = import_module("pyarrow")
    frames = arrow.CompressedInputStream(arrow.PythonFile(_Source(chunks), mode="r"), "lz4")
    try:
        while plain := cast("bytes", frames.read(1 << 20)):
            yield plain
    except OSError as error:
        raise ValueError(f"lz4: {error}") from error


class _Source(io.RawIOBase):
    """Chunks as something that is read by lengths."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._chunk: bytes = b""
        self._position: int = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end."""
        while self._position == len(self._chunk):
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._chunk, self._position = chunk, 0
        end = len(self._chunk) if size < 0 else self._position + size
        taken = self._chunk[self._position : end]
        self._position += len(taken)
        return taken

    def exactly(self, size: int, *, or_nothing: bool = False) -> bytes:
        """So many bytes, or none at the very end if that is allowed.

        Raises:
            EOFError: There are fewer.
        """
        parts: list[bytes] = []
        missing = size
        while missing and (part := self.read(missing)):
            parts.append(part)
            missing -= len(part)
        if missing and (parts or not or_nothing):
            raise EOFError(f"{missing} bytes are missing")
        return b"".join(parts)


def _block(codec: str, block: bytes, plain: int) -> bytes:
    arrow: Any = import_module("pyarrow")
    try:
        return cast("bytes", arrow.decompress(block, plain, codec=codec, asbytes=True))
    except OSError as error:
        raise ValueError(f"{codec}: {error}") from error


def _snappy_length(block: bytes) -> int:
    """Length of the decompressed block: the varint it begins with."""
    length = 0
    for position, byte in enumerate(block[:5]):
        length |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:  # noqa: PLR2004 - the bit that says another byte follows
            break
    if length > LARGEST_BLOCK:
        raise ValueError(f"a snappy block of {length} bytes")
    return length
