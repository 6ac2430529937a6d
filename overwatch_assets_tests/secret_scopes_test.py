"""Secrets in Databricks secret scopes, read through the workspace's API."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from overwatch_assets.config import Config
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.errors import ConfigError
from overwatch_assets.operations.validation.references import deployment_secrets, workspace_secrets
from overwatch_assets.resources import location_of
from overwatch_assets.workspace_api import scope_reader
from overwatch_assets_tests.configuration.loading import loaded
from overwatch_assets_tests.demo.emulator.literal import (
    CREDENTIALS,
    NOW_MS,
    ORG,
    OTHER,
    PAT,
    LiteralWorkspace,
)

LAKE = "{{secrets/lake/key}}"


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    monkeypatch.setenv("OVERWATCH_TEST_TOKEN", PAT)
    here = LiteralWorkspace(ORG, secrets_given={("lake", "key"): "sesame-of-here"})
    there = LiteralWorkspace(OTHER, secrets_given={("lake", "key"): "sesame-of-there"})
    with Emulator([here, there], CREDENTIALS, clock=Clock(NOW_MS)) as running:
        yield running


def config_of(emulator: Emulator, token: str = "env:OVERWATCH_TEST_TOKEN") -> Config:  # noqa: S107
    options = f"options: {{region: eu-west-1, access_key_id: a, secret_access_key: '{LAKE}'}}"
    workspaces = "".join(
        f"""
  - workspace_id: "{org}"
    workspace_name: of {org}
    cloud: aws
    primordial_date: 2026-10-01
    databricks: {{host: "{emulator.address(org)}", token: "{token}", retry_seconds: 1}}
    source_storage: [{{root: s3://logs-{org}, {options}}}]"""
        for org in (ORG, OTHER)
    )
    text = f"storage: {{root: s3://tables, {options}}}\nworkspaces:{workspaces}\n"
    return loaded(text, now=datetime.fromtimestamp(NOW_MS / 1000, UTC))


def secret_of(config: Config, org: str | None) -> str:
    workspace = None if org is None else config.workspace(org)
    reader = scope_reader(config, workspace)
    assert reader is not None
    return reader("lake", "key").get_secret_value()


def test_each_workspace_has_its_own_scopes_and_the_tables_those_of_the_first(
    emulator: Emulator,
) -> None:
    config = config_of(emulator)
    assert secret_of(config, ORG) == secret_of(config, None) == "sesame-of-here"
    assert secret_of(config, OTHER) == "sesame-of-there"
    assert deployment_secrets(config).known == {"sesame-of-here"}
    found = workspace_secrets(config, config.workspace(OTHER))
    assert found.known == {PAT, "sesame-of-there"}
    assert not found.finding.is_failed


def test_a_storage_gets_the_secret_and_shows_it_nowhere(emulator: Emulator) -> None:
    config = config_of(emulator)
    [storage] = config.workspace(OTHER).source_storage
    location = location_of(storage, config, workspace=config.workspace(OTHER))
    assert location.delta_options is not None
    assert "sesame-of-there" in location.delta_options.values()
    assert "sesame" not in repr(location)


def test_a_secret_that_is_not_there_is_told_with_scope_key_and_workspace(
    emulator: Emulator,
) -> None:
    reader = scope_reader(config_of(emulator))
    assert reader is not None
    with pytest.raises(
        ConfigError, match=r"key 'door' of secret scope 'lake' can't be read: .*404"
    ):
        reader("lake", "door")


def test_access_to_the_api_is_not_looked_for_behind_the_api(emulator: Emulator) -> None:
    config = config_of(emulator, "{{secrets/lake/token}}")
    assert scope_reader(config) is None
    found = workspace_secrets(config, config.workspace(ORG)).finding
    assert found.is_failed
    assert "would need a scope itself; use env:NAME or file:PATH here" in found.came_back


def test_a_secret_is_followed_anew_at_each_use(emulator: Emulator) -> None:
    reader = scope_reader(config_of(emulator))
    assert reader is not None
    assert reader("lake", "key") == SecretStr("sesame-of-here")
    asked = emulator.journal.requests("GET /api/2.0/secrets/get")
    reader("lake", "key")
    assert len(emulator.journal.requests("GET /api/2.0/secrets/get")) == len(asked) + 1
