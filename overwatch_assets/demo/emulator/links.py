"""Links to content that need no credentials: a signature and an expiry, as clouds' storage has.

Whoever sends credentials along with such a link is refused, as the clouds do it.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import quote, urlencode

SECOND_MS = 1000


class LinkRefused(Exception):
    """A link that opens nothing.

    Attributes:
        status: HTTP status.
        code: Error code of the cloud's storage.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep what the body says."""
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def body(self) -> str:
        """The answer's body, the XML of a cloud's storage."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{self.code}</Code><Message>{self}</Message></Error>"
        )


@dataclass(frozen=True, slots=True)
class Links:
    """Signs paths and knows its signatures again."""

    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def signed(self, base_url: str, path: str, until_ms: int) -> str:
        """Return the address of a path that may be read until an instant, in whole seconds."""
        until_s = str(until_ms // SECOND_MS)
        query = urlencode({"Expires": until_s, "Signature": self._signature(path, until_s)})
        return f"{base_url}{quote(path)}?{query}"

    def check(
        self, path: str, query: Mapping[str, str], authorization: str | None, now_ms: int
    ) -> None:
        """Let a link pass.

        Raises:
            LinkRefused: It was not signed here, has expired, or comes with credentials.
        """
        if authorization:
            told = "Only one auth mechanism allowed"
            raise LinkRefused(HTTPStatus.BAD_REQUEST, "InvalidArgument", told)
        until_s, signature = query.get("Expires", ""), query.get("Signature", "")
        if not hmac.compare_digest(signature.encode(), self._signature(path, until_s).encode()):
            told = "The request signature does not match"
            raise LinkRefused(HTTPStatus.FORBIDDEN, "SignatureDoesNotMatch", told)
        if now_ms >= int(until_s) * SECOND_MS:
            raise LinkRefused(HTTPStatus.FORBIDDEN, "AccessDenied", "Request has expired")

    def _signature(self, path: str, until_s: str) -> str:
        return hmac.new(self._key, f"{path}\n{until_s}".encode(), sha256).hexdigest()
