"""One cheap question per source that the REST API is, and how far back the API tells of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from overwatch_assets.config import Workspace
from overwatch_assets.module import Module
from overwatch_assets.sources.rest_api.api import Api, Json, Query
from overwatch_assets.sources.rest_api.endpoints import CLUSTERS, LISTINGS

CLUSTER_EVENTS = "cluster_events"
JOB_RUNS = "job_runs"
WAREHOUSE_EVENTS = "warehouse_events"
FILES = frozenset({"audit_logs", "spark_event_logs", WAREHOUSE_EVENTS})
"""Sources that are files or tables, which no endpoint lists."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A question that is answered as the source's would be.

    Attributes:
        path: Path of the endpoint.
        key: Field of the answer that holds objects.
        query: Parameters that make the answer short.
        is_odd_when_empty: Whether hardly any workspace has none of the objects.
        clouds: Clouds that have such objects; empty: all.
        horizon_days: How many days back the API tells; None: as far as there is anything.
    """

    path: str
    key: str
    query: Query = field(default_factory=dict[str, str | int | bool])
    is_odd_when_empty: bool = False
    clouds: frozenset[str] = frozenset()
    horizon_days: int | None = None

    def ask(self, api: Api) -> Json:
        """The answer.

        Raises:
            ApiError: There is none.
        """
        return api.get(self.path, self.query)


@dataclass(frozen=True, slots=True)
class EventsProbe(Probe):
    """The question for a cluster's events, which names a cluster.

    Attributes:
        cluster_id: The cluster; blank: none is known.
    """

    cluster_id: str = ""

    def ask(self, api: Api) -> Json:
        """The answer.

        Raises:
            ApiError: There is none.
        """
        return api.post(self.path, {"cluster_id": self.cluster_id, "page_size": 1})


CLUSTERS_PROBE = Probe(CLUSTERS.path, CLUSTERS.key, {"page_size": 1}, is_odd_when_empty=True)
_SHORT: Mapping[str, Query] = {"jobs": {"limit": 1}}
_ODD_WHEN_EMPTY = {"jobs"}

PROBES: Mapping[str, Probe] = {
    "clusters": CLUSTERS_PROBE,
    **{
        source: Probe(
            path=listing.path,
            key=listing.key,
            query=_SHORT.get(source, {}),
            is_odd_when_empty=source in _ODD_WHEN_EMPTY,
            clouds=listing.clouds,
        )
        for source, listing in LISTINGS.items()
    },
    CLUSTER_EVENTS: EventsProbe("/api/2.1/clusters/events", "events", horizon_days=30),
    JOB_RUNS: Probe("/api/2.2/jobs/runs/list", "runs", {"limit": 1}, horizon_days=60),
    "sql_query_history": Probe(
        "/api/2.0/sql/history/queries", "res", {"max_results": 1}, horizon_days=30
    ),
}
"""By name of the source."""


def why_not_asked(workspace: Workspace, module: Module) -> str:
    """Why a module's source is not asked, whatever the API would say; blank: it is."""
    if module.scope not in workspace.scopes:
        return f"scope {module.scope} is switched off for this workspace"
    if reason := _switched_off(workspace).get(module.source or ""):
        return reason
    probe = PROBES.get(module.source or "")
    if probe is None:
        return ""
    if not workspace.has_api:
        return "no `databricks` is configured for this workspace"
    if probe.clouds and workspace.cloud not in probe.clouds:
        return f"{workspace.cloud} has none of them, only {' and '.join(sorted(probe.clouds))} has"
    return ""


def _switched_off(workspace: Workspace) -> Mapping[str, str]:
    """Sources that a workspace does without, with what switches them on."""
    off: dict[str, str] = {}
    if workspace.sql_warehouse is None:
        off[WAREHOUSE_EVENTS] = "`sql_warehouse` names the one through which they can be read"
    if workspace.has_api and not workspace.job_runs_snapshot:
        off[JOB_RUNS] = "`job_runs_snapshot: true` switches it on"
    return off


def asked_sources(workspace: Workspace, modules: Sequence[Module]) -> Mapping[str, Module]:
    """Sources of the API that the workspace's modules ask, each with the module that does."""
    return {
        source: module
        for module in modules
        if (source := module.source) is not None
        and source in PROBES
        and not why_not_asked(workspace, module)
    }
