"""How a fault is done to an answer: refused, late, reset, cut, or no JSON."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Protocol

from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from overwatch_assets.demo.emulator.faults import Fault, FaultRule
from overwatch_assets.demo.emulator.refusals import Refused

CONNECTION = "overwatch.connection"
"""Extension of the ASGI scope that holds the connection's transport."""

_REFUSALS = {
    Fault.THROTTLED: (
        HTTPStatus.TOO_MANY_REQUESTS,
        "REQUEST_LIMIT_EXCEEDED",
        "Too many requests to this workspace",
    ),
    Fault.SERVER_ERROR: (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "INTERNAL_ERROR",
        "The server could not complete the request",
    ),
    Fault.UNAVAILABLE: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "TEMPORARILY_UNAVAILABLE",
        "The service is temporarily unavailable",
    ),
    Fault.FORBIDDEN: (
        HTTPStatus.FORBIDDEN,
        "PERMISSION_DENIED",
        "The caller does not have permission on this object",
    ),
    Fault.BAD_PARAMETER: (
        HTTPStatus.BAD_REQUEST,
        "INVALID_PARAMETER_VALUE",
        "A parameter has a value that is not valid",
    ),
}
_RETRIED = {Fault.THROTTLED, Fault.UNAVAILABLE}


class Answered(Protocol):
    """An answer to be sent."""

    @property
    def status_code(self) -> int | None:
        """Its status; None: nothing is sent."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        ...


async def with_fault(
    rule: FaultRule | None,
    answer: Callable[[], Awaitable[Response]],
    stopping: asyncio.Event,
) -> Answered:
    """Give an answer, or what a rule makes of it."""
    if rule is None:
        return await answer()
    match rule.fault:
        case Fault.RESET:
            return _Reset()
        case Fault.CUT:
            return _Cut(await answer())
        case Fault.INVALID_JSON:
            return _half(await answer())
        case Fault.SLOW:
            await _wait(stopping, rule.seconds)
        case _:
            pass
    return _refusal(rule) or await answer()


def _refusal(rule: FaultRule) -> Response | None:
    """The error that a rule answers with; None: it does something else."""
    if rule.fault not in _REFUSALS:
        return None
    status, code, message = _REFUSALS[rule.fault]
    headers: dict[str, str] = {}
    if rule.fault in _RETRIED and rule.retry_after is not None:
        headers["Retry-After"] = str(rule.retry_after)
    return JSONResponse(Refused(status, code, message).body, status, headers)


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return


class _Reset:
    """No answer: the connection ends with a reset, and nothing before it."""

    status_code = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """End the connection."""
        del receive, send
        transport: asyncio.Transport = scope["extensions"][CONNECTION]
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        # The server takes an answer that never began for a failure of ours until it has seen
        # that the connection is gone: a turn of the loop later.
        await asyncio.sleep(0)
        await asyncio.sleep(0)


class _Cut:
    """An answer that announces its length and breaks off halfway."""

    def __init__(self, answer: Response) -> None:
        self.status_code = answer.status_code
        self._answer = answer
        self._is_cut = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and half of the first part of the body."""

        async def send_part(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
            elif not self._is_cut:
                self._is_cut = True
                body: bytes = message.get("body", b"")
                half = body[: len(body) // 2]
                await send({"type": "http.response.body", "body": half, "more_body": True})
                transport: asyncio.Transport = scope["extensions"][CONNECTION]
                transport.close()

        await self._answer(scope, receive, send_part)


def _half(answer: Response) -> Response:
    """An answer with a status and a length that are right, and a body that is not."""
    body = bytes(answer.body)
    return Response(body[: len(body) // 2], answer.status_code, media_type=answer.media_type)
