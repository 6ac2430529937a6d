"""Runs a SQL statement on a SQL warehouse and reads its rows, chunk by chunk.

Large results come as links to files that expire after some minutes; a link that has is asked
for again. Every value comes as text, structs and maps as JSON text.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec

from overwatch_assets.sources.rest_api.api import Api, ApiError, ApiRefused, Json

STATEMENTS = "/api/2.0/sql/statements"
WAIT = "30s"
"""How long the warehouse holds the first answer back."""

PAUSES_S = (1, 2, 5, 10)
"""Pauses between two questions whether a statement is done; the last is repeated."""

LONGEST_WAIT_S = 3600


class StatementFailed(ApiError):
    """The warehouse answered that the statement can't be run: permissions, names, its own state."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named parameter of a statement."""

    name: str
    value: str
    type: str = "STRING"


def run_statement(
    api: Api,
    warehouse_id: str,
    statement: str,
    parameters: Sequence[Parameter],
    *,
    sleep: Callable[[float], None] = time.sleep,
    longest_wait_s: float = LONGEST_WAIT_S,
) -> Iterator[Mapping[str, object]]:
    """Run a statement that reads, and give its rows by column.

    Args:
        api: API of the workspace that has the warehouse.
        warehouse_id: The warehouse.
        statement: SQL with parameters such as `:name`.
        parameters: Their values.
        sleep: Waits between two questions whether it is done.
        longest_wait_s: How long it may take.

    Raises:
        StatementFailed: It failed or was cancelled.
        ApiError: It takes too long, or its rows can't be had.
    """
    answer = api.post(
        STATEMENTS,
        {
            "warehouse_id": warehouse_id,
            "statement": statement,
            "parameters": [
                {"name": each.name, "value": each.value, "type": each.type} for each in parameters
            ],
            "wait_timeout": WAIT,
            "on_wait_timeout": "CONTINUE",
            "disposition": "EXTERNAL_LINKS",
            "format": "JSON_ARRAY",
        },
    )
    done = _finished(api, answer, sleep, longest_wait_s)
    names = _column_names(done)
    statement_id = str(done.get("statement_id"))
    chunk: Json | None = _object(done.get("result"))
    while chunk is not None:
        after: int | None = None
        for part in _parts(chunk):
            for values in _rows(api, statement_id, part):
                if len(values) != len(names):
                    raise ApiError(
                        f"a row of the statement's result has {len(values)} values for "
                        f"{len(names)} columns"
                    )
                yield dict(zip(names, values, strict=True))
            number = part.get("next_chunk_index")
            after = number if isinstance(number, int) else None
        chunk = None if after is None else _chunk(api, statement_id, after)


def _finished(
    api: Api, answer: Json, sleep: Callable[[float], None], longest_wait_s: float
) -> Json:
    """The answer once the statement has succeeded."""
    waited = 0.0
    asked = 0
    while True:
        status = _object(answer.get("status")) or {}
        state = str(status.get("state"))
        if state == "SUCCEEDED":
            return answer
        if state not in {"PENDING", "RUNNING"}:
            error = _object(status.get("error")) or {}
            raise StatementFailed(
                f"the statement ended as {state}: {error.get('error_code', '')} "
                f"{error.get('message', 'no reason is told')}"
            )
        if waited >= longest_wait_s:
            raise ApiError(f"the statement is still {state} after {longest_wait_s:g} s")
        pause = PAUSES_S[min(asked, len(PAUSES_S) - 1)]
        sleep(pause)
        waited += pause
        asked += 1
        answer = api.get(f"{STATEMENTS}/{answer.get('statement_id')}")


def _column_names(answer: Json) -> Sequence[str]:
    manifest = _object(answer.get("manifest")) or {}
    schema = _object(manifest.get("schema")) or {}
    columns = schema.get("columns")
    named = cast("list[Json]", columns) if isinstance(columns, list) else []
    return [str(each.get("name")) for each in named]


def _parts(chunk: Json) -> Sequence[Json]:
    """A chunk itself where its rows stand in it, else its links to them."""
    links = chunk.get("external_links")
    return cast("list[Json]", links) if isinstance(links, list) else [chunk]


def _rows(api: Api, statement_id: str, part: Json) -> Sequence[Sequence[object]]:
    if "external_link" not in part:
        inline = part.get("data_array")
        return cast("list[list[object]]", inline) if isinstance(inline, list) else []
    try:
        content = api.fetch(str(part["external_link"]))
    except ApiRefused:
        # Links expire after minutes: the chunk is asked for again, for a fresh one.
        number = part.get("chunk_index")
        [fresh] = _parts(_chunk(api, statement_id, number if isinstance(number, int) else 0))
        content = api.fetch(str(fresh.get("external_link")))
    try:
        rows = msgspec.json.decode(content, type=list[list[object]])
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError) as error:
        raise ApiError("a chunk of the statement's result is no JSON array of rows") from error
    return rows


def _chunk(api: Api, statement_id: str, number: int) -> Json:
    return api.get(f"{STATEMENTS}/{statement_id}/result/chunks/{number}")


def _object(value: object) -> Json | None:
    return cast("Json", value) if isinstance(value, dict) else None
