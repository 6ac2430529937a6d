"""Texts with a key of the tests."""

from pydantic import SecretStr

from overwatch_assets.redaction.pseudonyms import Pseudonyms
from overwatch_assets.redaction.texts import Texts
from overwatch_assets.redaction.treatment import Treatment, Treatments

KEY = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
HASHED = Treatments(*[Treatment.HASH] * 4)
DROPPED = Treatments(*[Treatment.DROP] * 4)


def texts(treatments: Treatments = HASHED, key: str = KEY) -> Texts:
    return Texts(treatments, Pseudonyms(SecretStr(key)))


def user(email: str, key: str = KEY) -> str:
    return Pseudonyms(SecretStr(key)).of_email(email)


def address(ip: str) -> str:
    return Pseudonyms(SecretStr(KEY)).of_address(ip)


def text(content: str) -> str:
    return Pseudonyms(SecretStr(KEY)).of_text(content)
