"""The server: every workspace of an account on a port of its own, on this machine only."""

import asyncio
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from overwatch_assets.demo.emulator.app import Account, WorkspaceApp
from overwatch_assets.demo.emulator.credentials import Credentials
from overwatch_assets.demo.emulator.faults import Faults
from overwatch_assets.demo.emulator.journal import Journal
from overwatch_assets.demo.emulator.mishaps import CONNECTION
from overwatch_assets.demo.emulator.statements import StatementOptions
from overwatch_assets.demo.emulator.system_tables import account_rows
from overwatch_assets.demo.emulator.workspace import EmulatedWorkspace
from overwatch_assets.errors import ConfigError

HOST = "127.0.0.1"
ACCOUNT_ID = "00000000-0000-4000-8000-000000000000"


@dataclass(slots=True)
class Clock:
    """The emulator's clock.

    Attributes:
        now_ms: Where it stands, epoch milliseconds; None: it goes as the machine's does.
    """

    now_ms: int | None = None

    def __call__(self) -> int:
        """The emulator's now."""
        return time.time_ns() // 10**6 if self.now_ms is None else self.now_ms


class Emulator:
    """Serves workspaces: as a context manager beside the caller, or with `serve` in its place.

    Attributes:
        clock: May be set at any time.
        faults: What goes wrong.
        journal: What was asked.
    """

    def __init__(
        self,
        workspaces: Sequence[EmulatedWorkspace],
        credentials: Credentials,
        *,
        clock: Clock | None = None,
        port: int = 0,
        account_id: str = ACCOUNT_ID,
        statements: StatementOptions | None = None,
    ) -> None:
        """Take the ports; nothing is answered yet.

        Args:
            workspaces: With ids that differ.
            credentials: Who may ask.
            clock: None: the machine's.
            port: Of the first workspace, the others follow it; 0: any that are free.
            account_id: Of the account that the workspaces belong to.
            statements: How SQL statements go.

        Raises:
            ConfigError: A port is taken.
        """
        self.clock = clock or Clock()
        self._account = Account(
            workspaces=workspaces,
            account_id=account_id,
            credentials=credentials,
            clock=self.clock,
            options=statements or StatementOptions(),
        )
        self.faults: Faults = self._account.faults
        self.journal: Journal = self._account.journal
        self._sockets = _sockets(len(workspaces), port)
        ports: list[int] = [each.getsockname()[1] for each in self._sockets]
        ids = [each.workspace_id for each in workspaces]
        self._ports = dict(zip(ids, ports, strict=True))
        apps = [WorkspaceApp(self._account, each) for each in workspaces]
        self._server = _Server(dict(zip(ports, apps, strict=True)), self._account)
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)

    def address(self, workspace_id: str) -> str:
        """A workspace's host, as a client needs it."""
        return f"http://{HOST}:{self._ports[workspace_id]}"

    def fill_audit_table(self) -> int:
        """Read the rows of the audit table, which else waits for the first statement.

        Returns:
            How many rows there are.
        """
        return self._account.tables.load(account_rows(self._account.workspaces))

    def forget_audit_table(self) -> None:
        """Forget its rows: the workspaces have others now."""
        self._account.tables.forget()

    def serve(self) -> None:
        """Answer until the process is interrupted."""
        try:
            self._run()
        finally:
            self._close()

    def __enter__(self) -> Self:
        """Begin to answer, in a thread of its own."""
        self._thread.start()
        self._server.is_listening.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop; answers under way are given first.

        Raises:
            ExceptionGroup: The emulator itself failed while it answered.
        """
        self._server.should_exit = True
        self._thread.join()
        self._close()
        if self._account.failures and error is None:
            raise ExceptionGroup("the emulator failed", self._account.failures)

    def _run(self) -> None:
        self._server.run(self._sockets)

    def _close(self) -> None:
        for each in self._sockets:
            each.close()
        self._account.tables.forget()


class _Server(uvicorn.Server):
    """A server that says when it listens, and hurries slow answers when it stops."""

    def __init__(self, apps: dict[int, WorkspaceApp], account: Account) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await apps[scope["server"][1]](scope, receive, send)

        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=5,
        )
        super().__init__(config)
        self.is_listening = threading.Event()
        self._account = account

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._account.stopping.set()
        await super().shutdown(sockets)


class _Protocol(H11Protocol):
    """HTTP whose application can end the connection: some faults do."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as in the base
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        # Head and body are written one after the other; unset, the second waits 40 ms.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        inner = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {**scope.get("extensions", {}), CONNECTION: transport}
            await inner(scope, receive, send)

        self.app = app


def _sockets(number: int, port: int) -> list[socket.socket]:
    """Take a port for each workspace.

    Raises:
        ConfigError: A port is taken.
    """
    taken: list[socket.socket] = []
    for offset in range(number):
        wanted = port + offset if port else 0
        try:
            taken.append(socket.create_server((HOST, wanted)))
        except OSError as error:
            for each in taken:
                each.close()
            message = f"emulator: port {wanted} of {HOST} can't be taken ({error}); give another"
            raise ConfigError(message) from error
    return taken
