import pytest

from overwatch_assets.redaction.treatment import Treatment, Treatments
from overwatch_assets_tests.configuration.loading import MINIMAL, loaded, refused

KINDS = ("emails", "ip_addresses", "sql_text", "command_text")


def test_left_out_everything_is_kept() -> None:
    rules = loaded(MINIMAL).redaction
    assert rules.treatments == Treatments()
    assert not rules.is_needed
    assert not loaded(f"{MINIMAL}redaction: {{key: env:KEY}}\n").redaction.is_needed


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_own_setting(kind: str) -> None:
    rules = loaded(f"{MINIMAL}redaction: {{{kind}: Hash, key: env:KEY}}\n").redaction
    told = {each: getattr(rules.treatments, each) for each in KINDS}
    assert told == {**dict.fromkeys(KINDS, Treatment.KEEP), kind: Treatment.HASH}
    assert rules.is_needed
    assert str(rules.key) == "env:KEY"


@pytest.mark.parametrize("treatment", ["hash", "drop"])
@pytest.mark.parametrize("kind", KINDS)
def test_without_a_key_nothing_is_redacted(kind: str, treatment: str) -> None:
    assert refused(f"{MINIMAL}redaction:\n  {kind}: {treatment}\n") == (
        "/etc/overwatch/overwatch.yaml: line 7, redaction: redacts without a `key`, which "
        "pseudonyms and the hashes of events are made with. "
        "Write for example `key: env:OVERWATCH_REDACTION_KEY`."
    )


def test_a_key_is_only_referred_to() -> None:
    message = refused(f"{MINIMAL}redaction: {{emails: hash, key: 0123456789abcdef}}\n")
    assert "redaction.key: must not be written here, only referred to" in message
    assert "0123456789abcdef" not in message


def test_other_words_are_refused() -> None:
    message = refused(f"{MINIMAL}redaction: {{emails: hashed, key: env:KEY}}\n")
    assert "redaction.emails: 'hashed' must be 'keep', 'hash' or 'drop'" in message
    assert "Did you mean hash?" in message
    assert "Did you mean emails?" in refused(f"{MINIMAL}redaction: {{email: hash}}\n")
