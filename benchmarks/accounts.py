"""Where a run's CPU goes: each part of the program that is followed counts what it alone took."""

import functools
import os
import resource
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLE_S = 0.02
STATM = Path("/proc/self/statm")
REST = "the rest"


@dataclass(slots=True)
class Account:
    """What a part took, without the parts that it called.

    Attributes:
        cpu_s: User and system seconds of the process, its threads, and its children that ended.
        wall_s: Seconds that passed.
        peak_bytes: Largest resident set size of the process meanwhile; 0: no sample fell into it.
    """

    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_bytes: int = 0


class Accounts:
    """Accounts by part; the CPU taken before it was made belongs to the part named first.

    Only one thread at a time may be in followed parts; what others take meanwhile counts there.
    """

    def __init__(self, before: str) -> None:
        self._accounts: dict[str, Account] = {}
        self._parts = [before]
        self._cpu_s = self._wall_s = 0.0
        self._settle()
        self._accounts[before].wall_s = 0.0
        self._parts = [REST]
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def close(self) -> dict[str, Account]:
        """End the counting."""
        self._settle()
        self._ended.set()
        self._sampler.join()
        return self._accounts

    def follow(self, owner: object, name: str, part: Callable[..., str]) -> None:
        """Count what a function takes, wherever it is called from.

        Args:
            owner: Module or class that has it.
            name: Its name there.
            part: Names the part, of the function's arguments.
        """
        function: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(function)
        def counted(*given: Any, **named: Any) -> Any:
            with self.part(part(*given, **named)):
                return function(*given, **named)

        setattr(owner, name, counted)

    @contextmanager
    def part(self, name: str) -> Generator[None]:
        """Count what is done inside, without parts inside of it."""
        self._settle()
        self._parts.append(name)
        try:
            yield
        finally:
            self._settle()
            self._parts.pop()

    def _settle(self) -> None:
        """Give the time since the last change of parts to the part at work."""
        cpu_s, wall_s = _cpu_s(), time.perf_counter()
        account = self._accounts.setdefault(self._parts[-1], Account())
        account.cpu_s += cpu_s - self._cpu_s
        account.wall_s += wall_s - self._wall_s
        self._cpu_s, self._wall_s = cpu_s, wall_s

    def _sample(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._ended.wait(SAMPLE_S):
            resident = int(STATM.read_bytes().split()[1]) * page
            account = self._accounts.get(self._parts[-1])
            if account is not None:
                account.peak_bytes = max(account.peak_bytes, resident)


def _cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)
