"""A made-up workspace as its REST API shows it: compute, kept objects and the audit table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from overwatch_assets.demo.api_compute import ComputeApi
from overwatch_assets.demo.api_objects import ApiObjects
from overwatch_assets.demo.audit_rows import audit_rows
from overwatch_assets.demo.company import LOG_MOUNT
from overwatch_assets.demo.emulator.workspace import Delivered, EmulatedWorkspace, Json
from overwatch_assets.demo.world import WorkspaceWorld, World


def emulated_workspaces(world: World, logs: Path | None = None) -> list[EmulatedWorkspace]:
    """Every workspace of a world.

    Args:
        world: What happened.
        logs: Folder behind the mount that clusters log to; None: no file can be read.
    """
    folders = {} if logs is None else {LOG_MOUNT.removeprefix("dbfs:"): logs}
    account_id = world.company.account_id
    return [
        MadeUpWorkspace(
            world=each,
            account_id=account_id,
            compute=ComputeApi(world, each, folders),
            objects=ApiObjects(each.workspace, account_id, each.estate, world.until_ms),
        )
        for each in world.workspaces
    ]


@dataclass(frozen=True, slots=True)
class MadeUpWorkspace:
    """Answers for one workspace; each question goes to the part that knows."""

    world: WorkspaceWorld
    account_id: str
    compute: ComputeApi
    objects: ApiObjects

    @property
    def workspace_id(self) -> str:
        """Organization id, as text."""
        return self.compute.workspace_id

    def clusters(self, now_ms: int) -> Sequence[Json]:
        """`clusters/list`."""
        return self.compute.clusters(now_ms)

    def cluster(self, cluster_id: str, now_ms: int) -> Json | None:
        """`clusters/get`."""
        return self.compute.cluster(cluster_id, now_ms)

    def cluster_events(self, cluster_id: str, now_ms: int) -> Sequence[Json] | None:
        """`clusters/events`."""
        return self.compute.cluster_events(cluster_id, now_ms)

    def jobs(self, now_ms: int) -> Sequence[Json]:
        """`jobs/list`."""
        return self.compute.jobs(now_ms)

    def job_runs(self, now_ms: int) -> Sequence[Json]:
        """`jobs/runs/list`."""
        return self.compute.job_runs(now_ms)

    def instance_pools(self, now_ms: int) -> Sequence[Json]:
        """`instance-pools/list`."""
        return self.compute.instance_pools(now_ms)

    def policies(self, now_ms: int) -> Sequence[Json]:
        """`policies/clusters/list`."""
        return self.objects.policies(now_ms)

    def library_statuses(self, now_ms: int) -> Sequence[Json]:
        """`libraries/all-cluster-statuses`."""
        return self.objects.library_statuses(now_ms)

    def instance_profiles(self, now_ms: int) -> Sequence[Json]:
        """`instance-profiles/list`."""
        return self.objects.instance_profiles(now_ms)

    def tokens(self, now_ms: int) -> Sequence[Json]:
        """`token/list`."""
        return self.objects.tokens(now_ms)

    def init_scripts(self, now_ms: int) -> Sequence[Json]:
        """`global-init-scripts`."""
        return self.objects.init_scripts(now_ms)

    def warehouses(self, now_ms: int) -> Sequence[Json]:
        """`sql/warehouses`."""
        return self.objects.warehouses(now_ms)

    def queries(self, now_ms: int) -> Sequence[Json]:
        """`sql/history/queries`."""
        return self.objects.queries(now_ms)

    def audit_rows(self) -> Iterable[Delivered]:
        """Rows of `system.access.audit`, each with its delivery."""
        return audit_rows(self.world, self.account_id)

    def warehouse_events(self) -> Iterable[Delivered]:
        """Rows of `system.compute.warehouse_events`, each with its delivery."""
        return self.objects.delivered_warehouse_events()

    def node_types(self) -> Sequence[Json]:
        """`clusters/list-node-types`."""
        return self.compute.node_types()

    def mounts(self) -> Sequence[Json]:
        """`dbfs/search-mounts`."""
        return self.compute.mounts()

    def secrets(self) -> Mapping[tuple[str, str], str]:
        """Secrets by scope and key."""
        return self.objects.secrets()

    def file(self, path: str) -> Path | None:
        """Local file or folder behind a path of the workspace."""
        return self.compute.file(path)
