"""Pseudonyms: what stands in the place of a value, equal for equal values.

They are made with a key (HMAC-SHA256). Without one, e-mails and addresses could be guessed: there
are so few of them that somebody could hash them all and compare.
"""

import hmac
import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address

import polars as pl
from pydantic import SecretStr

from overwatch_assets.redaction.fingerprints import TAG_BITS, keyed

_TEXT = re.compile(r"text-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes pseudonyms.

    Attributes:
        key: Whoever has it can guess values and compare.
    """

    key: SecretStr

    def of_email(self, email: str) -> str:
        """One pseudonym for all spellings of an e-mail; no address of a mail system."""
        return f"user-{_remembered(self.key, 'email', email.casefold())}@redacted"

    def of_address(self, address: str) -> str:
        """One pseudonym for all spellings of an IP address."""
        return f"ip-{_remembered(self.key, 'address', canonical_address(address))}"

    def of_text(self, text: str) -> str:
        """A pseudonym of a whole text, space around it aside; of a pseudonym itself."""
        return text if _TEXT.fullmatch(text) else f"text-{_hash(self.key, 'text', text.strip())}"

    def of_hashes(self, hashes: pl.Series) -> pl.Series:
        """Hashes of records that nobody can make from guessed values."""
        return keyed(hashes, self._hidden, self.tag)

    @property
    def tag(self) -> int:
        """What tells the key apart from others."""
        return int(_hash(self.key, "key", ""), 16) % (1 << TAG_BITS)

    def _hidden(self, plain: int) -> int:
        return int(_hash(self.key, "fingerprint", str(plain))[:8], 16)


def canonical_address(address: str) -> str:
    """An IP address in its one spelling; an IPv4 address in an IPv6 one is itself."""
    if ":" not in address:
        return ".".join(str(int(part)) for part in address.split("."))
    parsed = IPv6Address(address)
    return str(parsed.ipv4_mapped or parsed)


def _hash(key: SecretStr, kind: str, text: str) -> str:
    content = f"{kind}\x1f{text}".encode(errors="surrogatepass")
    return hmac.digest(key.get_secret_value().encode(), content, "sha256").hex()[:16]


_remembered = lru_cache(maxsize=65_536)(_hash)
"""The same of users and addresses, which stand in many texts each."""
