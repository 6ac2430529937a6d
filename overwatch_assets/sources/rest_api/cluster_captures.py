"""The clusters of a workspace at this moment: those that it lists, and those it no longer does.

The list holds only what runs, is pinned or ended lately, and of job clusters only a few. So the
clusters that the audit log named since the last capture, and those that were running then, are
asked for one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from overwatch_assets.sources.cluster_log_destinations import named_clusters
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.rest_api.api import Api, ApiError, ApiRefused, Json
from overwatch_assets.sources.rest_api.captures import (
    CAPTURED_AT_MS,
    PAST_DAY,
    as_json,
    captured,
    day_that_has_begun,
    list_of,
    nothing_gathered,
)
from overwatch_assets.sources.rest_api.endpoints import CLUSTERS, CLUSTERS_GET
from overwatch_assets.sources.rest_api.fan_out import fan_out

TERMINATED = "TERMINATED"
ERRORS_SCHEMA = pl.Schema(
    {
        "cluster_id": pl.String,
        "error_code": pl.String,
        "error": pl.String,
        "http_status": pl.Int32,
        "asked_at_ms": pl.Int64,
    }
)


def clusters_to_ask(
    captures: pl.LazyFrame, failures: pl.LazyFrame, audit: pl.LazyFrame
) -> pl.DataFrame:
    """Clusters to ask for by their id: `cluster_id`.

    Those of the last capture that had not terminated, those that could not be fetched then, and
    those of audit rows stored since, of whatever day. A cluster that did not exist then is in
    none of these, so it is asked for again only when the audit log names it anew.

    Args:
        captures: Captured clusters of the newest day that has any.
        failures: Clusters that could not be fetched, of the newest day that has any.
        audit: Rows of `audit_log_bronze`.
    """
    last = max(
        captures.select(pl.col(CAPTURED_AT_MS).max()).collect().item() or 0,
        failures.select(pl.col("asked_at_ms").max()).collect().item() or 0,
    )
    alive = captures.filter(
        pl.col(CAPTURED_AT_MS) == last, pl.col("state").ne_missing(TERMINATED)
    ).select("cluster_id")
    failed = failures.filter(pl.col("asked_at_ms") == last).select("cluster_id")
    since = audit.filter(pl.col("Pipeline_SnapTS").dt.epoch("ms") > last)
    return pl.concat([alive, failed, named_clusters(since)]).unique().sort("cluster_id").collect()


@dataclass(frozen=True, slots=True)
class ClusterCaptures:
    """Captures the clusters of a workspace.

    Attributes:
        api: The workspace's API.
        table: For whom; rejected objects are kept under this name.
        threads: Questions at the same time.
    """

    api: Api
    table: str
    threads: int

    def gather(self, request: Request) -> Gathered:
        """List the clusters and ask for the others, if the day that has begun is asked for.

        What the list tells of a cluster is all there is to tell, so it is not asked for again.

        Raises:
            SourceError: The API can't be asked.
        """
        today = day_that_has_begun(request)
        if today is None:
            return nothing_gathered(request, PAST_DAY)
        objects = list_of(self.api, CLUSTERS, request.organization_id)
        known = {one.get("cluster_id") for each in objects if (one := as_json(each)) is not None}
        others = [each for each in request.coverage["cluster_id"] if each not in known]
        told = fan_out(partial(_asked, self.api), others, threads=self.threads)
        found = [each for each in told if not isinstance(each, ApiError)]
        failed = {
            cluster_id: each
            for cluster_id, each in zip(others, told, strict=True)
            if isinstance(each, ApiError) and not _is_gone(each)
        }
        gathered = captured(request, today, [*objects, *found], listing=CLUSTERS, table=self.table)
        return replace(
            gathered,
            errors={today: _errors(failed, request.now_ms)} if failed else {},
            failures=[str(each) for each in failed.values()],
            counts={**gathered.counts, "does_not_exist": sum(map(_is_gone, told))},
        )


def _asked(api: Api, cluster_id: str) -> Json:
    return api.get(CLUSTERS_GET, {"cluster_id": cluster_id})


def _is_gone(told: Json | ApiError) -> bool:
    return isinstance(told, ApiRefused) and told.is_missing


def _errors(failed: Mapping[str, ApiError], asked_at_ms: int) -> pl.DataFrame:
    rows: Sequence[tuple[object, ...]] = [
        (
            cluster_id,
            each.code if isinstance(each, ApiRefused) else None,
            f"{each.code} {each.said}" if isinstance(each, ApiRefused) else str(each),
            each.status if isinstance(each, ApiRefused) else None,
            asked_at_ms,
        )
        for cluster_id, each in failed.items()
    ]
    return pl.DataFrame(rows, schema=ERRORS_SCHEMA, orient="row")
