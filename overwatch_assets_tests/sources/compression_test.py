import gzip
import struct
from collections.abc import Iterator
from typing import Any, cast

import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.sources.compression import CutContent, UnreadableContent, decompressed

TEXT = b'{"Event":"SparkListenerLogStart"}\n' * 500


def arrow(codec: str, content: bytes) -> bytes:
    return cast("bytes", cast("Any", pa).compress(content, codec=codec, asbytes=True))


def lz4_block(content: bytes, *, is_raw: bool = False) -> bytes:
    """A block of lz4-java's LZ4BlockOutputStream."""
    stored = content if is_raw else arrow("lz4_raw", content)
    token = 0x16 if is_raw else 0x26
    return struct.pack("<8sBIII", b"LZ4Block", token, len(stored), len(content), 0) + stored


LZ4_END = lz4_block(b"", is_raw=True)
SNAPPY_HEADER = b"\x82SNAPPY\x00" + struct.pack(">II", 1, 1)


def snappy_block(content: bytes) -> bytes:
    stored = arrow("snappy", content)
    return struct.pack(">I", len(stored)) + stored


def lz4_frame(content: bytes) -> bytes:
    sink = cast("Any", pa).BufferOutputStream()
    with cast("Any", pa).CompressedOutputStream(sink, "lz4") as stream:
        stream.write(content)
    return cast("bytes", sink.getvalue().to_pybytes())


PACKED = {
    "plain": TEXT,
    "gzip": gzip.compress(TEXT),
    "zstd": zstd.compress(TEXT),
    "lz4, Spark's": lz4_block(TEXT[:1000]) + lz4_block(TEXT[1000:], is_raw=True) + LZ4_END,
    "lz4, Spark's, twice": (lz4_block(TEXT[:9]) + LZ4_END) + (lz4_block(TEXT[9:]) + LZ4_END),
    "lz4 frame": lz4_frame(TEXT),
    "snappy, Spark's": SNAPPY_HEADER + snappy_block(TEXT[:77]) + snappy_block(TEXT[77:]),
    "snappy, Spark's, twice": (SNAPPY_HEADER + snappy_block(TEXT[:9]))
    + (SNAPPY_HEADER + snappy_block(TEXT[9:])),
}


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED.keys())
@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_content_comes_out_as_it_went_in(packed: bytes, size: int) -> None:
    assert b"".join(decompressed("log", pieces(packed, size))) == TEXT


@given(st.binary(max_size=3000), st.integers(1, 700))
def test_any_content_survives_packing(content: bytes, size: int) -> None:
    text = b"{" + content
    for packed in (gzip.compress(text), zstd.compress(text)):
        assert b"".join(decompressed("log", pieces(packed, size))) == text


def so_far(chunks: Iterator[bytes]) -> tuple[bytes, str | None]:
    found = bytearray()
    try:
        for chunk in chunks:
            found += chunk
    except CutContent as error:
        return bytes(found), str(error)
    return bytes(found), None


@pytest.mark.parametrize(
    "packed",
    [each for name, each in PACKED.items() if name not in ("plain", "lz4 frame")],
)
@pytest.mark.parametrize("kept", [0.4, 0.9])
def test_a_cut_archive_gives_what_it_has_and_then_says_so(packed: bytes, kept: float) -> None:
    found, error = so_far(decompressed("log", pieces(packed[: int(len(packed) * kept)], 50)))
    assert TEXT.startswith(found)
    assert error is not None
    assert error.startswith("log: the compressed data ends early")


def test_a_live_lz4_log_lacks_only_its_end() -> None:
    found, error = so_far(decompressed("log", iter([lz4_block(TEXT)])))
    assert found == TEXT
    assert error is not None


@pytest.mark.parametrize("length", [1 << 30, 0xFFFFFFFF])
def test_a_block_that_claims_to_be_huge_is_not_believed(length: int) -> None:
    lz4 = struct.pack("<8sBIII", b"LZ4Block", 0x26, 10, length, 0) + bytes(10)
    snappy = SNAPPY_HEADER + struct.pack(">I", 10) + b"\xff\xff\xff\xff\x0f" + bytes(5)
    for packed in (lz4, snappy):
        found, error = so_far(decompressed("log", iter([packed])))
        assert (found, error is not None) == (b"", True)


def test_codecs_that_are_not_read_name_the_remedy() -> None:
    with pytest.raises(UnreadableContent, match=r"log: .*lzf.*codec to zstd"):
        list(decompressed("log", iter([b"ZV\x00\x00\x10" + bytes(20)])))


@pytest.mark.parametrize("content", [b"", b"{", b"\x1f", b"\xef\xbb\xbf"])
def test_short_files_are_plain(content: bytes) -> None:
    assert b"".join(decompressed("log", iter([content]))) == content.removeprefix(b"\xef\xbb\xbf")
