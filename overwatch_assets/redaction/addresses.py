"""IP addresses in texts of any kind."""

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address

HINT = (
    r"\d\.\d{1,3}\.\d{1,3}\.\d"
    r"|(?i:[23f][0-9a-f]{3}:[0-9a-f:]*:|::ffff:|(?:[0-9a-f]{1,4}:){7})"
)
"""What a text with an address has."""

_ESCAPED = r"(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2})"
_V4 = re.compile(rf"(?:(?<![0-9.])|{_ESCAPED})(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}}(?![0-9]|\.[0-9])")
_V6 = re.compile(
    rf"(?:(?<![0-9A-Fa-f:.])|{_ESCAPED})"
    r"(?:[23fF][0-9A-Fa-f]{3}:[0-9A-Fa-f:]*:(?:[0-9A-Fa-f]{1,4})?"
    r"|::[fF]{4}:(?:[0-9]{1,3}\.){3}[0-9]{1,3}"
    r"|(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4})"
    r"(?![0-9A-Fa-f:]|\.[0-9])"
)
_LIKE_V4 = re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]")
_LIKE_V6 = re.compile(r"[23fF][0-9A-Fa-f]{3}:[0-9A-Fa-f:]*:|::[fF]{4}:|(?:[0-9A-Fa-f]{1,4}:){7}")
_PRODUCT = re.compile(r"[A-Za-z]/\Z")
_OF_NOBODY = re.compile(r"127\.|0\.0\.0\.0\Z|255\.255\.255\.255\Z")
_HIGHEST = 255


def replaced(text: str, pseudonym: Callable[[str], str], *, with_versions: bool = False) -> str:
    """The text with something else in the place of every address.

    Addresses of the machine itself (127.0.0.1, ::1) and of none (0.0.0.0) stay.

    Args:
        text: Any text.
        pseudonym: Makes what stands there instead.
        with_versions: What follows a product's name (`Chrome/120.0.0.0`) is no address.
    """

    def of_v4(found: re.Match[str]) -> str:
        address = found.group()
        is_version = with_versions and _PRODUCT.search(text[: found.start()])
        is_address = all(int(part) <= _HIGHEST for part in address.split("."))
        if is_version or not is_address or _OF_NOBODY.match(address):
            return address
        return pseudonym(address)

    def of_v6(found: re.Match[str]) -> str:
        try:
            IPv6Address(found.group())
        except AddressValueError:
            return found.group()
        return pseudonym(found.group())

    # The patterns look behind at every letter: ten times as slow as finding that there is none.
    if _LIKE_V6.search(text):
        text = _V6.sub(of_v6, text)
    return _V4.sub(of_v4, text) if _LIKE_V4.search(text) else text
