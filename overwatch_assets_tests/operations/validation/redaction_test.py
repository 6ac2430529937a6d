from pathlib import Path

import pytest

from overwatch_assets.operations.validation.findings import Finding, Verdict
from overwatch_assets.operations.validation.redaction import RULE
from overwatch_assets_tests.operations.validation.deployments import Checked, workspace

KEY = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"


def finding(folder: Path, **redaction: str) -> Finding:
    checked = Checked(folder)
    report = checked.check(checked.config(workspace(), redaction=redaction))
    [found] = [each for each in report.findings if each.rule == RULE]
    return found


def test_what_is_redacted_is_told_and_the_key_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert finding(tmp_path).came_back == "it is stored as it is"
    monkeypatch.setenv("SOME_KEY", KEY)
    found = finding(tmp_path, emails="hash", sql_text="drop", key="env:SOME_KEY")
    assert (found.verdict, found.came_back) == (
        Verdict.OK,
        "emails: hash, ip_addresses: keep, sql_text: drop, command_text: keep, key: env:SOME_KEY",
    )


@pytest.mark.parametrize(
    ("key", "told"), [("", "SOME_KEY is not set"), ("acme-2026", "shorter than 16 letters")]
)
def test_a_key_that_is_not_there_or_can_be_guessed_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, told: str
) -> None:
    monkeypatch.setenv("SOME_KEY", key)
    found = finding(tmp_path, emails="hash", key="env:SOME_KEY")
    assert found.verdict is Verdict.ERROR
    assert told in found.came_back
    assert "acme-2026" not in found.came_back
