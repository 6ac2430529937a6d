"""What a workspace has besides clusters and jobs, and what came of it: plain records.

SQL warehouses with their queries, notebook commands, and the small objects that administrators
keep. Nothing here knows an API or a file format. Times are epoch milliseconds UTC; a time of
None means that it had not happened when the world ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from overwatch_assets.demo.company import Person


class Kind(StrEnum):
    """Kinds of objects that are kept; the value names the kind in the truth."""

    POLICY = "policies"
    LIBRARY = "libraries"
    INSTANCE_PROFILE = "instance_profiles"
    TOKEN = "tokens"  # noqa: S105 - a kind of object
    INIT_SCRIPT = "init_scripts"


@dataclass(frozen=True, slots=True)
class Version:
    """What an object is from an instant on; `fields` are all of it, not what changed."""

    at_ms: int
    by: Person
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class KeptObject:
    """An object and its versions in the order of time; the first is its creation."""

    kind: Kind
    object_id: str
    versions: tuple[Version, ...]
    gone_ms: int | None = None

    @property
    def created(self) -> Version:
        """The object as it was made."""
        return self.versions[0]

    def at(self, now_ms: int) -> Version | None:
        """The version that was valid just before an instant; None: it did not exist."""
        if self.gone_ms is not None and self.gone_ms < now_ms:
            return None
        known = [version for version in self.versions if version.at_ms < now_ms]
        return known[-1] if known else None


@dataclass(frozen=True, slots=True)
class WarehouseSettings:
    """A SQL warehouse as its owner configured it.

    Attributes:
        size: `Small`, `Medium`, ..., as the API spells it.
        auto_stop_minutes: Idle minutes after which it stops.
        warehouse_type: `PRO` or `CLASSIC`.
    """

    name: str
    size: str
    min_clusters: int
    max_clusters: int
    auto_stop_minutes: int
    warehouse_type: str = "PRO"
    spot_policy: str = "COST_OPTIMIZED"
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class SettingsVersion:
    """Settings of a warehouse from an instant on."""

    at_ms: int
    settings: WarehouseSettings


class WarehouseStatus(StrEnum):
    """What a warehouse does, in the words of its events."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    SCALED_UP = "SCALED_UP"
    SCALED_DOWN = "SCALED_DOWN"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class WarehouseState:
    """An interval between two events of a warehouse.

    Attributes:
        clusters: Clusters that run.
        size: Size of each of them.
        until_ms: None: the state lasted when the world ended.
    """

    status: WarehouseStatus
    since_ms: int
    until_ms: int | None
    clusters: int
    size: str


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A SQL warehouse and its life."""

    warehouse_id: str
    creator: Person
    created_ms: int
    deleted_ms: int | None
    versions: tuple[SettingsVersion, ...]
    states: tuple[WarehouseState, ...]

    def settings_at(self, now_ms: int) -> WarehouseSettings:
        """The settings valid just before an instant, the first ones before there were any."""
        known = [each.settings for each in self.versions if each.at_ms < now_ms]
        return known[-1] if known else self.versions[0].settings

    def state_at(self, now_ms: int) -> WarehouseState | None:
        """The state just before an instant; None: it did not exist."""
        if self.deleted_ms is not None and self.deleted_ms < now_ms:
            return None
        known = [each for each in self.states if each.since_ms < now_ms]
        return known[-1] if known else None


class QueryEnding(StrEnum):
    """How a query ended, in the words of the query history."""

    FINISHED = "FINISHED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """A statement and what it typically takes.

    Attributes:
        kind: `SELECT`, `MERGE`, ...
        run_ms: Median run time.
        read_bytes: Read by a typical run.
        rows_read: Rows read by a typical run.
        rows: Rows of the answer, or changed.
        files: Files read.
    """

    text: str
    kind: str
    run_ms: int
    read_bytes: int
    rows_read: int
    rows: int
    files: int


@dataclass(frozen=True, slots=True)
class QueryMetrics:
    """What an ended query measured; bytes, counts and ms."""

    compile_ms: int
    task_ms: int
    photon_ms: int
    read_bytes: int
    cache_bytes: int
    pruned_bytes: int
    written_bytes: int
    spilled_bytes: int
    sent_bytes: int
    rows_read: int
    rows: int
    files: int
    pruned_files: int
    is_from_cache: bool


@dataclass(frozen=True, slots=True)
class SqlQuery:
    """A query on a warehouse.

    Attributes:
        user: Who sent it.
        run_as: On whose behalf it ran.
        client: Application that sent it.
        has_waited_for_start: The warehouse had to start first.
        submitted_ms: When it reached the warehouse.
        running_ms: When a cluster took it; None: it waits.
        ended_ms: When its execution ended.
        fetched_ms: When its result had been fetched; the query's own end.
        ending: None: it waits or runs.
        metrics: None: it waits or runs, or never ran.
    """

    query_id: str
    session_id: str
    warehouse_id: str
    user: Person
    run_as: Person
    client: str
    statement: SqlStatement
    submitted_ms: int
    has_waited_for_start: bool
    running_ms: int | None
    ended_ms: int | None
    fetched_ms: int | None
    ending: QueryEnding | None
    error: str | None
    metrics: QueryMetrics | None


@dataclass(frozen=True, slots=True)
class NotebookCommand:
    """A command run in a notebook, as the verbose audit log tells it, at its end.

    Attributes:
        duration_ms: The audit log writes it in seconds.
        cluster_id: None: the record names no cluster.
    """

    command_id: str
    notebook_id: int
    user: Person
    started_ms: int
    duration_ms: int
    status: str
    cluster_id: str | None

    @property
    def ended_ms(self) -> int:
        """When the audit log tells of it."""
        return self.started_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class NotebookLife:
    """A notebook and where it was.

    Attributes:
        paths: From when on it had which path, in the order of time.
    """

    notebook_id: int
    paths: tuple[tuple[int, str], ...]

    def path_at(self, now_ms: int) -> str:
        """The path just before an instant, the first one before there were any."""
        known = [path for since_ms, path in self.paths if since_ms < now_ms]
        return known[-1] if known else self.paths[0][1]


@dataclass(frozen=True, slots=True)
class Estate:
    """Everything of a workspace that is no cluster, job or pool."""

    warehouses: tuple[Warehouse, ...]
    queries: tuple[SqlQuery, ...]
    notebooks: tuple[NotebookLife, ...]
    commands: tuple[NotebookCommand, ...]
    objects: tuple[KeptObject, ...]
    secrets: Mapping[tuple[str, str], str]
