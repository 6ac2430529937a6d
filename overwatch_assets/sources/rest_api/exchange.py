"""One request and its answer, as they cross the wire; asking again is the client's business."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from overwatch_assets.sources.rest_api.api import Query


class NoAnswer(Exception):
    """This time no usable answer came; the next time one may."""


class Unreachable(Exception):
    """No answer will come as things stand: the text says why, and what to do."""


class LoginRefused(Unreachable):
    """The identity is refused: the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request.

    Attributes:
        path: Below the workspace's address.
        offset: First byte wanted of a file; None: the answer is no file.
        signed_url: Whole address that carries its own signature, in place of path and identity.
    """

    method: str
    path: str
    query: Query | None = None
    body: Mapping[str, object] | None = None
    offset: int | None = None
    signed_url: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        headers: By name in lower case.
        body: Parts of the content; raises `NoAnswer` where it breaks off.
    """

    status: int
    headers: Mapping[str, str]
    body: Iterator[bytes]


class Exchange(Protocol):
    """A way to a workspace, with an identity; may be used from several threads."""

    def send(self, call: Call) -> AbstractContextManager[Answer]:
        """Ask once. The answer's body is read before the context ends.

        Raises:
            NoAnswer: None came.
            Unreachable: None will come.
        """
        ...

    def renew(self, *, if_changed: bool) -> bool:
        """Log in anew, with the secrets as they are now.

        Args:
            if_changed: Only if a secret has become another since.

        Returns:
            Whether asking again may be answered otherwise.

        Raises:
            ConfigError: A secret is no longer where the configuration says.
        """
        ...

    def secrets(self) -> tuple[str, ...]:
        """What must be in no message: secrets and tokens in use."""
        ...
