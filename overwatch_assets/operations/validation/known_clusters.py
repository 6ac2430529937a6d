"""Clusters of a workspace as its tables tell of them or, before anything is loaded, its API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from overwatch_assets.config import Workspace
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.expressions.databricks_structs import LOGCONF
from overwatch_assets.module import Module
from overwatch_assets.sources.cluster_log_destinations import (
    cluster_id_of,
    destinations_of_clusters,
)
from overwatch_assets.sources.json_shapes import Shaper
from overwatch_assets.sources.rest_api.api import Api, Json
from overwatch_assets.sources.rest_api.captures import as_json, list_of
from overwatch_assets.sources.rest_api.endpoints import CLUSTERS

DAY_MS = 86_400_000
AUDIT, CAPTURES = "audit_log_bronze", "clusters_snapshot_bronze"

_CAPTURED = pl.Schema(
    {
        "cluster_id": pl.String,
        "state": pl.String,
        "start_time": pl.Int64,
        "last_restarted_time": pl.Int64,
        "terminated_time": pl.Int64,
        "cluster_log_conf": LOGCONF,
    }
)
_CAPTURED_AT = "captured_at_ms"
_RUNNING = ("RUNNING", "RESTARTING", "RESIZING", "TERMINATING")
_NOT_RUNNING = (
    "edit",
    "editResult",
    "changeClusterAcl",
    "pin",
    "unpin",
    "permanentDelete",
    "updateConfig",
)
"""Audit events of the service clusters that don't say that the cluster ran."""


@dataclass(frozen=True, slots=True)
class KnownClusters:
    """What is known of clusters.

    Attributes:
        destinations: Every log destination a cluster was ever given: `cluster_id`, `destination`.
        seen: Clusters with a sign of late, in order, and whether they ran: `cluster_id`, `ran`.
        told_by: What tells of them, as a person is told.
    """

    destinations: pl.DataFrame
    seen: pl.DataFrame
    told_by: str

    @property
    def destinations_of_late(self) -> pl.DataFrame:
        """Destinations of clusters with a sign of late; others may be gone for good reason."""
        return self.destinations.join(self.seen, on="cluster_id", how="semi")


def known_clusters(
    workspace: Workspace,
    store: DeltaStore,
    modules: Mapping[str, Module],
    *,
    api: Api | None,
    now_ms: int,
    late_ms: int,
) -> KnownClusters:
    """Read the tables; where they hold nothing of the workspace, ask the API.

    What is of late ends with the newest day that is loaded, so that a deployment that has not
    run for a while still tells of its clusters.

    Args:
        workspace: The workspace.
        store: The tables.
        modules: Modules by table name.
        api: The workspace's API; None: it can't be asked.
        now_ms: The present.
        late_ms: For how long a sign is of late.

    Raises:
        StorageError: A table can't be read.
        SchemaMismatch: A table is another one.
        ApiError: The API does not answer.
    """
    org = workspace.organization_id
    tables = {name: modules[name].table for name in (AUDIT, CAPTURES)}
    newest = {name: store.newest_day(each, org, missing_ok=True) for name, each in tables.items()}
    loaded = {name: day for name, day in newest.items() if day is not None}
    audit, captures = (store.scan(each, org, missing_ok=True) for each in tables.values())
    not_yet = "" if AUDIT in loaded else "; the audit log is not loaded yet"
    if loaded:
        told_by = ", ".join(f"{name} up to {day}" for name, day in loaded.items()) + not_yet
    elif api is None:
        told_by = "nothing: no table is loaded yet, and no API can be asked"
    else:
        captures = _captured_now(api, org, now_ms)
        told_by = f"the API as of now{not_yet}"
    until_ms = min(now_ms, max(map(_end_ms, loaded.values()), default=now_ms))
    with store.computing():
        return KnownClusters(
            destinations=destinations_of_clusters(audit, captures),
            seen=_seen(audit, captures, until_ms - late_ms),
            told_by=told_by,
        )


def _end_ms(day: date) -> int:
    """About when a day ends, whatever the time zone."""
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000) + 2 * DAY_MS


def _seen(audit: pl.LazyFrame, captures: pl.LazyFrame, since_ms: int) -> pl.DataFrame:
    """Clusters with an audit event, or that a capture shows alive, since an instant."""
    of_clusters = pl.col("serviceName") == "clusters"
    is_administered = of_clusters & pl.col("actionName").is_in(_NOT_RUNNING)
    audited = audit.filter(pl.col("timestamp") >= since_ms).select(
        cluster_id=cluster_id_of(), ran=~is_administered
    )
    changed = pl.max_horizontal("start_time", "last_restarted_time", "terminated_time")
    is_running = pl.col("state").is_in(_RUNNING)
    last_sign = pl.when(is_running).then(pl.col(_CAPTURED_AT)).otherwise(changed)
    captured = captures.filter(last_sign >= since_ms).select("cluster_id", ran=pl.lit(value=True))
    return (
        pl.concat([audited, captured])
        .filter(pl.col("cluster_id").str.contains(r"^[A-Za-z0-9_-]+$"))
        .group_by("cluster_id")
        .agg(pl.col("ran").any())
        .sort("cluster_id")
        .collect()
    )


def _captured_now(api: Api, organization_id: str, now_ms: int) -> pl.LazyFrame:
    listed = (as_json(each) for each in list_of(api, CLUSTERS, organization_id))
    clusters: list[Json] = [each for each in listed if each is not None]
    rows = Shaper(_CAPTURED).shape(clusters).rows
    return rows.lazy().with_columns(pl.lit(now_ms, dtype=pl.Int64).alias(_CAPTURED_AT))
