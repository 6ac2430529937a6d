"""For each cluster where its logs are, what is there, and why nothing is."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

from overwatch_assets.errors import SourceError
from overwatch_assets.operations.validation.findings import ClusterLog, ClusterLogs
from overwatch_assets.operations.validation.known_clusters import KnownClusters
from overwatch_assets.sources.cluster_log_destinations import event_log_prefix, readable
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.spark_event_logs.layout import is_log

DAYS = 30
MOST_FILES = 10_000
"""Files of a cluster that are counted; of more the newest may be another."""

THREADS = 8


@dataclass(frozen=True, slots=True)
class LogPlaces:
    """What is needed to find the logs of a workspace's clusters.

    Attributes:
        workspace: Workspace id.
        files: Reads them.
        mounts: Mount points, and what they stand for.
        dbfs_root: What `dbfs:/` stands for, where it is read without the API.
    """

    workspace: str
    files: Files
    mounts: Mapping[str, str]
    dbfs_root: str | None


def cluster_logs(places: LogPlaces, known: KnownClusters) -> ClusterLogs:
    """Look for the logs of every cluster of the last `DAYS` days that are known.

    Args:
        places: Where logs may be.
        known: Those clusters.
    """
    ran: dict[str, bool] = dict(known.seen.iter_rows())
    given: dict[str, list[str]] = {cluster_id: [] for cluster_id in ran}
    for cluster_id, destination in known.destinations.iter_rows():
        if cluster_id in given:
            given[cluster_id].append(destination)
    pairs = [(cluster_id, each) for cluster_id, found in given.items() for each in found or [""]]

    def look(pair: tuple[str, str]) -> ClusterLog:
        cluster_id, destination = pair
        return _log(places, cluster_id, destination, ran=ran[cluster_id])

    with ThreadPoolExecutor(THREADS, thread_name_prefix="overwatch-validate") as pool:
        return ClusterLogs(places.workspace, known.told_by, list(pool.map(look, pairs)))


def _log(places: LogPlaces, cluster_id: str, destination: str, *, ran: bool) -> ClusterLog:
    log = ClusterLog(places.workspace, cluster_id, destination)
    if not destination:
        return replace(log, reason="no log destination is configured for the cluster")
    folder = readable(destination, places.mounts, dbfs_root=places.dbfs_root)
    if folder is None:
        return replace(log, reason="the destination is no storage that can be read")
    uri = event_log_prefix(folder, cluster_id)
    try:
        listed = islice(places.files.list(uri), MOST_FILES)
        found = [each for each in listed if is_log(each.path)]
        is_there = bool(found) or cluster_id in places.files.folders(folder)
    except SourceError as error:
        return replace(log, uri=uri, is_reachable=False, reason=_why(folder, str(error)))
    if not found:
        return replace(log, uri=uri, is_reachable=True, reason=_nothing(is_there=is_there, ran=ran))
    newest = max(found, key=lambda each: each.modified_ms or 0)
    return replace(
        log,
        uri=uri,
        is_reachable=True,
        files=len(found),
        bytes=sum(each.size for each in found),
        newest=newest.modified_ms,
        newest_file=newest.path,
    )


def _why(folder: str, said: str) -> str:
    if folder.startswith("dbfs:/mnt/"):
        return f"the mount of the destination is not mapped; {said}"
    return said


def _nothing(*, is_there: bool, ran: bool) -> str:
    if not ran:
        return f"the cluster did not run in the last {DAYS} days that are known"
    if is_there:
        return "the cluster's folder holds no event log"
    return "the cluster's folder is missing: nothing was delivered to this destination"
