"""What is wrong with price files, and how it is told: file, line, key, what and the remedy."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from overwatch_assets.errors import ConfigError
from overwatch_assets.secrets import looks_secret

MOST_TOLD = 200
"""Problems of one kind that are told one by one; of the rest only how many there are."""

_LONGEST_VALUE = 60

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend, or to know.

    Attributes:
        place: File or Delta table; for a figure of no file, what it is of.
        line: Line in the file, from 1; None: the file as a whole, or a row of a Delta table.
        key: Node type, sku or size in question; blank: none.
        what: What is wrong.
        remedy: What to write or do instead.
        is_warning: The figures can be used as they are.
    """

    place: str
    line: int | None
    key: str
    what: str
    remedy: str
    is_warning: bool = False

    def __str__(self) -> str:
        where = self.place if self.line is None else f"{self.place}, line {self.line}"
        key = f" {self.key}:" if self.key else ""
        end = "" if self.remedy.endswith("?") else "."
        return f"{where}:{key} {self.what}. {self.remedy}{end}"


def shown(value: str) -> str:
    """A value as a message may repeat it: in quotes, cut, and no secret."""
    if looks_secret(value):
        return "a value"
    cut = value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}..."
    return repr(cut)


def shown_key(key: str | None) -> str:
    """A key as a message may repeat it: as it is, where that is short, plain and no secret."""
    if not key:
        return ""
    is_plain = key.isprintable() and len(key) <= _LONGEST_VALUE and not looks_secret(key)
    return key if is_plain else shown(key)


def told(
    place: str, found: Iterable[T], count: int, problem: Callable[[T], Problem]
) -> Iterator[Problem]:
    """A problem per thing found; of very many, how many more there are."""
    last = None
    for last in map(problem, itertools.islice(found, MOST_TOLD)):
        yield last
    if last is not None and count > MOST_TOLD:
        what = f"there are {count - MOST_TOLD:,} more problems like the last"
        remedy = "Mend the first ones, then check again"
        yield Problem(place, None, "", what, remedy, last.is_warning)


def errors_of(problems: Iterable[Problem]) -> list[Problem]:
    """Those with which the figures can't be used."""
    return [each for each in problems if not each.is_warning]


def price_error(problems: Sequence[Problem]) -> ConfigError:
    """All problems in one error."""
    if len(problems) == 1:
        return ConfigError(str(problems[0]))
    listed = "".join(f"\n  {each}" for each in problems)
    command = "`overwatch prices --check` lists them"
    return ConfigError(f"the price files have {len(problems)} problems; {command}:{listed}")
