"""What is switched on and off, clusters and SQL warehouses, and what is particular about each.

Items are whatever tells of one of them: the state that it was in when the day began, events,
its deletion, and signs that it is up. An item has the name of its entity and, all in epoch ms,

- `_at`: when it happened; `_kind` says what it is and comes first of several of one instant;
- `_start`, `state`: the state that it opens; a sign opens none, a deletion the mark of one.

`_span` numbers the states of an entity in order, each with the signs that lie in it.
"""

from dataclasses import dataclass

import polars as pl

from overwatch_assets.expressions.durations import DAY_MS

TERMINATING_IMPUTED = "TERMINATING_IMPUTED"
PERMENANT_DELETE = "PERMENANT_DELETE"

CARRIED, EVENT, DELETION, SIGN = range(4)
"""What an item is; of one instant they follow each other so."""


@dataclass(frozen=True, slots=True)
class ComputeKind:
    """What is particular about a kind of compute.

    Attributes:
        entity: Column that names it.
        resource: Its name among the billable states.
        switched_on: Events that start it.
        switched_off: Events after which it is down, in the order in which they follow each other.
        anchors: Events of which one of unknown past tells that it is up.
        resetting: States after which the uptime since the restart is counted anew.
        stopped: State that a start reveals where it should have stopped before.
        counters: Columns: that the uptime is counted anew, and how often it was.
        sizes: Columns: its size in service, its size wanted, the size an event told last.
        silent_ms: Without a sign for so long it has ended.
        stopped_ms: How long it may be down before it is forgotten.
        grace_ms: Without a sign for so long, what a capture does not show up has ended, and what
            is made for a job's run, with no run on it.
        stopped_automated_ms: How long what is made for a job's run may be down.
    """

    entity: str
    resource: str
    switched_on: tuple[str, ...]
    switched_off: tuple[str, ...]
    anchors: tuple[str, ...]
    resetting: tuple[str, ...]
    stopped: str
    counters: tuple[str, str]
    sizes: tuple[str, str, str]
    silent_ms: int = 90 * DAY_MS
    stopped_ms: int = 30 * DAY_MS
    grace_ms: int = DAY_MS
    stopped_automated_ms: int = 2 * DAY_MS

    @property
    def carried_on(self) -> tuple[str, ...]:
        """What an open state keeps until it ends."""
        return (
            *(self.entity, "state", "seq", "isRunning", "databricks_billable"),
            *self.sizes,
            *self.counters,
        )


def number(value: int) -> pl.Expr:
    """A small number as a column."""
    return pl.lit(value, pl.Int8)


def before(name: str, kind: ComputeKind) -> pl.Expr:
    """A column of the state before."""
    return pl.col(name).shift(1).over(kind.entity)
