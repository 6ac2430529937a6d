"""Files: DBFS in blocks of JSON, volumes (`/Volumes/...`) as they are, whole or a range."""

import base64
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path

from starlette.responses import Response, StreamingResponse

from overwatch_assets.demo.emulator.call import Call, Endpoint, get, post
from overwatch_assets.demo.emulator.links import Links
from overwatch_assets.demo.emulator.paging import listed, position
from overwatch_assets.demo.emulator.refusals import Refused, invalid, missing
from overwatch_assets.demo.emulator.workspace import EmulatedWorkspace, Json

BLOCK_DEFAULT, BLOCK_MOST = 512 * 1024, 1024 * 1024
ENTRIES_MOST = 1000
STORAGE = "/storage"
"""Where a link to a volume's file leads; its path follows."""

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def file_endpoints(links: Links) -> tuple[Endpoint, ...]:
    """Every endpoint of DBFS and of volumes."""

    def link(call: Call) -> Json:
        path = _clean(call.parameters.required("path"))
        _file(call.workspace, path)
        until = datetime.fromisoformat(call.parameters.required("expire_time"))
        # The client reckons by its own clock; the span counts, from the emulator's now.
        span = until - datetime.now(UTC)
        until_ms = call.now_ms + round(span.total_seconds() * 1000)
        return {"url": links.signed(call.base_url, f"{STORAGE}{path}", until_ms), "headers": []}

    volumes, directories = "/api/2.0/fs/files/{path:path}", "/api/2.0/fs/directories/{path:path}"
    return (
        get("/api/2.0/dbfs/list", _dbfs_list, "path"),
        get("/api/2.0/dbfs/get-status", _dbfs_status, "path"),
        get("/api/2.0/dbfs/read", _dbfs_read, "path", "offset", "length"),
        get(volumes, _download, "path"),
        get(directories, _directory, "path", "page_size", "page_token"),
        post("/api/2.0/fs/create-download-url", link, "path", "expire_time"),
    )


def file_answer(
    workspace: EmulatedWorkspace, path: str, method: str, headers: Mapping[str, str]
) -> Response:
    """A file's content, or as much of it as a `Range` asks for.

    Raises:
        Refused: There is no such file, no such range, or it has changed since the instant of
            `If-Unmodified-Since`.
    """
    local = _file(workspace, _clean(path))
    stat = local.stat()
    modified = datetime.fromtimestamp(stat.st_mtime, tz=UTC)
    since = headers.get("if-unmodified-since")
    if since and modified.replace(microsecond=0) > parsedate_to_datetime(since):
        raise Refused(HTTPStatus.PRECONDITION_FAILED, "ABORTED", f"{path} was modified")
    first, last = _range(headers.get("range"), stat.st_size)
    told = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(last - first + 1),
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Accept-Ranges": "bytes",
    }
    status = HTTPStatus.OK
    if headers.get("range"):
        status = HTTPStatus.PARTIAL_CONTENT
        told["Content-Range"] = f"bytes {first}-{last}/{stat.st_size}"
    if method == "HEAD":
        return Response(status_code=status, headers=told)
    return StreamingResponse(_blocks(local, first, last + 1), status, told)


def _dbfs_list(call: Call) -> Json:
    path = _dbfs_path(call)
    local = call.workspace.file(path)
    if local is None or not local.exists():
        raise _no_file(path)
    if local.is_dir():
        children = [(f"{path.rstrip('/')}/{each.name}", each) for each in sorted(local.iterdir())]
    else:
        children = [(path, local)]
    return listed("files", [_file_info(name, each) for name, each in children])


def _dbfs_status(call: Call) -> Json:
    path = _dbfs_path(call)
    local = call.workspace.file(path)
    if local is None or not local.exists():
        raise _no_file(path)
    return _file_info(path, local)


def _dbfs_read(call: Call) -> Json:
    path = _dbfs_path(call)
    local = call.workspace.file(path)
    if local is None or not local.exists():
        raise _no_file(path)
    offset, length = call.parameters.number("offset") or 0, call.parameters.number("length")
    length = BLOCK_DEFAULT if length is None else length
    if local.is_dir() or offset < 0 or length < 0:
        raise invalid(f"{path}: a file, an offset and a length are expected")
    if length > BLOCK_MOST:
        told = f"The read length {length} exceeds {BLOCK_MOST} bytes"
        raise Refused(HTTPStatus.BAD_REQUEST, "MAX_READ_SIZE_EXCEEDED", told)
    with local.open("rb") as file:
        file.seek(offset)
        block = file.read(length)
    return {"bytes_read": len(block), "data": base64.b64encode(block).decode()}


def _download(call: Call) -> Response:
    method = call.endpoint.partition(" ")[0]
    return file_answer(call.workspace, call.parameters.required("path"), method, call.headers)


def _directory(call: Call) -> Json:
    at = position(call)
    path = _clean(at.asked.required("path"))
    folder = _folder(call.workspace, path)
    size = at.asked.limited("page_size", least=0, most=1 << 31) or ENTRIES_MOST
    page = at.page(
        [_entry(f"{path.rstrip('/')}/{each.name}", each) for each in sorted(folder.iterdir())],
        min(size, ENTRIES_MOST),
    )
    after: Json = {} if page.next_token is None else {"next_page_token": page.next_token}
    return {**listed("contents", page.items), **after}


def _file(workspace: EmulatedWorkspace, path: str) -> Path:
    local = workspace.file(path)
    if local is None or not local.is_file():
        told = f"The file being accessed is not found: {path}"
        raise Refused(HTTPStatus.NOT_FOUND, "NOT_FOUND", told)
    return local


def _folder(workspace: EmulatedWorkspace, path: str) -> Path:
    local = workspace.file(path)
    if local is None or not local.is_dir():
        told = f"The directory being accessed is not found: {path}"
        raise Refused(HTTPStatus.NOT_FOUND, "NOT_FOUND", told)
    return local


def _dbfs_path(call: Call) -> str:
    return _clean(call.parameters.required("path").removeprefix("dbfs:"))


def _clean(path: str) -> str:
    """A path from the root that leads nowhere else."""
    parts = [part for part in path.split("/") if part]
    if ".." in parts or "\0" in path:
        raise invalid(f"Path must be absolute and without ..: {path}")
    return "/" + "/".join(parts)


def _no_file(path: str) -> Refused:
    return missing(f"No file or directory exists on path {path}.")


def _file_info(path: str, local: Path) -> Json:
    stat = local.stat()
    is_dir = local.is_dir()
    return {
        "path": path,
        "is_dir": is_dir,
        "file_size": 0 if is_dir else stat.st_size,
        "modification_time": stat.st_mtime_ns // 10**6,
    }


def _entry(path: str, local: Path) -> Json:
    stat = local.stat()
    entry: Json = {
        "path": path,
        "name": local.name,
        "is_directory": local.is_dir(),
        "last_modified": stat.st_mtime_ns // 10**6,
    }
    return entry if local.is_dir() else {**entry, "file_size": stat.st_size}


def _range(header: str | None, size: int) -> tuple[int, int]:
    """First and last byte that are asked for, both inclusive."""
    if not header:
        return 0, size - 1
    found = _RANGE.fullmatch(header.strip())
    begin, end = found.groups() if found else ("", "")
    if begin:
        first, last = int(begin), min(int(end), size - 1) if end else size - 1
    else:
        first, last = max(0, size - int(end or 0)), size - 1
    if not (begin or end) or first > last:
        told = f"The range {header} can't be satisfied: the file has {size} bytes"
        raise Refused(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "INVALID_PARAMETER_VALUE", told)
    return first, last


def _blocks(local: Path, first: int, until: int) -> Iterator[bytes]:
    with local.open("rb") as file:
        file.seek(first)
        left = until - first
        while left > 0 and (block := file.read(min(BLOCK_MOST, left))):
            left -= len(block)
            yield block
