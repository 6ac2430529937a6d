"""How fast a workspace is asked: one pace for all threads and tables of the process."""

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol


class Clock(Protocol):
    """Tells and passes the time, in seconds from any beginning."""

    def now(self) -> float:
        """The present."""
        ...

    def sleep_until(self, instant: float) -> None:
        """Return when the instant has come."""
        ...


class SystemClock:
    """The machine's clock, which nobody sets back."""

    def now(self) -> float:
        """Seconds since the machine started."""
        return time.monotonic()

    def sleep_until(self, instant: float) -> None:
        """Sleep, if the instant is still to come."""
        left = instant - time.monotonic()
        if left > 0:
            time.sleep(left)


@dataclass
class Pace:
    """Gives each request its turn, evenly spaced.

    Attributes:
        per_second: Most requests in a second.
        clock: What turns are measured with.
    """

    per_second: float
    clock: Clock
    _next: float = field(default=float("-inf"), init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def wait_turn(self) -> None:
        """Return when it is the caller's turn."""
        with self._lock:
            turn = max(self.clock.now(), self._next)
            self._next = turn + 1 / self.per_second
        self.clock.sleep_until(turn)

    def hold(self, until: float) -> None:
        """Give no turn before an instant: the workspace asked for a pause."""
        with self._lock:
            self._next = max(self._next, until)
