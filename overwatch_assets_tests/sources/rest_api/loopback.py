"""A workspace on this machine's loopback: answers by script, fails by script, logs in clients."""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from overwatch_assets.sources.rest_api.client import DatabricksApi
from overwatch_assets.sources.rest_api.connection import Connection
from overwatch_assets.sources.rest_api.login import Access
from overwatch_assets.sources.rest_api.pace import Pace

TOKEN = "dapi00000000000000000000000000000001"  # noqa: S105  made up
CLIENT_SECRET = "dose00000000000000000000000000000002"  # noqa: S105  made up


class Fault(StrEnum):
    RESET = "the connection is reset"
    CUT = "the answer breaks off, shorter than it said"
    CUT_CHUNKS = "the answer breaks off, without saying how long it is"
    STALL = "no answer"
    DROPS = "an answer in drops"


@dataclass(frozen=True)
class Reply:
    """An answer, or how there is none."""

    body: object = field(default_factory=dict[str, object])
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    fault: Fault | None = None

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    """A request that arrived; values of a repeated parameter are joined by commas."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: object

    @property
    def authorization(self) -> str:
        return self.headers.get("authorization", "")


Answering = Callable[[Asked], Reply]


@dataclass
class Loopback:
    """What it answers, and what it was asked.

    Attributes:
        replies: By path: replies in turn, of which the last goes on, or a function.
        tokens: Tokens that are let in; None: any is.
        token_seconds: Lifetime of the OAuth tokens that are handed out.
    """

    replies: dict[str, Sequence[Reply] | Answering] = field(
        default_factory=dict[str, Sequence[Reply] | Answering]
    )
    tokens: set[str] | None = None
    token_seconds: int = 3600
    login: Reply | None = None
    asked: list[Asked] = field(default_factory=list[Asked])
    issued: list[str] = field(default_factory=list[str])
    host: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def of_path(self, path: str) -> list[Asked]:
        return [each for each in self.asked if each.path == path]

    def reply(self, asked: Asked) -> Reply:
        with self.lock:
            self.asked.append(asked)
            if asked.path.startswith("/.well-known/") or asked.path.startswith("/oidc/"):
                return self._login(asked)
            token = asked.authorization.removeprefix("Bearer ")
            if self.tokens is not None and token not in self.tokens:
                return refused(401, "UNAUTHENTICATED", f"Credential {token} was not accepted")
            scripted = self.replies.get(asked.path)
            if scripted is None:
                return refused(404, "ENDPOINT_NOT_FOUND", f"No API found for {asked.path}")
            if callable(scripted):
                return scripted(asked)
            number = len(self.of_path(asked.path)) - 1
            return scripted[min(number, len(scripted) - 1)]

    def _login(self, asked: Asked) -> Reply:
        if asked.path == "/.well-known/databricks-config":
            return Reply({"oidc_endpoint": f"{self.host}/oidc", "workspace_id": "1"})
        if asked.path == "/oidc/.well-known/oauth-authorization-server":
            return Reply(
                {
                    "authorization_endpoint": f"{self.host}/oidc/v1/authorize",
                    "token_endpoint": f"{self.host}/oidc/v1/token",
                }
            )
        if self.login is not None:
            return self.login
        token = f"oauth-token-{len(self.issued):04}"
        self.issued.append(token)
        return Reply(
            {"access_token": token, "token_type": "Bearer", "expires_in": self.token_seconds}
        )


def refused(status: int, code: str, message: str, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply({"error_code": code, "message": message}, status, named)


@contextmanager
def serving(
    loopback: Loopback, certificate: tuple[Path, Path] | None = None
) -> Generator[Loopback]:
    """Serve until the context ends.

    Args:
        loopback: What is answered.
        certificate: Files of a certificate and its key, for TLS.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _answer(self, loopback)

        def do_POST(self) -> None:
            _answer(self, loopback)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        scheme = "https"
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    loopback.host = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield loopback
    finally:
        loopback.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, loopback: Loopback) -> None:
    address = urlsplit(handler.path)
    content = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    is_json = handler.headers.get("Content-Type") == "application/json"
    reply = loopback.reply(
        Asked(
            method=handler.command,
            path=address.path,
            query=_parameters(address.query),
            headers={name.lower(): value for name, value in handler.headers.items()},
            body=json.loads(content) if is_json and content else content,
        )
    )
    if reply.fault is Fault.STALL:
        loopback.closing.wait(2)
        handler.close_connection = True
        return
    if reply.fault is Fault.RESET:
        _reset(handler)
        return
    whole = reply.content
    sent = whole[: len(whole) // 2] if reply.fault in (Fault.CUT, Fault.CUT_CHUNKS) else whole
    handler.send_response_only(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    if reply.fault is Fault.CUT_CHUNKS:
        handler.send_header("Transfer-Encoding", "chunked")
        sent = f"{len(sent):x}\r\n".encode() + sent + b"\r\n"
    else:
        handler.send_header("Content-Length", str(len(whole)))
    handler.end_headers()
    if reply.fault is Fault.DROPS:
        for each in sent:
            handler.wfile.write(bytes([each]))
            handler.wfile.flush()
            time.sleep(0.01)
        return
    handler.wfile.write(sent)
    if reply.fault is not None:
        handler.wfile.flush()
        handler.close_connection = True


def _parameters(query: str) -> Mapping[str, str]:
    parameters: dict[str, list[str]] = {}
    for name, value in parse_qsl(query):
        parameters.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in parameters.items()}


def _reset(handler: BaseHTTPRequestHandler) -> None:
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.close_connection = True
    handler.connection.close()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Files of a certificate for this machine's loopback, signed by itself, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "made up")])
    here = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private


@dataclass
class VirtualClock:
    """Time that passes only when somebody waits for it, and then at once."""

    time: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> float:
        with self.lock:
            return self.time

    def sleep_until(self, instant: float) -> None:
        with self.lock:
            self.time = max(self.time, instant)


def access_to(loopback: Loopback, **more: Any) -> Access:
    settings: dict[str, Any] = {
        "host": loopback.host,
        "identity": {"token": TOKEN},
        "timeout_seconds": 2.0,
        "known": (TOKEN, CLIENT_SECRET),
    }
    return Access(**{**settings, **more})


def api_of(
    access: Callable[[], Access],
    *,
    clock: VirtualClock | None = None,
    per_second: float = 1000,
    retry_seconds: float = 300,
) -> DatabricksApi:
    """A client that waits in virtual time."""
    return DatabricksApi(
        workspace="workspace prod (5206439413157315)",
        exchange=Connection(access),
        pace=Pace(per_second, clock or VirtualClock()),
        retry_seconds=retry_seconds,
    )
