"""A workspace's file systems behind HTTP on the loopback, and an API that asks them."""

import base64
import http.client
import json
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from overwatch_assets.sources.rest_api.api import ApiRefused, Json, Query

CONNECTED: list[str] = []
"""Where this process has connected to."""

MODIFIED_MS = 1_700_000_000_123
TOKEN = "dapi0123456789abcdef"  # noqa: S105 - of the made-up workspace
_PAGE_ENTRIES = 2
_READABLE_AT_ONCE = 1 << 20


@dataclass
class FakeWorkspace:
    """What the server answers from, and what it was asked.

    Attributes:
        files: Content by path: `/mnt/...` on DBFS, `/Volumes/...` in a volume.
        denied: Paths that nobody may see; what lies below them likewise.
        asked: Path and query of every request.
        listed_elsewhere: Said instead of the path of every entry of a folder.
        garbled: Said instead of the bytes of a block.
    """

    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    denied: set[str] = field(default_factory=set[str])
    asked: list[str] = field(default_factory=list[str])
    listed_elsewhere: str | None = None
    garbled: str | None = None

    def entries(self, folder: str) -> list[tuple[str, int | None]] | None:
        """Paths directly in a folder and their sizes, None of a folder; None: no such folder."""
        below = [path for path in self.files if path.startswith(f"{folder.rstrip('/')}/")]
        if not below:
            return None
        start = len(folder.rstrip("/")) + 1
        names = {path[start:].partition("/")[0] for path in below}
        found = [f"{folder.rstrip('/')}/{name}" for name in sorted(names, reverse=True)]
        return [(path, len(self.files[path]) if path in self.files else None) for path in found]


@dataclass(frozen=True, slots=True)
class Connection:
    """How the workspace is reached: what goes to another process."""

    address: str

    def __call__(self) -> "LoopbackApi":
        CONNECTED.append(self.address)
        return LoopbackApi(self.address)


@dataclass(frozen=True, slots=True)
class LoopbackApi:
    """The API of the made-up workspace."""

    address: str

    def get(self, path: str, query: Query | None = None) -> Json:
        return json.loads(self._asked(path, query).read())

    def download(self, path: str) -> Iterator[bytes]:
        answer = self._asked(path)
        while chunk := answer.read(1 << 16):
            yield chunk

    def _asked(self, path: str, query: Query | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        target = f"{path}?{urlencode(query)}" if query else path
        connection.request("GET", target, headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        if answer.status == 200:
            return answer
        said = json.loads(answer.read())
        raise ApiRefused(
            f"GET {path}: {answer.status} {said['message']}",
            status=answer.status,
            code=said["error_code"],
            said=said["message"],
            is_missing=answer.status == 404,
        )


class _Handler(BaseHTTPRequestHandler):
    workspace: FakeWorkspace

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == f"Bearer {TOKEN}"
        self.workspace.asked.append(self.path)
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        endpoint, _, rest = unquote(address.path).removeprefix("/api/2.0/").partition("/Volumes/")
        path = f"/Volumes/{rest}" if rest else query["path"]
        if any(f"{path}/".startswith(f"{each}/") for each in self.workspace.denied):
            self._refuse(403, "PERMISSION_DENIED", "not for you")
            return
        match endpoint:
            case "dbfs/list":
                self._list_dbfs(path)
            case "dbfs/get-status":
                self._status(path)
            case "dbfs/read":
                self._read(path, int(query["offset"]), int(query["length"]))
            case "fs/directories":
                self._list_volume(path, int(query.get("page_token", 0)))
            case "fs/files" if path in self.workspace.files:
                self._send(200, self.workspace.files[path])
            case _:
                self._refuse(404, "NOT_FOUND", "no such thing")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name of the base
        """Say nothing."""

    def _list_dbfs(self, path: str) -> None:
        entries = self.workspace.entries(path)
        if path in self.workspace.files:
            entries = [(path, len(self.workspace.files[path]))]
        if entries is None:
            self._refuse(404, "RESOURCE_DOES_NOT_EXIST", "no such thing")
            return
        self._tell({"files": [self._dbfs_entry(*each) for each in entries]})

    def _dbfs_entry(self, path: str, size: int | None) -> Json:
        return {
            "path": self.workspace.listed_elsewhere or path,
            "is_dir": size is None,
            "file_size": size or 0,
            "modification_time": MODIFIED_MS,
        }

    def _status(self, path: str) -> None:
        if path not in self.workspace.files:
            self._refuse(404, "RESOURCE_DOES_NOT_EXIST", "no such thing")
            return
        self._tell(self._dbfs_entry(path, len(self.workspace.files[path])))

    def _read(self, path: str, offset: int, length: int) -> None:
        if path not in self.workspace.files:
            self._refuse(404, "RESOURCE_DOES_NOT_EXIST", "no such thing")
        elif length > _READABLE_AT_ONCE:
            self._refuse(400, "MAX_READ_SIZE_EXCEEDED", "too much at once")
        else:
            block = self.workspace.files[path][offset : offset + length]
            told = self.workspace.garbled or base64.b64encode(block).decode()
            self._tell({"bytes_read": len(block), "data": told})

    def _list_volume(self, path: str, start: int) -> None:
        entries = self.workspace.entries(path)
        if entries is None:
            self._refuse(404, "NOT_FOUND", "no such thing")
            return
        end = start + _PAGE_ENTRIES
        page: Json = {
            "contents": [
                {
                    "path": self.workspace.listed_elsewhere or each,
                    "is_directory": size is None,
                    "name": each.rpartition("/")[2],
                }
                | ({} if size is None else {"file_size": size, "last_modified": MODIFIED_MS})
                for each, size in entries[start:end]
            ]
        }
        self._tell(page | ({"next_page_token": str(end)} if end < len(entries) else {}))

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._send(status, json.dumps({"error_code": code, "message": message}).encode())

    def _tell(self, answer: Json) -> None:
        self._send(200, json.dumps(answer).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def fake_workspace() -> Generator[tuple[Connection, FakeWorkspace]]:
    """A running server: how it is reached, and what it answers from."""
    workspace = FakeWorkspace()
    handler = type("_Bound", (_Handler,), {"workspace": workspace})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Connection(f"127.0.0.1:{server.server_address[1]}"), workspace
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
