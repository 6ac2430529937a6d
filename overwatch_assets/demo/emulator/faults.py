"""Faults that a test switches on: which call fails, and how; and the storm that never ends."""

import threading
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import blake2b

from overwatch_assets.errors import ConfigError


class Fault(StrEnum):
    """A way in which a call goes wrong."""

    THROTTLED = "429 with Retry-After"
    SERVER_ERROR = "500"
    UNAVAILABLE = "503 with Retry-After"
    SLOW = "the answer is late"
    RESET = "the connection is reset before the answer"
    CUT = "the answer's body breaks off"
    INVALID_JSON = "200, and half of the JSON"
    FORBIDDEN = "403 PERMISSION_DENIED"
    BAD_PARAMETER = "400 INVALID_PARAMETER_VALUE"
    REPEATED_PAGE = "the same page comes again, once, behind the next page token"
    TOKEN_EXPIRED = "the page token is refused"  # noqa: S105 - a page token is no secret
    ARROW_CUT = "an Arrow chunk ends in the middle, with a length that fits"


@dataclass(slots=True)
class FaultRule:
    """Which calls go wrong.

    Attributes:
        endpoint: Method and path, with `*` for any text: `GET /api/2.1/clusters/*`.
        calls: Numbers of the calls that fail, of those that the rule fits, from 0; None: all.
        about: Only calls that have this as the value of a parameter, such as a cluster's id.
        workspace_id: Only this workspace's calls.
        seconds: How late a slow answer is.
        retry_after: Seconds of the header `Retry-After`; None: no such header.
        seen: Calls that the rule fits.
        fired: Calls that went wrong because of it.
    """

    fault: Fault
    endpoint: str = "*"
    calls: Container[int] | None = None
    about: str | None = None
    workspace_id: str | None = None
    seconds: float = 0.0
    retry_after: int | None = 1
    seen: int = 0
    fired: int = 0

    def fits(self, endpoint: str, parameters: Mapping[str, object], workspace_id: str) -> bool:
        """Whether the rule speaks of such a call."""
        return (
            fnmatchcase(endpoint, self.endpoint)
            and self.workspace_id in {None, workspace_id}
            and (self.about is None or self.about in map(str, parameters.values()))
            and (self.fault is not Fault.TOKEN_EXPIRED or bool(parameters.get("page_token")))
        )


@dataclass(frozen=True, slots=True)
class Storm:
    """Faults by chance, at every API call; each probability is that of one call.

    A call's fate depends on the seed, on what it asks and on how often that was asked before,
    so that it does not matter in which order several clients ask.
    """

    seed: int = 0
    throttled: float = 0.0
    server_error: float = 0.0
    reset: float = 0.0
    slow: float = 0.0
    slow_seconds: float = 0.05
    retry_after: int = 1

    def rule(self, question: str, attempt: int) -> FaultRule | None:
        """What befalls the `attempt`th time that a question is asked; None: nothing."""
        digest = blake2b(f"{self.seed}/{attempt}/{question}".encode(), digest_size=9).digest()
        chance = int.from_bytes(digest[:8], "big") / 2**64
        which_error = (Fault.SERVER_ERROR, Fault.UNAVAILABLE)[digest[8] % 2]
        for probability, fault in (
            (self.throttled, Fault.THROTTLED),
            (self.server_error, which_error),
            (self.reset, Fault.RESET),
            (self.slow, Fault.SLOW),
        ):
            if chance < probability:
                return FaultRule(fault, seconds=self.slow_seconds, retry_after=self.retry_after)
            chance -= probability
        return None


def parse_storm(text: str) -> Storm:
    """Read a storm such as `throttled=0.05,server_error=0.01,reset=0.005,seed=3`.

    Raises:
        ConfigError: It names something else, or a value is no number in its range.
    """
    values: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        if name not in Storm.__slots__:
            known = ", ".join(Storm.__slots__)
            raise ConfigError(f"faults: {name!r} is none of {known}; write for example reset=0.01")
        try:
            values[name] = float(value)
        except ValueError as error:
            raise ConfigError(f"faults: {part!r}: write a number after the =") from error
        most = 1 if name in _PROBABILITIES else LARGEST
        if not 0 <= values[name] <= most:
            raise ConfigError(f"faults: {part!r}: write a number between 0 and {most}")
    if sum(values.get(name, 0.0) for name in _PROBABILITIES) > 1:
        raise ConfigError(f"faults: the probabilities of {text!r} add up to more than 1")
    return Storm(
        seed=int(values.pop("seed", 0)), retry_after=int(values.pop("retry_after", 1)), **values
    )


LARGEST = 10**9
_PROBABILITIES = ("throttled", "server_error", "reset", "slow")


@dataclass(slots=True)
class Faults:
    """The rules in force; the first that fits a call and fires decides. Any thread may use it."""

    storm: Storm | None = None
    _rules: list[FaultRule] = field(default_factory=list[FaultRule])
    _asked: dict[str, int] = field(default_factory=dict[str, int])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, rule: FaultRule) -> FaultRule:
        """Put a rule into force; what it counts can be read from it."""
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """End every rule and the storm, and forget what was asked."""
        with self._lock:
            self._rules.clear()
            self._asked.clear()
            self.storm = None

    def next(
        self, endpoint: str, parameters: Mapping[str, object], workspace_id: str
    ) -> FaultRule | None:
        """Count a call; returns the rule by which it goes wrong, if it does."""
        with self._lock:
            fitting = [
                rule for rule in self._rules if rule.fits(endpoint, parameters, workspace_id)
            ]
            firing = [rule for rule in fitting if rule.calls is None or rule.seen in rule.calls]
            for rule in fitting:
                rule.seen += 1
            if firing:
                firing[0].fired += 1
                return firing[0]
            if self.storm is None or "/api/" not in endpoint:
                return None
            question = f"{workspace_id} {endpoint} {sorted(parameters.items())}"
            attempt = self._asked.get(question, 0)
            self._asked[question] = attempt + 1
            return self.storm.rule(question, attempt)
