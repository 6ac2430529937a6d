"""Event logs straight to frames, for benchmarks, tests and a quick look: no days, no storage."""

from collections.abc import Iterable, Mapping

import polars as pl

from overwatch_assets.sources.compression import decompressed
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.spark_event_logs.layout import log_path
from overwatch_assets.sources.spark_event_logs.reading import Limits, read_log
from overwatch_assets.sources.spark_event_logs.records import SCHEMA

ALL_EVENTS = Limits(first_ms=0, latest_ms=2**63 - 1)


def frames_of_logs(files: Files, paths: Iterable[str]) -> Mapping[str, pl.DataFrame]:
    """All events of the logs: one frame per event type, in the columns that it fills.

    Events that stand in several logs are repeated. What is no event is left out.

    Raises:
        FileGone: One of the files isn't there.
    """
    by_type: dict[str, list[pl.DataFrame]] = {}

    def take(name: str, events: pl.DataFrame) -> None:
        columns = [column for column in events.columns if column in SCHEMA]
        by_type.setdefault(name, []).append(events.select(columns))

    for path in paths:
        read_log(log_path(path), decompressed(path, files.open(path)), ALL_EVENTS, take)
    return {name: pl.concat(frames) for name, frames in by_type.items()}
