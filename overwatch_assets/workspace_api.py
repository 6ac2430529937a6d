"""The client of a workspace's REST API, made from the configuration.

Here belongs what the configuration says of access to the API. Not here: how it is asked
(`sources/rest_api/`), what it is asked for (`resources.py`).
"""

import base64
import binascii
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from overwatch_assets.config import Config, Workspace
from overwatch_assets.configuration.databricks import IDENTITY, Databricks
from overwatch_assets.errors import ConfigError
from overwatch_assets.secrets import ScopeReader, SecretReference
from overwatch_assets.sources.rest_api.api import ApiRefused
from overwatch_assets.sources.rest_api.client import DatabricksApi
from overwatch_assets.sources.rest_api.connection import Connection
from overwatch_assets.sources.rest_api.login import Access
from overwatch_assets.sources.rest_api.pace import Pace, SystemClock

SECRETS_GET = "/api/2.0/secrets/get"


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


def scope_reader(config: Config, workspace: Workspace | None = None) -> ScopeReader | None:
    """Reads Databricks secret scopes through a workspace's API.

    Args:
        config: Where access to the API is found.
        workspace: Whose scopes; None: those of the first workspace that can be asked.

    Returns:
        None where there is no API, or access to it would itself be in a scope.
    """
    asked = config.workspaces if workspace is None else (workspace,)
    reached = next((each for each in asked if _can_be_asked(each)), None)
    return None if reached is None else partial(_secret_of, reached, config)


def _can_be_asked(workspace: Workspace) -> bool:
    settings = workspace.databricks
    if settings is None:
        return False
    access = [getattr(settings, name) for name in (*IDENTITY, "proxy")]
    return not any(isinstance(each, SecretReference) and each.is_in_scope for each in access)


def _secret_of(workspace: Workspace, config: Config, scope: str, key: str) -> SecretStr:
    """A secret of a scope; the API gives its bytes in Base64.

    Raises:
        ConfigError: There is no such secret, it may not be read, or it is no text.
        ApiError: The API gave no usable answer.
    """
    named = f"key {key!r} of secret scope {scope!r}"
    try:
        answer = api_of(workspace, config).get(SECRETS_GET, {"scope": scope, "key": key})
    except ApiRefused as error:
        message = f"{named} can't be read: {error}"
        raise ConfigError(message) from error
    try:
        text = base64.b64decode(str(answer.get("value", "")), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    if not text:
        message = f"{named} of workspace {workspace.name} is empty or no text; put the secret there"
        raise ConfigError(message)
    return SecretStr(text)
