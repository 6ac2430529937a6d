"""What the tables of versions must hold for a world without captures: the rules, event by event.

Written in plain Python over the audit events in order of time, so that it shares nothing with the
transforms: no carried rows, no anchors, no frames.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import cast

from overwatch_assets_tests.laws.spark_world import DAY

Event = Mapping[str, object]
RANKS = {"create": 0, "edit": 1, "resize": 2, "delete": 3, "permanentDelete": 3}
SINGLE_NODE = '"spark.databricks.cluster.profile":"singleNode"'


@dataclass(frozen=True)
class Version:
    """What a cluster was; empty: nothing is known of it."""

    name: str | None = None
    tags: str | None = None
    runtime: str | None = None
    conf: str | None = None
    pool: str | None = None
    workers: int | None = None
    limits: tuple[int, int] | None = None
    created_by: str | None = None
    edited_by: str | None = None
    is_gone: bool = False


@dataclass(frozen=True)
class Pool:
    """What a pool was from an instant on."""

    since_ms: int
    name: str | None


@dataclass
class Replay:
    """The versions of clusters after the events so far."""

    pools: Mapping[str, list[Pool]]
    clusters: dict[str, Version] = field(default_factory=dict[str, Version])
    rows: set[tuple[object, ...]] = field(default_factory=set[tuple[object, ...]])
    nameless: int = 0

    def day(self, events: list[Event]) -> None:
        """One day's events of clusters, in order."""
        before = dict(self.clusters)
        changes = [
            (cluster_of(each) or self._guessed(each, events, before), each)
            for each in events
            if each["actionName"] in RANKS and each["actionName"] != "delete"
        ]
        self.nameless += sum(cluster is None for cluster, _ in changes)
        last = {(cluster, at(each), each["actionName"]): each for cluster, each in changes}
        for (cluster, _, _), each in last.items():
            if cluster is not None:
                self._change(cluster, each, events)

    def _guessed(
        self, event: Event, events: list[Event], before: Mapping[str, Version]
    ) -> str | None:
        """The only cluster that has the name of an event without an id."""
        name = said(event).get("cluster_name")
        is_new = event["actionName"] == "create"
        past = {key for key, version in before.items() if version.name == name}
        later = {
            cluster
            for each in events
            if at(each) >= at(event)
            and name_in(each) == name
            and (cluster := cluster_of(each)) is not None
            and not (is_new and cluster in before)
        }
        for ids in ([] if is_new else [past]) + [later]:
            if name is not None and len(ids) == 1:
                return next(iter(ids))
        return None

    def _change(self, cluster: str, event: Event, events: list[Event]) -> None:
        known = self.clusters.get(cluster, Version())
        action, told, by = str(event["actionName"]), said(event), user(event)
        if known.is_gone and action == "permanentDelete":
            return
        old = Version() if known.is_gone else known
        workers, limits = size(told)
        if action in {"create", "edit"}:
            is_job = bool(re.match("job-.*-run-", told.get("cluster_name", "")))
            creator = "JobsService" if is_job else by
            new = Version(
                name=told.get("cluster_name"),
                tags=told.get("custom_tags"),
                runtime=told.get("spark_version", old.runtime),
                conf=told.get("spark_conf"),
                pool=told.get("instance_pool_id"),
                workers=workers,
                limits=limits,
                created_by=(creator if action == "create" else None) or old.created_by,
                edited_by=(None if is_job or action == "create" else by) or old.edited_by,
            )
        elif action == "resize" and (workers, limits) != (None, None):
            new = replace(old, workers=workers, limits=limits)
        else:
            new = replace(old, is_gone=action == "permanentDelete")
        if new.name is None:
            told_later = [
                (at(each), name)
                for each in events
                if at(each) >= at(event)
                and cluster_of(each) == cluster
                and (name := name_in(each)) is not None
            ]
            new = replace(new, name=min(told_later)[1] if told_later else old.name)
        self.clusters[cluster] = new
        self._tell(cluster, at(event), action, new, by)

    def _tell(self, cluster: str, at_ms: int, action: str, new: Version, by: str | None) -> None:
        is_single = SINGLE_NODE in (new.conf or "")
        limits = None if new.limits is None or is_single else list(new.limits)
        self.rows.add(
            (
                cluster,
                at_ms,
                action,
                new.name,
                new.tags,
                new.runtime,
                new.pool,
                self._pool_name(new.pool, at_ms),
                0 if is_single else new.workers,
                json.dumps(limits),
                new.created_by,
                new.edited_by,
                by if action == "permanentDelete" else None,
            )
        )

    def _pool_name(self, pool: str | None, at_ms: int) -> str | None:
        versions = self.pools.get(pool or "", [])
        past = [each for each in versions if each.since_ms < at_ms]
        end_ms = at_ms // DAY * DAY + DAY
        ahead = [each for each in versions if at_ms <= each.since_ms < end_ms]
        names = [each.name for each in (*past[-1:], *ahead[:1]) if each.name is not None]
        return names[0] if names else None


def replayed(events: Iterable[Event]) -> Replay:
    """The versions of clusters that events tell of, whatever order they come in."""
    told = sorted((each for each in events if is_told(each)), key=order)
    replay = Replay(pools_of(told))
    clusters = [each for each in told if each["serviceName"] == "clusters"]
    for _, of_day in groupby(clusters, key=lambda each: at(each) // DAY):
        replay.day(list(of_day))
    return replay


def pools_of(events: Iterable[Event]) -> dict[str, list[Pool]]:
    """The versions of pools."""
    pools: dict[str, list[Pool]] = {}
    gone: set[str] = set()
    for each in events:
        if each["serviceName"] == "instancePools":
            pool = in_result(each, "instance_pool_id") or said(each)["instance_pool_id"]
            versions = pools.setdefault(pool, [])
            old = versions[-1].name if versions and pool not in gone else None
            versions.append(Pool(at(each), said(each).get("instance_pool_name", old)))
            (gone.add if each["actionName"] == "delete" else gone.discard)(pool)
    return pools


def order(event: Event) -> tuple[object, ...]:
    """Where an event stands among all of them."""
    request = event["requestId"]
    rank = RANKS.get(str(event["actionName"]), 9)
    return at(event), rank, request is not None, request or "", event["hashKey"]


def is_told(event: Event) -> bool:
    """Whether an event counts: carried out, no permission, no warehouse."""
    is_warehouse = "SqlEndpointId" in said(event).get("custom_tags", "")
    is_acl = event["actionName"] == "changeClusterAcl"
    return part(event, "response", "statusCode") == 200 and not is_acl and not is_warehouse


def cluster_of(event: Event) -> str | None:
    """The cluster that an event names."""
    if event["actionName"] == "create":
        return in_result(event, "cluster_id")
    return said(event).get("cluster_id") or said(event).get("clusterId")


def name_in(event: Event) -> str | None:
    """The cluster's name in an event."""
    return said(event).get("cluster_name") or said(event).get("clusterName")


def in_result(event: Event, name: str) -> str | None:
    """A field of the answer."""
    return json.loads(str(part(event, "response", "result") or "{}")).get(name)


def part(event: Event, column: str, name: str) -> object:
    """A field of a struct of the event."""
    return cast("Mapping[str, object]", event[column])[name]


def said(event: Event) -> dict[str, str]:
    """The request's parameters."""
    return json.loads(str(event["requestParams"] or "{}"))


def size(told: Mapping[str, str]) -> tuple[int | None, tuple[int, int] | None]:
    """Workers of a fixed size, or the limits of scaling."""
    if "autoscale" in told:
        limits = json.loads(told["autoscale"])
        return None, (int(limits["min_workers"]), int(limits["max_workers"]))
    return (int(told["num_workers"]) if "num_workers" in told else None), None


def user(event: Event) -> str | None:
    """Who asked."""
    email = part(event, "userIdentity", "email")
    return None if email is None else str(email)


def at(event: Event) -> int:
    """When it happened, epoch ms."""
    return int(str(event["timestamp"]))
