"""What a made-up workspace answers to the REST API: its objects as they were at an instant.

The server (`server.py`) pages, limits and fails; what there is to answer comes from here. Every
object is plain JSON as Databricks' API documents it, before any paging. `now_ms` is the instant
of the question: what happens later is not known yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

Json = dict[str, object]
Delivered = tuple[int, Json]
"""A row, and the epoch millisecond at which it comes into its table."""


class EmulatedWorkspace(Protocol):
    """One workspace of a made-up account."""

    @property
    def workspace_id(self) -> str:
        """Organization id, as text."""
        ...

    def clusters(self, now_ms: int) -> Sequence[Json]:
        """`clusters/list`: pinned and active clusters, those terminated in the last 30 days."""
        ...

    def cluster(self, cluster_id: str, now_ms: int) -> Json | None:
        """`clusters/get`; None: it does not exist (any more)."""
        ...

    def cluster_events(self, cluster_id: str, now_ms: int) -> Sequence[Json] | None:
        """`clusters/events`, ascending by time; None: the cluster does not exist (any more)."""
        ...

    def jobs(self, now_ms: int) -> Sequence[Json]:
        """`jobs/list` with tasks expanded."""
        ...

    def job_runs(self, now_ms: int) -> Sequence[Json]:
        """`jobs/runs/list` with tasks expanded: every run that has started."""
        ...

    def instance_pools(self, now_ms: int) -> Sequence[Json]:
        """`instance-pools/list`."""
        ...

    def policies(self, now_ms: int) -> Sequence[Json]:
        """`policies/clusters/list`."""
        ...

    def library_statuses(self, now_ms: int) -> Sequence[Json]:
        """`libraries/all-cluster-statuses`."""
        ...

    def instance_profiles(self, now_ms: int) -> Sequence[Json]:
        """`instance-profiles/list`."""
        ...

    def tokens(self, now_ms: int) -> Sequence[Json]:
        """`token/list`."""
        ...

    def init_scripts(self, now_ms: int) -> Sequence[Json]:
        """`global-init-scripts`."""
        ...

    def warehouses(self, now_ms: int) -> Sequence[Json]:
        """`sql/warehouses`."""
        ...

    def queries(self, now_ms: int) -> Sequence[Json]:
        """`sql/history/queries`: every query that has started, as it stands now."""
        ...

    def audit_rows(self) -> Iterable[Delivered]:
        """Rows that `system.access.audit` will ever have of this workspace."""
        ...

    def warehouse_events(self) -> Iterable[Delivered]:
        """Rows that `system.compute.warehouse_events` will ever have of this workspace."""
        ...

    def node_types(self) -> Sequence[Json]:
        """`clusters/list-node-types`."""
        ...

    def mounts(self) -> Sequence[Json]:
        """`dbfs/search-mounts`: `mount_point` and `source`."""
        ...

    def secrets(self) -> Mapping[tuple[str, str], str]:
        """Secrets by scope and key."""
        ...

    def file(self, path: str) -> Path | None:
        """Local file or folder behind `/Volumes/...` or a DBFS path without `dbfs:`."""
        ...
