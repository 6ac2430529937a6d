"""What is left when a writer is killed, and when the disk is full."""

import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.errors import StorageError
from overwatch_assets_tests.delta.lake import (
    JOBRUNS,
    MONDAY,
    WORKSPACE,
    local_store,
    put,
    runs,
    stored,
)
from overwatch_assets_tests.delta.writers import PROCESSES, numbers_by_partition, write_forever

KILLS = 100


def test_a_killed_writer_tears_nothing_and_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20240506)  # noqa: S311 - moments, not secrets
    store = local_store(tmp_path)
    store.create(JOBRUNS)
    number = 0
    for _ in range(KILLS):
        receiver, sender = PROCESSES.Pipe(duplex=False)
        writer = PROCESSES.Process(target=write_forever, args=(tmp_path, WORKSPACE, number, sender))
        writer.start()
        sender.close()
        assert receiver.poll(30), "the write after a kill works"
        acknowledged = int(receiver.recv())
        writer.join(chance.uniform(0, 0.12))
        writer.kill()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        try:
            while True:
                acknowledged = int(receiver.recv())
        except EOFError:
            receiver.close()
        shown = numbers_by_partition(store.scan(JOBRUNS, WORKSPACE).collect())
        assert len(shown) == 2
        [found] = {frozenset(numbers) for numbers in shown.values()}
        [text] = found
        assert int(text) in (acknowledged, acknowledged + 1)
        number = int(text) + 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    try:
        done = subprocess.run(mount, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command for a small disk")
    if done.returncode != 0:
        pytest.skip(f"a small disk can't be mounted here: {done.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)  # noqa: S607 - a fixed command


@pytest.mark.parametrize("free_kb", range(0, 44, 4))
def test_a_full_disk_leaves_old_or_new_rows_and_names_itself(
    small_disk: Path, free_kb: int
) -> None:
    store = local_store(small_disk)
    store.create(JOBRUNS)
    put(store, MONDAY, runs(1))
    ballast = small_disk / "ballast"
    _fill(ballast, free_kb * 1024)
    said = _refusal(store)
    if said is None:
        assert stored(store) == list(range(500))
    else:
        assert stored(store) == [1]
        assert str(small_disk) in said
        assert "bytes are free" in said
    ballast.unlink()
    put(store, MONDAY, runs(3))
    assert stored(store) == [3]


def _refusal(store: DeltaStore) -> str | None:
    try:
        put(store, MONDAY, runs(*range(500)))
    except StorageError as error:
        return str(error)
    return None


def _fill(ballast: Path, left: int) -> None:
    """Fill the disk, then give `left` bytes back."""
    size = 0
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                size += file.write(bytes(1024))
        except OSError:
            file.truncate(max(0, size - left))
