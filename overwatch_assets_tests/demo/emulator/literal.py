"""A workspace of a few literal objects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from overwatch_assets.demo.emulator.credentials import Credentials
from overwatch_assets.demo.emulator.workspace import Delivered

NOW_MS = 1_791_460_800_000
ORG, OTHER = "3471820956612044", "6105338274410927"
CLIENT_ID, CLIENT_SECRET, PAT = "svc-overwatch", "secret-of-the-client", "dapi-of-ines"
WAREHOUSE = "789aa345bb12cd34"

Json = dict[str, Any]

CREDENTIALS = Credentials(clients={CLIENT_ID: CLIENT_SECRET}, tokens={PAT: "ines.okafor"})


def _none() -> list[Json]:
    return []


@dataclass
class LiteralWorkspace:
    """Answers what it was given; a method named here is `<what>_given`."""

    workspace_id: str = ORG
    clusters_given: Sequence[Json] = field(default_factory=_none)
    events_given: Mapping[str, Sequence[Json]] = field(default_factory=dict[str, Sequence[Json]])
    jobs_given: Sequence[Json] = field(default_factory=_none)
    runs_given: Sequence[Json] = field(default_factory=_none)
    lists_given: Mapping[str, Sequence[Json]] = field(default_factory=dict[str, Sequence[Json]])
    queries_given: Sequence[Json] = field(default_factory=_none)
    rows_given: Sequence[Json] = field(default_factory=_none)
    secrets_given: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    root: Path | None = None

    def _list(self, what: str) -> Sequence[Json]:
        return self.lists_given.get(what, [])

    def clusters(self, now_ms: int) -> Sequence[Json]:
        return [each for each in self.clusters_given if each.get("start_time", 0) <= now_ms]

    def cluster(self, cluster_id: str, now_ms: int) -> Json | None:
        found = [each for each in self.clusters(now_ms) if each["cluster_id"] == cluster_id]
        return found[0] if found else None

    def cluster_events(self, cluster_id: str, now_ms: int) -> Sequence[Json] | None:
        events = self.events_given.get(cluster_id)
        return None if events is None else [e for e in events if e["timestamp"] <= now_ms]

    def jobs(self, now_ms: int) -> Sequence[Json]:
        return [each for each in self.jobs_given if each["created_time"] <= now_ms]

    def job_runs(self, now_ms: int) -> Sequence[Json]:
        return [each for each in self.runs_given if each["start_time"] <= now_ms]

    def instance_pools(self, now_ms: int) -> Sequence[Json]:
        del now_ms
        return self._list("pools")

    def policies(self, now_ms: int) -> Sequence[Json]:
        del now_ms
        return self._list("policies")

    def library_statuses(self, now_ms: int) -> Sequence[Json]:
        del now_ms
        return self._list("libraries")

    def instance_profiles(self, now_ms: int) -> Sequence[Json]:
        del now_ms
        return self._list("profiles")

    def tokens(self, now_ms: int) -> Sequence[Json]:
        del now_ms
        return self._list("tokens")

    def init_scripts(self, now_ms: int) -> Sequence[Json]:
        del now_ms
        return self._list("scripts")

    def warehouses(self, now_ms: int) -> Sequence[Json]:
        del now_ms
        return [{"id": WAREHOUSE, "name": "bi-wh"}, *self._list("warehouses")]

    def queries(self, now_ms: int) -> Sequence[Json]:
        return [each for each in self.queries_given if each["query_start_time_ms"] <= now_ms]

    def audit_rows(self) -> Iterable[Delivered]:
        return ((0, row) for row in self.rows_given)

    def warehouse_events(self) -> Iterable[Delivered]:
        return ((0, row) for row in self._list("warehouse_events"))

    def node_types(self) -> Sequence[Json]:
        return self._list("node_types")

    def mounts(self) -> Sequence[Json]:
        return self._list("mounts")

    def secrets(self) -> Mapping[tuple[str, str], str]:
        return self.secrets_given

    def file(self, path: str) -> Path | None:
        return None if self.root is None else self.root / path.lstrip("/")
