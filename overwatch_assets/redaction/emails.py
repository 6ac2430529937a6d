"""E-mails in texts of any kind, as they are and as JSON, URLs and paths write them."""

import re
from collections.abc import Callable

HINT = r"@[\w-]*(?:\.|$)|%40|\\u0040"
"""What a text with an e-mail has."""

LONGEST_NAME = 128

_AT = re.compile(r"@|%40|\\u0040")
_NAME = re.compile(r"""\w(?:[^\s"<>()\[\],;:\\/@=?&{}|`%]|%(?![0-9A-Fa-f]{2}))*\Z""")
_DOMAIN = re.compile(r"(?:[\w-]+\.)+(?:xn--[A-Za-z0-9-]+|[^\W\d_]{2,})")
_CUT_DOMAIN = re.compile(r"(?!redacted|ip-[0-9a-f]{16}|v?[0-9])[\w.-]*\Z")
"""What ends a text, which may have been cut off there; `table@v12` is a version."""
_ESCAPED = {
    "\\": re.compile(r"u[0-9A-Fa-f]{4}|[nrtbf]"),
    "%": re.compile(r"[0-9A-Fa-f]{2}"),
}
"""How a name may seem to begin within an escape: what stands before it, and how it begins."""
_CONTAINER = re.compile(r"(?:abfss?|wasbs?)://\Z", re.IGNORECASE)
_NOBODY = re.compile(r"git|redacted|ip-[0-9a-f]{16}", re.IGNORECASE)
"""Names before an @ that are nobody's: `git@github.com:acme/etl.git`, a pseudonym before an @."""


def replaced(text: str, pseudonym: Callable[[str], str]) -> str:
    """The text with something else in the place of every e-mail.

    A container in Azure's storage (`abfss://logs@acme.dfs.core.windows.net`) is none.
    """
    parts: list[str] = []
    done = 0
    for at in _AT.finditer(text):
        if at.start() < done:
            continue
        domain = _domain(text, at.end())
        begin = _begin(text, done, at.start())
        if domain is None or begin is None:
            continue
        name = text[begin : at.start()]
        parts += [text[done:begin], pseudonym(f"{name}@{domain}")]
        done = at.end() + len(domain)
    return "".join([*parts, text[done:]]) if parts else text


def _domain(text: str, begin: int) -> str | None:
    found = _DOMAIN.match(text, begin) or _CUT_DOMAIN.match(text, begin)
    return None if found is None else found.group()


def _begin(text: str, done: int, at: int) -> int | None:
    """Where the name before an @ begins; None: there is none, or it is nobody's."""
    found = _NAME.search(text[max(done, at - LONGEST_NAME) : at])
    if found is None:
        return None
    begin = at - len(found.group())
    if rest := _ESCAPED.get(text[begin - 1 : begin]):
        escaped = rest.match(text, begin, at)
        if escaped and escaped.end() < at:
            begin = escaped.end()
    is_container = text[begin - 1 : begin] == "/" and _CONTAINER.search(text[:begin][-8:])
    return None if is_container or _NOBODY.fullmatch(text, begin, at) else begin
