"""A proxy on this machine's loopback that lets chosen requests fail in chosen ways."""

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Fault(StrEnum):
    SERVER_ERROR = "500, the request never arrives"
    UNAVAILABLE = "503, the request never arrives"
    FORBIDDEN = "403, the request never arrives"
    RESET = "connection reset, the request never arrives"
    ANSWER_LOST = "done, then connection reset"
    ERROR_AFTER_SUCCESS = "done, then 500"
    CUT = "done, then the answer breaks off"


_STATUS = {Fault.SERVER_ERROR: 500, Fault.UNAVAILABLE: 503, Fault.FORBIDDEN: 403}
_ERROR = b'<?xml version="1.0"?><Error><Code>Planted</Code><Message>planted</Message></Error>'


@dataclass(frozen=True)
class Request:
    """A request that passed, numbered from 0."""

    number: int
    method: str
    path: str


@dataclass
class FaultPlan:
    """Which requests fail, how, and what was asked for."""

    fault: Fault = Fault.SERVER_ERROR
    is_hit: Callable[[Request], bool] = lambda _: False
    seen: list[Request] = field(default_factory=list[Request])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, fault: Fault, is_hit: Callable[[Request], bool]) -> None:
        with self.lock:
            self.fault, self.is_hit = fault, is_hit
            self.seen.clear()

    def calm(self) -> None:
        self.begin(Fault.SERVER_ERROR, lambda _: False)

    def next_fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            request = Request(len(self.seen), method, path)
            self.seen.append(request)
            return self.fault if self.is_hit(request) else None


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    length: str


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def shutdown_request(self, request: Any) -> None:
        request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    plan: FaultPlan
    upstream: tuple[str, int]

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.plan.next_fault(self.command, self.path)
        if fault is not None and fault in _STATUS:
            self._send(_Answer(_STATUS[fault], [], _ERROR, str(len(_ERROR))))
        elif fault is Fault.RESET:
            self._reset()
        else:
            self._after(self._forward(body), fault)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any  # noqa: N815 - names of the base

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name of the base
        """Say nothing."""

    def _after(self, answer: _Answer, fault: Fault | None) -> None:
        if fault is Fault.ANSWER_LOST:
            self._reset()
        elif fault is Fault.ERROR_AFTER_SUCCESS:
            self._send(_Answer(500, [], _ERROR, str(len(_ERROR))))
        elif fault is Fault.CUT and answer.body:
            self._send(_Answer(answer.status, answer.headers, answer.body[:-1], answer.length))
            self._reset()
        elif fault is Fault.CUT:
            self.wfile.write(f"HTTP/1.1 {answer.status} O".encode())
            self._reset()
        else:
            self._send(answer)

    def _forward(self, body: bytes) -> _Answer:
        connection = http.client.HTTPConnection(*self.upstream, timeout=30)
        try:
            hop = {"connection", "content-length", "accept-encoding"}
            headers = {k: v for k, v in self.headers.items() if k.lower() not in hop}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            kept = {"connection", "content-length", "transfer-encoding", "date", "server"}
            passed = [(k, v) for k, v in answer.getheaders() if k.lower() not in kept]
            content = answer.read()
            length = answer.getheader("Content-Length") or str(len(content))
            return _Answer(answer.status, passed, content, length)
        finally:
            connection.close()

    def _send(self, answer: _Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", answer.length)
        self.end_headers()
        self.wfile.write(answer.body)

    def _reset(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


@contextmanager
def faulty_proxy(host: str, port: int) -> Generator[tuple[str, FaultPlan]]:
    """A proxy before a server; yields its address and the plan that it follows."""
    plan = FaultPlan()
    handler = type("_Bound", (_Handler,), {"plan": plan, "upstream": (host, port)})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", plan
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
