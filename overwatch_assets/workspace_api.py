"""The client of a workspace's REST API, made from the configuration.

Here belongs what the configuration says of access to the API. Not here: how it is asked
(`sources/rest_api/`), what it is asked for (`resources.py`).
"""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from overwatch_assets.config import Config, Workspace
from overwatch_assets.configuration.databricks import IDENTITY, Databricks
from overwatch_assets.errors import ConfigError
from overwatch_assets.secrets import SecretReference
from overwatch_assets.sources.rest_api.client import DatabricksApi
from overwatch_assets.sources.rest_api.connection import Connection
from overwatch_assets.sources.rest_api.login import Access
from overwatch_assets.sources.rest_api.pace import Pace, SystemClock


@dataclass(frozen=True, slots=True)
class LogReaderConnection:
    """Makes a client in each process that reads logs; they share the workspace's pace.

    Attributes:
        path: The configuration's file, which with the workspace tells connections apart.
        organization_id: The workspace.
        config: The configuration; secrets are looked up where the client is made.
    """

    path: Path
    organization_id: str
    config: Config = field(compare=False, repr=False)

    def __call__(self) -> DatabricksApi:
        """The client."""
        workspace = self.config.workspace(self.organization_id)
        return api_of(workspace, self.config, sharing=self.config.workers)


def api_of(workspace: Workspace, config: Config, *, sharing: int = 1) -> DatabricksApi:
    """A client; nothing is asked yet.

    Args:
        workspace: Whose API it is.
        config: Where secrets are found.
        sharing: Processes that share the workspace's pace.

    Raises:
        ConfigError: No access is configured.
    """
    settings = workspace.databricks
    named = f"workspace {workspace.name} ({workspace.organization_id})"
    if settings is None:
        message = f"{named} {not_configured('databricks')}"
        raise ConfigError(message)
    return DatabricksApi(
        workspace=named,
        exchange=Connection(partial(access_of, settings, config)),
        pace=Pace(settings.requests_per_second / sharing, SystemClock()),
        retry_seconds=settings.retry_seconds,
    )


def not_configured(key: str) -> str:
    """That a workspace lacks a part of the configuration, and what to do."""
    return f"has no `{key}` configured; add it to the workspace and load again"


def access_of(settings: Databricks, config: Config) -> Access:
    """How a workspace's API is reached, with the secrets as they are now.

    Raises:
        ConfigError: A secret is not where the configuration says.
    """
    secrets = config.secrets()
    resolved: dict[str, str | bool] = {}
    known: list[str] = []
    for name in (*IDENTITY, "proxy"):
        value = getattr(settings, name)
        if isinstance(value, SecretReference):
            value = secrets.resolve(value).get_secret_value()
            known.append(value)
        if value is not None:
            resolved[name] = value
    proxy = resolved.pop("proxy", None)
    return Access(
        host=settings.host,
        identity=resolved,
        timeout_seconds=settings.timeout_seconds,
        parallel_requests=settings.parallel_requests,
        proxy=None if proxy is None else str(proxy),
        ca_bundle=None if settings.ca_bundle is None else str(settings.ca_bundle),
        known=tuple(known),
    )
