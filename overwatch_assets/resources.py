"""What the assets work with, made from the configuration when it is first needed.

Here belongs the assembly of store, sources and calendar for a deployment. Not here: anything
that reads or writes at import.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import polars as pl
from dagster_deltalake.config import ClientConfig
from pydantic import SecretStr

from overwatch_assets.config import Config, Workspace
from overwatch_assets.configuration.storage import OptionValue, Storage
from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.execution.load import Loader
from overwatch_assets.execution.records import Ledger
from overwatch_assets.execution.windows import Cell
from overwatch_assets.module import DayWindow, Module
from overwatch_assets.provider_config import PROVIDERS
from overwatch_assets.secrets import SecretReference
from overwatch_assets.sources.audit_azure import AzureAuditLogs
from overwatch_assets.sources.audit_logs import AuditLogFiles
from overwatch_assets.sources.cluster_log_destinations import cluster_log_destinations
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.gathering import Gathered, Request, Source
from overwatch_assets.sources.spark_event_logs.source import SparkEventLogs


@dataclass
class Deployment:
    """Store, sources and days of a configuration.

    Attributes:
        config: The configuration.
        modules: Modules by table name.
        progress: Told of each day that is loaded.
        stopping: Set to stop after the day at hand.
        clock: Tells the time of a made-up world; None: the machine's clock tells it.
    """

    config: Config
    modules: Mapping[str, Module]
    progress: Callable[[Cell], None] = lambda _: None
    stopping: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], datetime] | None = None

    def now(self) -> datetime:
        """The present."""
        return self.clock() if self.clock else datetime.now(UTC)

    @cached_property
    def store(self) -> DeltaStore:
        """The tables."""
        return DeltaStore(location_of(self.config.storage, self.config))

    def loader(self, ledger: Ledger) -> Loader:
        """What loads modules, with its sources."""
        return Loader(
            store=self.store,
            ledger=ledger,
            modules=self.modules,
            calendar=self.config,
            sources={"audit_logs": self._audit_logs, "spark_event_logs": self._spark_event_logs},
            coverage={"spark_event_logs": self._log_prefixes},
            chunk_days=self.config.chunk_days,
        )

    def _audit_logs(self, organization_id: str) -> Source:
        workspace = self.config.workspace(organization_id)
        if workspace.audit_logs is None:
            return NotConfigured("audit_logs")
        files, delivered = files_of(workspace, self.config), workspace.audit_logs
        if delivered.layout == "azure":
            resource_id = setting_of(delivered.resource_id, self.config)
            return AzureAuditLogs(files, delivered.path, resource_id)
        return AuditLogFiles(files, delivered.path)

    def _spark_event_logs(self, organization_id: str) -> Source:
        workspace = self.config.workspace(organization_id)
        if workspace.spark_event_logs is None:
            return NotConfigured("spark_event_logs")
        return SparkEventLogs(
            files=files_of(workspace, self.config),
            prefixes=workspace.spark_event_logs.folders,
            workers=self.config.workers,
        )

    def _log_prefixes(self, organization_id: str, days: Sequence[DayWindow]) -> pl.DataFrame:
        """Log destinations of the clusters that may have run on the days."""
        logs = self.config.workspace(organization_id).spark_event_logs
        audit = self.modules["audit_log_bronze"].table
        rows = self.store.scan(audit, organization_id, missing_ok=True)
        if logs is None or not logs.from_clusters:
            return cluster_log_destinations(rows.clear(), {}, days)
        return cluster_log_destinations(rows, logs.mounts, days)


@dataclass(frozen=True)
class NotConfigured:
    """The source of a workspace that has none."""

    key: str

    def gather(self, request: Request) -> Gathered:
        """Nothing, and why."""
        return Gathered(
            rows={},
            rejected={},
            processed=pl.DataFrame(),
            failures=(f"workspace {request.organization_id} has no `{self.key}` configured",),
        )


def files_of(workspace: Workspace, config: Config) -> Files:
    """What a workspace's sources are read through, each storage with its own credentials."""
    tables = workspace.table_storage
    storages = dict.fromkeys(tables.shared_roots, tables)
    storages |= {each.root: each for each in workspace.source_storage}
    options = {root: location_of(each, config).delta_options for root, each in storages.items()}
    return Files({root: each for root, each in options.items() if each is not None})


def location_of(storage: Storage, config: Config) -> StorageLocation:
    """A configured storage with its secrets, resolved now."""
    resolved = storage.resolve(config.secrets())
    provider = PROVIDERS[resolved.provider](**_plain(resolved.options))
    client = ClientConfig(**_plain(resolved.client_options)) if resolved.client_options else None
    return StorageLocation(root=resolved.root, provider=provider, client=client)


def setting_of(setting: str | SecretReference | None, config: Config) -> str | None:
    """A setting, its reference followed now."""
    if isinstance(setting, SecretReference):
        return config.secrets().resolve(setting).get_secret_value()
    return setting


def _plain(options: Mapping[str, OptionValue]) -> dict[str, Any]:
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in options.items()
    }
