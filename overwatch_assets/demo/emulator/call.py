"""A call of the API: what is asked of which workspace, and the endpoints that can answer it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import msgspec
from starlette.responses import Response

from overwatch_assets.demo.emulator.faults import Fault
from overwatch_assets.demo.emulator.refusals import invalid
from overwatch_assets.demo.emulator.workspace import EmulatedWorkspace, Json


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of a call: of the query, of the path, or a JSON body's fields."""

    values: Mapping[str, object]

    def text(self, name: str) -> str | None:
        """A parameter as text; None where it is absent or blank."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, list | dict):
            raise invalid(f"{name}: one value is expected")
        return str(value)

    def required(self, name: str) -> str:
        """A parameter that can't be left out, as text."""
        value = self.text(name)
        if value is None:
            raise invalid(f"Missing required field: {name}")
        return value

    def number(self, name: str) -> int | None:
        """A whole number; None where it is absent."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError as error:
            raise invalid(f"{name}: could not parse {value!r} as a whole number") from error

    def limited(self, name: str, *, least: int, most: int) -> int | None:
        """A whole number in a range; None where it is absent."""
        value = self.number(name)
        if value is not None and not least <= value <= most:
            raise invalid(f"{name}: {value} is not between {least} and {most}")
        return value

    def flag(self, name: str) -> bool:
        """A parameter that is true; absent ones are not."""
        value = (self.text(name) or "false").lower()
        if value not in {"true", "false"}:
            raise invalid(f"{name}: {value!r} is neither true nor false")
        return value == "true"

    def several(self, name: str) -> list[str]:
        """Every value of a parameter that may be repeated."""
        value = self.values.get(name)
        if isinstance(value, list):
            return [str(each) for each in cast("list[object]", value)]
        return [] if value is None or value == "" else [str(value)]

    def objects(self, name: str) -> "list[Parameters]":
        """The objects of a list; none where it is absent."""
        try:
            found = msgspec.convert(self.values.get(name) or [], list[dict[str, object]])
        except msgspec.ValidationError as error:
            raise invalid(f"{name}: a list of objects is expected") from error
        return [Parameters(each) for each in found]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was let in.

    Attributes:
        endpoint: Method and path as asked for.
        base_url: Address that the client used.
        headers: Names in small letters.
        fault: What the endpoint is to do to its answer.
    """

    workspace: EmulatedWorkspace
    now_ms: int
    principal: str
    endpoint: str
    base_url: str
    parameters: Parameters
    headers: Mapping[str, str]
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of the API.

    Attributes:
        path: Starlette's way to write it: `{name}` is one part, `{name:path}` the rest.
        parameters: Names that it knows. Others are refused, for a misspelt one would be lost.
        is_slow: Its work is done beside the server's other work.
    """

    method: str
    path: str
    answer: Callable[[Call], Json | Response]
    parameters: frozenset[str] = frozenset()
    is_slow: bool = False


def get(path: str, answer: Callable[[Call], Json | Response], *parameters: str) -> Endpoint:
    """An endpoint that reads."""
    return Endpoint("GET", path, answer, frozenset(parameters))


def post(path: str, answer: Callable[[Call], Json | Response], *parameters: str) -> Endpoint:
    """An endpoint with a JSON body."""
    return Endpoint("POST", path, answer, frozenset(parameters))
