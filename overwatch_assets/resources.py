"""What the assets work with, made from the configuration when it is first needed.

Here belongs the assembly of store, sources and calendar for a deployment. Not here: anything
that reads or writes at import.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property, partial
from typing import Any, Protocol

import polars as pl
from dagster_deltalake.config import ClientConfig
from pydantic import SecretStr

from overwatch_assets.bronze.clusters_snapshot_error_bronze import ERRORS
from overwatch_assets.config import Config, Workspace
from overwatch_assets.configuration.storage import OptionValue, Provider, Storage, provider_of
from overwatch_assets.delta.pinned import PinnedStore
from overwatch_assets.delta.storage import Retries, StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.errors import ConfigError
from overwatch_assets.execution.load import Loader
from overwatch_assets.execution.records import Ledger, Record
from overwatch_assets.execution.tables import AnyTables
from overwatch_assets.execution.windows import Cell
from overwatch_assets.module import PARTITION_DATE, DayWindow, Module, Table
from overwatch_assets.provider_config import PROVIDERS
from overwatch_assets.redaction.pseudonyms import Pseudonyms
from overwatch_assets.redaction.redaction import Redaction
from overwatch_assets.redaction.texts import Texts
from overwatch_assets.reference.node_types import told_before
from overwatch_assets.reference.prices import (
    INPUTS,
    PriceFigures,
    PriceFilesRead,
    read_price_files,
    reference_of,
)
from overwatch_assets.reference.reading import PriceFileReader
from overwatch_assets.reference.tables import INSTANCE_DETAILS
from overwatch_assets.secrets import SecretReference
from overwatch_assets.sources.audit_azure import AzureAuditLogs
from overwatch_assets.sources.audit_logs import AuditLogFiles
from overwatch_assets.sources.audit_system import SystemAuditTable
from overwatch_assets.sources.cluster_log_destinations import (
    PREFIXES,
    cluster_log_destinations,
)
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.gathering import Gathered, Request, Source
from overwatch_assets.sources.mounts import Mounts, known_mounts, mounts_of_file
from overwatch_assets.sources.rest_api.api import Json
from overwatch_assets.sources.rest_api.captures import Captures, as_json
from overwatch_assets.sources.rest_api.client import DatabricksApi
from overwatch_assets.sources.rest_api.cluster_captures import ClusterCaptures, clusters_to_ask
from overwatch_assets.sources.rest_api.cluster_days import (
    CLUSTER_DAYS,
    clusters_by_day,
    days_around,
)
from overwatch_assets.sources.rest_api.cluster_event_fetches import owed
from overwatch_assets.sources.rest_api.cluster_events import ClusterEvents
from overwatch_assets.sources.rest_api.endpoints import LISTINGS, NODE_TYPES
from overwatch_assets.sources.rest_api.job_runs import JobRuns
from overwatch_assets.sources.rest_api.paging import listed
from overwatch_assets.sources.rest_api.queries_to_follow import queries_to_follow
from overwatch_assets.sources.rest_api.sql_query_history import SqlQueryHistory
from overwatch_assets.sources.spark_event_logs.source import SparkEventLogs
from overwatch_assets.sources.warehouse_events import SystemWarehouseEvents
from overwatch_assets.sources.workspace_files import WorkspaceFiles
from overwatch_assets.workspace_api import (
    LogReaderConnection,
    api_of,
    not_configured,
    scope_reader,
)

OWED_DAYS = timedelta(days=32)
"""How far back days may be owed: a fetch is tried for 30 days."""
CAPTURED_CLUSTERS = "clusters_snapshot_bronze"
CLUSTER_EVENTS = "cluster_events"
CLUSTER_EVENTS_TABLE = "cluster_events_bronze"
WAREHOUSE_EVENTS_TABLE = "warehouse_events_bronze"
SETTLED_AFTER = timedelta(hours=18)
"""How long after a day its events may still come to a system table; then it is read once more."""
RECENT_DAYS = timedelta(days=7)
PATIENT = Retries()
SHORTEST_KEY = 16
"""Letters of a key of pseudonyms."""


class Flag(Protocol):
    """An event of a thread or of processes."""

    def is_set(self) -> bool:
        """Whether somebody has set it."""
        ...

    def set(self) -> None:
        """Set it, for good."""
        ...


@dataclass(frozen=True)
class Seen:
    """What a run has read and need not read again.

    Attributes:
        store: The tables, each as it was when the run first looked at it.
        records: Records of loaded days, by the number of their event.
    """

    store: PinnedStore
    records: dict[int, Record] = field(default_factory=dict[int, Record])


@dataclass
class Deployment:
    """Store, sources and days of a configuration.

    Attributes:
        config: The configuration.
        modules: Modules by table name.
        progress: Told of each day that is loaded.
        stopping: Set to stop after the day at hand.
        clock: Tells the time of a made-up world; None: the machine's clock tells it.
        retries: How failed requests to storages are repeated.
    """

    config: Config
    modules: Mapping[str, Module]
    progress: Callable[[Cell], None] = lambda _: None
    stopping: Flag = field(default_factory=threading.Event)
    clock: Callable[[], datetime] | None = None
    retries: Retries = PATIENT
    _apis: dict[str, DatabricksApi] = field(
        default_factory=dict[str, DatabricksApi], init=False, repr=False
    )
    _apis_lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _seen: dict[str, "Seen"] = field(default_factory=dict[str, "Seen"], init=False, repr=False)

    def seen(self, run_id: str) -> "Seen":
        """What a run has seen so far; what the run before has seen is forgotten."""
        if run_id not in self._seen:
            self._seen.clear()
            self._seen[run_id] = Seen(PinnedStore(self.store))
        return self._seen[run_id]

    def now(self) -> datetime:
        """The present."""
        return self.clock() if self.clock else datetime.now(UTC)

    @cached_property
    def store(self) -> DeltaStore:
        """The tables."""
        return DeltaStore(location_of(self.config.storage, self.config, self.retries))

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

    def dbfs_root(self, workspace: Workspace) -> str | None:
        """What `dbfs:/` of a workspace stands for, where it is read without the API.

        On Google Cloud it is a bucket that the workspace's id names; None: the API reads it.
        """
        org = workspace.organization_id
        is_bucket = workspace.cloud == "gcp" and not workspace.has_api
        return f"gs://databricks-{org}/{org}" if is_bucket else None

    def loader(self, ledger: Ledger, store: AnyTables | None = None) -> Loader:
        """What loads modules, with its sources; a workspace's mounts are asked for once.

        Args:
            ledger: What is known of loaded days.
            store: The tables as a run sees them; None: as they are at each look.
        """
        mounts = cache(self._mounts)
        return Loader(
            store=store or self.store,
            ledger=ledger,
            modules=self.modules,
            calendar=self.config,
            sources={
                "audit_logs": self.audit_logs,
                "spark_event_logs": partial(self._spark_event_logs, mounts),
                "clusters": self._clusters,
                "cluster_events": partial(self._asking, ClusterEvents, "cluster_events"),
                "job_runs": self._job_runs,
                "sql_query_history": partial(self._asking, SqlQueryHistory, "sql_query_history"),
                "warehouse_events": self._warehouse_events,
                **{name: partial(self._captures, name) for name in LISTINGS},
            },
            coverage={
                "spark_event_logs": partial(self._log_prefixes, mounts),
                "clusters": self._clusters_to_ask,
                "cluster_events": self._clusters_by_day,
                "sql_query_history": self._queries_to_follow,
            },
            chunk_days=self.config.chunk_days,
            references={name: partial(self._figures, name) for name in INPUTS},
            redaction=cache(self.redaction),
        )

    def redaction(self) -> Redaction | None:
        """What is done to what sources hand over before it is stored; None: nothing.

        Raises:
            ConfigError: The key is not where the configuration says, or can be guessed.
        """
        return redaction_of(self.config)

    def owed(self, ledger: Ledger, organization_id: str) -> Mapping[str, Sequence[date]]:
        """Loaded days, by table, of which something could not be had and is due again."""
        found = {
            CLUSTER_EVENTS_TABLE: self._clusters_owed(ledger, organization_id),
            WAREHOUSE_EVENTS_TABLE: self._warehouses_owed(ledger, organization_id),
        }
        return {table: days for table, days in found.items() if days}

    def _warehouses_owed(self, ledger: Ledger, organization_id: str) -> Sequence[date]:
        """Days whose warehouse events were read so early that more may have come since."""
        workspace = self.config.workspace(organization_id)
        module = self.modules[WAREHOUSE_EVENTS_TABLE]
        if workspace.sql_warehouse is None or module.scope not in workspace.scopes:
            return ()
        now = self.now()
        recent = self.config.day_of(now) - RECENT_DAYS
        days = [d for d in ledger.days(module.table.name, organization_id) if d >= recent]
        settled = {day: self.config.window_of(day).until + SETTLED_AFTER for day in days}
        return [
            day
            for day, record in ledger.latest(module.table.name, organization_id, days).items()
            if record.snapshot_ms < settled[day].timestamp() * 1000 and settled[day] <= now
        ]

    def _clusters_owed(self, ledger: Ledger, organization_id: str) -> Sequence[date]:
        """Days whose cluster events could not all be fetched."""
        workspace = self.config.workspace(organization_id)
        module = self.modules[CLUSTER_EVENTS_TABLE]
        if module.tracker is None or not workspace.has_api or module.scope not in workspace.scopes:
            return ()
        now = self.now()
        oldest = self.config.day_of(now) - OWED_DAYS
        days = [d for d in ledger.days(module.table.name, organization_id) if d >= oldest]
        loaded = ledger.latest(module.table.name, organization_id, days)
        audited = ledger.latest("audit_log_bronze", organization_id, days)
        late = [
            day
            for day in loaded.keys() & audited.keys()
            if audited[day].snapshot_ms > loaded[day].snapshot_ms
        ]
        pairs = owed(
            self.store.scan(module.tracker, organization_id, days, missing_ok=True),
            self._named_on(organization_id, sorted(late)).lazy(),
            round(now.timestamp() * 1000),
        )
        return sorted(set(pairs.collect()["day"]) & loaded.keys())

    def price_files(self, organization_id: str) -> PriceFilesRead:
        """A workspace's price files, checked.

        Raises:
            SourceError: One can't be reached.
        """
        workspace = self.config.workspace(organization_id)

        def located(folder: str) -> StorageLocation:
            return self._located(workspace, folder)

        files = files_of(workspace, self.config, self.retries)
        return read_price_files(workspace, PriceFileReader(files, located))

    def listed_node_types(self, organization_id: str) -> Sequence[Json]:
        """Node types that a workspace's API offers now; none without an API.

        Raises:
            ApiError: It gave no usable answer.
        """
        if not self.config.workspace(organization_id).has_api:
            return ()
        api = self.api(organization_id)
        ask = partial(listed, partial(api.get, NODE_TYPES), {}, "node_types")
        redaction = self.redaction()
        with nullcontext() if redaction is None else redaction.told():
            told = ask(what=f"GET {NODE_TYPES}")
        return [as_json(each) or {} for each in told]

    def reference(
        self, organization_id: str, node_types: Sequence[Mapping[str, object]] = ()
    ) -> PriceFigures:
        """Every figure of a workspace that costs are made of, valid over time.

        Args:
            organization_id: The workspace.
            node_types: Objects that its API lists as node types. Those that were listed at
                earlier refreshes are known without it.

        Raises:
            ConfigError: With every problem of its price files.
            SourceError: One can't be reached.
        """
        workspace = self.config.workspace(organization_id)
        stored = self.store.scan(INSTANCE_DETAILS, organization_id, missing_ok=True).collect()
        known = [*node_types, *told_before(stored, node_types)]
        return reference_of(workspace, self.price_files(organization_id), known)

    def _figures(self, name: str, organization_id: str) -> pl.DataFrame:
        return self.reference(organization_id).inputs[name]

    def _located(self, workspace: Workspace, folder: str) -> StorageLocation:
        """A folder with the access that is configured for it, else the machine's own."""
        storage = workspace.storage_for(folder)
        if storage is not None:
            of_folder = storage.model_copy(update={"root": folder})
            return location_of(of_folder, self.config, self.retries, workspace)
        provider = PROVIDERS[provider_of(folder) or Provider.LOCAL](**_plain({}))
        return StorageLocation(root=folder, provider=provider, retries=self.retries)

    def audit_logs(self, organization_id: str) -> Source:
        """The audit log of a workspace, by whichever route it comes.

        Raises:
            ConfigError: A secret is not where the configuration says.
        """
        workspace = self.config.workspace(organization_id)
        delivered = workspace.audit_logs
        if delivered is None:
            return NotConfigured("audit_logs")
        if delivered.path is None:
            warehouse_id = setting_of(delivered.sql_warehouse, self.config, workspace)
            return SystemAuditTable(self.api(organization_id), warehouse_id or "")
        files = files_of(workspace, self.config, self.retries)
        if delivered.layout == "azure":
            resource_id = setting_of(delivered.resource_id, self.config, workspace)
            return AzureAuditLogs(files, delivered.path, resource_id)
        return AuditLogFiles(files, delivered.path)

    def _warehouse_events(self, organization_id: str) -> Source:
        """Events of SQL warehouses, by way of one of them."""
        workspace = self.config.workspace(organization_id)
        warehouse_id = setting_of(workspace.sql_warehouse, self.config, workspace)
        if warehouse_id is None:
            return NotConfigured("sql_warehouse")
        api = self.api(organization_id)
        return SystemWarehouseEvents(api, warehouse_id, self._table_of("warehouse_events"))

    def _spark_event_logs(self, mounts: Callable[[str], Mounts], organization_id: str) -> Source:
        workspace = self.config.workspace(organization_id)
        if workspace.spark_event_logs is None:
            return NotConfigured("spark_event_logs")
        return SparkEventLogs(
            files=files_of(workspace, self.config, self.retries),
            prefixes=workspace.spark_event_logs.folders,
            workers=self.config.workers,
            failures=mounts(organization_id).failures,
        )

    def _mounts(self, organization_id: str) -> Mounts:
        """The mounts of a workspace whose clusters' destinations are read."""
        workspace = self.config.workspace(organization_id)
        logs = workspace.spark_event_logs
        if logs is None or not logs.from_clusters:
            return Mounts()
        of_file: Mapping[str, str] = {}
        if logs.mount_mapping is not None:
            files = files_of(workspace, self.config, self.retries)
            of_file = mounts_of_file(files, logs.mount_mapping, organization_id)
        api = self.api(organization_id) if workspace.has_api else None
        return known_mounts(logs.mounts, of_file, api)

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

    def _asking(
        self,
        source: type[ClusterEvents | JobRuns | SqlQueryHistory],
        name: str,
        organization_id: str,
    ) -> Source:
        """What is asked object by object, or day by day."""
        databricks = self.config.workspace(organization_id).databricks
        if databricks is None:
            return NotConfigured("databricks")
        return source(
            api=self.api(organization_id),
            table=self._table_of(name),
            threads=databricks.parallel_requests,
        )

    def _job_runs(self, organization_id: str) -> Source:
        if not self.config.workspace(organization_id).job_runs_snapshot:
            return SwitchedOff("job_runs_snapshot")
        return self._asking(JobRuns, "job_runs", organization_id)

    def _table_of(self, source: str) -> str:
        """The table that a source feeds."""
        return next(each.table.name for each in self.modules.values() if each.source == source)

    def _clusters_to_ask(self, organization_id: str, _days: Sequence[DayWindow]) -> pl.DataFrame:
        """Clusters that the API may not list."""
        if not self.config.workspace(organization_id).has_api:
            return pl.DataFrame()
        module = self.modules[CAPTURED_CLUSTERS]
        audit = self.modules["audit_log_bronze"].table
        return clusters_to_ask(
            captures=self._newest_day(module.table, organization_id),
            failures=self._newest_day(ERRORS, organization_id),
            audit=self.store.scan(audit, organization_id, missing_ok=True),
        )

    def _clusters_by_day(self, organization_id: str, days: Sequence[DayWindow]) -> pl.DataFrame:
        """Clusters whose events are to be asked for, by day."""
        if not self.config.workspace(organization_id).has_api:
            return pl.DataFrame()
        captures = self.modules["clusters_snapshot_bronze"].table
        return clusters_by_day(
            self._audit_of(organization_id, days_around(days)),
            self.store.scan(captures, organization_id, missing_ok=True),
            days,
            self.config.timezone,
        )

    def _named_on(self, organization_id: str, days: Sequence[date]) -> pl.DataFrame:
        """Clusters that audit events of these very days name."""
        if not days:
            return CLUSTER_DAYS.to_frame()
        windows = [DayWindow(day, self.config.window_of(day)) for day in days]
        audit = self._audit_of(organization_id, days)
        return clusters_by_day(audit, None, windows, self.config.timezone)

    def _audit_of(self, organization_id: str, days: Sequence[date]) -> pl.LazyFrame:
        audit = self.modules["audit_log_bronze"].table
        return self.store.scan(audit, organization_id, days, missing_ok=True)

    def _queries_to_follow(self, organization_id: str, days: Sequence[DayWindow]) -> pl.DataFrame:
        """Queries that go on from the day before the days, and from each of them."""
        if not self.config.workspace(organization_id).has_api:
            return pl.DataFrame()
        table = self.modules["sql_query_history_bronze"].table
        before_and_days = [days[0].day - timedelta(days=1), *(each.day for each in days)]
        stored = self.store.scan(table, organization_id, before_and_days, missing_ok=True)
        return queries_to_follow(stored, days)

    def _newest_day(self, table: Table, organization_id: str) -> pl.LazyFrame:
        """Rows of the newest day that has any."""
        self.store.create(table)
        days: list[date] = self.store.partitions(table, organization_id)[
            PARTITION_DATE.name
        ].to_list()
        return self.store.scan(table, organization_id, sorted(days)[-1:])

    def _log_prefixes(
        self,
        mounts: Callable[[str], Mounts],
        organization_id: str,
        days: Sequence[DayWindow],
    ) -> pl.DataFrame:
        """Log destinations of the clusters that may have run on the days."""
        workspace = self.config.workspace(organization_id)
        logs = workspace.spark_event_logs
        if logs is None or not logs.from_clusters:
            return pl.DataFrame(schema=PREFIXES)

        def rows(table: Table | None) -> pl.LazyFrame | None:
            return table and self.store.scan(table, organization_id, missing_ok=True)

        fetches = (each.tracker for each in self.modules.values() if each.source == CLUSTER_EVENTS)
        return cluster_log_destinations(
            self.store.scan(
                self.modules["audit_log_bronze"].table, organization_id, missing_ok=True
            ),
            mounts(organization_id).by_point,
            days,
            captures=rows(self.modules[CAPTURED_CLUSTERS].table),
            fetches=rows(next(fetches, None)),
            dbfs_root=self.dbfs_root(workspace),
        )


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


@dataclass(frozen=True)
class SwitchedOff:
    """The source of a table that a workspace does without."""

    key: str

    def gather(self, request: Request) -> Gathered:
        """Nothing, and what switches it on."""
        reason = f"switched off for this workspace; `{self.key}: true` switches it on"
        reasons = {each.day: reason for each in request.days}
        return Gathered(rows={}, rejected={}, processed=pl.DataFrame(), reasons=reasons)


def files_of(workspace: Workspace, config: Config, retries: Retries = PATIENT) -> Files:
    """What a workspace's sources are read through, each storage with its own credentials."""
    tables = workspace.table_storage
    storages = dict.fromkeys(tables.shared_roots, tables)
    storages |= {each.root: each for each in workspace.source_storage}
    owner = {root: None if each is tables else workspace for root, each in storages.items()}
    options = {
        root: location_of(each, config, retries, owner[root]).delta_options
        for root, each in storages.items()
    }
    connect = LogReaderConnection(config.path, workspace.organization_id, config)
    return Files(
        {root: each for root, each in options.items() if each is not None},
        workspace=WorkspaceFiles(connect) if workspace.has_api else None,
    )


def location_of(
    storage: Storage,
    config: Config,
    retries: Retries = PATIENT,
    workspace: Workspace | None = None,
) -> StorageLocation:
    """A configured storage with its secrets, resolved now.

    Args:
        storage: The storage.
        config: Where secrets are found.
        retries: How failed requests are repeated.
        workspace: Whose secret scopes its references name; None: the first one's with an API.
    """
    resolved = storage.resolve(config.secrets(scope_reader(config, workspace)))
    provider = PROVIDERS[resolved.provider](**_plain(resolved.options))
    client = ClientConfig(**_plain(resolved.client_options)) if resolved.client_options else None
    return StorageLocation(root=resolved.root, provider=provider, client=client, retries=retries)


def setting_of(
    setting: str | SecretReference | None, config: Config, workspace: Workspace
) -> str | None:
    """A workspace's setting, its reference followed now."""
    if isinstance(setting, SecretReference):
        secrets = config.secrets(scope_reader(config, workspace))
        return secrets.resolve(setting).get_secret_value()
    return setting


def redaction_of(config: Config) -> Redaction | None:
    """What a configuration redacts, with the key as it is now; None: nothing.

    All workspaces have one key: a user is the same in all of them.

    Raises:
        ConfigError: The key is not where the configuration says, or can be guessed.
    """
    rules = config.redaction
    if not rules.is_needed or rules.key is None:
        return None
    try:
        key = config.secrets(scope_reader(config)).resolve(rules.key)
    except ConfigError as error:
        message = f"{config.path}: redaction.key: {error}"
        raise ConfigError(message) from error
    if len(key.get_secret_value()) < SHORTEST_KEY:
        message = (
            f"{config.path}: redaction.key: what {rules.key} leads to is shorter than "
            f"{SHORTEST_KEY} letters and could be guessed; put a longer one there, such as "
            "`openssl rand -hex 32` prints. Nothing was loaded"
        )
        raise ConfigError(message)
    return Redaction(Texts(rules.treatments, Pseudonyms(key)))


def _plain(options: Mapping[str, OptionValue]) -> dict[str, Any]:
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in options.items()
    }
