"""The logs that contenders read: one of any size, and the mix of real ones."""

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from overwatch_assets.demo.big_log import write_big_log
from overwatch_assets.sources.compression import decompressed
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.spark_event_logs.layout import is_log

DATA_VARIABLE = "OVERWATCH_TEST_DATA"
GB = 10**9
EDGE_BYTES = 64 << 10
TIME = re.compile(rb'"(?:Timestamp|time|(?:Submission|Completion|Launch|Finish) Time)":(\d{13})')


@dataclass(frozen=True, slots=True)
class Facts:
    """What any right answer holds: end events by type, and the run time of the tasks, ms."""

    tasks: int
    jobs: int
    stages: int
    run_time_ms: int


@dataclass(frozen=True, slots=True)
class Log:
    """Files that are read together.

    Attributes:
        name: As the table shows it.
        folder: Holds nothing but the files.
        files: Plain JSON lines.
        size_bytes: Of all files.
        facts: What they hold.
        first_day: Day of the first event, UTC.
        last_day: Day of the last event, UTC.
    """

    name: str
    folder: Path
    files: tuple[Path, ...]
    size_bytes: int
    facts: Facts
    first_day: date
    last_day: date


def made_up_log(scratch: Path, size_bytes: int) -> Log:
    """Write a log of that size."""
    shown = f"{size_bytes / GB:.3g} GB"
    folder = scratch / f"log-{size_bytes}"
    folder.mkdir()
    big = write_big_log(folder / "application", size_bytes)
    facts = Facts(big.tasks, big.jobs, big.stages, big.run_time_ms)
    return _log(f"made-up log, {shown}", folder, facts)


def real_logs(scratch: Path) -> Log | None:
    """The real logs as plain files; None: they are not on this machine."""
    source = _data_folder()
    if source is None:
        return None
    folder = scratch / "real-logs"
    folder.mkdir()
    expected: dict[str, Any] = json.loads((source / "expected.json").read_text())
    files = Files()
    found = [info.path for case in expected for info in files.list(str(source / case))]
    for number, path in enumerate(path for path in found if is_log(path)):
        with (folder / f"application-{number:02}").open("wb") as plain:
            plain.writelines(decompressed(path, files.open(path)))
    cases = [case["origin"]["_F"] for case in expected.values()]
    facts = Facts(
        tasks=sum(case["tasks"]["ends"] for case in cases),
        jobs=sum(case["jobs"]["ends"] for case in cases),
        stages=sum(case["events_by_type"].get("SparkListenerStageCompleted", 0) for case in cases),
        run_time_ms=sum(case["tasks"]["sums"]["executor_run_time_ms"] for case in cases),
    )
    return _log(f"{len(cases)} real logs", folder, facts)


def _data_folder() -> Path | None:
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get(DATA_VARIABLE) or beside) / "spark-events"
    return folder if folder.is_dir() else None


def _log(name: str, folder: Path, facts: Facts) -> Log:
    files = tuple(sorted(folder.iterdir()))
    first, last = zip(*(_edges(file) for file in files), strict=True)
    return Log(
        name=name,
        folder=folder,
        files=files,
        size_bytes=sum(file.stat().st_size for file in files),
        facts=facts,
        first_day=_day(min(first)),
        last_day=_day(max(last)),
    )


def _edges(file: Path) -> tuple[int, int]:
    """Earliest and latest time told near the file's ends, epoch ms."""
    with file.open("rb") as opened:
        head = opened.read(EDGE_BYTES)
        opened.seek(max(file.stat().st_size - EDGE_BYTES, 0))
        told = TIME.findall(head + opened.read())
    times = [int(each) for each in told]
    return min(times, default=0), max(times, default=0)


def _day(epoch_ms: int) -> date:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).date()
