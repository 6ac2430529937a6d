"""What clusters were: the truth about the made-up company, as the view `cluster` must show it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from overwatch_assets.demo.api_compute import ComputeApi
from overwatch_assets.demo.cluster_life import ClusterLife
from overwatch_assets.demo.cluster_spec import ClusterSpec
from overwatch_assets.demo.world import AuditAction, WorkspaceWorld, World

Row = Mapping[str, object]
Key = tuple[object, ...]

CHANGES = ("create", "edit", "resize", "permanentDelete")


@dataclass
class Versions:
    """What the view `cluster` must show of a workspace.

    Attributes:
        captured_ms: The first capture: what it shows of older clusters was so from the start.
        until_ms: End of the days that are loaded.
    """

    world: World
    of: WorkspaceWorld
    captured_ms: int
    until_ms: int

    def rows(self) -> dict[Key, Row]:
        """Rows by cluster, instant and action."""
        found: dict[Key, Row] = {}
        for life in self.of.compute.lives():
            told = [
                each for each in self._told.get(life.cluster_id, []) if each.at_ms < self.until_ms
            ]
            if self._is_known_from_the_start(life):
                key = (life.cluster_id, self.world.since_ms, "snapImpute")
                found[key] = self._row(life, self.world.since_ms, [])
            for number, action in enumerate(told):
                key = (life.cluster_id, action.at_ms, action.action)
                found[key] = self._row(life, action.at_ms, told[: number + 1])
        return found

    def _row(self, life: ClusterLife, at_ms: int, told: list[AuditAction]) -> Row:
        by = {action.action: action.by for action in told}
        spec = life.spec_at(at_ms)
        if not {"create", "edit"} & by.keys():
            shown = life.spec_at(self.captured_ms - 1)
            sized = spec if "resize" in by else shown
            spec = replace(shown, min_workers=sized.min_workers, max_workers=sized.max_workers)
        is_job = spec.name.startswith("job-")
        creator = by.get("create", life.spec.owner.email)
        last = told[-1] if told else None
        return {
            **_definition(spec),
            "instance_pool_name": self._pool_name(spec.pool_id, at_ms),
            "driver_instance_pool_name": self._pool_name(spec.driver_pool_id, at_ms),
            "is_automated": is_job,
            "created_by": "JobsService" if is_job and "create" in by else creator,
            "last_edited_by": None if is_job else by.get("edit"),
            "deleted_by": last.by if last and last.action == "permanentDelete" else None,
        }

    def _is_known_from_the_start(self, life: ClusterLife) -> bool:
        return life.created_ms < self.world.since_ms and life.cluster_id in self._captured

    @cached_property
    def _captured(self) -> set[object]:
        """Clusters that the first capture shows: those that are listed, those that are named."""
        api = ComputeApi(self.world, self.of)
        listed = {each["cluster_id"] for each in api.clusters(self.captured_ms)}
        named = {
            str((action.params or {}).get("cluster_id"))
            for action in self.of.actions
            if action.at_ms < self.captured_ms
        }
        return listed | {each for each in named if api.cluster(each, self.captured_ms)}

    @cached_property
    def _told(self) -> dict[str, list[AuditAction]]:
        """Changes of clusters that the audit log tells and that were carried out."""
        told: dict[str, list[AuditAction]] = {}
        for action in self.of.actions:
            if action.service == "clusters" and action.action in CHANGES and action.status == 200:
                named = action.result if action.action == "create" else action.params
                told.setdefault(str((named or {})["cluster_id"]), []).append(action)
        return told

    def _pool_name(self, pool_id: str | None, at_ms: int) -> str | None:
        names = [p.spec_at(at_ms).name for p in self.of.compute.pools if p.pool_id == pool_id]
        return names[0] if names else None


def _definition(spec: ClusterSpec) -> Row:
    limits = {"min_workers": spec.min_workers, "max_workers": spec.max_workers}
    log = spec.log_destination
    kind = "volumes" if log and log.startswith("/Volumes/") else "dbfs"
    return {
        "cluster_name": spec.name,
        "driver_node_type": spec.driver_type,
        "node_type": None if spec.is_single_node else spec.node_type,
        "num_workers": None if spec.is_autoscaling else spec.min_workers,
        "autoscale": limits if spec.is_autoscaling else None,
        "auto_termination_minutes": spec.autotermination_minutes,
        "cluster_type": "Single Node" if spec.is_single_node else "Standard",
        "spark_version": spec.spark_version,
        "runtime_engine": "PHOTON" if spec.is_photon else "STANDARD",
        "instance_pool_id": spec.pool_id,
        "driver_instance_pool_id": spec.driver_pool_id,
        "cluster_source": spec.source,
        "policy_id": spec.policy_id,
        "team": spec.tags.get("team"),
        "availability": spec.availability,
        "single_user": spec.single_user,
        "init_script": spec.init_script,
        "log": None if log is None else {kind: {"destination": log}},
    }


def shown_versions(rows: pl.DataFrame) -> dict[Key, Row]:
    """Rows of the view `cluster` in the words of the truth."""
    return {
        (row["cluster_id"], row["unixTimeMS"], row["action"]): {
            **{name: row[name] for name in _COMPARED},
            "autoscale": _object(row["autoscale"]),
            "team": (_object(row["custom_tags"]) or {}).get("team"),
            "availability": dict(row["aws_attributes"])["availability"],
            "single_user": row["security_profile"]["single_user_profile"]["single_user_name"],
            "init_script": _init_script(row["init_scripts"]),
            "log": _object(row["cluster_log_conf"]),
        }
        for row in rows.iter_rows(named=True)
    }


_COMPARED = (
    "cluster_name", "driver_node_type", "node_type", "num_workers", "auto_termination_minutes",
    "cluster_type", "spark_version", "runtime_engine", "instance_pool_id",
    "driver_instance_pool_id", "instance_pool_name", "driver_instance_pool_name",
    "cluster_source", "policy_id", "is_automated", "created_by", "last_edited_by", "deleted_by",
)  # fmt: skip


def _object(text: str | None) -> dict[str, object] | None:
    return None if text is None else json.loads(text)


def _init_script(text: str | None) -> str | None:
    return None if text is None or text == "[]" else json.loads(text)[0]["workspace"]["destination"]
