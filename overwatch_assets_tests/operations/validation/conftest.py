from collections.abc import Iterator
from pathlib import Path

import pytest

from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets_tests.demo.emulator.literal import (
    CREDENTIALS,
    NOW_MS,
    ORG,
    OTHER,
    PAT,
    LiteralWorkspace,
)
from overwatch_assets_tests.operations.validation.deployments import TOKEN_VARIABLE, Checked

Account = tuple[Emulator, LiteralWorkspace, LiteralWorkspace]


@pytest.fixture(scope="session")
def account() -> Iterator[Account]:
    """Two workspaces behind one server."""
    here, there = LiteralWorkspace(ORG), LiteralWorkspace(OTHER)
    with Emulator([here, there], CREDENTIALS, clock=Clock(NOW_MS)) as emulator:
        yield emulator, here, there


@pytest.fixture
def emulator(account: Account) -> Iterator[Emulator]:
    """The server without faults, its workspaces empty until a test fills them."""
    server, *workspaces = account
    yield server
    server.faults.clear()
    server.journal.clear()
    server.forget_audit_table()
    for each in workspaces:
        vars(each).update(vars(LiteralWorkspace(each.workspace_id)))


@pytest.fixture
def here(account: Account, emulator: Emulator) -> LiteralWorkspace:
    """The first workspace."""
    del emulator
    return account[1]


@pytest.fixture
def there(account: Account, emulator: Emulator) -> LiteralWorkspace:
    """The other workspace."""
    del emulator
    return account[2]


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    """The secret that the environment holds."""
    monkeypatch.setenv(TOKEN_VARIABLE, PAT)
    return PAT


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    """An empty folder for a deployment."""
    return Checked(tmp_path)
