"""Files in an object store (obstore), or wherever fsspec reaches.

No message repeats the value of an option or a signed URL.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Protocol, cast

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import AzureStore, GCSStore, S3Store

from overwatch_assets.errors import ConfigError, SourceError
from overwatch_assets.secrets import redacted
from overwatch_assets.sources.paths import CHUNK_BYTES, FileInfo, gone, joined, split_scheme

OBJECT_STORES: Mapping[str, type[S3Store | AzureStore | GCSStore]] = {
    "s3": S3Store,
    "abfss": AzureStore,
    "gs": GCSStore,
}
_DELTA_ONLY = re.compile(r"aws_s3_allow_unsafe_rename|aws_s3_locking_provider|delta_dynamo_.*")
_CLIENT_OPTION = re.compile(
    r"(?:aws_|azure_|google_)?"
    r"(allow_http|allow_invalid_certificates|connect_timeout|default_content_type|http1_only"
    r"|http2_keep_alive_interval|http2_keep_alive_timeout|http2_keep_alive_while_idle|http2_only"
    r"|pool_idle_timeout|pool_max_idle_per_host|proxy_url|proxy_ca_certificate|proxy_excludes"
    r"|randomize_addresses|read_timeout|root_certificate|timeout|user_agent)"
)
_RETRY_OPTION = re.compile(
    r"max_retries|retry_timeout|backoff_config\.(?:init_backoff|max_backoff|base)"
)
SHORTEST_SECRET = 8
"""Shorter values of options (`true`, `1`) hide nothing and would riddle the message."""

_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000}
_MODIFIED = ("mtime", "last_modified", "LastModified", "modified", "updated")


class ObjectFiles:
    """A bucket or container, through obstore."""

    def __init__(self, scheme: str, bucket: str, options: Mapping[str, str]) -> None:
        self._url = f"{scheme}://{bucket}"
        self._secrets = tuple(options.values())
        lower = {key.lower(): value for key, value in options.items()}
        # obstore panics when an option of its HTTP client stands among the store's.
        client = {
            found[1]: value
            for key, value in lower.items()
            if (found := _CLIENT_OPTION.fullmatch(key))
        }
        config = {
            key: value
            for key, value in lower.items()
            if not any(each.fullmatch(key) for each in (_CLIENT_OPTION, _DELTA_ONLY, _RETRY_OPTION))
        }
        try:
            self._store = OBJECT_STORES[scheme].from_url(
                self._url,
                config=cast("Any", config),
                client_options=cast("Any", client),
                retry_config=cast("Any", _retries(lower)),
            )
        except (BaseError, ValueError) as error:
            wrong = scrubbed(str(error), self._secrets)
            raise ConfigError(
                f"Storage options of {self._url}: {wrong}. Check their names and values"
            ) from None

    def list(self, prefix: str) -> Iterator[FileInfo]:
        key = self._key(prefix)
        is_empty = True
        try:
            for batch in obstore.list(self._store, prefix=key or None, chunk_size=1000):
                for each in batch:
                    if each["size"]:
                        is_empty = False
                        yield self._info(f"{self._url}/{each['path']}", each)
            if is_empty and key and (found := obstore.head(self._store, key))["size"]:
                yield self._info(prefix, found)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise _store_failure(prefix, error, self._secrets) from None

    def folders(self, prefix: str) -> Sequence[str]:
        try:
            found = obstore.list_with_delimiter(self._store, prefix=self._key(prefix) or None)
        except (BaseError, OSError) as error:
            raise _store_failure(prefix, error, self._secrets) from None
        return sorted(each.rstrip("/").rpartition("/")[2] for each in found["common_prefixes"])

    def open(self, path: str) -> Iterator[bytes]:
        try:
            stream = obstore.get(self._store, self._key(path)).stream(min_chunk_size=CHUNK_BYTES)
            for chunk in stream:
                yield bytes(chunk)
        except FileNotFoundError:
            raise gone(path) from None
        except (BaseError, OSError) as error:
            raise _store_failure(path, error, self._secrets) from None

    def _key(self, path: str) -> str:
        return path[len(self._url) :].lstrip("/")

    @staticmethod
    def _info(path: str, meta: "obstore.ObjectMeta") -> FileInfo:
        return FileInfo(path, meta["size"], _epoch_ms(meta["last_modified"]), meta["e_tag"])


def _retries(options: Mapping[str, str]) -> Mapping[str, object]:
    """delta-rs' options of repeated requests, as obstore wants them."""
    backoff: dict[str, object] = {
        name: _span(options[key])
        for name in ("init_backoff", "max_backoff")
        if (key := f"backoff_config.{name}") in options
    }
    if base := options.get("backoff_config.base"):
        backoff["base"] = float(base)
    retries: dict[str, object] = {"backoff": backoff} if backoff else {}
    if limit := options.get("max_retries"):
        retries["max_retries"] = int(limit)
    if within := options.get("retry_timeout"):
        retries["retry_timeout"] = _span(within)
    return retries


def _span(text: str) -> timedelta:
    """A span such as `1500ms`, `30s` or `3m`.

    Raises:
        ValueError: It is none.
    """
    found = re.fullmatch(r"(\d+)(ms|s|m)", text)
    if found is None:
        raise ValueError(f"{text!r} is no span of time such as 30s")
    return timedelta(milliseconds=int(found[1]) * _MILLISECONDS[found[2]])


class _Filesystem(Protocol):
    """What of fsspec's interface is used."""

    def invalidate_cache(self) -> None: ...

    def walk(
        self, path: str, *, detail: bool, on_error: str
    ) -> Iterator[
        tuple[str, Mapping[str, Mapping[str, object]], Mapping[str, Mapping[str, object]]]
    ]: ...

    def open(self, path: str, mode: str) -> Any: ...  # noqa: ANN401 - fsspec types nothing


class FsspecFiles:
    """Any other store, through fsspec, which is imported with the first of them."""

    def __init__(self, scheme: str, bucket: str, options: Mapping[str, str]) -> None:
        self._secrets = tuple(options.values())
        fsspec: Any = import_module("fsspec")
        try:
            self._fs = cast("_Filesystem", fsspec.filesystem(scheme, **dict(options)))
        except Exception as error:  # noqa: BLE001 - each plug-in raises errors of its own
            raise _store_failure(f"{scheme}://{bucket}", error, self._secrets) from None

    def list(self, prefix: str) -> Iterator[FileInfo]:
        start = split_scheme(prefix)[1].strip("/")
        try:
            self._fs.invalidate_cache()
            for _, _, files in self._fs.walk(prefix, detail=True, on_error="raise"):
                for each in sorted(files.values(), key=lambda info: str(info["name"])):
                    _, name = split_scheme(str(each["name"]))
                    below = name.strip("/").removeprefix(start).lstrip("/")
                    yield FileInfo(
                        joined(prefix, below),
                        cast("int", each.get("size")) or 0,
                        next((_epoch_ms(each[key]) for key in _MODIFIED if key in each), None),
                        cast("str | None", each.get("ETag") or each.get("etag")),
                    )
        except FileNotFoundError:
            return
        except Exception as error:  # noqa: BLE001 - each plug-in raises errors of its own
            raise _store_failure(prefix, error, self._secrets) from None

    def folders(self, prefix: str) -> Sequence[str]:
        try:
            self._fs.invalidate_cache()
            walked = next(self._fs.walk(prefix, detail=True, on_error="omit"), None)
        except Exception as error:  # noqa: BLE001 - each plug-in raises errors of its own
            raise _store_failure(prefix, error, self._secrets) from None
        return sorted(walked[1]) if walked else ()

    def open(self, path: str) -> Iterator[bytes]:
        try:
            with self._fs.open(path, "rb") as file:
                while chunk := cast("bytes", file.read(CHUNK_BYTES)):
                    yield chunk
        except FileNotFoundError:
            raise gone(path) from None
        except Exception as error:  # noqa: BLE001 - each plug-in raises errors of its own
            raise _store_failure(path, error, self._secrets) from None


def _epoch_ms(modified: object) -> int | None:
    match modified:
        case datetime():
            return round(modified.timestamp() * 1000)
        case int() | float():
            return round(modified * 1000)
        case _:
            return None


def _store_failure(path: str, error: Exception, secrets: Iterable[str]) -> SourceError:
    """What a store's library said, without options' values and without signed URLs."""
    said = str(error)
    # Only reading tells a denial by its class; listing fails with a class for everything.
    is_denied = isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError)
    if is_denied or re.search(r"status code: 40[13]\b", said):
        why, remedy = "access denied", "Grant list and read on it, or check the storage options"
    elif "NoSuchBucket" in said or "ContainerNotFound" in said:
        why, remedy = "no such bucket", "Check the bucket's name, its region and the endpoint"
    else:
        why = f"{type(error).__name__}: {scrubbed(said, secrets)}"
        remedy = "Check the path, the storage options and the network"
    return SourceError(f"{path}: can't be read ({why}). {remedy}")


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """The first line, cut to 300 characters, without query strings and options' values."""
    line = re.sub(r"\?\S*", "", text.partition("\n")[0])
    return redacted(line, (each for each in secrets if len(each) >= SHORTEST_SECRET))[:300]
