"""Azure's Blob service on the loopback: Azurite, which npm installs.

The setting `OVERWATCH_AZURITE` names its executable, or the folder that npm installed it into;
unset, it is `.venv/azurite` of the repository. Versions before 3.37 ignore where a listing is
to start, so that delta-rs can't find a log's end.
"""

import base64
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote

from dagster_deltalake.config import ClientConfig

from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.provider_config import AzureServiceConfig
from overwatch_assets_tests.delta.lake import FEW_RETRIES

SETTING = "OVERWATCH_AZURITE"
BELOW_THE_REPOSITORY = Path(__file__).parents[1] / ".venv" / "azurite"
ACCOUNT = "acme"
KEY = base64.b64encode(b"canary/of+azure: the key of the account").decode()
VERSION = "2021-08-06"
_STARTS_WITHIN_S = 180


def executable() -> Path | None:
    """Azurite's Blob service; None where it isn't installed, or what runs it isn't."""
    named = Path(os.environ.get(SETTING) or BELOW_THE_REPOSITORY)
    found = named / "node_modules" / ".bin" / "azurite-blob" if named.is_dir() else named
    return found if found.is_file() and shutil.which("node") else None


@dataclass(frozen=True)
class Azurite:
    """A running service.

    Attributes:
        host: Where it listens.
        port: Likewise.
    """

    host: str
    port: int

    @property
    def endpoint(self) -> str:
        """Address of the account."""
        return f"http://{self.host}:{self.port}/{ACCOUNT}"

    def create_container(self, name: str) -> None:
        """Make a container, as its owner."""
        now = formatdate(usegmt=True)
        resource = f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        headers = f"x-ms-date:{now}\nx-ms-version:{VERSION}"
        request = urllib.request.Request(  # noqa: S310 - the loopback
            f"{self.endpoint}/{name}?restype=container",
            method="PUT",
            headers={
                "x-ms-date": now,
                "x-ms-version": VERSION,
                "Authorization": f"SharedKey {ACCOUNT}:"
                + _signed("PUT" + "\n" * 12 + f"{headers}\n{resource}"),
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the loopback
            assert answer.status == 201

    @staticmethod
    def sas(permissions: str) -> str:
        """A shared access signature of the account, for all containers."""
        until = "2099-01-01T00:00:00Z"
        signed = f"{ACCOUNT}\n{permissions}\nb\nsco\n\n{until}\n\n\n{VERSION}\n\n"
        signature = quote(_signed(signed), safe="")
        return f"sv={VERSION}&ss=b&srt=sco&sp={permissions}&se={until}&sig={signature}"

    def location(
        self, root: str, *, endpoint: str = "", options: Mapping[str, str] | None = None
    ) -> StorageLocation:
        """A location below `container/folder`; by the account's key, or by other options."""
        container, _, folder = root.partition("/")
        config = AzureServiceConfig.model_validate(
            {"account_name": ACCOUNT, "endpoint": endpoint or self.endpoint}
            | dict(options or {"account_key": KEY})
        )
        return StorageLocation(
            f"abfss://{container}@{ACCOUNT}.dfs.core.windows.net/{folder}",
            config,
            ClientConfig(allow_http=True, timeout="10s"),
            FEW_RETRIES,
        )


def _signed(text: str) -> str:
    mac = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256)
    return base64.b64encode(mac.digest()).decode()


@contextmanager
def running_azurite(program: Path, folder: Path) -> Generator[Azurite]:
    """Azurite on a free port, with its data in a folder; ended afterwards."""
    said = folder / "azurite.log"
    command = [
        str(program), "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", str(folder),
        "--skipApiVersionCheck", "--disableTelemetry", "--silent",
    ]  # fmt: skip
    environment = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
    with said.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    try:
        yield Azurite(*_listening(process, said))
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listening(process: subprocess.Popen[bytes], said: Path) -> tuple[str, int]:
    """Where it says that it listens, once it does."""
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"listens on http://([\d.]+):(\d+)", said.read_text())
        if found:
            return found[1], int(found[2])
        time.sleep(0.05)
    raise AssertionError(f"Azurite did not start: {said.read_text()}")
