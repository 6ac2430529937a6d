"""A service on the loopback that writes down what it is sent, and repeats it in its refusals."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Eavesdropper:
    """What was heard.

    Attributes:
        address: Where it listens, as a URL.
        heard: Method, path and headers of every request.
        status: What it answers.
    """

    address: str = ""
    heard: list[str] = field(default_factory=list[str])
    status: int = 404

    @property
    def all_heard(self) -> str:
        """Everything heard, in one text."""
        return "\n".join(self.heard)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ear: Eavesdropper

    def handle_any(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.ear.heard.append(f"{self.requestline}\n{self.headers}")
        said = f"<Error><Code>Refused</Code>{self.ear.heard[-1]}</Error>".encode()
        self.send_response(self.ear.status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any  # noqa: N815 - names of the base

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name of the base
        """Say nothing."""


@contextmanager
def eavesdropper() -> Generator[Eavesdropper]:
    """A running service."""
    ear = Eavesdropper()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Bound", (_Handler,), {"ear": ear}))
    server.daemon_threads = True
    server.block_on_close = False
    ear.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield ear
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
