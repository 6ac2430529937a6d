"""Secrets in foreign text, found by their shape and struck out.

Answers, error bodies and settings are written by others, and people put tokens and passwords
into them. What names a secret in JSON (`"password": ...`) is `canonical_json`'s business; here is
what shows in the text itself. Striking out never touches quotes or backslashes, so JSON stays
JSON, and doing it twice changes nothing more.
"""

import base64
import re
from collections.abc import Collection
from urllib.parse import quote

import polars as pl

from overwatch_assets.sources.canonical_json import REDACTED

SHORTEST_KNOWN = 6
"""Letters from which on a known secret is looked for: shorter ones occur by chance."""

_VALUE = r"""[^\s"'&;,\\]+"""
_IN_ADDRESS = r'[^/@\s"\\]{0,200}'
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(shape, re.IGNORECASE), kept)
    for shape, kept in (
        (r"\b(?:dapi|dkea|dose)[0-9a-f]{8}[0-9a-z-]*", ""),
        (r"\b(bearer\s+)[\w.~+/=-]+", r"\1"),
        (r"(authorization[\"']?\s*[:=]\s*[\"']?basic\s+)[\w+/=-]+", r"\1"),
        (r"\beyJ[\w-]{8}[\w.=-]*", ""),
        (
            r"((?:[?&]|%3F|%26)(?:sig|signature|token|x-amz-signature|x-goog-signature)(?:=|%3D))"
            + _VALUE,
            r"\1",
        ),
        (
            r"((?:secret|passw(?:or)?d|credential|(?:access|account|api|private)[._-]?key)"
            r"[\w.-]{0,100}=)" + _VALUE,
            r"\1",
        ),
        (rf"((?://|%2F%2F){_IN_ADDRESS}?(?::|%3A)){_IN_ADDRESS}?(?=@|%40)", r"\1"),
        (r'-----BEGIN (?:[^"\\]|\\[^"])*', ""),
    )
)
_HINT = (
    r"(?i)\b(?:dapi|dkea|dose)[0-9a-f]{8}|bearer\s|authorization|\beyJ"
    r"|(?:sig|signature|token)(?:=|%3D)|(?:secret|passw|credential|key)[\w.-]*="
    r"|(?://|%2F%2F)[^/@\s]*(?::|%3A)[^/@\s]*(?:@|%40)|-----BEGIN "
)
_MAY_HOLD = re.compile(_HINT)


def struck_out(text: str, known: Collection[str] = ()) -> str:
    """The text without secrets.

    Args:
        text: Foreign text.
        known: Secrets in use, which have no shape of their own; encoded ones are found too.
    """
    if not known and not _MAY_HOLD.search(text):
        return text
    for secret in sorted({form for each in known for form in _forms(each)}, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    for shape, kept in _SHAPES:
        text = shape.sub(f"{kept}{REDACTED}", text)
    return text


def texts_struck_out(texts: pl.Series) -> pl.Series:
    """A column of texts without secrets; the few that may hold one are looked at one by one."""
    suspected = texts.str.contains(_HINT).fill_null(value=False)
    if not suspected.any():
        return texts
    mended = [struck_out(text) for text in texts.filter(suspected)]
    return texts.scatter(suspected.arg_true(), mended)


def _forms(secret: str) -> list[str]:
    """A secret as it is, as it stands in an address, and in Base64."""
    if len(secret) < SHORTEST_KNOWN:
        return []
    encoded = secret.encode()
    return [
        secret,
        quote(secret, safe=""),
        base64.b64encode(encoded).decode(),
        base64.urlsafe_b64encode(encoded).decode(),
    ]
