"""Checks a deployment before it runs: storage, secrets, API, audit log, event logs, prices.

What can be wrong with the configuration alone is told when it is loaded. Here is asked what only
the outside can tell. Every question is bounded; workspaces are checked side by side, and what is
wrong with one keeps none of the others from being checked.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import polars as pl
from polars.exceptions import PolarsError

from overwatch_assets.config import Config, Workspace
from overwatch_assets.errors import ConfigError, SchemaMismatch, StorageError
from overwatch_assets.operations.validation.api_access import ApiAccess, api_access
from overwatch_assets.operations.validation.audit_source import AuditAccess, audit_access
from overwatch_assets.operations.validation.cluster_logs import DAYS, LogPlaces, cluster_logs
from overwatch_assets.operations.validation.emptiness import Lacking, empty_tables
from overwatch_assets.operations.validation.event_logs import LogAccess, event_log_access
from overwatch_assets.operations.validation.findings import (
    Check,
    ClusterLogs,
    EmptyTable,
    Finding,
    Report,
)
from overwatch_assets.operations.validation.frozen import frozen_finding
from overwatch_assets.operations.validation.known_clusters import (
    DAY_MS,
    KnownClusters,
    known_clusters,
)
from overwatch_assets.operations.validation.price_files import price_finding
from overwatch_assets.operations.validation.redaction import redaction_finding
from overwatch_assets.operations.validation.references import deployment_secrets, workspace_secrets
from overwatch_assets.operations.validation.storage import BRIEF, storage_findings
from overwatch_assets.registry import SIDE_TABLES, in_load_order
from overwatch_assets.resources import Deployment, files_of, location_of
from overwatch_assets.sources.cluster_log_destinations import DESTINATIONS
from overwatch_assets.sources.rest_api.api import Api, ApiError

PARALLEL_WORKSPACES = 4
API_RETRY_S = 15
"""How long a workspace that does not answer is asked again; a run is more patient."""

STEPS = ("secrets", "API", "audit log", "event logs", "cluster logs")

Watch = Callable[[str, str], None]
"""Told of a workspace's id and the step that begins; blank: the last one is over."""


@dataclass
class _Checked:
    """What was found of one workspace."""

    findings: list[Finding] = field(default_factory=list[Finding])
    empty: list[EmptyTable] = field(default_factory=list[EmptyTable])
    logs: ClusterLogs | None = None
    known: frozenset[str] = frozenset()


def validate(
    config: Config,
    workspaces: Sequence[Workspace],
    *,
    with_logs: bool = False,
    watch: Watch = lambda _workspace, _step: None,
    clock: Callable[[], datetime] | None = None,
) -> Report:
    """Check the storage of the tables and the sources of workspaces.

    Args:
        config: The configuration.
        workspaces: Those that are checked.
        with_logs: Also look for the logs of every cluster.
        watch: Told what is being done.
        clock: Tells the time of a made-up world; None: the machine's clock tells it.

    Returns:
        What was found; no secret is in it.
    """
    modules = in_load_order()
    by_table = {module.table.name: module for module in modules}
    deployment = Deployment(config=_brief(config), modules=by_table, clock=clock, retries=BRIEF)
    of_storage = deployment_secrets(deployment.config)
    validation = _Validation(deployment, with_logs=with_logs, watch=watch)
    of_deployment = [
        frozen_finding(config),
        of_storage.finding,
        redaction_finding(deployment.config),
    ]
    report = Report(findings=of_deployment)
    with ThreadPoolExecutor(PARALLEL_WORKSPACES, thread_name_prefix="overwatch-validate") as pool:
        asked = [deployment.config.workspace(each.organization_id) for each in workspaces]
        checking = [pool.submit(validation.workspace, each) for each in asked]
        if not of_storage.finding.is_failed:
            tables = [*(module.table for module in modules), *SIDE_TABLES]
            locate = partial(location_of, config.storage, deployment.config)
            report.findings += storage_findings(locate, tables)
    known = of_storage.known
    for each in (done.result() for done in checking):
        report.findings += each.findings
        report.empty += each.empty
        report.cluster_logs += [] if each.logs is None else [each.logs]
        known |= each.known
    return report.without_secrets(known)


def _brief(config: Config) -> Config:
    """The configuration with less patience for APIs that don't answer."""

    def hurried(workspace: Workspace) -> Workspace:
        if workspace.databricks is None:
            return workspace
        seconds = min(workspace.databricks.retry_seconds, API_RETRY_S)
        brief = workspace.databricks.model_copy(update={"retry_seconds": seconds})
        return replace(workspace, databricks=brief)

    return replace(config, workspaces=tuple(hurried(each) for each in config.workspaces))


def _without_sources(workspace: Workspace) -> list[Finding]:
    """A workspace of which nothing can be loaded."""
    if workspace.databricks or workspace.audit_logs or workspace.spark_event_logs:
        return []
    check = Check("NOTNULL_Sources", workspace.organization_id, "look for a source to load from")
    remedy = "Configure `audit_logs` and `databricks`, and `spark_event_logs` where clusters log"
    return [check.error("none is configured: every table would stay empty", remedy)]


@dataclass(frozen=True, slots=True)
class _Validation:
    """Checks workspaces."""

    deployment: Deployment
    with_logs: bool
    watch: Watch

    def workspace(self, workspace: Workspace) -> _Checked:
        """Everything of one workspace, in the order in which one thing needs another."""
        org = workspace.organization_id
        self.watch(org, "secrets")
        secrets = workspace_secrets(self.deployment.config, workspace)
        if secrets.finding.is_failed:
            unknown = secrets.finding.came_back
            lacking = Lacking(audit_logs=unknown, spark_event_logs=unknown, api=unknown)
            self.watch(org, "")
            return _Checked(
                findings=[secrets.finding],
                empty=self._empty(workspace, lacking),
                known=secrets.known,
            )
        self.watch(org, "API")
        api = api_access(
            workspace, tuple(self.deployment.modules.values()), partial(self.deployment.api, org)
        )
        self.watch(org, "audit log")
        audit = self._audit(workspace, api)
        self.watch(org, "event logs")
        known, logs = self._event_logs(workspace, api)
        lacking = Lacking(audit.why_not, logs.why_not, api.why_not, api.denied)
        found = _Checked(
            findings=[
                *_without_sources(workspace),
                secrets.finding,
                *api.findings,
                *audit.findings,
                *logs.findings,
                price_finding(self.deployment, workspace),
            ],
            empty=self._empty(workspace, lacking),
            known=secrets.known,
        )
        if self.with_logs:
            self.watch(org, "cluster logs")
            found.logs = self._cluster_logs(workspace, known, logs)
        self.watch(org, "")
        return found

    def _audit(self, workspace: Workspace, api: ApiAccess) -> AuditAccess:
        return audit_access(
            workspace,
            partial(self.deployment.audit_logs, workspace.organization_id),
            self.deployment.now(),
            api=api.api,
            why_no_api=api.why_not,
        )

    def _event_logs(
        self, workspace: Workspace, api: ApiAccess
    ) -> tuple[KnownClusters | str, LogAccess]:
        logs = workspace.spark_event_logs
        is_asked = self.with_logs or (logs is not None and logs.from_clusters)
        known = self._known(workspace, api.api) if is_asked else "not asked for"
        is_known = isinstance(known, KnownClusters)
        access = event_log_access(
            workspace,
            partial(files_of, workspace, self.deployment.config, BRIEF),
            known.destinations_of_late if is_known else pl.DataFrame(schema=DESTINATIONS),
            told_by=known.told_by if is_known else known,
            api=api.api,
            dbfs_root=self.deployment.dbfs_root(workspace),
        )
        return known, access

    def _known(self, workspace: Workspace, api: Api | None) -> KnownClusters | str:
        """Clusters that are known; else why none are."""
        try:
            return known_clusters(
                workspace,
                self.deployment.store,
                self.deployment.modules,
                api=api,
                now_ms=self._now_ms(),
                late_ms=DAYS * DAY_MS,
            )
        except (StorageError, SchemaMismatch, ConfigError, ApiError, PolarsError) as error:
            return f"no clusters are known: {error}"

    def _cluster_logs(
        self, workspace: Workspace, known: KnownClusters | str, logs: LogAccess
    ) -> ClusterLogs:
        org = workspace.organization_id
        if isinstance(known, str):
            return ClusterLogs(org, known)
        try:
            files = files_of(workspace, self.deployment.config, BRIEF)
        except ConfigError as error:
            return ClusterLogs(org, str(error))
        places = LogPlaces(org, files, logs.mounts, self.deployment.dbfs_root(workspace))
        return cluster_logs(places, known)

    def _empty(self, workspace: Workspace, lacking: Lacking) -> list[EmptyTable]:
        today = self.deployment.config.day_of(self.deployment.now())
        return empty_tables(workspace, tuple(self.deployment.modules.values()), lacking, today)

    def _now_ms(self) -> int:
        return round(self.deployment.now().timestamp() * 1000)
