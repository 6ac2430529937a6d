"""What holds SQL and command text, by name, in JSON and elsewhere; JSON text, leaf by leaf."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import cast

import msgspec

from overwatch_assets.module import Content
from overwatch_assets.sources.canonical_json import MAX_DEPTH, TooDeep

_NAMED: Mapping[Content, tuple[str, ...]] = {
    Content.SQL_TEXT: (
        "query",
        "query_text",
        "raw_sql",
        "routine_definition",
        "sql",
        "sql_query",
        "sql_statement",
        "sql_text",
        "statement",
        "statement_text",
        "view_definition",
        "physical_plan_description",
    ),
    Content.COMMAND_TEXT: ("command", "command_text", "commands", "script"),
}
_CONTENTS = {name.replace("_", ""): content for content, names in _NAMED.items() for name in names}
_ALL = "|".join(sorted(each.replace("_", "_?") for names in _NAMED.values() for each in names))

HINT = rf'(?i:"(?:{_ALL})\\*"\s*:)'
"""What JSON text has that names one of them."""

LEFT_OUT = "[text]"
"""What stands in the place of a name of which nothing may be left, and of what is cut off."""

_BEGINNING = re.compile(r"\s*(?:\{|\[(?!(?:email|ip|text)\]))")
_ENTRY = re.compile(HINT)
_OF_WAREHOUSES = frozenset({"warehouseid", "endpointid"})

OfLeaf = Callable[[str, Content | None], str | None]

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """A name as it is looked up: `queryText`, `query_text` and `QUERY.TEXT` are one."""
    return re.sub(r"[_.\-]", "", name).lower()


def content_of(name: str) -> Content | None:
    """What an entry of a name holds."""
    return _CONTENTS.get(plain_name(name))


def begins_like_json(text: str) -> bool:
    """Whether a text begins like an object or an array; a mark of redaction is none."""
    return _BEGINNING.match(text) is not None


def names_any(text: str) -> bool:
    """Whether a text begins like JSON and has an entry of SQL or command text."""
    return begins_like_json(text) and _ENTRY.search(text) is not None


def rewritten(
    text: str,
    of_leaf: OfLeaf,
    of_broken: Callable[[str], str],
) -> str:
    """JSON text with something else in the place of its texts; no JSON is cut.

    Args:
        text: JSON text with such an entry.
        of_leaf: From a text and what its name says that it holds to what stands there instead;
            None: the entry is left out, in a list a null stands there.
        of_broken: The same for the part of a text that can't be decoded, up to where the first
            entry of SQL or command text begins.
    """
    try:
        return _encode(_written(_decode(text), of_leaf)).decode()
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TooDeep):
        found = _ENTRY.search(text)
        return of_broken(text) if found is None else f"{of_broken(text[: found.end()])}{LEFT_OUT}"


def _written(
    value: object, of_leaf: OfLeaf, depth: int = 0, content: Content | None = None
) -> object:
    if depth > MAX_DEPTH:
        raise TooDeep
    match value:
        case str():
            return of_leaf(value, content)
        case list():
            listed = cast("list[object]", value)
            return [_written(each, of_leaf, depth + 1, content) for each in listed]
        case dict():
            return _entries(cast("dict[str, object]", value), of_leaf, depth)
        case _:
            return value


def _entries(value: Mapping[str, object], of_leaf: OfLeaf, depth: int) -> Mapping[str, object]:
    written: dict[str, object] = {}
    contents = _contents(value)
    for name, each in value.items():
        content = contents.get(name)
        told = of_leaf(name, None) or LEFT_OUT
        if not isinstance(each, str):
            written[told] = _written(each, of_leaf, depth + 1, content)
        elif (found := of_leaf(each, content)) is not None:
            written[told] = found
    return written


def _contents(value: Mapping[str, object]) -> Mapping[str, Content]:
    """What an object's entries hold. A command to a SQL warehouse, or in SQL, is SQL text."""
    contents = {name: found for name in value if (found := content_of(name))}
    names = {plain_name(name): name for name in value}
    if not contents or "commandtext" not in names:
        return contents
    language = value.get(names.get("commandlanguage", ""))
    if _OF_WAREHOUSES & names.keys():
        contents[names["commandtext"]] = Content.SQL_TEXT
    elif isinstance(language, str) and language.lower() == "sql":
        contents[names["commandtext"]] = Content.SQL_OR_COMMAND
    return contents
