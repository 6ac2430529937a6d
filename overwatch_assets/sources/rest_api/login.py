"""Who asks: a login with databricks-sdk, renewed by it when its token expires.

What the SDK sends for a login knows no proxy, certificates or time limit of its own, so those of
the configuration are put around it.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests
from databricks.sdk.config import Config
from databricks.sdk.credentials_provider import (
    CredentialsStrategy,
    OAuthCredentialsProvider,
    OauthCredentialsStrategy,
)
from databricks.sdk.oauth import Refreshable, Token
from google.auth.exceptions import GoogleAuthError

from overwatch_assets.sources.rest_api.exchange import LoginRefused, NoAnswer

PRODUCT = "overwatch-assets"
HEADERS_KEPT_SECONDS = 30.0
"""How long a login's headers are used before the SDK is asked again; it hands out no token that
expires sooner than in 40 s."""

LOGIN_STEP = 0.25
"""Share of the time for a login that one request of it may take: the SDK first looks for what the
host tells of itself, and does without it."""

AZURE_DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
"""Azure's id of Databricks, for which a managed identity gets its token."""

AZURE_METADATA = "http://169.254.169.254/metadata/identity/oauth2/token"
AZURE_METADATA_VERSION = "2018-02-01"

_AUTH_TYPES = {
    "token": "pat",
    "client_id": "oauth-m2m",
    "azure_client_secret": "azure-client-secret",
    "google_service_account": "google-id",
}
_REFUSALS = (
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "access_denied",
    "cannot configure default credentials",
    "more than one authorization method",
    "profile configured",
)
_ENVIRONMENT = threading.Lock()


@dataclass(frozen=True, slots=True)
class Access:
    """How a workspace is reached, with secrets resolved.

    Attributes:
        host: Address of the workspace.
        identity: Settings of databricks-sdk, by its names; the rest it finds in the environment.
        timeout_seconds: Longest silence while an answer is waited for.
        parallel_requests: Connections that are kept.
        proxy: HTTP proxy; None: that of the environment.
        ca_bundle: File of trusted certificates; None: those of the environment.
        known: The secrets in all this, which no message may show.
    """

    host: str
    identity: Mapping[str, str | bool] = field(repr=False)
    timeout_seconds: float = 60.0
    parallel_requests: int = 4
    proxy: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None
    known: tuple[str, ...] = field(default=(), repr=False)

    @property
    def proxies(self) -> dict[str, str] | None:
        """The proxy by scheme; None: that of the environment."""
        return None if self.proxy is None else {"http": self.proxy, "https": self.proxy}


class Login:
    """Headers that say who asks; may be used from several threads."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._config: Config | None = None
        self._headers: Mapping[str, str] = {}
        self._kept_until = float("-inf")
        self._lock = threading.Lock()
        self.secrets = access.known

    def headers(self) -> Mapping[str, str]:
        """The headers of a request.

        Raises:
            NoAnswer: The login failed, and may succeed later.
            LoginRefused: It was refused.
        """
        with self._lock:
            if time.monotonic() >= self._kept_until:
                with _environment_of(self._access):
                    self._headers = _within(self._access.timeout_seconds, self._asked)
                self._kept_until = time.monotonic() + HEADERS_KEPT_SECONDS
                tokens = (value.rpartition(" ")[2] for value in self._headers.values())
                self.secrets = (*self._access.known, *tokens)
            return self._headers

    def _asked(self) -> Mapping[str, str]:
        try:
            if self._config is None:
                self._config = _configured(self._access)
            return self._config.authenticate()
        except (requests.RequestException, OSError, NotImplementedError, GoogleAuthError) as error:
            message = f"the login failed: {type(error).__name__}"
            raise NoAnswer(message) from None
        except ValueError as error:
            text = str(error).partition(". Config: ")[0]
            if any(each in text for each in _REFUSALS):
                message = f"the login was refused: {text}; check the identity under `databricks`"
                raise LoginRefused(message) from None
            message = f"the login failed: {text}"
            raise NoAnswer(message) from None


def _configured(access: Access) -> Config:
    """The SDK's configuration; the identity that is configured goes before the environment's."""
    # At level DEBUG the SDK logs answers, at WARNING the texts of failed logins.
    logging.getLogger("databricks.sdk").setLevel(logging.CRITICAL)
    identity: dict[str, Any] = dict(access.identity)
    strategy: CredentialsStrategy | None = None
    if identity.get("azure_use_msi"):
        strategy = _managed_identity(identity.get("azure_client_id"))
        auth_type = strategy.auth_type()
    else:
        auth_type = next((each for name, each in _AUTH_TYPES.items() if name in identity), None)
    return Config(
        host=access.host,
        auth_type=auth_type,
        credentials_strategy=strategy,
        http_timeout_seconds=access.timeout_seconds * LOGIN_STEP,
        retry_timeout_seconds=1,
        disable_async_token_refresh=True,
        **identity,
    )


class _ManagedIdentity(Refreshable):
    """Tokens of the machine's Azure managed identity, which the SDK has no login for."""

    def __init__(self, client_id: str | None) -> None:
        super().__init__()
        self._client_id = client_id

    def refresh(self) -> Token:
        """A new token."""
        query = {"api-version": AZURE_METADATA_VERSION, "resource": AZURE_DATABRICKS}
        if self._client_id is not None:
            query["client_id"] = self._client_id
        session = requests.Session()
        session.trust_env = False
        with session:
            answer = session.get(
                AZURE_METADATA, params=query, headers={"Metadata": "true"}, timeout=10
            )
        if not answer.ok:
            message = f"Azure's metadata service answered {answer.status_code}"
            raise ValueError(message)
        told = answer.json()
        return Token(
            access_token=told["access_token"],
            token_type=told["token_type"],
            expiry=datetime.now() + timedelta(seconds=int(told["expires_in"])),  # noqa: DTZ005  the SDK compares with local time
        )


def _managed_identity(client_id: str | None) -> CredentialsStrategy:
    tokens = _ManagedIdentity(client_id)

    def headers() -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.token().access_token}"}

    def provider(_config: Config) -> OAuthCredentialsProvider:
        return OAuthCredentialsProvider(headers, tokens.token)

    return OauthCredentialsStrategy("azure-msi", provider)


@contextmanager
def _environment_of(access: Access) -> Generator[None]:
    """Proxy and certificates where the SDK looks for them, while it logs in."""
    settings = {
        name: value
        for name, value in (
            ("HTTPS_PROXY", access.proxy),
            ("HTTP_PROXY", access.proxy),
            ("REQUESTS_CA_BUNDLE", access.ca_bundle),
        )
        if value is not None
    }
    if not settings:
        yield
        return
    with _ENVIRONMENT:
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _within(seconds: float, function: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
    """What a function returns or raises, if it does so in time.

    Raises:
        NoAnswer: It didn't; it is left alone.
    """
    done: list[Mapping[str, str] | BaseException] = []

    def run() -> None:
        try:
            done.append(function())
        except BaseException as error:  # noqa: BLE001  raised below, in the thread that waits
            done.append(error)

    thread = threading.Thread(target=run, name="overwatch-login", daemon=True)
    thread.start()
    thread.join(seconds)
    if not done:
        message = f"the login took longer than {seconds:g} s"
        raise NoAnswer(message)
    [outcome] = done
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
