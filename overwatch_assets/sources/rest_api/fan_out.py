"""One question per object, several at the same time; a failure is an answer too."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from overwatch_assets.sources.rest_api.api import ApiError, ApiRefused

Object = TypeVar("Object")
Told = TypeVar("Told")

GIVE_UP_AFTER = 2
"""Failures in a row, per thread, after which a workspace counts as down and is asked no more:
each of them was tried for minutes."""


def fan_out(
    ask: Callable[[Object], Told], objects: Sequence[Object], *, threads: int
) -> list[Told | ApiError]:
    """What was told of each object, or why nothing was, in the order of the objects.

    Once the workspace has stopped answering, the rest is not asked and fails likewise. Any error
    that is none of the API's is raised.

    Args:
        ask: Asks for one object.
        objects: What is asked for.
        threads: Questions at the same time.
    """
    asking = _Asking(ask, GIVE_UP_AFTER * threads)
    pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="overwatch-api")
    try:
        return list(pool.map(asking, objects))
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass
class _Asking(Generic[Object, Told]):
    """Asks, and notices when the workspace is down."""

    ask: Callable[[Object], Told]
    give_up_after: int
    _in_a_row: int = 0
    _down: ApiError | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, each: Object) -> Told | ApiError:
        if self._down is not None:
            return self._down
        try:
            told = self.ask(each)
        except ApiRefused as refusal:
            self._answered()
            return refusal
        except ApiError as error:
            self._unanswered(error)
            return error
        self._answered()
        return told

    def _answered(self) -> None:
        with self._lock:
            self._in_a_row = 0

    def _unanswered(self, error: ApiError) -> None:
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row >= self.give_up_after:
                self._down = error
