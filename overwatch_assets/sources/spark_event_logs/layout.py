"""What the path of a Spark event log tells: its Spark context, cluster and driver.

Databricks writes `<destination>/<cluster>/eventlog/<driver host>/<context>/eventlog`, and
hourly `eventlog-2023-11-21--10-00.gz` beside it; open-source Spark writes one file per
application, or a folder `eventlog_v2_<application>` of rolled files. Destinations have any
depth, so segments are counted from the right.
"""

import re
from dataclasses import dataclass

_ROLLED_FOLDER = "eventlog_v2_"
_ROLLED_NAME = re.compile(r"events_\d+_(?P<name>.+)")
_SUFFIXES = re.compile(r"(\.inprogress|\.compact|\.(gz|zstd|lz4|lzf|snappy))+$")
_NOT_LOGS = re.compile(r"[._].*|appstatus_.*|.*\.crc")


@dataclass(frozen=True, slots=True)
class LogPath:
    """A log's path and what it tells.

    Attributes:
        path: As it is listed.
        context_id: Spark context, or application id and attempt, by the path.
        is_told_by_content: Whether the application's own start event tells the context better.
        cluster_id: None outside Databricks' layout.
        by_cluster: Path up to the cluster's folder; None outside Databricks' layout.
        by_driver_host: Path up to the driver's folder; None outside Databricks' layout.
        by_spark_context: Path up to the folder of the context; None for a single file.
    """

    path: str
    context_id: str
    is_told_by_content: bool
    cluster_id: str | None = None
    by_cluster: str | None = None
    by_driver_host: str | None = None
    by_spark_context: str | None = None


def is_log(path: str) -> bool:
    """Whether a file may be a log, by its name: no marker, checksum or hidden file."""
    return _NOT_LOGS.fullmatch(path.rpartition("/")[2]) is None


def log_path(path: str) -> LogPath:
    """Everything a path tells."""
    *folders, name = path.split("/")
    folder = folders[-1] if folders else ""
    if folder and (name == "eventlog" or name.startswith("eventlog-")):
        return _of_databricks(path, folders)
    if folder.startswith(_ROLLED_FOLDER) and _ROLLED_NAME.fullmatch(name):
        return LogPath(
            path=path,
            context_id=folder.removeprefix(_ROLLED_FOLDER),
            is_told_by_content=False,
            by_spark_context="/".join(folders),
        )
    bare = _SUFFIXES.sub("", name) or name
    rolled = _ROLLED_NAME.fullmatch(bare)
    return LogPath(
        path=path, context_id=rolled["name"] if rolled else bare, is_told_by_content=True
    )


def _of_databricks(path: str, folders: list[str]) -> LogPath:
    whole_layout = 4  # cluster, "eventlog", driver host, context
    has_cluster = len(folders) >= whole_layout and folders[-3] == "eventlog"
    return LogPath(
        path=path,
        context_id=folders[-1],
        is_told_by_content=False,
        cluster_id=folders[-4] if has_cluster else None,
        by_cluster="/".join(folders[:-3]) if has_cluster else None,
        by_driver_host="/".join(folders[:-1]) if has_cluster else None,
        by_spark_context="/".join(folders),
    )
