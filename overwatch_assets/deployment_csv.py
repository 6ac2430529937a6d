"""Overwatch's deployment CSV as a configuration: `overwatch config import`.

Every column of releases 0.7 and 0.8 is known: what is mapped, what has no use here, and what
somebody must decide, because the CSV holds no more than the name of a secret or because the
thing itself is done differently. The configuration that comes out loads; what is open stands in
it as a comment and in the report.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import yaml

from overwatch_assets.configuration.problems import Problem, config_error, nearest
from overwatch_assets.errors import ConfigError
from overwatch_assets.module import Scope
from overwatch_assets.secrets import looks_secret

LARGEST_BYTES = 10_000_000
NULLS = frozenset({"", "null"})
TABLES_FOLDER = "overwatch_assets"
"""Folder below the storage prefix: Overwatch's own tables stay as they are."""

RENAMED = {
    "etl_storage_prefix": "storage_prefix",
    "auditlogprefix_source_aws": "auditlogprefix_source_path",
}
"""Columns of older releases, under the name they have had since."""

REQUIRED = ("workspace_name", "workspace_id", "cloud", "primordial_date", "storage_prefix")

OBSOLETE = {
    "etl_database_name": "tables are found by their path; register them with generated DDL",
    "consumer_database_name": "views are read from the tables; no database holds them",
    "max_days": "a load covers the days it is asked for, in chunks of `chunk_days`",
    "success_batch_size": "pages are written as they come",
    "error_batch_size": "errors are written with their day",
    "temp_dir_path": "a folder of the machine is used and removed",
    "aad_authority_endpoint": "no event hub is read",
}
BESIDE = {
    "active": "rows that are active are taken",
    "workspace_url": "`api_url` is the address",
    "secret_scope": "tells where the token was: see secret_key_dbpat",
    "enable_unsafe_ssl": "certificates are always checked",
    "proxy_port": "there is no proxy_host",
    "proxy_user_name": "there is no proxy_host",
    "proxy_password_scope": "there is no proxy with a user",
    "proxy_password_key": "there is no proxy with a user",
    "sql_endpoint": "the audit log is read from files",
}
"""Why columns have no use beside others, where nothing else is told of them."""

EVENT_HUB = (
    "eh_name",
    "eh_scope_key",
    "eh_conn_string",
    "aad_tenant_id",
    "aad_client_id",
    "aad_client_secret_key",
)
PRICES = (
    "interactive_dbu_price",
    "automated_dbu_price",
    "sql_compute_dbu_price",
    "jobs_light_dbu_price",
)
KNOWN = frozenset(
    (
        *REQUIRED,
        *OBSOLETE,
        *EVENT_HUB,
        *PRICES,
        "active",
        "api_url",
        "api_waiting_time",
        "auditlogprefix_source_path",
        "enable_unsafe_ssl",
        "excluded_scopes",
        "mount_mapping_path",
        "proxy_host",
        "proxy_password_key",
        "proxy_password_scope",
        "proxy_port",
        "proxy_user_name",
        "secret_key_dbpat",
        "secret_scope",
        "sql_endpoint",
        "thread_pool_size",
        "workspace_url",
    )
)


class Fate(StrEnum):
    """What became of a column of a workspace."""

    MAPPED = "mapped"
    OBSOLETE = "obsolete"
    DECIDE = "to decide"


@dataclass(frozen=True, slots=True)
class Note:
    """What became of one column.

    Attributes:
        workspace: Name of the workspace; blank: the whole deployment.
    """

    workspace: str
    column: str
    fate: Fate
    text: str


@dataclass(frozen=True, slots=True)
class Import:
    """A configuration made of a deployment CSV.

    Attributes:
        text: YAML, commented.
        notes: What became of each column, workspace by workspace.
    """

    text: str
    notes: Sequence[Note]


Values = Mapping[str, str]


@dataclass
class _Entry:
    """A workspace as it is put together."""

    values: Values
    keys: dict[str, object] = field(default_factory=dict[str, object])
    notes: list[Note] = field(default_factory=list[Note])

    @property
    def name(self) -> str:
        return self.values.get("workspace_name", "")

    def get(self, column: str) -> str | None:
        return self.values.get(column)

    def note(self, column: str, fate: Fate, text: str) -> None:
        self.notes.append(Note(self.name, column, fate, text))

    def mapped(self, column: str, key: str) -> None:
        self.note(column, Fate.MAPPED, f"is now `{key}`")

    def decide(self, column: str, text: str) -> None:
        self.note(column, Fate.DECIDE, text)


def import_deployment(
    path: Path, content: bytes, read_mounts: Callable[[str], bytes | None]
) -> Import:
    """Make a configuration of a deployment CSV.

    Args:
        path: The file, for messages.
        content: Its bytes.
        read_mounts: Reads a mount mapping file; None: it can't be read from here.

    Raises:
        ConfigError: It is no CSV with Overwatch's columns, names no active workspace, or its
            workspaces do not share a storage.
    """
    rows = _rows(path, content)
    active = [row for row in rows if row.get("active", "true").casefold() not in {"false", "0"}]
    if not active:
        raise _refused(path, None, "no row is active", "Set `active` to true where it should be")
    notes = [
        Note(row.get("workspace_name", ""), "active", Fate.OBSOLETE, "the row is left out: false")
        for row in rows
        if row not in active
    ]
    root = _storage_root(path, active)
    entries = [_entry(row, read_mounts) for row in active]
    for entry in entries:
        notes += entry.notes
    return Import(text=_rendered(path, root, entries), notes=notes)


def _refused(path: Path, line: int | None, what: str, remedy: str) -> ConfigError:
    return config_error(path, [Problem((), line, what, f"{remedy}.")])


def _rows(path: Path, content: bytes) -> list[Values]:
    """The rows by column, without what is null; columns in lower case and by their newest name."""
    if len(content) > LARGEST_BYTES:
        raise _refused(path, None, "is larger than 10 MB", "A deployment is a short CSV file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refused(path, line, "is not UTF-8 text", "Save it as UTF-8") from None
    separator = (
        ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    )
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise _refused(path, None, f"is no CSV: {error}", "Export it again") from None
    filled = [record for record in records if any(cell.strip() for cell in record)]
    if not filled:
        raise _refused(path, None, "is empty", "Name Overwatch's deployment CSV")
    header = [RENAMED.get(name, name) for name in (cell.strip().casefold() for cell in filled[0])]
    _require_columns(path, header)
    return [_row(path, header, record) for record in filled[1:]]


def _require_columns(path: Path, header: Sequence[str]) -> None:
    unknown = [name for name in header if name not in KNOWN]
    missing = [name for name in REQUIRED if name not in header]
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    problems: list[Problem] = []
    if repeated:
        what = f"has a column twice: {', '.join(repeated)}"
        problems.append(Problem((), 1, what, "Keep one of each."))
    if missing:
        what = f"has no column {', '.join(missing)}"
        problems.append(Problem((), 1, what, "Name a deployment CSV of Overwatch 0.7 or 0.8."))
    for name in unknown:
        meant = nearest(name, sorted(KNOWN))
        remedy = f"Did you mean {meant}?" if meant else "Remove the column."
        shown = "a column without a name" if not name or looks_secret(name) else f"{name[:60]!r}"
        problems.append(Problem((), 1, f"{shown} is no column of Overwatch's", remedy))
    if problems:
        raise config_error(path, problems)


def _row(path: Path, header: Sequence[str], record: Sequence[str]) -> Values:
    if len(record) > len(header) and any(cell.strip() for cell in record[len(header) :]):
        what = f"a row has {len(record)} values for {len(header)} columns"
        raise _refused(path, None, what, "Quote values that hold a separator")
    cells = zip(header, (cell.strip() for cell in record), strict=False)
    return {name: cell for name, cell in cells if cell.casefold() not in NULLS}


def _storage_root(path: Path, rows: Sequence[Values]) -> str:
    prefixes = {row.get("storage_prefix", "").rstrip("/") for row in rows}
    if len(prefixes) != 1 or "" in prefixes:
        what = "gives its workspaces different storage prefixes, or none"
        remedy = "All workspaces of a deployment share one; import one file per prefix"
        raise _refused(path, None, what, remedy)
    [prefix] = prefixes
    if looks_secret(prefix):
        what = "has a storage prefix that holds a secret"
        raise _refused(path, None, what, "Write the address without it")
    return f"{prefix}/{TABLES_FOLDER}"


def _entry(given: Values, read_mounts: Callable[[str], bytes | None]) -> _Entry:
    secret = [column for column, value in given.items() if looks_secret(value)]
    row = {column: value for column, value in given.items() if column not in secret}
    entry = _Entry(row)
    for column in secret:
        if column not in EVENT_HUB:
            entry.decide(column, "holds a secret, which is not written here")
    for column in ("workspace_id", "workspace_name", "cloud", "primordial_date"):
        if value := row.get(column):
            entry.keys[column] = value
            entry.mapped(column, column)
    note = f"`storage.root` is the folder {TABLES_FOLDER} below it; Overwatch's tables stay"
    entry.note("storage_prefix", Fate.MAPPED, note)
    _add_audit_logs(entry)
    _add_event_logs(entry, read_mounts)
    _add_api(entry)
    _add_scopes(entry)
    for column in PRICES:
        if value := row.get(column):
            entry.keys[column] = value
            entry.mapped(column, column)
    _add_obsolete(entry)
    return entry


def _add_obsolete(entry: _Entry) -> None:
    told = {note.column for note in entry.notes}
    for column, why in {**OBSOLETE, **BESIDE}.items():
        if column in entry.values and column not in told:
            entry.note(column, Fate.OBSOLETE, why)


def _add_audit_logs(entry: _Entry) -> None:
    source = entry.get("auditlogprefix_source_path")
    if source is not None and source.casefold() == "system":
        if warehouse := _warehouse(entry):
            entry.keys["audit_logs"] = {"sql_warehouse": warehouse}
            entry.mapped("auditlogprefix_source_path", "audit_logs.sql_warehouse")
        else:
            text = "`system` is read through a SQL warehouse: write its id as "
            entry.decide("auditlogprefix_source_path", f"{text}`audit_logs.sql_warehouse`")
    elif source is not None:
        entry.keys["audit_logs"] = {"path": source}
        entry.mapped("auditlogprefix_source_path", "audit_logs.path")
    for column in EVENT_HUB:
        if entry.get(column):
            text = (
                "no event hub is read: archive the diagnostic settings to a storage account and "
                "configure `audit_logs` with `layout: azure`, or use the system table"
            )
            entry.decide(column, text)


def _warehouse(entry: _Entry) -> str | None:
    """Id of the SQL warehouse that the row names by its HTTP path."""
    path = entry.get("sql_endpoint")
    if path is None:
        return None
    found = re.fullmatch(
        r"/?sql/(?:1\.0|protocolv1)/(?:warehouses|endpoints|o/\d+)/([\w-]+)/?", path
    )
    if found is None:
        entry.decide("sql_endpoint", "is no /sql/1.0/warehouses/<id>; write the id of a warehouse")
        return None
    entry.mapped("sql_endpoint", "audit_logs.sql_warehouse")
    return found[1]


def _add_event_logs(entry: _Entry, read_mounts: Callable[[str], bytes | None]) -> None:
    if "audit_logs" not in entry.keys:
        return
    logs: dict[str, object] = {"from_clusters": "true"}
    if path := entry.get("mount_mapping_path"):
        mounts = _mounts(read_mounts(path), entry.get("workspace_id"))
        if mounts:
            logs["mounts"] = mounts
            entry.mapped("mount_mapping_path", "spark_event_logs.mounts")
        else:
            text = "can't be read from here or names no mount of this workspace: write its rows as "
            entry.decide("mount_mapping_path", f"{text}`spark_event_logs.mounts`")
    entry.keys["spark_event_logs"] = logs


def _mounts(content: bytes | None, workspace_id: str | None) -> dict[str, str]:
    """Mount points of the workspace and what they stand for."""
    text = (content or b"").decode("utf-8-sig", errors="replace")
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error:
        return {}
    mounts: dict[str, str] = {}
    for row in rows:
        cells = {
            str(name).strip().casefold(): str(cell or "").strip() for name, cell in row.items()
        }
        point, source = cells.get("mountpoint", ""), cells.get("source", "")
        is_own = cells.get("workspace_id") == workspace_id
        if is_own and point.startswith("/") and point.rstrip("/") and source:
            mounts.setdefault(point.rstrip("/"), source)
    return mounts


def _add_api(entry: _Entry) -> None:
    column = "api_url" if entry.get("api_url") else "workspace_url"
    host = entry.get(column)
    if host is None:
        entry.decide("api_url", "no address is given: write `databricks.host`")
        return
    variable = f"DATABRICKS_TOKEN_{re.sub(r'[^A-Za-z0-9]+', '_', entry.name).upper()}"
    api: dict[str, object] = {"host": host.rstrip("/"), "token": f"env:{variable}"}
    entry.mapped(column, "databricks.host")
    if entry.get("secret_scope") or entry.get("secret_key_dbpat"):
        text = (
            f"the token is taken from the environment variable {variable}: put it there, or "
            "better name a service principal (client_id, client_secret)"
        )
        entry.decide("secret_key_dbpat", text)
    if threads := entry.get("thread_pool_size"):
        api["parallel_requests"] = threads
        entry.mapped("thread_pool_size", "databricks.parallel_requests")
    if (waiting := entry.get("api_waiting_time")) and waiting.isdecimal():
        api["retry_seconds"] = str(max(1, round(int(waiting[:12]) / 1000)))
        entry.mapped("api_waiting_time", "databricks.retry_seconds")
    _add_proxy(entry, api)
    if (entry.get("enable_unsafe_ssl") or "false").casefold() == "true":
        text = "certificates are always checked: give the proxy's own as `databricks.ca_bundle`"
        entry.decide("enable_unsafe_ssl", text)
    entry.keys["databricks"] = api


def _add_proxy(entry: _Entry, api: dict[str, object]) -> None:
    host, port = entry.get("proxy_host"), entry.get("proxy_port")
    if host is None:
        return
    if entry.get("proxy_user_name"):
        text = "put http://user:password@host:port into a variable and write `databricks.proxy: "
        entry.decide("proxy_user_name", f"{text}env:NAME`")
        for column in ("proxy_host", "proxy_port", "proxy_password_scope", "proxy_password_key"):
            if entry.get(column):
                entry.decide(column, "is part of that address")
        return
    address = host if "://" in host else f"http://{host}"
    api["proxy"] = f"{address}:{port}" if port else address
    entry.mapped("proxy_host", "databricks.proxy")
    if port:
        entry.mapped("proxy_port", "databricks.proxy")


def _add_scopes(entry: _Entry) -> None:
    written = entry.get("excluded_scopes")
    if written is None:
        return
    by_name = {scope.value.casefold(): scope.value for scope in Scope}
    names = [name.strip().casefold() for name in re.split(r"[:,\s]+", written) if name.strip()]
    known = [by_name[name] for name in names if name in by_name and name != Scope.AUDIT]
    if known:
        entry.keys["excluded_scopes"] = known
        entry.mapped("excluded_scopes", "excluded_scopes")
    if Scope.AUDIT in names:
        text = "audit can't be excluded, all else reads it; leave out `audit_logs` instead"
        entry.decide("excluded_scopes", text)
    unknown = [name for name in names if name not in by_name]
    if unknown:
        entry.decide("excluded_scopes", f"no scope here: {', '.join(sorted(unknown))}")


def _rendered(path: Path, root: str, entries: Sequence[_Entry]) -> str:
    """The configuration, with what is to be decided above the workspace it belongs to."""
    head = (
        f"# Made of {path.name} by `overwatch config import`; docs/configuration.md explains\n"
        "# every key. Lines that begin with `# Decide:` are open.\n"
    )
    parts = [head, yaml.safe_dump({"storage": {"root": root}}, sort_keys=False), "workspaces:\n"]
    for entry in entries:
        decisions = [note for note in entry.notes if note.fate is Fate.DECIDE]
        parts += [f"  # Decide: {note.column}: {note.text}\n" for note in decisions]
        text = yaml.safe_dump([entry.keys], sort_keys=False, allow_unicode=True, width=2**31)
        parts += [f"  {line}\n" for line in text.splitlines()]
    return "".join(parts)
