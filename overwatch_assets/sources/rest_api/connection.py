"""The way to a workspace over HTTP, with the identity that databricks-sdk works out.

The SDK logs in and renews tokens. Requests are sent from here, because their bytes are wanted as
they are and each is to be sent once: what is tried again is the client's decision.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from threading import Lock
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from overwatch_assets.sources.rest_api.api import Query
from overwatch_assets.sources.rest_api.exchange import Answer, Call, NoAnswer, Unreachable
from overwatch_assets.sources.rest_api.login import PRODUCT, Access, Login

CHUNK_BYTES = 256 * 1024
SLOW_BYTES = 1024 * 1024
SLOW_TIMEOUTS = 10
"""An answer of which `SLOW_BYTES` take longer than so many timeouts has stalled: it comes in
drops, each in time."""

_NEVER_BETTER = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)


class Connection:
    """A way to a workspace; may be used from several threads.

    Args:
        access: How it is reached; followed again for each login, so that a rotated secret works.
    """

    def __init__(self, access: Callable[[], Access]) -> None:
        self._access = access
        self._line: _Line | None = None
        self._lock = Lock()

    @contextmanager
    def send(self, call: Call) -> Generator[Answer]:
        """Ask once.

        Raises:
            NoAnswer: None came.
            Unreachable: None will come.
        """
        line = self._connected()
        with _explained():
            response = line.ask(call)
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            yield Answer(response.status_code, headers, line.body(response))
        finally:
            response.close()

    def renew(self, *, if_changed: bool) -> bool:
        """Log in anew at the next request, with the secrets as they are now.

        Raises:
            ConfigError: A secret is no longer where the configuration says.
        """
        access = self._access()
        with self._lock:
            if if_changed and self._line is not None and self._line.access == access:
                return False
            self._line = None
        return True

    def secrets(self) -> tuple[str, ...]:
        """Secrets and tokens in use."""
        line = self._line
        return () if line is None else line.login.secrets

    def _connected(self) -> "_Line":
        with self._lock:
            if self._line is None:
                self._line = _Line(self._access())
            return self._line


class _Line:
    """Kept connections, with an identity."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.login = Login(access)
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers["User-Agent"] = f"{PRODUCT}/{version(PRODUCT)}"
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=access.parallel_requests)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)

    def ask(self, call: Call) -> requests.Response:
        """The response, its body still to come."""
        headers = {"Accept": "application/json"}
        identity: Mapping[str, str] = {}
        if call.signed_url is None:
            identity = self.login.headers()
        elif not _may_be_followed(call.signed_url, self.access.host):
            message = "only https is followed; nothing was asked"
            raise Unreachable(message)
        if call.offset is not None:
            headers = {"Accept-Encoding": "identity"}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        if call.offset:
            headers["Range"] = f"bytes={call.offset}-"
        return self._session.request(
            call.method,
            call.signed_url or f"{self.access.host}{call.path}",
            params=_texts(call.query),
            data=None if call.body is None else msgspec.json.encode(call.body),
            headers=headers,
            auth=_Headers(identity),
            stream=True,
            allow_redirects=False,
            timeout=self.access.timeout_seconds,
            proxies=self.access.proxies,
            verify=self.access.ca_bundle,
        )

    def body(self, response: requests.Response) -> Iterator[bytes]:
        """The parts of a response, while they keep coming."""
        patience = self.access.timeout_seconds * SLOW_TIMEOUTS
        size, waited = 0, 0.0
        while True:
            begun = time.monotonic()
            with _explained():
                part = response.raw.read1(CHUNK_BYTES, decode_content=True)
            if not part:
                return
            size += len(part)
            waited += time.monotonic() - begun
            if waited > patience * (1 + size // SLOW_BYTES):
                message = f"only {size:,} bytes came in {waited:.0f} s"
                raise NoAnswer(message)
            yield part


class _Headers(AuthBase):
    """Puts headers onto a request; as `auth`, so that no netrc file puts others there."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers.update(self._headers)
        return r


def _may_be_followed(url: str, host: str) -> bool:
    """Whether an address that was handed out is safe; a workspace without TLS may name itself."""
    try:
        address = urlsplit(url)
    except ValueError:
        return False
    return address.scheme == "https" or address[:2] == urlsplit(host)[:2]


def _texts(query: Query | None) -> Mapping[str, str | Sequence[str]] | None:
    """Parameters as Databricks reads them; of several texts the name is repeated."""
    if query is None:
        return None
    return {name: _text(value) for name, value in query.items()}


def _text(value: str | int | bool | Sequence[str]) -> str | Sequence[str]:  # noqa: FBT001  any value
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


@contextmanager
def _explained() -> Generator[None]:
    """Say in few words why no answer came; the libraries' texts name paths and page tokens."""
    try:
        yield
    except _NEVER_BETTER as error:
        message = f"no request could be made ({type(error).__name__}); check `host` and `proxy`"
        raise Unreachable(message) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        text = str(error)
        if "CERTIFICATE_VERIFY_FAILED" in text:
            message = (
                "its certificate is not trusted; name the file of the authority's certificates "
                "in `ca_bundle`"
            )
            raise Unreachable(message) from None
        if "invalid path" in text and "certificate" in text:
            message = "the file that `ca_bundle` names can't be read; check its path"
            raise Unreachable(message) from None
        raise NoAnswer(_in_few_words(error)) from None


def _in_few_words(error: BaseException) -> str:
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer came in time"
    reasons: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            reasons.append(cause.strerror)
        cause = cause.__context__
    return f"the connection failed: {reasons[-1] if reasons else type(error).__name__}"
