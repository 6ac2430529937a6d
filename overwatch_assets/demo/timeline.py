"""Audit actions of several parts of a workspace in one order of time."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from overwatch_assets.demo.world import AuditAction


@dataclass(frozen=True, slots=True)
class Timeline(Sequence[AuditAction]):
    """Actions in the order of time, merged anew on every reading, hence in little memory.

    Its length and the action at a position are found by reading through it.

    Attributes:
        parts: Each in the order of time; may be made as it is read.
        since_ms: What is earlier is left out: the audit log begins here.
        until_ms: What is not earlier is left out.
    """

    parts: tuple[Iterable[AuditAction], ...]
    since_ms: int
    until_ms: int

    def __iter__(self) -> Iterator[AuditAction]:
        """Yield the actions."""
        for action in heapq.merge(*self.parts, key=lambda action: action.at_ms):
            if action.at_ms >= self.until_ms:
                return
            if action.at_ms >= self.since_ms:
                yield action

    def __len__(self) -> int:
        """Count the actions."""
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, index: int) -> AuditAction: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[AuditAction]: ...

    def __getitem__(self, index: int | slice) -> AuditAction | Sequence[AuditAction]:
        """Return the action at a position, or those at some."""
        return tuple(self)[index]


@dataclass(frozen=True, slots=True)
class Replayed:
    """Actions that are made anew on every reading."""

    make: Callable[[], Iterator[AuditAction]]

    def __iter__(self) -> Iterator[AuditAction]:
        """Yield the actions."""
        return self.make()
