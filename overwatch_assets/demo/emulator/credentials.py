"""Who may ask: service principals that get bearer tokens (OAuth), and personal access tokens."""

import base64
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from overwatch_assets.demo.emulator.refusals import Refused


@dataclass(frozen=True, slots=True)
class Credentials:
    """The identities that every workspace of the account knows.

    Attributes:
        clients: OAuth secret by client id; the client id is the principal's name.
        tokens: Principal's name by personal access token.
        lifetime_s: Seconds for which a bearer token is good.
        elapsed_s: A clock that only goes on. Lifetimes run by it, not by the emulator's clock,
            for clients look at their own.
    """

    clients: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    tokens: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    lifetime_s: int = 3600
    elapsed_s: Callable[[], float] = time.monotonic


class NotAuthenticated(Exception):
    """The token endpoint's refusal, in the words of OAuth.

    Attributes:
        error: OAuth's error code.
    """

    def __init__(self, status: int, error: str, description: str) -> None:
        """Keep what the body says."""
        super().__init__(description)
        self.status = status
        self.error = error


class Doorkeeper:
    """Hands out and recognises the tokens of one workspace."""

    def __init__(self, credentials: Credentials) -> None:
        """Know the account's identities; no bearer token is out yet."""
        self._credentials = credentials
        self._issued: dict[str, tuple[str, float]] = {}

    def issue(self, authorization: str | None, form: Mapping[str, str]) -> dict[str, object]:
        """Give a client a bearer token, as `/oidc/v1/token` answers.

        Raises:
            NotAuthenticated: Another grant, an unknown client or the wrong secret.
        """
        if form.get("grant_type") != "client_credentials":
            refused = "only the grant client_credentials is emulated"
            raise NotAuthenticated(HTTPStatus.BAD_REQUEST, "unsupported_grant_type", refused)
        client_id, secret = _client(authorization, form)
        known = self._credentials.clients.get(client_id)
        if known is None or not hmac.compare_digest(known.encode(), secret.encode()):
            refused = "Client authentication failed"
            raise NotAuthenticated(HTTPStatus.UNAUTHORIZED, "invalid_client", refused)
        token = secrets.token_urlsafe(32)
        lifetime_s = self._credentials.lifetime_s
        self._issued[token] = client_id, self._credentials.elapsed_s() + lifetime_s
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": lifetime_s,
            "scope": form.get("scope", "all-apis"),
        }

    def principal(self, authorization: str | None) -> str:
        """Name of whoever a request's `Authorization` header belongs to.

        Raises:
            Refused: 401 without credentials, 403 for a token that is unknown or has expired.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            told = "Credential was not sent or was of an unsupported type for this API."
            raise Refused(HTTPStatus.UNAUTHORIZED, HTTPStatus.UNAUTHORIZED.value, told)
        if token in self._credentials.tokens:
            return self._credentials.tokens[token]
        name, until_s = self._issued.get(token, ("", 0.0))
        if not name or until_s <= self._credentials.elapsed_s():
            told = "Token is expired" if name else "Invalid access token."
            raise Refused(HTTPStatus.FORBIDDEN, HTTPStatus.FORBIDDEN.value, told)
        return name


def _client(authorization: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    """Client id and secret, from the header of HTTP basic authentication or from the form."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return "", ""
    client_id, _, secret = text.partition(":")
    return client_id, secret
