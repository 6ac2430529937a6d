"""What sources need of a workspace's REST API, and how it says no.

Answers are JSON as the API sends it. Whoever implements this authenticates, keeps the rate
limit and tries again; what comes out of it as an error is meant.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from overwatch_assets.errors import SourceError

Json = dict[str, object]
Query = Mapping[str, str | int | bool | Sequence[str]]
"""Parameters of an address; one of several texts is repeated."""


class ApiError(SourceError):
    """The API gave no usable answer, though it was asked again: names endpoint and workspace."""


class NotAdmitted(ApiError):
    """The identity was refused when it logged in; nothing was asked."""


class ApiRefused(ApiError):
    """The API answered no, and would again.

    Attributes:
        status: HTTP status.
        code: Databricks' `error_code`; blank: none.
        said: Databricks' `message`, without secrets.
        is_missing: What was asked for does not exist (any more).
    """

    def __init__(
        self, message: str, *, status: int, code: str, said: str, is_missing: bool
    ) -> None:
        """Keep what was answered beside the message for people."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.said = said
        self.is_missing = is_missing


class Api(Protocol):
    """The API of one workspace; may be used from several threads."""

    def get(self, path: str, query: Query | None = None) -> Json:
        """GET a path such as `/api/2.1/clusters/list`.

        Raises:
            ApiRefused: A status that asking again won't change.
            ApiError: No answer, or none that is JSON, after every retry.
        """
        ...

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        """POST a JSON body; only for calls that read and may be repeated.

        Raises:
            ApiRefused: A status that asking again won't change.
            ApiError: No answer, or none that is JSON, after every retry.
        """
        ...

    def download(self, path: str) -> Iterator[bytes]:
        """GET a path whose answer is a file, in chunks.

        Raises:
            ApiRefused: A status that asking again won't change.
            ApiError: It broke off and could not be resumed.
        """
        ...

    def fetch(self, url: str) -> bytes:
        """GET a signed address that the API has handed out, without any credentials.

        Raises:
            ApiRefused: A status that asking again won't change, such as an expired signature.
            ApiError: No answer after every retry, or no address that may be followed.
        """
        ...
