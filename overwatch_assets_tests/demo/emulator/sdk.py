"""The unmodified SDK as the emulator's client."""

from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.clock import Clock
from databricks.sdk.config import Config

from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets_tests.demo.emulator.literal import CLIENT_ID, CLIENT_SECRET, ORG, PAT


class VirtualClock(Clock):
    """The SDK's clock: its waiting passes at once."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept_s: list[float] = []

    def time(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds


def client(emulator: Emulator, workspace_id: str = ORG, **settings: Any) -> WorkspaceClient:
    """The SDK's client, with the personal access token unless other credentials are given."""
    if not settings.keys() & {"token", "client_id", "username"}:
        settings["token"] = PAT
    settings.setdefault("clock", VirtualClock())
    return WorkspaceClient(config=Config(host=emulator.address(workspace_id), **settings))


def ask(sdk: WorkspaceClient, method: str, path: str, **arguments: Any) -> Any:
    """An answer as it came, through the SDK's own way of asking."""
    api: Any = sdk.api_client
    return api.do(method, path, **arguments)


def machine(emulator: Emulator, workspace_id: str = ORG, **settings: Any) -> WorkspaceClient:
    """The SDK's client as a service principal."""
    identity = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return client(emulator, workspace_id, **identity, **settings)
