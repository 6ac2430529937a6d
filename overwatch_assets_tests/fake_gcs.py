"""As much of Google Cloud Storage's XML API as tables and files need, on the loopback.

A service account file may name another address and ask for no login, which is how the
libraries come here.
"""

import json
import re
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from dagster_deltalake.config import ClientConfig, GcsConfig

from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets_tests.delta.lake import FEW_RETRIES

_PAGE_ENTRIES = 4
PRIVATE_KEY = "canary-of-google: the private key"


@dataclass
class FakeGcs:
    """Objects by bucket and name, each with its generation.

    Attributes:
        host: Where it listens.
        port: Likewise.
        buckets: What is stored.
        denied: Buckets that nobody may use.
        generation: Of the object written last.
        lock: Held while an object is looked at and written.
    """

    host: str = "127.0.0.1"
    port: int = 0
    buckets: dict[str, dict[str, tuple[bytes, int]]] = field(
        default_factory=dict[str, dict[str, tuple[bytes, int]]]
    )
    denied: set[str] = field(default_factory=set[str])
    generation: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def create_bucket(self, name: str) -> None:
        self.buckets[name] = {}

    def location(self, root: str, *, endpoint: str = "") -> StorageLocation:
        """A location below `bucket/folder`."""
        service_account = {
            "gcs_base_url": endpoint or f"http://{self.host}:{self.port}",
            "disable_oauth": True,
            "client_email": "",
            "private_key": PRIVATE_KEY,
            "private_key_id": "",
        }
        return StorageLocation(
            f"gs://{root}",
            GcsConfig(service_account_key=json.dumps(service_account)),
            ClientConfig(allow_http=True, timeout="10s"),
            FEW_RETRIES,
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    gcs: FakeGcs

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        address = urlsplit(self.path)
        bucket, _, name = unquote(address.path).lstrip("/").partition("/")
        if bucket in self.gcs.denied:
            self._refuse(403, "AccessDenied")
        elif bucket not in self.gcs.buckets:
            self._refuse(404, "NoSuchBucket")
        elif self.command == "PUT":
            self._put(self.gcs.buckets[bucket], name, body)
        elif self.command == "DELETE":
            found = self.gcs.buckets[bucket].pop(name, None)
            self._send(204) if found else self._refuse(404, "NoSuchKey")
        elif name:
            self._get(self.gcs.buckets[bucket].get(name))
        else:
            query = {key: values[0] for key, values in parse_qs(address.query).items()}
            self._list(self.gcs.buckets[bucket], query)

    do_GET = do_PUT = do_HEAD = do_DELETE = handle_any  # noqa: N815 - names of the base

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name of the base
        """Say nothing."""

    def _put(self, objects: dict[str, tuple[bytes, int]], name: str, body: bytes) -> None:
        with self.gcs.lock:
            if self.headers.get("x-goog-if-generation-match") == "0" and name in objects:
                self._refuse(412, "PreconditionFailed")
                return
            self.gcs.generation += 1
            objects[name] = (body, self.gcs.generation)
            generation = self.gcs.generation
        self._send(200, headers={"ETag": f'"{generation}"', "x-goog-generation": str(generation)})

    def _get(self, found: tuple[bytes, int] | None) -> None:
        if found is None:
            self._refuse(404, "NoSuchKey")
            return
        body, generation = found
        headers = {"ETag": f'"{generation}"', "Last-Modified": formatdate(0, usegmt=True)}
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self._send(200, body, headers)
            return
        start = int(asked[1]) if asked[1] else max(0, len(body) - int(asked[2]))
        end = min(int(asked[2]), len(body) - 1) if asked[1] and asked[2] else len(body) - 1
        span = f"bytes {start}-{end}/{len(body)}"
        self._send(206, body[start : end + 1], {**headers, "Content-Range": span})

    def _list(self, objects: Mapping[str, tuple[bytes, int]], query: Mapping[str, str]) -> None:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        after = query.get("continuation-token") or query.get("start-after", "")
        shown: dict[str, str] = {}
        for name, (body, generation) in sorted(objects.items()):
            folder, is_below, _ = name[len(prefix) :].partition(delimiter or "\0")
            key = f"{prefix}{folder}{delimiter}" if delimiter and is_below else name
            if not name.startswith(prefix) or key <= after:
                continue
            shown[key] = (
                f"<CommonPrefixes><Prefix>{escape(key)}</Prefix></CommonPrefixes>"
                if key != name
                else f"<Contents><Key>{escape(key)}</Key><Size>{len(body)}</Size>"
                "<LastModified>1970-01-01T00:00:00.000Z</LastModified>"
                f"<ETag>{generation}</ETag></Contents>"
            )
        page = list(shown)[:_PAGE_ENTRIES]
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if page else ""
        is_cut = len(page) < len(shown)
        listed = "".join(shown[key] for key in page) + (more if is_cut else "")
        self._send(200, f"<ListBucketResult>{listed}</ListBucketResult>".encode())

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, f"<Error><Code>{code}</Code></Error>".encode())

    def _send(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def running_gcs() -> Generator[FakeGcs]:
    """A running service without buckets."""
    gcs = FakeGcs()
    server = ThreadingHTTPServer((gcs.host, 0), type("_Bound", (_Handler,), {"gcs": gcs}))
    server.daemon_threads = True
    server.block_on_close = False
    gcs.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield gcs
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
