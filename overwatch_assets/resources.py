"""What the assets work with, made from the configuration when it is first needed.

Here belongs the assembly of store, sources and calendar for a deployment. Not here: anything
that reads or writes at import.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property, partial
from typing import Any

import polars as pl
from dagster_deltalake.config import ClientConfig
from pydantic import SecretStr

from overwatch_assets.bronze.clusters_snapshot_error_bronze import ERRORS
from overwatch_assets.config import Config, Workspace
from overwatch_assets.configuration.storage import OptionValue, Provider, Storage, provider_of
from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.execution.load import Loader
from overwatch_assets.execution.records import Ledger
from overwatch_assets.execution.windows import Cell
from overwatch_assets.module import PARTITION_DATE, DayWindow, Module, Table
from overwatch_assets.provider_config import PROVIDERS
from overwatch_assets.reference.prices import (
    INPUTS,
    PriceFigures,
    PriceFilesRead,
    read_price_files,
    reference_of,
)
from overwatch_assets.reference.reading import PriceFileReader
from overwatch_assets.secrets import SecretReference
from overwatch_assets.sources.audit_azure import AzureAuditLogs
from overwatch_assets.sources.audit_logs import AuditLogFiles
from overwatch_assets.sources.audit_system import SystemAuditTable
from overwatch_assets.sources.cluster_log_destinations import cluster_log_destinations
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.gathering import Gathered, Request, Source
from overwatch_assets.sources.rest_api.captures import Captures
from overwatch_assets.sources.rest_api.client import DatabricksApi
from overwatch_assets.sources.rest_api.cluster_captures import ClusterCaptures, clusters_to_ask
from overwatch_assets.sources.rest_api.endpoints import LISTINGS
from overwatch_assets.sources.spark_event_logs.source import SparkEventLogs
from overwatch_assets.sources.workspace_files import WorkspaceFiles
from overwatch_assets.workspace_api import LogReaderConnection, api_of, not_configured


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
    _apis: dict[str, DatabricksApi] = field(
        default_factory=dict[str, DatabricksApi], init=False, repr=False
    )
    _apis_lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def now(self) -> datetime:
        """The present."""
        return self.clock() if self.clock else datetime.now(UTC)

    @cached_property
    def store(self) -> DeltaStore:
        """The tables."""
        return DeltaStore(location_of(self.config.storage, self.config))

    def api(self, organization_id: str) -> DatabricksApi:
        """The REST API of a workspace, one for all its tables: they share its pace.

        Raises:
            ConfigError: None is configured.
        """
        with self._apis_lock:
            if organization_id not in self._apis:
                workspace = self.config.workspace(organization_id)
                self._apis[organization_id] = api_of(workspace, self.config)
            return self._apis[organization_id]

    def loader(self, ledger: Ledger) -> Loader:
        """What loads modules, with its sources."""
        return Loader(
            store=self.store,
            ledger=ledger,
            modules=self.modules,
            calendar=self.config,
            sources={
                "audit_logs": self._audit_logs,
                "spark_event_logs": self._spark_event_logs,
                "clusters": self._clusters,
                **{name: partial(self._captures, name) for name in LISTINGS},
            },
            coverage={
                "spark_event_logs": self._log_prefixes,
                "clusters": self._clusters_to_ask,
            },
            chunk_days=self.config.chunk_days,
            references={name: partial(self._figures, name) for name in INPUTS},
        )

    def price_files(self, organization_id: str) -> PriceFilesRead:
        """A workspace's price files, checked.

        Raises:
            SourceError: One can't be reached.
        """
        workspace = self.config.workspace(organization_id)

        def located(folder: str) -> StorageLocation:
            return self._located(workspace, folder)

        reader = PriceFileReader(files_of(workspace, self.config), located)
        return read_price_files(workspace, reader)

    def reference(
        self, organization_id: str, node_types: Iterable[Mapping[str, object]] = ()
    ) -> PriceFigures:
        """Every figure of a workspace that costs are made of, valid over time.

        Args:
            organization_id: The workspace.
            node_types: Objects that its API lists as node types.

        Raises:
            ConfigError: With every problem of its price files.
            SourceError: One can't be reached.
        """
        workspace = self.config.workspace(organization_id)
        return reference_of(workspace, self.price_files(organization_id), node_types)

    def _figures(self, name: str, organization_id: str) -> pl.DataFrame:
        return self.reference(organization_id).inputs[name]

    def _located(self, workspace: Workspace, folder: str) -> StorageLocation:
        """A folder with the access that is configured for it, else the machine's own."""
        storage = workspace.storage_for(folder)
        if storage is not None:
            return location_of(storage.model_copy(update={"root": folder}), self.config)
        provider = provider_of(folder) or Provider.LOCAL
        return StorageLocation(root=folder, provider=PROVIDERS[provider](**_plain({})))

    def _audit_logs(self, organization_id: str) -> Source:
        workspace = self.config.workspace(organization_id)
        if workspace.audit_logs is None:
            return NotConfigured("audit_logs")
        delivered = workspace.audit_logs
        warehouse = setting_of(delivered.sql_warehouse, self.config)
        if warehouse is not None:
            return SystemAuditTable(self.api(organization_id), warehouse)
        files, path = files_of(workspace, self.config), delivered.path or ""
        if delivered.layout == "azure":
            resource_id = setting_of(delivered.resource_id, self.config)
            return AzureAuditLogs(files, path, resource_id)
        return AuditLogFiles(files, path)

    def _spark_event_logs(self, organization_id: str) -> Source:
        workspace = self.config.workspace(organization_id)
        if workspace.spark_event_logs is None:
            return NotConfigured("spark_event_logs")
        return SparkEventLogs(
            files=files_of(workspace, self.config),
            prefixes=workspace.spark_event_logs.folders,
            workers=self.config.workers,
        )

    def _captures(self, name: str, organization_id: str) -> Source:
        """What an endpoint lists."""
        workspace = self.config.workspace(organization_id)
        if workspace.databricks is None:
            return NotConfigured("databricks")
        return Captures(
            api=self.api(organization_id),
            listing=LISTINGS[name],
            table=self._table_of(name),
            cloud=workspace.cloud,
            threads=workspace.databricks.parallel_requests,
        )

    def _clusters(self, organization_id: str) -> Source:
        databricks = self.config.workspace(organization_id).databricks
        if databricks is None:
            return NotConfigured("databricks")
        return ClusterCaptures(
            api=self.api(organization_id),
            table=self._table_of("clusters"),
            threads=databricks.parallel_requests,
        )

    def _table_of(self, source: str) -> str:
        """The table that a source feeds."""
        return next(each.table.name for each in self.modules.values() if each.source == source)

    def _clusters_to_ask(self, organization_id: str, _days: Sequence[DayWindow]) -> pl.DataFrame:
        """Clusters that the API may not list."""
        if not self.config.workspace(organization_id).has_api:
            return pl.DataFrame()
        module = self.modules["clusters_snapshot_bronze"]
        audit = self.modules["audit_log_bronze"].table
        return clusters_to_ask(
            captures=self._newest_day(module.table, organization_id),
            failures=self._newest_day(ERRORS, organization_id),
            audit=self.store.scan(audit, organization_id, missing_ok=True),
        )

    def _newest_day(self, table: Table, organization_id: str) -> pl.LazyFrame:
        """Rows of the newest day that has any."""
        self.store.create(table)
        days: list[date] = self.store.partitions(table, organization_id)[
            PARTITION_DATE.name
        ].to_list()
        return self.store.scan(table, organization_id, sorted(days)[-1:])

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
            failures=(f"workspace {request.organization_id} {not_configured(self.key)}",),
        )


def files_of(workspace: Workspace, config: Config) -> Files:
    """What a workspace's sources are read through, each storage with its own credentials."""
    tables = workspace.table_storage
    storages = dict.fromkeys(tables.shared_roots, tables)
    storages |= {each.root: each for each in workspace.source_storage}
    options = {root: location_of(each, config).delta_options for root, each in storages.items()}
    connect = LogReaderConnection(config.path, workspace.organization_id, config)
    return Files(
        {root: each for root, each in options.items() if each is not None},
        workspace=WorkspaceFiles(connect) if workspace.has_api else None,
    )


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
