"""What is wrong with a configuration, and how it is told: key, line, value and remedy."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic_core import PydanticCustomError

from overwatch_assets.errors import ConfigError
from overwatch_assets.secrets import looks_secret

KeyPath = tuple[str | int, ...]

OWN_PROBLEM = "overwatch"
"""Type of the errors that this package's validators raise."""

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    Attributes:
        key: Path of the key; empty: the file as a whole.
        line: Line of the key, from 1; None: unknown.
        what: What is wrong, without the value.
        remedy: What to write or do instead.
        value: The value as it may be shown; empty: nothing may or can be.
    """

    key: KeyPath
    line: int | None
    what: str
    remedy: str
    value: str = ""

    def __str__(self) -> str:
        place = [f"line {self.line}"] if self.line else []
        place += [key_text(self.key)] if self.key else []
        where = f"{', '.join(place)}: " if place else ""
        value = f"{self.value} " if self.value else ""
        return f"{where}{value}{self.what}. {self.remedy}"


def key_text(key: KeyPath) -> str:
    """A path as people write it: `workspaces[1].primordial_date`, counted from 0."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{_name_text(part)}" for part in key)
    return "".join(parts).removeprefix(".")


def _name_text(name: str) -> str:
    return "***" if looks_secret(name) or not name.isprintable() else name[:_LONGEST_NAME]


def refusal(what: str, remedy: str) -> PydanticCustomError:
    """The error of a validator; neither text may hold the refused value."""
    return PydanticCustomError(OWN_PROBLEM, "{what}", {"what": what, "remedy": remedy})


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name that was probably meant."""
    by_folded = {each.casefold(): each for each in known}
    matches = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def config_error(path: Path, problems: Sequence[Problem]) -> ConfigError:
    """All problems of a file in one error, in the order of its lines."""
    ordered = sorted(problems, key=lambda problem: problem.line or 0)
    if len(ordered) == 1:
        return ConfigError(f"{path}: {ordered[0]}")
    listed = "".join(f"\n  {problem}" for problem in ordered)
    return ConfigError(f"{path} has {len(ordered)} problems:{listed}")
