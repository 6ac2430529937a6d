"""The client of a workspace's REST API: keeps its pace, asks again, and says clearly what failed.

An answer is data only when it came whole, with a status that says so and as JSON. All else is
asked for again while it may help, and then an error that names workspace, endpoint, what was
answered and the remedy, without any secret.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar, cast
from urllib.parse import urlsplit

import msgspec

from overwatch_assets.sources.rest_api.api import ApiError, ApiRefused, Json, NotAdmitted, Query
from overwatch_assets.sources.rest_api.exchange import (
    Answer,
    Call,
    Exchange,
    LoginRefused,
    NoAnswer,
    Unreachable,
)
from overwatch_assets.sources.rest_api.pace import Clock, Pace
from overwatch_assets.sources.secret_texts import struck_out

Read = TypeVar("Read")

LARGEST_ANSWER_BYTES = 512 * 1024 * 1024
LARGEST_REFUSAL_BYTES = 64 * 1024
TOLD_CHARACTERS = 500

BRIEF_WAITS = 5
"""Tries after which a busy workspace is asked every `LONG_WAIT` seconds only."""

SHORTEST_WAIT = 1.0
LONG_WAIT = 10.0

_MISSING = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
_GONE = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}
_PERMISSIONS = (
    ("/clusters/", "CAN ATTACH TO on every cluster, or workspace admin"),
    ("/libraries/", "CAN ATTACH TO on every cluster, or workspace admin"),
    ("/jobs/", "CAN VIEW on every job, or workspace admin"),
    ("/instance-pools/", "CAN ATTACH TO on every instance pool, or workspace admin"),
    ("/policies/", "CAN USE on every cluster policy, or workspace admin"),
    ("/sql/", "CAN MONITOR on every SQL warehouse, or workspace admin"),
    ("/instance-profiles/", "workspace admin"),
    ("/global-init-scripts", "workspace admin"),
    ("/token", "CAN USE on personal access tokens"),
    ("/secrets/", "READ on the secret scope"),
    ("/fs/", "READ VOLUME on the volume, USE SCHEMA and USE CATALOG above it"),
)


@dataclass(frozen=True)
class DatabricksApi:
    """The API of one workspace; may be used from several threads.

    Attributes:
        workspace: How messages name it.
        exchange: The way to it.
        pace: Shared by everything that asks this workspace.
        retry_seconds: How long a request is tried again.
    """

    workspace: str
    exchange: Exchange
    pace: Pace
    retry_seconds: float

    def get(self, path: str, query: Query | None = None) -> Json:
        """GET a path such as `/api/2.1/clusters/list`.

        Raises:
            ApiRefused: A status that asking again won't change.
            ApiError: No answer, or none that is JSON, after every retry.
        """
        return self._answered(Call("GET", path, query=query))

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        """POST a JSON body; only for calls that read and may be repeated.

        Raises:
            ApiRefused: A status that asking again won't change.
            ApiError: No answer, or none that is JSON, after every retry.
        """
        return self._answered(Call("POST", path, body=body))

    def download(self, path: str) -> Iterator[bytes]:
        """GET a path whose answer is a file, in chunks; what broke off goes on where it stopped.

        Raises:
            ApiRefused: A status that asking again won't change.
            ApiError: It broke off and could not be resumed.
        """
        call = Call("GET", path, offset=0)
        attempts = _Attempts(self, call)
        tag: str | None = None
        done = 0
        while True:
            try:
                with attempts.sent(replace(call, offset=done)) as answer:
                    if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                        return
                    before, tag = (
                        tag,
                        answer.headers.get("etag", answer.headers.get("last-modified")),
                    )
                    if done and tag != before:
                        raise attempts.gave_up("the file changed while it was read")
                    skip = 0 if answer.status == HTTPStatus.PARTIAL_CONTENT else done
                    for chunk in answer.body:
                        new, skip = chunk[skip:], max(0, skip - len(chunk))
                        if new:
                            done += len(new)
                            attempts.begin_anew()
                            yield new
                    return
            except NoAnswer as failure:
                attempts.wait_after(failure)

    def fetch(self, url: str) -> bytes:
        """GET a signed address that the API has handed out, without any credentials.

        Raises:
            ApiRefused: A status that asking again won't change, such as an expired signature.
            ApiError: No answer after every retry, or no address that may be followed.
        """
        call = Call("GET", f"{_site_of(url)} (signed address)", signed_url=url)
        return self._read(call, lambda answer: _whole(answer, LARGEST_ANSWER_BYTES))

    def _answered(self, call: Call) -> Json:
        return self._read(call, _json_of)

    def _read(self, call: Call, read: Callable[[Answer], Read]) -> Read:
        attempts = _Attempts(self, call)
        while True:
            try:
                with attempts.sent(call) as answer:
                    return read(answer)
            except NoAnswer as failure:
                attempts.wait_after(failure)


class _Busy(NoAnswer):
    """The workspace answered that it can't answer now.

    Attributes:
        wait: Seconds it asked to wait; None: it did not say.
    """

    def __init__(self, text: str, wait: float | None) -> None:
        super().__init__(text)
        self.wait = wait


class _LoggedInAnew(NoAnswer):
    """The identity was refused, and a new one may not be."""


@dataclass
class _Attempts:
    """The tries of one request."""

    api: DatabricksApi
    call: Call
    tries: int = 0
    begun: float = field(init=False)
    is_renewed: bool = False

    def __post_init__(self) -> None:
        self.begun = self._clock.now()

    @property
    def _clock(self) -> Clock:
        return self.api.pace.clock

    def begin_anew(self) -> None:
        """Forget the tries so far: it went on."""
        self.tries, self.begun = 0, self._clock.now()

    @contextmanager
    def sent(self, call: Call) -> Generator[Answer]:
        """An answer with data.

        Raises:
            NoAnswer: There was none, but there may be.
            ApiRefused: There won't be one.
            ApiError: Nothing answers as things stand.
        """
        if call.signed_url is None:
            self.api.pace.wait_turn()
        self.tries += 1
        try:
            with self.api.exchange.send(call) as answer:
                if not _has_data(call, answer):
                    self._refuse(answer)
                yield answer
        except LoginRefused as failure:
            raise NotAdmitted(str(self.gave_up(str(failure)))) from None
        except Unreachable as failure:
            raise self.gave_up(str(failure)) from None

    def wait_after(self, failure: NoAnswer) -> None:
        """Wait until it is time to try again.

        Raises:
            ApiError: The time for trying again is over.
        """
        if isinstance(failure, _LoggedInAnew):
            return
        now = self._clock.now()
        asked = failure.wait if isinstance(failure, _Busy) else None
        again = now + (self._usual_wait() if asked is None else max(asked, SHORTEST_WAIT))
        if asked is not None:
            self.api.pace.hold(min(again, self.begun + self.api.retry_seconds))
        if again > self.begun + self.api.retry_seconds:
            seconds = round(now - self.begun)
            waiting = "" if asked is None else f" and asks to come back in {asked:g} s"
            times = "once" if self.tries == 1 else f"{self.tries} times in {seconds} s"
            what = f"no usable answer, asked {times}; the last time {failure}{waiting}"
            raise self.gave_up(
                f"{what}; check the workspace's state and the network, or give it more "
                "`retry_seconds`, and load again"
            ) from None
        self._clock.sleep_until(again)

    def gave_up(self, why: str) -> ApiError:
        """The error that ends the tries."""
        return ApiError(self._scrubbed(f"{self.api.workspace}: {self.call}: {why}"))

    def _usual_wait(self) -> float:
        return 1.0 + self.tries % BRIEF_WAITS if self.tries <= BRIEF_WAITS else LONG_WAIT

    def _refuse(self, answer: Answer) -> None:
        """Say why there is no data.

        Raises:
            NoAnswer: It may help to ask again.
            ApiRefused: It won't.
        """
        code, said = _refusal(answer)
        said = self._scrubbed(said)[:TOLD_CHARACTERS]
        told = " ".join(part for part in (f"answered {answer.status}", code, said) if part)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS or _is_passing(answer.status):
            raise _Busy(told, _asked_wait(answer))
        is_unknown = answer.status == HTTPStatus.UNAUTHORIZED
        is_denied = is_unknown or answer.status == HTTPStatus.FORBIDDEN
        if is_denied and not self.is_renewed and self.call.signed_url is None:
            self.is_renewed = True
            if self.api.exchange.renew(if_changed=not is_unknown):
                raise _LoggedInAnew(told)
        is_missing = answer.status in _MISSING and (code in _GONE or "does not exist" in said)
        remedy = _remedy(answer.status, self.call)
        if is_missing:
            remedy = "nothing is to be done"
        elif self.call.signed_url is not None:
            remedy = "the address may have expired: it is to be asked for anew"
        raise ApiRefused(
            self._scrubbed(f"{self.api.workspace}: {self.call} {told}; {remedy}"),
            status=answer.status,
            code=code,
            said=said,
            is_missing=is_missing,
        )

    def _scrubbed(self, text: str) -> str:
        return struck_out(text, self.api.exchange.secrets())


def _site_of(url: str) -> str:
    """The part of an address that may be told."""
    try:
        address = urlsplit(url)
    except ValueError:
        return "what is no address"
    return f"{address.scheme}://{address.hostname}"


def _has_data(call: Call, answer: Answer) -> bool:
    if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and call.offset:
        return answer.headers.get("content-range", "").endswith(f"/{call.offset}")
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def _is_passing(status: int) -> bool:
    return status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _asked_wait(answer: Answer) -> float | None:
    """Seconds that `Retry-After` asks for, as a number or as a date; None: it doesn't.

    A date is compared with the answer's own, so that differing clocks do no harm.
    """
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        there = parsedate_to_datetime(answer.headers.get("date", ""))
        until = parsedate_to_datetime(text)
        return max(0.0, (until - there).total_seconds())
    except (TypeError, ValueError):
        return None


def _json_of(answer: Answer) -> Json:
    """The answer's object.

    Raises:
        NoAnswer: It broke off, or is no JSON object.
    """
    found = _decoded(_whole(answer, LARGEST_ANSWER_BYTES))
    if not isinstance(found, dict):
        kind = answer.headers.get("content-type", "without a type")
        message = f"answered {answer.status} with what is no JSON object ({kind})"
        raise NoAnswer(message)
    return cast("Json", found)


def _whole(answer: Answer, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in answer.body:
        parts.append(part)
        size += len(part)
        if size > most:
            message = f"answered {answer.status} with more than {most:,} bytes"
            raise NoAnswer(message)
    return b"".join(parts)


def _decoded(content: bytes) -> object:
    """What JSON holds; None if it is none."""
    try:
        return msgspec.json.decode(content)
    except RecursionError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _decoded_leniently(content)


def _decoded_leniently(content: bytes) -> object:
    """JSON with halves of surrogate pairs or bytes that are no UTF-8 in its texts."""
    try:
        return json.loads(content.decode(errors="replace"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _no_number(name: str) -> float:
    message = f"{name} is no JSON"
    raise ValueError(message)


def _refusal(answer: Answer) -> tuple[str, str]:
    """Databricks' code and message; else the beginning of what was said."""
    try:
        content = _whole(answer, LARGEST_REFUSAL_BYTES)
    except NoAnswer as failure:
        return "", str(failure)
    found = _decoded(content)
    if not isinstance(found, dict):
        text = " ".join(content.decode(errors="replace").split())
        return "", "" if text.startswith("<") else text
    told = cast("dict[str, object]", found)
    code, said = told.get("error_code", told.get("error")), told.get("message", told.get("detail"))
    return (code if isinstance(code, str) else "", said if isinstance(said, str) else "")


def permission_for(path: str) -> str:
    """What an identity needs to ask a path."""
    return next((each for part, each in _PERMISSIONS if part in path), "access")


def _remedy(status: int, call: Call) -> str:
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return (
                "the identity is not accepted: check the one under `databricks` in the "
                "configuration, and whether its secret has expired"
            )
        case HTTPStatus.FORBIDDEN:
            return f"grant the identity that is used: {permission_for(call.path)}"
        case HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            return "check user and password of `proxy`"
        case HTTPStatus.NOT_FOUND:
            return "check that `host` is the workspace's address, and that it has this API"
        case _ if status < HTTPStatus.BAD_REQUEST:
            return "it leads elsewhere: check that `host` is the workspace's address"
        case _:
            return "asking again would change nothing; please report it"
