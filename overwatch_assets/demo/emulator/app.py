"""One workspace as an ASGI application: lets calls in, lets them go wrong, writes them down."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from itertools import count
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from overwatch_assets.demo.emulator.call import Call, Endpoint, Parameters
from overwatch_assets.demo.emulator.compute_endpoints import compute_endpoints
from overwatch_assets.demo.emulator.credentials import Credentials, Doorkeeper, NotAuthenticated
from overwatch_assets.demo.emulator.faults import FaultRule, Faults
from overwatch_assets.demo.emulator.file_endpoints import STORAGE, file_answer, file_endpoints
from overwatch_assets.demo.emulator.job_endpoints import job_endpoints
from overwatch_assets.demo.emulator.journal import TOLD, Journal, SeenRequest
from overwatch_assets.demo.emulator.links import LinkRefused, Links
from overwatch_assets.demo.emulator.mishaps import Answered, with_fault
from overwatch_assets.demo.emulator.object_endpoints import object_endpoints
from overwatch_assets.demo.emulator.refusals import Refused, invalid
from overwatch_assets.demo.emulator.sql_endpoints import sql_endpoints
from overwatch_assets.demo.emulator.statements import RESULTS, StatementOptions, Statements
from overwatch_assets.demo.emulator.system_tables import SystemTables
from overwatch_assets.demo.emulator.workspace import EmulatedWorkspace, Json


@dataclass(frozen=True, slots=True)
class Account:
    """What the workspaces of an emulated account share.

    Attributes:
        clock: The emulator's now, epoch milliseconds.
        failures: What went wrong in the emulator itself.
        stopping: Set when the server stops, so that nobody waits for a slow answer.
    """

    workspaces: Sequence[EmulatedWorkspace]
    account_id: str
    credentials: Credentials
    clock: Callable[[], int]
    options: StatementOptions
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    links: Links = field(default_factory=Links)
    tables: SystemTables = field(default_factory=SystemTables)
    numbers: "count[int]" = field(default_factory=count)
    failures: list[Exception] = field(default_factory=list[Exception])
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Visit:
    """A request, and what is known of it so far."""

    number: int
    request: Request
    asked: Mapping[str, object]
    rule: FaultRule | None
    principal: str | None = None

    @property
    def endpoint(self) -> str:
        """Method and path."""
        return f"{self.request.method} {self.request.url.path}"

    @property
    def authorization(self) -> str | None:
        return self.request.headers.get("authorization")


class WorkspaceApp:
    """Answers one workspace's requests."""

    def __init__(self, account: Account, workspace: EmulatedWorkspace) -> None:
        """Gather the workspace's endpoints."""
        self._account = account
        self._workspace = workspace
        self._door = Doorkeeper(account.credentials)
        self._statements = Statements(
            account.workspaces, account.tables, account.links, account.options
        )
        endpoints = (
            *compute_endpoints(),
            *job_endpoints(),
            *object_endpoints(),
            *file_endpoints(account.links),
            *sql_endpoints(),
            *self._statements.endpoints(),
        )
        others = {
            "/.well-known/databricks-config": self._host_metadata,
            "/oidc/.well-known/oauth-authorization-server": self._oidc_metadata,
            "/oidc/v1/token": self._token,
            f"{STORAGE}/{{path:path}}": self._stored_file,
            f"{RESULTS}/{{statement_id}}/{{chunk:int}}": self._stored_chunk,
        }
        self._app = Starlette(
            routes=[
                *(
                    _route(
                        each.path, [each.method], partial(self._visited, partial(self._api, each))
                    )
                    for each in endpoints
                ),
                *(
                    _route(path, ["GET", "POST"], partial(self._visited, answer))
                    for path, answer in others.items()
                ),
                _route("/{path:path}", _METHODS, partial(self._visited, self._unknown)),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as ASGI has it; every answer names the workspace."""

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-databricks-org-id"] = self._workspace.workspace_id
            await send(message)

        await self._app(scope, receive, send_named)

    async def _visited(
        self, answer: Callable[[_Visit], Awaitable[Response]], request: Request
    ) -> Answered:
        """Answer a request, in whatever way it goes wrong, and write it down."""
        number = next(self._account.numbers)
        try:
            asked = await _parameters(request)
        except Refused as refused:
            return JSONResponse(refused.body, refused.status)
        endpoint = f"{request.method} {request.url.path}"
        rule = self._account.faults.next(endpoint, asked, self._workspace.workspace_id)
        visit = _Visit(number, request, asked, rule)
        response = await with_fault(
            rule, partial(self._or_refused, answer, visit), self._account.stopping
        )
        self._account.journal.note(
            SeenRequest(
                number=number,
                at_ms=self._account.clock(),
                workspace_id=self._workspace.workspace_id,
                endpoint=endpoint,
                parameters={key: value for key, value in asked.items() if key in TOLD},
                principal=visit.principal,
                status=None if response.status_code is None else int(response.status_code),
                fault=rule.fault if rule else None,
            )
        )
        return response

    async def _or_refused(
        self, answer: Callable[[_Visit], Awaitable[Response]], visit: _Visit
    ) -> Response:
        """An answer, or the error that stands for it."""
        try:
            return await answer(visit)
        except Refused as refused:
            return JSONResponse(refused.body, refused.status)
        except LinkRefused as refused:
            return Response(refused.body, refused.status, media_type="application/xml")
        except NotAuthenticated as refused:
            body = {"error": refused.error, "error_description": str(refused)}
            return JSONResponse(body, refused.status)
        except Exception as failure:
            self._account.failures.append(failure)
            raise

    async def _api(self, endpoint: Endpoint, visit: _Visit) -> Response:
        """A call of the API."""
        visit.principal = self._door.principal(visit.authorization)
        unknown = sorted(visit.asked.keys() - endpoint.parameters)
        if unknown:
            raise invalid(f"{visit.endpoint} knows no parameter {unknown[0]}")
        call = Call(
            workspace=self._workspace,
            now_ms=self._account.clock(),
            principal=visit.principal,
            endpoint=visit.endpoint,
            base_url=_base_url(visit),
            parameters=Parameters(visit.asked),
            headers=visit.request.headers,
            fault=visit.rule.fault if visit.rule else None,
        )
        if endpoint.is_slow:
            return _response(await asyncio.to_thread(endpoint.answer, call))
        return _response(endpoint.answer(call))

    async def _unknown(self, visit: _Visit) -> Response:
        told = f"No API found for '{visit.endpoint}'"
        raise Refused(HTTPStatus.NOT_FOUND, "ENDPOINT_NOT_FOUND", told)

    async def _host_metadata(self, visit: _Visit) -> Response:
        return JSONResponse(
            {
                "oidc_endpoint": f"{_base_url(visit)}/oidc",
                "account_id": self._account.account_id,
                "workspace_id": self._workspace.workspace_id,
            }
        )

    async def _oidc_metadata(self, visit: _Visit) -> Response:
        oidc = f"{_base_url(visit)}/oidc"
        return JSONResponse(
            {
                "issuer": oidc,
                "authorization_endpoint": f"{oidc}/v1/authorize",
                "token_endpoint": f"{oidc}/v1/token",
            }
        )

    async def _token(self, visit: _Visit) -> Response:
        form = dict(parse_qsl((await visit.request.body()).decode()))
        return JSONResponse(self._door.issue(visit.authorization, form))

    async def _stored_file(self, visit: _Visit) -> Response:
        """A volume's file by a link that was given out for it."""
        self._check_link(visit)
        path = str(visit.asked["path"])
        return file_answer(self._workspace, path, visit.request.method, visit.request.headers)

    async def _stored_chunk(self, visit: _Visit) -> Response:
        """A chunk of a statement's result by a link that was given out for it."""
        self._check_link(visit)
        statement_id, chunk = str(visit.asked["statement_id"]), int(str(visit.asked["chunk"]))
        return self._statements.content(
            statement_id, chunk, visit.rule.fault if visit.rule else None
        )

    def _check_link(self, visit: _Visit) -> None:
        query, path = visit.request.query_params, visit.request.url.path
        self._account.links.check(path, query, visit.authorization, self._account.clock())


_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def _route(
    path: str, methods: list[str], answer: Callable[[Request], Awaitable[Answered]]
) -> Route:
    """A route; where it takes GET it takes HEAD."""

    async def endpoint(request: Request) -> Answered:
        return await answer(request)

    return Route(path, endpoint, methods=methods)


async def _parameters(request: Request) -> dict[str, object]:
    """Parameters of the query, of the path and of a JSON body; repeated ones are lists.

    Raises:
        Refused: The body is no JSON object.
    """
    asked: dict[str, object] = {}
    for name in request.query_params:
        values = request.query_params.getlist(name)
        asked[name] = values[0] if len(values) == 1 else values
    body = await request.body()
    if body and request.headers.get("content-type", "").startswith("application/json"):
        try:
            asked |= msgspec.json.decode(body, type=Json)
        except msgspec.DecodeError as error:
            told = f"Could not parse request object: {error}"
            raise Refused(HTTPStatus.BAD_REQUEST, "MALFORMED_REQUEST", told) from error
    return {**asked, **request.path_params}


def _base_url(visit: _Visit) -> str:
    return str(visit.request.base_url).rstrip("/")


def _response(answer: Json | Response) -> Response:
    if isinstance(answer, Response):
        return answer
    return Response(msgspec.json.encode(answer), media_type="application/json")
