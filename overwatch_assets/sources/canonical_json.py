"""One text for one JSON value, whichever route it came by; secrets are struck out.

The same request parameters arrive as numbers or as text, as objects or as text that holds an
object, with keys in any order. Two deliveries of one event are only seen to be one when both
are written the same way.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import cast

import msgspec

MAX_DEPTH = 100
"""Levels of nesting that are canonicalised: below what any interpreter's stack allows."""

LONGEST_NAME = 100

REDACTED = "[REDACTED]"

_WORDS = (
    r"(?:token|secret|passw(?:or)?d|credential|shared_?access|(?:string|bytes)_value"
    r"|(?:access|account|api|private|encryption)[._-]?key)"
)
_SECRET_KEY = re.compile(_WORDS, re.IGNORECASE)
_SECRET_ENTRY = re.compile(_WORDS + r"""[^"'\\:]*\\*["']?\s*:\s*""", re.IGNORECASE)

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="sorted").encode


class TooDeep(ValueError):
    """A value is nested deeper than `MAX_DEPTH`."""


def canonical_params(params: Mapping[str, object]) -> str | None:
    """Request parameters as JSON text: one object whose values are all text.

    Keys are sorted, null and blank entries left out, objects and arrays (also those that come
    as text) are compact JSON text with each leaf as text, and secrets are struck out. None
    when nothing is left: absent, null and blank are the same.

    Raises:
        TooDeep: A parameter is nested too deeply.
    """
    texts = {key: _param_text(key, value) for key, value in params.items()}
    kept = {key: text for key, text in texts.items() if text is not None and text.strip()}
    return _encode(kept).decode() if kept else None


def as_object(value: object) -> Mapping[str, object] | None:
    """The value as a JSON object, if it is one or is text that holds one."""
    found = _parsed(value) if isinstance(value, str) else value
    return cast("Mapping[str, object]", found) if isinstance(found, dict) else None


def scalar_text(value: object) -> str | None:
    """A scalar as JSON writes it, text without quotes; None for null, objects and arrays."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case _:
            return None


def compact_text(value: object) -> str | None:
    """A value as text: text as it is, anything else as compact JSON; secrets are struck out."""
    if value is None:
        return None
    text = value if isinstance(value, str) else _encode(value).decode()
    if not _SECRET_KEY.search(text):
        return text
    found = _parsed(text)
    return without_secrets(text) if found is None else _encode(_redacted(found, 0)).decode()


def without_secrets(text: str) -> str:
    """Text that may be broken JSON, cut where the value of a secret-like key begins."""
    found = _SECRET_ENTRY.search(text)
    return text if found is None else text[: found.end()] + REDACTED


def without_secret_entries(value: object) -> object:
    """The value with the values of secret-like keys struck out, else as it is.

    Raises:
        TooDeep: It is nested too deeply.
    """
    return _redacted(value, 0)


def is_secret_key(key: str) -> bool:
    """Whether a key names a secret; long ones are foreign text and not remembered."""
    return _is_secret_name(key) if len(key) <= LONGEST_NAME else bool(_SECRET_KEY.search(key))


@lru_cache(maxsize=4096)
def _is_secret_name(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None


def _param_text(key: str, value: object) -> str | None:
    if value is None or value == "":
        return None
    if is_secret_key(key):
        return REDACTED
    if isinstance(value, str):
        return _canonical_text(value)
    if isinstance(value, dict | list):
        return _encode(_leaves(cast("object", value), 0)).decode()
    return scalar_text(value)


def _canonical_text(text: str) -> str:
    found = _parsed(text)
    if found is not None:
        try:
            return _encode(_leaves(found, 0)).decode()
        except TooDeep:
            return without_secrets(text)
    return without_secrets(text) if text.lstrip()[:1] in ("{", "[") else text


def _parsed(text: str) -> object:
    """The object or array that a text holds; None if it holds none."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _leaves(value: object, depth: int) -> object:
    """The value with each leaf as text, without null entries and secrets."""
    if depth > MAX_DEPTH:
        raise TooDeep
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        return {
            key: REDACTED if is_secret_key(key) else _leaves(each, depth + 1)
            for key, each in entries.items()
            if each is not None
        }
    if isinstance(value, list):
        return [_leaves(each, depth + 1) for each in cast("list[object]", value)]
    return scalar_text(value)


def _redacted(value: object, depth: int) -> object:
    """The value without secrets, else as it is."""
    if depth > MAX_DEPTH:
        raise TooDeep
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        return {
            key: REDACTED if each is not None and is_secret_key(key) else _redacted(each, depth + 1)
            for key, each in entries.items()
        }
    if isinstance(value, list):
        return [_redacted(each, depth + 1) for each in cast("list[object]", value)]
    return value
