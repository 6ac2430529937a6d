"""Who asks: a login with databricks-sdk, renewed by it when its token expires.

What the SDK sends for a login knows no proxy, certificates or time limit of its own, so those of
the configuration are put around it.
"""

import os
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from overwatch_assets.sources.rest_api.exchange import NoAnswer

PRODUCT = "overwatch-assets"
HEADERS_KEPT_SECONDS = 30.0
"""How long a login's headers are used before the SDK is asked again; it hands out no token that
expires sooner than in 40 s."""

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
        self._asked: Callable[[], Mapping[str, str]] | None = None
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
                if self._asked is None:
                    # The SDK is a third of all that a command imports, and most ask nothing.
                    from overwatch_assets.sources.rest_api.sdk_login import (  # noqa: PLC0415
                        SdkLogin,
                    )

                    self._asked = SdkLogin(self._access).headers
                with _environment_of(self._access):
                    self._headers = _within(self._access.timeout_seconds, self._asked)
                self._kept_until = time.monotonic() + HEADERS_KEPT_SECONDS
                tokens = (value.rpartition(" ")[2] for value in self._headers.values())
                self.secrets = (*self._access.known, *tokens)
            return self._headers


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
