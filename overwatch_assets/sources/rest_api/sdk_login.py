"""What databricks-sdk makes of a workspace's identity. Importing it takes long."""

import logging
from collections.abc import Mapping
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
from overwatch_assets.sources.rest_api.login import Access

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


class SdkLogin:
    """The SDK's login to a workspace; made when it is first asked."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._config: Config | None = None

    def headers(self) -> Mapping[str, str]:
        """The headers of a request.

        Raises:
            NoAnswer: The login failed, and may succeed later.
            LoginRefused: It was refused.
        """
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
