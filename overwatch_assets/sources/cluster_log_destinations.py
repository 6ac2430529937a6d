"""Where clusters deliver their logs, as their audit events and captures of them say.

A cluster may have logged to several destinations in its life; all of them count. What a
destination is called inside the workspace is translated to what can be read from outside.
"""

import re
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
import polars as pl

from overwatch_assets.module import DayWindow
from overwatch_assets.sources.cluster_signs import (
    DAY_MS,
    SIGN_LASTS_DAYS,
    not_ended,
    shown_alive,
)
from overwatch_assets.sources.mounts import mount_point

LISTED_DAYS_BEFORE = 4
"""Clusters of the three days before are asked too, and a cluster is of the day after a sign."""

PREFIXES = pl.Schema({"cluster_id": pl.String, "prefix": pl.String})
DESTINATIONS = pl.Schema({"cluster_id": pl.String, "destination": pl.String})

_STORES = {
    "s3": "s3",
    "s3a": "s3",
    "s3n": "s3",
    "abfss": "abfss",
    "abfs": "abfss",
    "gs": "gs",
}
_KINDS = ("dbfs", "s3", "volumes")
_CLUSTER_ID = r"^[A-Za-z0-9_-]+$"
_ENDS = ("delete", "deleteResult", "permanentDelete")


def cluster_log_destinations(
    audit: pl.LazyFrame,
    mounts: Mapping[str, str],
    days: Sequence[DayWindow] | None = None,
    *,
    captures: pl.LazyFrame | None = None,
    fetches: pl.LazyFrame | None = None,
    dbfs_root: str | None = None,
) -> pl.DataFrame:
    """Prefixes below which the event logs of clusters are found: `cluster_id`, `prefix`.

    Destinations in the workspace's own file systems that no mount covers stay `dbfs:/...` and
    `/Volumes/...`: they are read through its API. Schemes that are no storage are left out.

    Args:
        audit: Rows of `audit_log_bronze` of one workspace, as far back as there are.
        mounts: Mount point (`/mnt/logs`) to what it stands for, a URL or a local folder.
        days: Only clusters that may have run on these days; None: all.
        captures: Rows of `clusters_snapshot_bronze` of the workspace, of all days; None: none.
        fetches: Rows of `cluster_events_fetches` of the workspace; None: none.
        dbfs_root: What `dbfs:/` stands for, where it is read without the API; None: itself.
    """
    named = destinations_of_clusters(audit, captures)
    if days is not None:
        asked = clusters_of_days(audit, days, captures=captures, fetches=fetches).collect()
        named = named.join(asked, on="cluster_id", how="semi")
    found = {
        (cluster_id, event_log_prefix(folder, cluster_id))
        for cluster_id, destination in named.iter_rows()
        if (folder := readable(destination, mounts, dbfs_root=dbfs_root)) is not None
    }
    return pl.DataFrame(sorted(found), schema=PREFIXES, orient="row")


def destinations_of_clusters(
    audit: pl.LazyFrame, captures: pl.LazyFrame | None = None
) -> pl.DataFrame:
    """Every destination that a cluster was ever given, as it was: `cluster_id`, `destination`.

    Args:
        audit: Rows of `audit_log_bronze` of one workspace.
        captures: Rows of `clusters_snapshot_bronze` of the workspace; None: none.
    """
    of_audit = (
        audit.filter(pl.col("requestParams").str.contains("cluster_log_conf", literal=True))
        .select(
            cluster_id=cluster_id_of(),
            conf=pl.col("requestParams").str.json_path_match("$.cluster_log_conf"),
        )
        .filter(pl.col("cluster_id").str.contains(_CLUSTER_ID), pl.col("conf").is_not_null())
        .unique()
        .collect()
    )
    found = {
        (cluster_id, destination)
        for cluster_id, conf in of_audit.iter_rows()
        for destination in _destinations(conf)
    }
    if captures is not None:
        found |= set(_captured(captures).iter_rows())
    return pl.DataFrame(sorted(found), schema=DESTINATIONS, orient="row")


def event_log_prefix(folder: str, cluster_id: str) -> str:
    """Where a cluster's event logs are below a destination."""
    return f"{folder.rstrip('/')}/{cluster_id}/eventlog"


def clusters_of_days(
    audit: pl.LazyFrame,
    days: Sequence[DayWindow],
    *,
    captures: pl.LazyFrame | None = None,
    fetches: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """Clusters that may have run on the days, one `cluster_id` each.

    Those with an audit event shortly before, on or right after the days, and those whose last
    event of the 30 days before was not their end: a long-running cluster leaves no trace. Those
    that captures show alive, and those whose fetched events say that they have not ended.
    Asking for more clusters than needed costs time, never rows.
    """
    of_audit = _signs_of_audit(audit, days)
    more = [] if captures is None else [shown_alive(captures, days)]
    more += [] if fetches is None else [not_ended(fetches, days)]
    valid = pl.col("cluster_id").str.contains(_CLUSTER_ID)
    return pl.concat([of_audit, *more]).filter(valid).unique()


def _signs_of_audit(audit: pl.LazyFrame, days: Sequence[DayWindow]) -> pl.LazyFrame:
    since_ms = days[0].window.since_ms
    until_ms = days[-1].window.until_ms + DAY_MS
    at_ms = pl.col("timestamp")
    signs = audit.filter(
        (at_ms >= since_ms - SIGN_LASTS_DAYS * DAY_MS) & (at_ms < until_ms)
    ).select(
        "timestamp",
        cluster_id=cluster_id_of(),
        is_end=(pl.col("serviceName") == "clusters") & pl.col("actionName").is_in(_ENDS),
    )
    is_near = at_ms >= since_ms - LISTED_DAYS_BEFORE * DAY_MS
    is_newest = at_ms == at_ms.max()
    may_run = is_near.any() | (is_newest & ~pl.col("is_end")).any()
    return (
        signs.group_by("cluster_id")
        .agg(may_run.alias("may_run"))
        .filter("may_run")
        .select("cluster_id")
    )


def named_clusters(audit: pl.LazyFrame) -> pl.LazyFrame:
    """Clusters that audit rows concern, one `cluster_id` each."""
    return (
        audit.select(cluster_id=cluster_id_of())
        .filter(pl.col("cluster_id").str.contains(_CLUSTER_ID))
        .unique()
    )


def cluster_id_of() -> pl.Expr:
    """Cluster that an audit row concerns, jobs' clusters included; null: none."""
    params = pl.col("requestParams").str
    of_clusters = pl.col("serviceName") == "clusters"
    of_result = pl.col("response").struct.field("result").str.json_path_match("$.cluster_id")
    cluster_id = params.json_path_match("$.cluster_id")
    return (
        pl.when(of_clusters & pl.col("actionName").str.ends_with("Result"))
        .then(params.json_path_match("$.clusterId"))
        .when(of_clusters & (pl.col("actionName") == "create"))
        .then(of_result)
        .when(pl.col("serviceName") == "jobs")
        .then(pl.coalesce(params.json_path_match("$.clusterId"), cluster_id))
        .otherwise(cluster_id)
    )


def readable(
    destination: str, mounts: Mapping[str, str], *, dbfs_root: str | None = None
) -> str | None:
    """A destination as it can be read from outside the workspace; None: it is no storage.

    The longest mount on a `/` boundary counts; what follows it is kept as it is.

    Args:
        destination: As a cluster has it.
        mounts: Mount point to what it stands for.
        dbfs_root: What `dbfs:/` stands for beside the mounts; None: itself.
    """
    text = destination.strip().rstrip("/")
    scheme, colon, rest = text.partition(":")
    store = _STORES.get(scheme.lower())
    if colon and store is not None and rest.startswith("//"):
        return f"{store}:{rest}"
    if colon and scheme.lower() == "dbfs":
        text = rest
    if not text.startswith("/"):
        return None
    path = "/" + text.lstrip("/")
    points = {mount_point(point): source for point, source in mounts.items()}
    covering = [point for point in points if point and f"{path}/".startswith(f"{point}/")]
    if not covering and path.startswith("/Volumes/"):
        return path
    if not covering:
        return f"dbfs:{path}" if dbfs_root is None else f"{dbfs_root.rstrip('/')}{path}"
    point = max(covering, key=len)
    source = re.sub(r"^s3[an]://", "s3://", points[point], flags=re.IGNORECASE)
    return source.rstrip("/") + path[len(point) :]


def _captured(captures: pl.LazyFrame) -> pl.DataFrame:
    """Destinations that captures show: cluster and destination."""
    conf = pl.col("cluster_log_conf").struct
    kinds = [conf.field(kind).struct.field("destination") for kind in _KINDS]
    return (
        captures.select("cluster_id", destination=pl.concat_list(kinds))
        .explode("destination")
        .filter(pl.col("cluster_id").str.contains(_CLUSTER_ID), pl.col("destination").is_not_null())
        .unique()
        .collect()
    )


def _destinations(conf: str) -> Sequence[str]:
    """The destinations that the text of a `cluster_log_conf` gives."""
    try:
        found: object = msgspec.json.decode(conf)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ()
    if not isinstance(found, dict):
        return ()
    kinds = (cast("dict[str, object]", found).get(kind) for kind in _KINDS)
    given = (
        cast("dict[str, object]", kind).get("destination")
        for kind in kinds
        if isinstance(kind, dict)
    )
    return [each for each in given if isinstance(each, str)]
