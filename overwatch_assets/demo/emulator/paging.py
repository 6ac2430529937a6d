"""Pages of a list, with tokens that name the page and not the server's memory.

A token holds what was asked and when: all pages of a list show it as it was at the first
question, and a page that is asked for again is the same page.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from overwatch_assets.demo.emulator.call import Call, Parameters
from overwatch_assets.demo.emulator.faults import Fault
from overwatch_assets.demo.emulator.refusals import invalid
from overwatch_assets.demo.emulator.workspace import Json

SIZES = frozenset({"limit", "page_size", "max_results"})
"""Parameters that may change from page to page."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page; a token is None where there is no such page."""

    items: Sequence[Json]
    next_token: str | None
    previous_token: str | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a list a call stands.

    Attributes:
        call: The call that stands there.
        asked: What the list was first asked for, and this page's size.
        at_ms: When that was.
        offset: Items before the page.
        repeats: How often the page was given before: once at most.
    """

    call: Call
    asked: Parameters
    at_ms: int
    offset: int
    repeats: int = 0

    def page(self, items: Sequence[Json], size: int) -> Page:
        """Cut the page out of the whole list."""
        until = self.offset + size
        following = self._token(until) if until < len(items) else None
        if self.call.fault is Fault.REPEATED_PAGE and not self.repeats:
            following = self._token(self.offset, 1)
        return Page(
            items=items[self.offset : until],
            next_token=following,
            previous_token=self._token(max(0, self.offset - size)) if self.offset else None,
        )

    def _token(self, offset: int, repeats: int = 0) -> str:
        token = _Token(
            endpoint=self.call.endpoint,
            workspace_id=self.call.workspace.workspace_id,
            asked=dict(self.asked.values),
            at_ms=self.at_ms,
            offset=offset,
            repeats=repeats,
        )
        return base64.b64encode(msgspec.json.encode(token)).decode()


class _Token(msgspec.Struct, frozen=True):
    """What a page token holds."""

    endpoint: str
    workspace_id: str
    asked: dict[str, object]
    at_ms: int
    offset: int
    repeats: int


def position(call: Call, *, most_offset: int = 0) -> Position:
    """Where a call stands: at its page token's place, or at the list's begin.

    Args:
        call: Its parameters beside the token must be those of the list's first call, or absent.
        most_offset: Greatest value of the deprecated parameter `offset`, where there is one.

    Raises:
        Refused: The token is none, has expired or belongs to another list.
    """
    text = call.parameters.text("page_token")
    values = {key: value for key, value in call.parameters.values.items() if key != "page_token"}
    if text is None:
        offset = call.parameters.limited("offset", least=0, most=most_offset) or 0
        return Position(call, Parameters(values), call.now_ms, offset)
    if call.fault is Fault.TOKEN_EXPIRED:
        raise invalid("The page token has expired; list from the beginning")
    try:
        token = msgspec.json.decode(base64.b64decode(text, validate=True), type=_Token)
    except (ValueError, msgspec.DecodeError) as error:
        raise invalid("Invalid page token") from error
    if (token.endpoint, token.workspace_id) != (call.endpoint, call.workspace.workspace_id):
        raise invalid("Invalid page token: it belongs to another list")
    for key, value in values.items():
        if key not in SIZES and token.asked.get(key) != value:
            raise invalid(f"{key}: must be as in the request that gave the page token")
    asked = Parameters({**token.asked, **values})
    return Position(call, asked, token.at_ms, token.offset, token.repeats)


def listed(key: str, items: Sequence[Json]) -> Json:
    """An answer that lists; without anything to list its key is absent, as in Databricks'."""
    return {key: items} if items else {}
