"""What becomes of a kind of personal or confidential data before it is stored."""

from dataclasses import dataclass
from enum import StrEnum


class Treatment(StrEnum):
    """What becomes of it."""

    KEEP = "keep"
    HASH = "hash"
    """A pseudonym stands in its place, equal for equal values."""
    DROP = "drop"
    """Nothing stands in its place, or inside a longer text a mark."""


_BY_STRICTNESS = tuple(Treatment)


@dataclass(frozen=True, slots=True)
class Treatments:
    """What becomes of each kind."""

    emails: Treatment = Treatment.KEEP
    ip_addresses: Treatment = Treatment.KEEP
    sql_text: Treatment = Treatment.KEEP
    command_text: Treatment = Treatment.KEEP

    @property
    def sql_or_command(self) -> Treatment:
        """Of what may be either: the stricter of the two."""
        return max(self.sql_text, self.command_text, key=_BY_STRICTNESS.index)
