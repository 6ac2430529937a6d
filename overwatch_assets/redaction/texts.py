"""Texts as they are stored: what is personal or confidential in them replaced.

Doing it twice changes nothing more, so that what is stored and what is read anew can be treated
alike.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from overwatch_assets.module import Content
from overwatch_assets.redaction import addresses, emails, json_entries
from overwatch_assets.redaction.pseudonyms import Pseudonyms
from overwatch_assets.redaction.treatment import Treatment, Treatments

NO_EMAIL, NO_ADDRESS, NO_TEXT = "[email]", "[ip]", "[text]"

_SQL_IN_ERROR = re.compile(r"(== SQL\b[^=\n]{0,80}==).*", re.DOTALL)
_SQL_IN_ERROR_HINT = "== SQL"
_ERROR_CLASS = re.compile(r"\[[A-Z][A-Z0-9_.]*\]")
_RUN = re.compile(r"\brunId\s*=\s*[0-9a-fA-F-]{36}\b")
_OF_BATCH = re.compile(r"\b(?:id|runId)\s*=\s*[0-9a-fA-F-]{36}\b|\bbatch(?:Id)?\s*=\s*\d+")
_MOST_TURNS = 8
_LAST_WORD = re.compile(r"""[^\s"'<>()\[\],;:\\/=?&{}|`]*\Z""")


@dataclass(frozen=True, slots=True)
class Texts:
    """Replaces what is personal or confidential.

    Attributes:
        treatments: What becomes of each kind.
        pseudonyms: Makes what stands in the place of a hashed value.
    """

    treatments: Treatments
    pseudonyms: Pseudonyms

    def hint(self, content: Content | None) -> str | None:
        """What a text looks like that may have to change; blank: any; None: none has to."""
        if self._treatment(content) is not Treatment.KEEP or content is Content.RAW_RECORD:
            return ""
        told = self.treatments
        hints = (
            emails.HINT if told.emails is not Treatment.KEEP else "",
            addresses.HINT if told.ip_addresses is not Treatment.KEEP else "",
            _SQL_IN_ERROR_HINT if told.sql_text is not Treatment.KEEP else "",
            json_entries.HINT if told.sql_or_command is not Treatment.KEEP else "",
        )
        return "|".join(f"(?:{each})" for each in hints if each) or None

    def stored(self, text: str, content: Content | None = None) -> str | None:
        """A text as it is stored; None: nothing stands in its place.

        Args:
            text: The text.
            content: What the column or the entry holds.
        """
        treatment = self._treatment(content)
        match content:
            case Content.SQL_ERROR if treatment is not Treatment.KEEP:
                return self._error(text)
            case Content.RAW_RECORD if treatment is Treatment.KEEP:
                return self._leaf(_without_cut_word(text))
            case Content.USER_AGENT:
                return self._replaced(text, with_versions=True)
            case _ if treatment is Treatment.KEEP:
                return self._leaf(text)
            case _:
                is_batch = content is Content.SQL_OR_COMMAND
                return self._whole(text, treatment, is_batch=is_batch)

    def told(self, text: str) -> str:
        """A text that is no column's, such as a message; what is dropped leaves a mark."""
        is_kept = self.treatments.sql_or_command is Treatment.KEEP
        if is_kept or not json_entries.names_any(text):
            return self._replaced(text)
        return json_entries.rewritten(text, self._in_json, self._replaced)

    def _treatment(self, content: Content | None) -> Treatment:
        """What becomes of a whole text."""
        match content:
            case Content.SQL_TEXT | Content.SQL_ERROR:
                return self.treatments.sql_text
            case Content.COMMAND_TEXT:
                return self.treatments.command_text
            case Content.SQL_OR_COMMAND | Content.RAW_RECORD:
                return self.treatments.sql_or_command
            case _:
                return Treatment.KEEP

    def _whole(self, text: str, treatment: Treatment, *, is_batch: bool) -> str | None:
        """What stands in the place of a text; which micro-batch it speaks of is still told."""
        if not text.strip():
            return text
        kept = _batch(text) if is_batch else ""
        if treatment is Treatment.DROP:
            return kept or None
        beginning = text.removesuffix(f" {kept}") if kept else text
        return f"{self.pseudonyms.of_text(beginning)} {kept}".rstrip()

    def _error(self, text: str) -> str:
        found = _ERROR_CLASS.match(text)
        return NO_TEXT if found is None else f"{found.group()} {NO_TEXT}"

    def _leaf(self, text: str) -> str | None:
        kept = self.told(text)
        return None if kept in (NO_EMAIL, NO_ADDRESS) else kept

    def _in_json(self, text: str, content: Content | None) -> str | None:
        return self.told(text) if content is None else self.stored(text, content)

    def _replaced(self, text: str, *, with_versions: bool = False) -> str:
        """A text without e-mails, addresses and the SQL that Spark's errors repeat.

        Beside a pseudonym may stand what only then looks like an address: `0:1:0:1:0:1:0:f` before
        one. So it is done until nothing changes.
        """
        for _ in range(_MOST_TURNS):
            before, text = text, self._turn(text, with_versions=with_versions)
            if text == before:
                break
        return text

    def _turn(self, text: str, *, with_versions: bool) -> str:
        told = self.treatments
        if told.sql_text is not Treatment.KEEP and _SQL_IN_ERROR_HINT in text:
            text = _SQL_IN_ERROR.sub(rf"\1 {NO_TEXT}", text)
        if told.emails is not Treatment.KEEP:
            of_email = _instead(told.emails, self.pseudonyms.of_email, NO_EMAIL)
            text = emails.replaced(text, of_email)
        if told.ip_addresses is not Treatment.KEEP:
            of_address = _instead(told.ip_addresses, self.pseudonyms.of_address, NO_ADDRESS)
            text = addresses.replaced(text, of_address, with_versions=with_versions)
        return text


def _batch(text: str) -> str:
    """What a description tells of the micro-batch that it belongs to; blank: of none."""
    return " ".join(each.group() for each in _OF_BATCH.finditer(text)) if _RUN.search(text) else ""


def _instead(
    treatment: Treatment, pseudonym: Callable[[str], str], mark: str
) -> Callable[[str], str]:
    return pseudonym if treatment is Treatment.HASH else lambda _value: mark


def _without_cut_word(text: str) -> str:
    """A record's beginning without its last word, which may be the beginning of an e-mail."""
    return _LAST_WORD.sub("", text) if json_entries.begins_like_json(text) else text
