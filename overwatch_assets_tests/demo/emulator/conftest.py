from collections.abc import Iterator

import pytest

from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.demo.emulator.statements import StatementOptions
from overwatch_assets_tests.demo.emulator.literal import (
    CREDENTIALS,
    NOW_MS,
    ORG,
    OTHER,
    LiteralWorkspace,
)


@pytest.fixture(scope="session")
def account() -> Iterator[tuple[Emulator, LiteralWorkspace, LiteralWorkspace]]:
    """Two workspaces behind one server; its statements come in chunks of two rows."""
    here, there = LiteralWorkspace(ORG), LiteralWorkspace(OTHER)
    options = StatementOptions(rows_per_chunk=2)
    with Emulator([here, there], CREDENTIALS, clock=Clock(NOW_MS), statements=options) as emulator:
        yield emulator, here, there


@pytest.fixture
def emulator(account: tuple[Emulator, LiteralWorkspace, LiteralWorkspace]) -> Iterator[Emulator]:
    """The server without faults, its workspaces empty until a test fills them."""
    server, *workspaces = account
    yield server
    server.faults.clear()
    server.journal.clear()
    server.forget_audit_table()
    server.clock.now_ms = NOW_MS
    for each in workspaces:
        vars(each).update(vars(LiteralWorkspace(each.workspace_id)))


@pytest.fixture
def here(
    account: tuple[Emulator, LiteralWorkspace, LiteralWorkspace], emulator: Emulator
) -> LiteralWorkspace:
    """The first workspace."""
    del emulator
    return account[1]


@pytest.fixture
def there(
    account: tuple[Emulator, LiteralWorkspace, LiteralWorkspace], emulator: Emulator
) -> LiteralWorkspace:
    """The other workspace of the account."""
    del emulator
    return account[2]
