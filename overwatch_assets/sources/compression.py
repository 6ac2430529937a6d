"""Compressed files as plain bytes, in bounded memory, whatever their names say.

What a file is, is told by its first bytes. Besides gzip and zstd there are the frames that
Spark itself writes around lz4 and snappy blocks, which no compression tool reads.
"""

import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import chain

from overwatch_assets.errors import SourceError
from overwatch_assets.sources.spark_blocks import lz4_blocks, lz4_frames, snappy_blocks

if sys.version_info >= (3, 14):  # pragma: no cover - the standard library's own from here on
    from compression import zstd
else:
    from backports import zstd

PLAIN_BYTES = 1 << 20
"""Most that is decompressed at once."""

_MAGIC_BYTES = 16
_REWRITE = "Decompress it, or write it again with gzip or zstd"


class UnreadableContent(SourceError):
    """Content of a kind that is not read; reading it again gives the same."""


class CutContent(SourceError):
    """A compressed file that ends too early or is damaged; what came before was read."""


def decompressed(path: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Read a file's bytes, decompressed if they are compressed.

    Yields at most about `PLAIN_BYTES` (or one chunk) at a time. A UTF-8 byte order mark is
    left out.

    Args:
        path: Named in errors.
        chunks: The file as it is stored.

    Raises:
        UnreadableContent: Compressed in a way that is not read, twice, or not UTF-8.
        CutContent: The compressed data ends early or is damaged, after all that could be read.
    """
    stored = _with_whole_head(chunks)
    head = next(stored, b"")
    read = next((read for magic, read in _READERS if head.startswith(magic)), None)
    plain = chain((head,), stored)
    if read is None:
        yield from _checked(path, plain, "is")
        return
    try:
        yield from _checked(path, _with_whole_head(read(plain)), "contains")
    except (EOFError, ValueError, zlib.error, zstd.ZstdError) as error:
        message = f"{path}: the compressed data ends early or is damaged ({error})"
        raise CutContent(f"{message}. Copy the file again") from error


def _with_whole_head(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, the first chunk long enough to tell what they are."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= _MAGIC_BYTES:
            yield head
            break
    else:
        if head:
            yield head
        return
    yield from chunks


def _checked(path: str, plain: Iterator[bytes], verb: str) -> Iterator[bytes]:
    head = next(plain, b"")
    for magic, what in _NOT_READ:
        if head.startswith(magic):
            raise UnreadableContent(f"{path}: {verb} {what}")
    if verb == "contains" and any(head.startswith(magic) for magic, _ in _READERS):
        raise UnreadableContent(f"{path}: compressed twice. Decompress it once")
    yield head.removeprefix(b"\xef\xbb\xbf")
    yield from plain


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """One gzip member after the other; padding between and after them is skipped."""
    member = zlib.decompressobj(wbits=31)
    has_begun = False
    for chunk in chunks:
        rest = chunk
        while rest:
            if not has_begun and not (rest := rest.lstrip(b"\0")):
                break
            has_begun = True
            if plain := member.decompress(rest, PLAIN_BYTES):
                yield plain
            rest = member.unconsumed_tail
            if member.eof:
                rest = member.unused_data
                member = zlib.decompressobj(wbits=31)
                has_begun = False
    while has_begun and (plain := member.decompress(member.unconsumed_tail, PLAIN_BYTES)):
        yield plain
    if has_begun and not member.eof:
        raise EOFError("no end of the gzip member")


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """One zstd frame after the other."""
    frame = zstd.ZstdDecompressor()
    has_begun = False
    for chunk in chunks:
        rest = chunk
        while rest or not frame.needs_input:
            has_begun = True
            if plain := frame.decompress(rest, PLAIN_BYTES):
                yield plain
            rest = b""
            if frame.eof:
                rest = frame.unused_data
                frame = zstd.ZstdDecompressor()
                has_begun = False
    if has_begun:
        raise EOFError("no end of the zstd frame")


_READERS: tuple[tuple[bytes, Callable[[Iterator[bytes]], Iterator[bytes]]], ...] = (
    (b"\x1f\x8b", _gzip),
    (b"\x28\xb5\x2f\xfd", _zstd),
    *((bytes((0x50 + n, 0x2A, 0x4D, 0x18)), _zstd) for n in range(16)),
    (b"\x04\x22\x4d\x18", lz4_frames),
    (b"LZ4Block", lz4_blocks),
    (b"\x82SNAPPY\x00", snappy_blocks),
)
_NOT_READ = (
    (b"PK\x03\x04", "a zip archive. Unpack it"),
    (b"PK\x05\x06", "an empty zip archive. Unpack it"),
    (b"BZh", f"compressed with bzip2. {_REWRITE}"),
    (b"\xfd7zXZ\x00", f"compressed with xz. {_REWRITE}"),
    (
        b"ZV",
        "compressed with lzf, which is not read. Set spark.eventLog.compression.codec to zstd",
    ),
    (b"\xff\xfe", "UTF-16 text, and Spark writes UTF-8. Convert it"),
    (b"\xfe\xff", "UTF-16 text, and Spark writes UTF-8. Convert it"),
)
