"""What the REST API answers about compute, as of any instant: clusters, events, jobs, runs, pools.

Every object is as Databricks' API documents it. What happens at or after the instant is not
known; after the simulation's end the world stands still, but goes on being forgotten: the API
knows a terminated cluster for 30 days, a permanently deleted one not at all.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from overwatch_assets.demo.cluster_life import ClusterLife, Phase
from overwatch_assets.demo.cluster_spec import api_attributes, size_object
from overwatch_assets.demo.company import LOG_MOUNT
from overwatch_assets.demo.job_definitions import JobDefinition
from overwatch_assets.demo.node_types import NODE_TYPES, node_type_object
from overwatch_assets.demo.pools import Pool, pool_object
from overwatch_assets.demo.run_objects import run_object
from overwatch_assets.demo.scene import DAY_MS
from overwatch_assets.demo.world import WorkspaceWorld, World

Json = dict[str, object]

REMEMBERED_MS = 30 * DAY_MS
"""How long after its termination the API knows a cluster."""

LISTED_ALL_PURPOSE, LISTED_JOB = 200, 30
"""How many terminated clusters of either kind `clusters/list` tells at most."""

BUCKET = "s3a://tidewater-cluster-logs"


class ComputeApi:
    """Answers for one workspace."""

    def __init__(
        self, world: World, workspace: WorkspaceWorld, folders: Mapping[str, Path] | None = None
    ) -> None:
        """Prepare the answers.

        Args:
            world: Says when the simulation ends.
            workspace: Whose compute it is.
            folders: Local folder behind each prefix of paths, such as `/mnt/cluster-logs`.
        """
        self._until_ms = world.until_ms
        self._workspace = workspace.workspace
        self._compute = workspace.compute
        self._folders = dict(folders or {})

    @property
    def workspace_id(self) -> str:
        """Organization id, as text."""
        return self._workspace.workspace_id

    def clusters(self, now_ms: int) -> Sequence[Json]:
        """`clusters/list`: pinned and active clusters, those terminated in the last 30 days."""
        last = self._last(now_ms)
        kept: list[ClusterLife] = []
        gone: dict[bool, list[ClusterLife]] = {True: [], False: []}
        for life in self._lives.values():
            phase = self._phase(life, now_ms)
            if phase is not None and (phase.is_running or life.is_pinned(last)):
                kept.append(life)
            elif phase is not None:
                gone[life.spec.source == "JOB"].append(life)
        for is_job, limit in ((True, LISTED_JOB), (False, LISTED_ALL_PURPOSE)):
            kept += sorted(gone[is_job], key=_stopped_at(last))[-limit:]
        kept.sort(key=lambda life: (life.created_ms, life.cluster_id))
        return [self._cluster_object(life, now_ms) for life in kept]

    def cluster(self, cluster_id: str, now_ms: int) -> Json | None:
        """`clusters/get`; None: it does not exist (any more)."""
        life = self._lives.get(cluster_id)
        if life is None or self._phase(life, now_ms) is None:
            return None
        return self._cluster_object(life, now_ms)

    def cluster_events(self, cluster_id: str, now_ms: int) -> Sequence[Json] | None:
        """`clusters/events`, ascending by time; None: the cluster does not exist (any more)."""
        life = self._lives.get(cluster_id)
        if life is None or self._phase(life, now_ms) is None:
            return None
        last = self._last(now_ms)
        return [
            {
                "cluster_id": cluster_id,
                "timestamp": event.at_ms,
                "type": event.type,
                "details": dict(event.details),
            }
            for event in life.events
            if event.at_ms <= last
        ]

    def jobs(self, now_ms: int) -> Sequence[Json]:
        """`jobs/list` with tasks expanded."""
        last = self._last(now_ms)
        known = (job for job in self._compute.jobs() if job.exists(last))
        return [_job_object(job, last) for job in sorted(known, key=lambda job: job.created_ms)]

    def job_runs(self, now_ms: int) -> Sequence[Json]:
        """`jobs/runs/list` with tasks expanded, newest first: every run asked for so far."""
        last = self._last(now_ms)
        settings = {job.job_id: job for job in self._compute.jobs()}
        asked = [run for run in self._compute.runs() if run.submitted_ms <= last]
        asked.sort(key=lambda run: (-run.submitted_ms, run.run_id))
        api_url = self._workspace.api_url
        return [
            run_object(run, last, api_url, settings.get(run.job_id), self._context_id)
            for run in asked
        ]

    def instance_pools(self, now_ms: int) -> Sequence[Json]:
        """`instance-pools/list`."""
        last = self._last(now_ms)
        return [
            pool_object(pool, last, self._workspace.region, self._used(pool, now_ms))
            for pool in self._compute.pools
            if pool.exists(last)
        ]

    def node_types(self) -> Sequence[Json]:
        """`clusters/list-node-types`."""
        return [node_type_object(node) for node in NODE_TYPES.values()]

    def mounts(self) -> Sequence[Json]:
        """`dbfs/search-mounts`: `mount_point` and `source`."""
        return [
            {"mount_point": LOG_MOUNT.removeprefix("dbfs:"), "source": BUCKET},
            {"mount_point": "/databricks-datasets", "source": "databricks-datasets"},
        ]

    def file(self, path: str) -> Path | None:
        """Local file or folder behind `/Volumes/...` or a DBFS path without `dbfs:`."""
        asked = PurePosixPath(path)
        prefixes = [prefix for prefix in self._folders if asked.is_relative_to(prefix)]
        if not prefixes or ".." in asked.parts:
            return None
        prefix = max(prefixes, key=len)
        found = self._folders[prefix] / asked.relative_to(prefix)
        return found if found.exists() else None

    @cached_property
    def _lives(self) -> dict[str, ClusterLife]:
        return {life.cluster_id: life for life in self._compute.lives()}

    def _last(self, now_ms: int) -> int:
        """The last millisecond that is known at an instant."""
        return min(now_ms, self._until_ms) - 1

    def _phase(self, life: ClusterLife, now_ms: int) -> Phase | None:
        """The phase of a cluster; None: the API does not know it."""
        last = self._last(now_ms)
        phase = life.phase_at(last)
        if phase is None or (life.deleted_ms is not None and life.deleted_ms <= last):
            return None
        stop = life.stop_at(last)
        if phase.is_running or stop is None or life.is_pinned(last):
            return phase
        return phase if now_ms < stop.done_ms + REMEMBERED_MS else None

    def _context_id(self, cluster_id: str, at_ms: int) -> str | None:
        boots = [boot for boot in self._lives[cluster_id].boots if boot.at_ms <= at_ms]
        return boots[-1].context_id if boots else None

    def _used(self, pool: Pool, now_ms: int) -> int:
        used = 0
        for life in self._lives.values():
            spec, phase = life.spec, self._phase(life, now_ms)
            if phase is not None and phase.is_running:
                used += phase.current * (spec.pool_id == pool.pool_id)
                used += (spec.driver_pool_id or spec.pool_id) == pool.pool_id
        return used

    def _cluster_object(self, life: ClusterLife, now_ms: int) -> Json:
        last = self._last(now_ms)
        spec, phase = life.spec_at(last), life.phase_at(last)
        boots = [boot for boot in life.boots if boot.at_ms <= last]
        nodes = [spec.driver_type, *[spec.node_type] * (phase.current if phase else 0)]
        machines = [NODE_TYPES[node] for node in nodes] if phase and phase.is_running else []
        return {
            **api_attributes(spec, life.cluster_id, self._workspace.region),
            **size_object(spec),
            "num_workers": phase.current
            if phase and phase.is_running and spec.is_autoscaling
            else spec.min_workers,
            **_state(life, phase, last),
            "start_time": life.created_ms,
            "last_state_loss_time": 0,
            **(
                {
                    "last_restarted_time": boots[-1].at_ms,
                    "spark_context_id": int(boots[-1].context_id),
                }
                if boots
                else {}
            ),
            "cluster_cores": float(sum(node.cores for node in machines)),
            "cluster_memory_mb": sum(node.memory_mb for node in machines),
        }


def _stopped_at(last_ms: int) -> Callable[[ClusterLife], tuple[int, str]]:
    def key(life: ClusterLife) -> tuple[int, str]:
        stop = life.stop_at(last_ms)
        return (0 if stop is None else stop.done_ms), life.cluster_id

    return key


def _state(life: ClusterLife, phase: Phase | None, last_ms: int) -> Json:
    if phase is None or phase.is_running:
        return {"state": "PENDING" if phase is None else phase.api_state, "state_message": ""}
    stop = life.stop_at(last_ms)
    if stop is None or last_ms < stop.done_ms:
        return {"state": "TERMINATING", "state_message": "Terminating the cluster."}
    return {
        "state": "TERMINATED",
        "state_message": f"Cluster terminated. Reason: {stop.reason['code']}",
        "terminated_time": stop.done_ms,
        "termination_reason": dict(stop.reason),
    }


def _job_object(job: JobDefinition, at_ms: int) -> Json:
    return {
        "job_id": job.job_id,
        "creator_user_name": job.creator.email,
        "run_as_user_name": job.creator.email,
        "created_time": job.created_ms,
        "settings": dict(job.settings_at(at_ms)),
    }
