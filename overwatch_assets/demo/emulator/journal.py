"""What the emulator was asked: for tests, and never holding a secret."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from overwatch_assets.demo.emulator.faults import Fault

TOLD = frozenset(
    {
        "chunk",
        "cluster_id",
        "end_time",
        "job_id",
        "key",
        "length",
        "limit",
        "max_results",
        "offset",
        "page_size",
        "page_token",
        "path",
        "run_id",
        "scope",
        "start_time",
        "start_time_from",
        "start_time_to",
        "statement_id",
        "warehouse_id",
    }
)
"""Parameters that the journal keeps; what a statement says, or a signature, is left out."""


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request.

    Attributes:
        number: From 0, over all workspaces.
        at_ms: By the emulator's clock.
        endpoint: Method and path.
        parameters: Those of `TOLD`.
        principal: Who asked; None: nobody that the emulator knows.
        status: Of the answer; None: it got none.
        fault: What was done to it.
    """

    number: int
    at_ms: int
    workspace_id: str
    endpoint: str
    parameters: Mapping[str, object]
    principal: str | None
    status: int | None
    fault: Fault | None

    @property
    def page_token(self) -> str | None:
        """Page that was asked for; None: the first, or the endpoint has no pages."""
        token = self.parameters.get("page_token")
        return str(token) if token else None


@dataclass(slots=True)
class Journal:
    """Requests in the order of their answers; any thread may read it."""

    _requests: list[SeenRequest] = field(default_factory=list[SeenRequest])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, request: SeenRequest) -> None:
        """Add a request that was answered."""
        with self._lock:
            self._requests.append(request)

    def requests(self, endpoint: str = "*") -> list[SeenRequest]:
        """Requests whose method and path fit, `*` for any text."""
        with self._lock:
            return [each for each in self._requests if fnmatchcase(each.endpoint, endpoint)]

    def clear(self) -> None:
        """Forget what was asked."""
        with self._lock:
            self._requests.clear()
