"""Writes a first configuration: `overwatch init`.

The primordial date is written out as a day, so that it stays what it is tomorrow.
"""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import Literal
from zoneinfo import ZoneInfo

import yaml

from overwatch_assets.config import DEFAULT_FILE, FILE_VARIABLE, Config, config_of
from overwatch_assets.configuration.document import parse_document
from overwatch_assets.configuration.fields import scheme_of, time_zone_problem
from overwatch_assets.configuration.storage import Provider, provider_of
from overwatch_assets.errors import ConfigError

DAYS_BACK = 60
"""How many days before today the first day is."""

Cloud = Literal["aws", "azure", "gcp"]

_HEAD = """\
# Configuration of overwatch_assets; docs/configuration.md explains every key.
# Relative paths begin in the folder of this file. No secret is written here, only where
# it is found: env:NAME, file:PATH (below secrets_directory) or "{{secrets/scope/key}}".

# Time zone whose midnights divide the days. Frozen once something is loaded.
timezone: """

_STORAGE = """

# Where the tables are written: a folder, s3://bucket/path, gs://bucket/path or
# abfss://container@account.dfs.core.windows.net/path.
storage:
  root: """

_WORK = """

# Folder below which file: references may point; left out: none may.
# secrets_directory: /run/secrets

# What becomes of personal and confidential data before it is stored: keep, hash or drop
# (docs/redaction.md); left out: it is stored as it is.
# redaction:
#   emails: hash
#   ip_addresses: hash
#   sql_text: drop
#   command_text: drop
#   key: env:OVERWATCH_REDACTION_KEY

# Days worked on at once; more are faster and take more memory.
chunk_days: 7
# Processes that read logs; left out: one per CPU.
# workers: 4
# Workspaces that a command loads at once; left out: CPUs and one more, at most four.
# parallel_workspaces: 2

workspaces:
  # The number after o= in the workspace's URL, in quotes so that it stays text.
  - workspace_id: """

_API = """

    # The REST API: clusters, their events, jobs, pools, warehouses. The identity is best a
    # service principal; left out: databricks-sdk looks in the environment and on the machine.
    # databricks:
    #   host: """

_IDENTITY = """
    #   client_id: 8f0c9d1e-0000-4000-8000-1234567890ab
    #   client_secret: env:DATABRICKS_CLIENT_SECRET"""

_HOSTS = {
    "aws": "https://acme.cloud.databricks.com",
    "azure": "https://adb-1234567890123456.7.azuredatabricks.net",
    "gcp": "https://1234567890123456.7.gcp.databricks.com",
}

_AUDIT = """

    # The folder that directly contains the date= folders of the delivered audit logs; or, with
    # `databricks`, sql_warehouse: the id of a SQL warehouse that may read system.access.audit."""

_LOGS = """

    # Spark event logs: folders searched at any depth; from_clusters also searches the log
    # destinations of the clusters that the audit logs name."""

_OPTIONS = {
    Provider.LOCAL: "",
    Provider.S3: """
  # Left out: credentials of the environment or the machine.
  # options:
  #   region: eu-central-1
  #   access_key_id: env:AWS_ACCESS_KEY_ID
  #   secret_access_key: env:AWS_SECRET_ACCESS_KEY""",
    Provider.AZURE: """
  # Left out: credentials of the environment or the machine.
  # options:
  #   tenant_id: env:AZURE_TENANT_ID
  #   client_id: env:AZURE_CLIENT_ID
  #   client_secret: env:AZURE_CLIENT_SECRET""",
    Provider.GCS: """
  # Left out: credentials of the environment or the machine.
  # options:
  #   service_account_key: env:GOOGLE_SERVICE_ACCOUNT_KEY""",
}


@dataclass(frozen=True, slots=True)
class FirstWorkspace:
    """What is written about the first workspace.

    Attributes:
        workspace_id: The number after `o=` in its URL, or any text.
        workspace_name: Its name.
        cloud: Cloud that it runs in.
        audit_path: Folder or URL of its audit logs; None: a commented example is written.
        log_folders: Folders or URLs of Spark event logs; none: a commented example, or
            discovery from clusters where there are audit logs.
    """

    workspace_id: str
    workspace_name: str
    cloud: Cloud = "aws"
    audit_path: str | None = None
    log_folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scaffold:
    """A configuration that was written.

    Attributes:
        path: The file.
        first_day: Its primordial date.
        next_command: What loads the days, once the file is complete.
    """

    path: Path
    first_day: date
    next_command: str


def write_config(
    path: Path,
    workspace: FirstWorkspace,
    *,
    storage_root: str = "overwatch_tables",
    timezone: str = "UTC",
    now: datetime | None = None,
    force: bool = False,
) -> Scaffold:
    """Write a commented configuration that loads; its first day is 60 days ago.

    Args:
        path: The file; folders above it are made.
        workspace: The first workspace.
        storage_root: Where the tables are to be; relative to the current folder, as are the
            workspace's paths.
        timezone: IANA time zone that divides the days.
        now: Present time, aware; None: the clock's.
        force: Replace a file that exists.

    Raises:
        ConfigError: The file exists, a value can't be used, or the file can't be written;
            nothing was written then.
    """
    now = now or datetime.now(UTC)
    first_day = _today(timezone, now) - timedelta(days=DAYS_BACK)
    text = _rendered(path, workspace, storage_root, timezone, first_day)
    config = config_of(parse_document(path, text.encode()), now=now)
    _write(path, text, force=force)
    return Scaffold(path, first_day, _next_command(path, config, now))


def _today(timezone: str, now: datetime) -> date:
    if remedy := time_zone_problem(timezone):
        message = f"timezone {timezone!r} is no IANA time zone. {remedy}"
        raise ConfigError(message)
    return now.astimezone(ZoneInfo(timezone)).date()


def _rendered(
    path: Path, workspace: FirstWorkspace, storage_root: str, timezone: str, first_day: date
) -> str:
    folder = path.absolute().parent
    parts = (
        _HEAD,
        _quoted(timezone),
        _STORAGE,
        _quoted(_moved(storage_root, folder)),
        _OPTIONS[provider_of(storage_root) or Provider.LOCAL],
        _WORK,
        _quoted(workspace.workspace_id),
        f"\n    workspace_name: {_quoted(workspace.workspace_name)}",
        f"\n    cloud: {_quoted(workspace.cloud)}",
        "\n    # First day that is loaded. Frozen once something is loaded.",
        f"\n    primordial_date: {first_day}",
        _API,
        _HOSTS[workspace.cloud],
        _IDENTITY,
        *_audit_logs(workspace, folder),
        *_spark_event_logs(workspace, folder),
        "\n",
    )
    return "".join(parts)


def _audit_logs(workspace: FirstWorkspace, folder: Path) -> tuple[str, ...]:
    if workspace.audit_path is None:
        example = f"s3://acme-audit/workspaceId={workspace.workspace_id}"
        return (_AUDIT, "\n    # audit_logs:", f"\n    #   path: {_quoted(example)}")
    written = _quoted(_moved(workspace.audit_path, folder))
    return (_AUDIT, "\n    audit_logs:", f"\n      path: {written}")


def _spark_event_logs(workspace: FirstWorkspace, folder: Path) -> tuple[str, ...]:
    found = "\n      from_clusters: true" if workspace.audit_path else ""
    if not workspace.log_folders and not found:
        return (_LOGS, "\n    # spark_event_logs:", '\n    #   folders: ["/var/spark-events"]')
    if not workspace.log_folders:
        return (_LOGS, "\n    spark_event_logs:", found)
    listed = (f"\n        - {_quoted(_moved(each, folder))}" for each in workspace.log_folders)
    return (_LOGS, "\n    spark_event_logs:", found, "\n      folders:", *listed)


def _quoted(text: str) -> str:
    return yaml.dump(text, default_style='"', allow_unicode=True, width=2**31).strip()


def _moved(location: str, folder: Path) -> str:
    """A location given in the current folder, as the file's folder sees it."""
    stays = scheme_of(location) or location.startswith(("dbfs:/", "~", "/"))
    return location if stays else os.path.relpath(Path(location).absolute(), folder)


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        taken = "the file exists; write another one, or replace it with --force"
        problem = taken if path.parent.is_dir() else "a folder of that path is a file"
    except OSError as error:
        problem = f"the file can't be written: {error.strerror or type(error).__name__}"
    else:
        return
    message = f"{path}: {problem}"
    raise ConfigError(message)


def _next_command(path: Path, config: Config, now: datetime) -> str:
    """Loads the days from the first to yesterday; a day builds on the days before it."""
    [workspace] = config.workspaces
    is_default = path.absolute() == Path(DEFAULT_FILE).absolute()
    yesterday = config.day_of(now) - timedelta(days=1)
    words = [] if is_default else [f"{FILE_VARIABLE}={quote(str(path))}"]
    words += ["overwatch", "run", "--workspace", quote(workspace.name)]
    words += ["--from", str(workspace.first_day), "--to", str(yesterday)]
    return " ".join(words)
