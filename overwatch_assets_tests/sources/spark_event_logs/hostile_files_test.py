"""Files that are meant to break a reader: each is rejected where it is bad, and only there."""

import bz2
import gzip
import io
import lzma
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from backports import zstd

from overwatch_assets.sources.compression import decompressed
from overwatch_assets.sources.spark_event_logs.layout import log_path
from overwatch_assets.sources.spark_event_logs.lines import LONGEST_LINE
from overwatch_assets.sources.spark_event_logs.reading import Limits, LogSummary, read_log
from overwatch_assets_tests.sources.spark_event_logs.lines import (
    NOON,
    gathered,
    job_end,
    job_start,
    line,
    task_end,
    task_start,
    text,
)

GOOD = text(job_start(), task_start(1))
MORE = text(task_end(1), job_end())
DEEP = 100_000


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("eventlog", content)
    return file.getvalue()


def end_with(field: bytes, value: bytes) -> bytes:
    """A task's end, one of its fields replaced."""
    whole = task_end(1)
    begin = whole.index(b'"%b":' % field) + len(field) + 3
    end = min(at for mark in b",}" if (at := whole.find(mark, begin)) > 0)
    return whole[:begin] + value + whole[end:]


BAD_LINES = {
    "deep arrays": b'{"Event":"SparkListenerTaskEnd","x":' + b"[" * DEEP,
    "deep objects": b'{"Event":"SparkListenerTaskStart","x":' + b'{"a":' * DEEP,
    "deep and closed": b'{"Event":"SparkListenerJobEnd","x":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep, of another type": b'{"Event":"Other","x":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "only brackets": b"[" * DEEP,
    "400 digits": end_with(b"Executor Run Time", b"9" * 400),
    "a number beyond 64 bits": end_with(b"Finish Time", b"9223372036854775808"),
    "a number below 64 bits": end_with(b"Finish Time", b"-9223372036854775809"),
    "1e400": end_with(b"Finish Time", b"1e400"),
    "a fraction": end_with(b"Finish Time", b"1.5"),
    "text for a number": end_with(b"JVMHeapMemory", b'"many"'),
    "a list for a number": end_with(b"Launch Time", b"[1]"),
    "an object for text": end_with(b"Host", b"{}"),
    "text for a truth value": end_with(b"Failed", b'"perhaps"'),
    "NaN": end_with(b"Launch Time", b"NaN"),
    "a leading zero": end_with(b"Task ID", b"007"),
    "lone surrogate, escaped": end_with(b"Host", b'"\\ud800"'),
    "lone surrogate, as bytes": end_with(b"Host", b'"\xed\xa0\x80"'),
    "bytes that are no UTF-8": end_with(b"Host", b'"\xff\xfe"'),
    "a control character": end_with(b"Host", b'"\x01"'),
    "NUL bytes": b"\0" * 1000,
    "NUL after the line": task_end(1) + b"\0",
    "cut in the middle": task_end(1)[:300],
    "cut before its end": task_end(1)[:-1],
    "two on one line": task_end(1) + task_end(2),
    "two with a comma": task_end(1) + b"," + task_end(2),
    "no type": b'{"Job ID":1}',
    "a number as type": b'{"Event":7}',
    "null": b"null",
    "a list": b"[]",
    "text": b"hello",
    "no ids": b'{"Event":"SparkListenerTaskEnd"}',
    "null ids": b'{"Event":"SparkListenerJobEnd","Job ID":null}',
    "UTF-16": task_end(1).decode().encode("utf-16-le"),
    "a trailing comma": b'{"Event":"SparkListenerJobEnd","Job ID":1,}',
    "single quotes": b"{'Event':'SparkListenerJobEnd'}",
    "another type, broken": b'{"Event":"SparkListenerEnvironmentUpdate",_"a":1}',
    "far future": task_end(1, NOON * 1000),
    "progress that is none": b'{"Event":"org.apache.spark.sql.streaming.StreamingQueryListener'
    b'$QueryProgressEvent","progress":7}',
}


@pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_rejected_and_its_neighbours_are_stored(bad: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "app-1").write_bytes(GOOD + bad + b"\n" + MORE)
    given = gathered(folder)
    [rejected] = [row for frame in given.rejected.values() for row in frame.to_dicts()]
    assert rejected["line_number"] == 3
    assert rejected["filename"] == str(folder / "app-1")
    assert len(rejected["record"].encode()) <= 3 * 1024
    [rows] = given.rows.values()
    assert rows.select(pl.len()).collect().item() == 4
    assert given.failures == ()


GZ, ZST = gzip.compress(GOOD + MORE), zstd.compress(GOOD + MORE)
FILES_THAT_ARE_NO_LOGS = {
    "zip": zipped(GOOD),
    "zip in gz": gzip.compress(zipped(GOOD)),
    "gz in gz": gzip.compress(gzip.compress(GOOD)),
    "zstd in gz": gzip.compress(zstd.compress(GOOD)),
    "bzip2": bz2.compress(GOOD),
    "xz": lzma.compress(GOOD),
    "lzf": b"ZV\x01\x00\x10\x00\x20" + bytes(40),
    "UTF-16 with its mark": GOOD.decode().encode("utf-16"),
    "UTF-16 in gz": gzip.compress(GOOD.decode().encode("utf-16")),
    "gz without content": b"\x1f\x8b\x08\x00" + bytes(20),
    "zstd without content": b"\x28\xb5\x2f\xfd" + b"\xff" * 20,
    "snappy without content": b"\x82SNAPPY\x00" + b"\xff" * 40,
    "lz4 without content": b"LZ4Block" + b"\xff" * 40,
    "lz4 frame without content": b"\x04\x22\x4d\x18" + b"\xff" * 40,
}


@pytest.mark.parametrize(
    "content", FILES_THAT_ARE_NO_LOGS.values(), ids=FILES_THAT_ARE_NO_LOGS.keys()
)
def test_a_file_that_is_no_log_fails_alone_and_tells_the_remedy(
    content: bytes, tmp_path: Path
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "bad").write_bytes(content)
    (folder / "good").write_bytes(GOOD)
    given = gathered(folder)
    [failure] = given.failures
    assert failure.startswith(f"{folder / 'bad'}: ")
    assert failure.count(". ") >= 1
    [rows] = given.rows.values()
    assert rows.select(pl.len()).collect().item() == 2
    complete = dict(given.processed.select("path", "is_complete").rows())
    assert complete == {str(folder / "bad"): False, str(folder / "good"): True}


CUT = {
    "gz": GZ[: len(GZ) - 9],
    "gz, second member damaged": GZ + b"\x1f\x8b\x09" + bytes(20),
    "gz, wrong sum": GZ[:-8] + b"\0" * 8,
    "gz and rubbish": GZ + b"rubbish",
    "gz, second member cut": GZ + GZ[:20],
    "zstd": zstd.compress(GOOD + MORE)[:-3],
    "zstd and rubbish": ZST + b"rubbish, long enough",
    "zstd, second frame cut": ZST + ZST[:12],
}


@pytest.mark.parametrize("content", CUT.values(), ids=CUT.keys())
def test_a_cut_archive_is_incomplete_and_keeps_what_it_gave(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "app-1").write_bytes(content)
    given = gathered(folder)
    assert given.processed["is_complete"].to_list() == [False]
    assert given.processed["failures"].to_list() == [1]
    assert len(given.failures) == 1
    assert given.rejected == {}


WHOLE = {
    "plain": GOOD + MORE,
    "byte order mark": b"\xef\xbb\xbf" + GOOD + MORE,
    "byte order mark in gz": gzip.compress(b"\xef\xbb\xbf" + GOOD + MORE),
    "CRLF": (GOOD + MORE).replace(b"\n", b"\r\n"),
    "blank lines": b"\n \n" + GOOD + b"\n\n" + MORE,
    "two gz members": gzip.compress(GOOD) + gzip.compress(MORE),
    "gz padded with zeros": gzip.compress(GOOD) + bytes(100) + gzip.compress(MORE) + bytes(512),
    "two zstd frames": zstd.compress(GOOD) + zstd.compress(MORE),
    "a zstd frame to skip": b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstd.compress(GOOD + MORE),
    "no newline at the end": (GOOD + MORE)[:-1],
    "Event not first": GOOD + MORE + b'{"a":1,"Event":"SparkListenerLogStart"}\n',
    "spaces": GOOD + MORE.replace(b'{"Event":"', b'{ "Event" : "'),
    "escapes in the type": GOOD + MORE.replace(b"ListenerTask", b"Listener\\u0054ask"),
}


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE.keys())
def test_a_log_in_another_form_is_the_same_log(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "app-1").write_bytes(content)
    given = gathered(folder)
    [rows] = given.rows.values()
    assert rows.select("JobID", "StageID", "TaskInfo").collect().height == 4
    assert given.processed["is_complete"].to_list() == [True]
    assert (given.rejected, given.failures) == ({}, ())


def test_an_unfinished_last_line_waits_and_is_not_rejected(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "app-1").write_bytes(GOOD + task_end(1)[:-5])
    given = gathered(folder)
    [tracked] = given.processed.to_dicts()
    assert (tracked["tail_bytes"], tracked["rejected"], tracked["lines"]) == (
        len(task_end(1)) - 5,
        0,
        2,
    )
    assert given.rejected == {}


def ignored(_: str, __: pl.DataFrame) -> None: ...


def read(chunks: Iterator[bytes]) -> LogSummary:
    return read_log(log_path("app-1"), chunks, Limits(0, 2**62), ignored)


def read_with_peak(chunks: Iterator[bytes]) -> tuple[LogSummary, int]:
    """What was read, and the most bytes that Python held meanwhile."""
    tracemalloc.start()
    try:
        return read(chunks), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def endless_line(length: int) -> Iterator[bytes]:
    yield GOOD
    piece = b"x" * (1 << 20)
    for _ in range(length >> 20):
        yield piece
    yield b"\n" + MORE


def test_an_endless_line_is_rejected_without_being_held() -> None:
    summary, peak = read_with_peak(endless_line(4 * LONGEST_LINE))
    assert (summary.lines, summary.rejected) == (5, 1)
    assert summary.bad_lines[0].line.reason == "line too long"
    assert peak < 2.5 * LONGEST_LINE


BOMB_BYTES = 256 << 20


def bomb(compress: Callable[[bytes], bytes], flush: Callable[[], bytes]) -> bytes:
    """A line of zeros that is a thousandth of its size."""
    zeros = (compress(bytes(1 << 20)) for _ in range(BOMB_BYTES >> 20))
    packed = compress(GOOD) + b"".join(zeros) + compress(b"\n" + MORE) + flush()
    assert len(packed) * 500 < BOMB_BYTES
    return packed


def test_bombs_are_read_in_bounded_memory() -> None:
    for packer in (zlib.compressobj(wbits=31), zstd.ZstdCompressor()):
        packed = bomb(packer.compress, packer.flush)
        summary, peak = read_with_peak(decompressed("bomb", iter([packed])))
        assert (summary.lines, summary.rejected) == (5, 1)
        assert peak < 2.5 * LONGEST_LINE


def test_a_flood_of_bad_lines_is_counted_but_not_kept() -> None:
    flood = b"x\n" * 300_000
    summary = read(iter([GOOD, flood, MORE]))
    assert summary.rejected == 300_000
    assert len(summary.bad_lines) == 10_000


def test_a_flood_of_types_is_counted_under_one_name() -> None:
    flood = b"".join(line(f"Type{number}") + b"\n" for number in range(5000))
    summary = read(iter([flood]))
    assert summary.event_counts.total() == 5000
    assert len(summary.event_counts) == 1001


def test_a_link_that_leads_to_itself_is_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "loop").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "app-1").write_bytes(GOOD)
    assert gathered(folder).processed["path"].to_list() == [str(folder / "app-1")]
