"""The configuration as the other parts use it: `load_config` and what it returns.

Here belong finding and loading the file, and the view of it that others depend on. Not here:
its keys (`configuration/model.py`), what is told about mistakes (`configuration/reading.py`),
writing a first file (`scaffold.py`). Dagster is not imported.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from overwatch_assets.configuration.databricks import Databricks
from overwatch_assets.configuration.days import days_between, window_of
from overwatch_assets.configuration.document import Document, read_document
from overwatch_assets.configuration.model import (
    AuditLogs,
    ConfigFile,
    ContractPrice,
    PriceFiles,
    SparkEventLogs,
    WorkspaceEntry,
)
from overwatch_assets.configuration.problems import nearest
from overwatch_assets.configuration.reading import checked
from overwatch_assets.configuration.redaction import RedactionRules
from overwatch_assets.configuration.storage import Storage, storage_for
from overwatch_assets.errors import ConfigError
from overwatch_assets.module import Scope, Window
from overwatch_assets.secrets import ScopeReader, SecretReference, Secrets

DEFAULT_FILE = "overwatch.yaml"
FILE_VARIABLE = "OVERWATCH_CONFIG"
MOST_AT_ONCE = 4
"""Workspaces loaded at once where nothing is configured: each process takes half a GB."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace that is observed.

    Attributes:
        organization_id: Its id, as text.
        name: Its unique name.
        cloud: `aws`, `azure` or `gcp`.
        first_day: First day that is loaded (the primordial date).
        retired_on: Last day of a workspace that is no more; None: it is in use.
        audit_logs: Where its audit logs are; None: none are read.
        spark_event_logs: Where its Spark event logs are; None: none are read.
        databricks: Access to its REST API; None: it is not asked.
        sql_warehouse: SQL warehouse through which system tables are read; None: they are not.
        job_runs_snapshot: Whether the API is asked for job runs.
        scopes: Scopes that are loaded.
        price_files: Files with prices, its own before the deployment's.
        dbu_prices: Contract prices by sku, ascending by the day they hold from.
        source_storage: Storages configured for reading.
        table_storage: Storage of the tables, whose access serves reading too.
    """

    organization_id: str
    name: str
    cloud: str
    first_day: date
    retired_on: date | None
    audit_logs: AuditLogs | None
    spark_event_logs: SparkEventLogs | None
    databricks: Databricks | None
    sql_warehouse: str | SecretReference | None
    job_runs_snapshot: bool
    scopes: frozenset[Scope]
    price_files: tuple[PriceFiles, ...]
    dbu_prices: Mapping[str, tuple[ContractPrice, ...]]
    source_storage: tuple[Storage, ...]
    table_storage: Storage

    @property
    def has_api(self) -> bool:
        """Whether its REST API is asked."""
        return self.databricks is not None

    def storage_for(self, location: str) -> Storage | None:
        """How a location is reached; None: with the environment's or machine's credentials."""
        return storage_for(location, self.source_storage, self.table_storage)


@dataclass(frozen=True, slots=True)
class Config:
    """A checked configuration; its paths are absolute.

    Attributes:
        path: The file.
        timezone: Zone whose midnights divide the days.
        storage: Where the tables are.
        chunk_days: Days worked on at once.
        workers: Processes that read logs.
        parallel_workspaces: Workspaces that a command loads at once.
        dagster_home: Dagster's own folder.
        secrets_directory: Folder of the files that hold secrets; None: no file does.
        redaction: What becomes of personal and confidential data.
        duckdb_file: Where BI tools find the views.
        shown_workspaces: Ids or names of those whose rows can be queried; None: all.
        workspaces: In the order of the file.
    """

    path: Path
    timezone: ZoneInfo
    storage: Storage
    chunk_days: int
    workers: int
    parallel_workspaces: int
    dagster_home: Path
    secrets_directory: Path | None
    redaction: RedactionRules
    duckdb_file: Path
    shown_workspaces: tuple[str, ...] | None
    workspaces: tuple[Workspace, ...]

    def workspace(self, id_or_name: str) -> Workspace:
        """The workspace of an id or a name.

        Raises:
            ConfigError: There is none.
        """
        by_text = {each.name: each for each in self.workspaces}
        by_text |= {each.organization_id: each for each in self.workspaces}
        if found := by_text.get(id_or_name):
            return found
        meant = nearest(id_or_name, list(by_text))
        names = ", ".join(f"{each.organization_id} ({each.name})" for each in self.workspaces)
        remedy = f"did you mean {meant}?" if meant else f"configured are {names}"
        message = f"{self.path}: there is no workspace {id_or_name!r}; {remedy}"
        raise ConfigError(message)

    def window_of(self, day: date) -> Window:
        """A day from midnight to midnight: 23, 24 or 25 hours, as instants in UTC."""
        return window_of(day, self.timezone)

    def day_of(self, instant: datetime) -> date:
        """The day that an aware instant belongs to."""
        return instant.astimezone(self.timezone).date()

    def days(self, first: date, last: date) -> tuple[date, ...]:
        """Both days and those between; none when last is before first."""
        return days_between(first, last)

    def secrets(self, read_scope: ScopeReader | None = None) -> Secrets:
        """What follows the references of this configuration.

        Args:
            read_scope: Reads Databricks secret scopes; None: such references are refused.
        """
        return Secrets(directory=self.secrets_directory, read_scope=read_scope)


def config_path(environment: Mapping[str, str] = os.environ) -> Path:
    """The file that OVERWATCH_CONFIG names, else overwatch.yaml in the current folder."""
    return Path(environment.get(FILE_VARIABLE) or DEFAULT_FILE)


def load_config(path: Path | None = None, *, now: datetime | None = None) -> Config:
    """Load and check the configuration.

    Args:
        path: The file; None: see `config_path`.
        now: Present time, aware; None: the clock's.

    Raises:
        ConfigError: With every problem found, each with line, key, value and remedy.
    """
    return config_of(read_document(path or config_path()), now=now or datetime.now(UTC))


def config_of(document: Document, *, now: datetime) -> Config:
    """Check a document and view it.

    Raises:
        ConfigError: With every problem found.
    """
    model: ConfigFile = checked(document, now)
    return Config(
        path=document.path,
        timezone=ZoneInfo(model.timezone),
        storage=model.storage,
        chunk_days=model.chunk_days,
        workers=model.workers or _usable_cpus(),
        parallel_workspaces=model.parallel_workspaces or min(_usable_cpus() + 1, MOST_AT_ONCE),
        dagster_home=model.dagster_home,
        secrets_directory=model.secrets_directory,
        redaction=model.redaction,
        duckdb_file=model.duckdb_file,
        shown_workspaces=model.shown_workspaces,
        workspaces=tuple(_workspace(entry, model) for entry in model.workspaces),
    )


def _workspace(entry: WorkspaceEntry, model: ConfigFile) -> Workspace:
    return Workspace(
        organization_id=entry.workspace_id,
        name=entry.workspace_name,
        cloud=entry.cloud,
        first_day=entry.primordial_date,
        retired_on=entry.retired_on,
        audit_logs=entry.audit_logs,
        spark_event_logs=entry.spark_event_logs,
        databricks=entry.databricks,
        sql_warehouse=_events_warehouse(entry),
        job_runs_snapshot=entry.job_runs_snapshot,
        scopes=entry.scopes,
        price_files=(entry.prices, model.prices),
        dbu_prices={
            "interactive": entry.interactive_dbu_price,
            "automated": entry.automated_dbu_price,
            "sqlCompute": entry.sql_compute_dbu_price,
            "jobsLight": entry.jobs_light_dbu_price,
        },
        source_storage=entry.source_storage,
        table_storage=model.storage,
    )


def _events_warehouse(entry: WorkspaceEntry) -> str | SecretReference | None:
    """SQL warehouse through which system tables are read."""
    of_audit = entry.audit_logs.sql_warehouse if entry.audit_logs else None
    return entry.sql_warehouse or of_audit


def _usable_cpus() -> int:
    """CPUs that this process may use, which a container can make fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
