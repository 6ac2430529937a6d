"""SQL statements on a warehouse: from being taken, by way of waiting, to chunks of a result."""

import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Literal, cast

import msgspec
import polars as pl
from starlette.responses import Response

from overwatch_assets.demo.emulator.call import Call, Endpoint, Parameters, get, post
from overwatch_assets.demo.emulator.faults import Fault
from overwatch_assets.demo.emulator.links import Links
from overwatch_assets.demo.emulator.refusals import invalid, missing
from overwatch_assets.demo.emulator.sql_text import PARAMETER_TYPES, TEXT
from overwatch_assets.demo.emulator.system_tables import (
    Format,
    Outcome,
    Statement,
    StatementFailed,
    SystemTables,
    account_rows,
)
from overwatch_assets.demo.emulator.workspace import EmulatedWorkspace, Json

RESULTS = "/results"
"""Where a link to a result's chunk leads: statement and chunk follow."""

KEPT_MS = 3_600_000
"""How long after its success a result can be fetched."""

SHORTEST_WAIT_S, LONGEST_WAIT_S = 5, 50

Disposition = Literal["INLINE", "EXTERNAL_LINKS"]


@dataclass(frozen=True, slots=True)
class StatementOptions:
    """How statements go.

    Attributes:
        rows_per_chunk: Most rows in a chunk of a result.
        unready_answers: How often a statement that nobody waits for is PENDING, then RUNNING,
            when it is asked for.
        is_outlasting: Statements take longer than anybody waits.
        link_s: Seconds for which a link to a chunk is good.
        inline_bytes: Most bytes of a result without links.
    """

    rows_per_chunk: int = 1000
    unready_answers: int = 1
    is_outlasting: bool = False
    link_s: int = 900
    inline_bytes: int = 25 * 1024 * 1024


@dataclass(slots=True)
class _Taken:
    """A statement that was taken: its outcome is known, the client does not know it yet.

    Attributes:
        chunks: Rows of each chunk; `contents` are its bytes.
        unready: How often it answers that it is not done.
        asked: How often it was asked for, the first answer included.
    """

    statement_id: str
    form: Format
    disposition: Disposition
    done_ms: int
    outcome: Outcome | StatementFailed
    is_truncated: bool
    chunks: Sequence[range]
    contents: Sequence[bytes]
    unready: int
    asked: int = 0
    is_canceled: bool = False

    def state(self, now_ms: int) -> str:
        """State as it is now."""
        if self.is_canceled:
            return "CANCELED"
        if self.asked <= self.unready:
            return "PENDING" if self.asked <= 1 else "RUNNING"
        if isinstance(self.outcome, StatementFailed):
            return "FAILED"
        return "SUCCEEDED" if now_ms < self.done_ms + KEPT_MS else "CLOSED"


@dataclass(slots=True)
class Statements:
    """The statements of one workspace's warehouses.

    Attributes:
        account: Every workspace whose rows the system tables hold.
    """

    account: Sequence[EmulatedWorkspace]
    tables: SystemTables
    links: Links
    options: StatementOptions
    _taken: dict[str, _Taken] = field(default_factory=dict[str, _Taken])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints of the Statement Execution API."""
        statements = "/api/2.0/sql/statements"
        one = f"{statements}/{{statement_id}}"
        execute = post(
            statements,
            self._execute,
            "statement",
            "warehouse_id",
            "parameters",
            "catalog",
            "schema",
            "disposition",
            "format",
            "wait_timeout",
            "on_wait_timeout",
            "row_limit",
            "byte_limit",
            "query_tags",
        )
        return (
            replace(execute, is_slow=True),
            get(one, self._status, "statement_id"),
            post(f"{one}/cancel", self._cancel, "statement_id"),
            get(f"{one}/result/chunks/{{chunk:int}}", self._chunk, "statement_id", "chunk"),
        )

    def content(self, statement_id: str, chunk: int, fault: Fault | None) -> Response:
        """What a link to a chunk gives.

        Raises:
            Refused: There is no such chunk.
        """
        taken = self._find(statement_id)
        if not isinstance(taken.outcome, Outcome) or chunk not in range(len(taken.chunks)):
            raise missing(f"There is no chunk {chunk} of statement {statement_id}")
        body = taken.contents[chunk]
        if fault is Fault.ARROW_CUT:
            body = body[: len(body) // 2]
        return Response(body, media_type="application/octet-stream")

    def _execute(self, call: Call) -> Json:
        asked = call.parameters
        _check_warehouse(call)
        wait_s = _wait_s(asked.text("wait_timeout") or "10s")
        disposition = cast("Disposition", _one_of(asked, "disposition", "INLINE", "EXTERNAL_LINKS"))
        form = cast("Format", _one_of(asked, "format", "JSON_ARRAY", "ARROW_STREAM"))
        if disposition == "INLINE" and form != "JSON_ARRAY":
            raise invalid(f"The format {form} is not supported with the disposition INLINE")
        is_stopped = _one_of(asked, "on_wait_timeout", "CONTINUE", "CANCEL") == "CANCEL"
        is_late = wait_s == 0 or self.options.is_outlasting
        taken = self._run(call, form, disposition, unready=1 + self.options.unready_answers)
        taken.asked = 0 if is_late else taken.unready
        taken.is_canceled = is_late and is_stopped and wait_s > 0
        with self._lock:
            self._taken[taken.statement_id] = taken
        return self._answer(call, taken)

    def _run(self, call: Call, form: Format, disposition: Disposition, *, unready: int) -> _Taken:
        asked = call.parameters
        outcome = self._outcome(_statement(asked, form), call.now_ms)
        chunks: Sequence[range] = ()
        contents: Sequence[bytes] = ()
        is_truncated = False
        if isinstance(outcome, Outcome):
            rows = _rows_within(outcome, asked)
            is_truncated = rows < outcome.row_count
            outcome = outcome.head(rows)
            step = self.options.rows_per_chunk
            chunks = [range(at, min(at + step, rows)) for at in range(0, rows, step)]
            contents = [_bytes(outcome, chunk) for chunk in chunks]
            most = self.options.inline_bytes
            if disposition == "INLINE" and sum(map(len, contents)) > most:
                told = f"[INLINE_RESULT_TOO_LARGE] The result is larger than {most} bytes."
                outcome, chunks = StatementFailed(told, "54000"), ()
        return _Taken(
            statement_id=str(uuid.uuid4()),
            form=form,
            disposition=disposition,
            done_ms=call.now_ms,
            outcome=outcome,
            is_truncated=is_truncated,
            chunks=chunks,
            contents=contents,
            unready=unready,
        )

    def _outcome(self, statement: Statement, now_ms: int) -> Outcome | StatementFailed:
        try:
            return self.tables.run(statement, account_rows(self.account), now_ms)
        except StatementFailed as failed:
            return failed

    def _status(self, call: Call) -> Json:
        return self._answer(call, self._find(call.parameters.required("statement_id")))

    def _cancel(self, call: Call) -> Json:
        """Cancel what is not over; nothing is said about whether it was."""
        taken = self._find(call.parameters.required("statement_id"))
        taken.is_canceled = taken.asked <= taken.unready
        return {}

    def _chunk(self, call: Call) -> Json:
        taken = self._find(call.parameters.required("statement_id"))
        number = call.parameters.limited("chunk", least=0, most=max(0, len(taken.chunks) - 1)) or 0
        if taken.state(call.now_ms) != "SUCCEEDED" or not taken.chunks:
            raise missing(f"Statement {taken.statement_id} has no result to fetch")
        return self._result(call, taken, number)

    def _find(self, statement_id: str) -> _Taken:
        with self._lock:
            taken = self._taken.get(statement_id)
        if taken is None:
            raise missing(f"The statement {statement_id} was not found.")
        return taken

    def _answer(self, call: Call, taken: _Taken) -> Json:
        taken.asked += 1
        state = taken.state(call.now_ms)
        status: Json = {"state": state}
        answer: Json = {"statement_id": taken.statement_id, "status": status}
        if isinstance(taken.outcome, StatementFailed):
            if state == "FAILED":
                status["error"] = {"error_code": "BAD_REQUEST", "message": str(taken.outcome)}
                status["sql_state"] = taken.outcome.sql_state
            return answer
        if state == "SUCCEEDED":
            answer["manifest"] = _manifest(taken, taken.outcome)
            answer["result"] = self._result(call, taken, 0) if taken.chunks else {}
        return answer

    def _result(self, call: Call, taken: _Taken, number: int) -> Json:
        """A chunk: its rows, or the link to them."""
        outcome = cast("Outcome", taken.outcome)
        chunk = taken.chunks[number]
        told = _chunk_info(taken, number)
        if number + 1 < len(taken.chunks):
            following = f"/api/2.0/sql/statements/{taken.statement_id}/result/chunks/{number + 1}"
            told |= {"next_chunk_index": number + 1, "next_chunk_internal_link": following}
        if taken.disposition == "INLINE":
            return {**told, "data_array": outcome.rows[chunk.start : chunk.stop]}
        until_ms = call.now_ms + self.options.link_s * 1000
        path = f"{RESULTS}/{taken.statement_id}/{number}"
        link = self.links.signed(call.base_url, path, until_ms)
        expiration = datetime.fromtimestamp(until_ms // 1000, tz=UTC)
        told |= {"external_link": link, "expiration": f"{expiration:%Y-%m-%dT%H:%M:%SZ}"}
        return {"external_links": [told]}


def _check_warehouse(call: Call) -> None:
    warehouse_id = call.parameters.required("warehouse_id")
    known = [each["id"] for each in call.workspace.warehouses(call.now_ms)]
    if warehouse_id not in known:
        raise missing(f"SQL warehouse {warehouse_id} does not exist")


def _statement(asked: Parameters, form: Format) -> Statement:
    values: dict[str, str | None] = {}
    types: dict[str, str] = {}
    for parameter in asked.objects("parameters"):
        name = parameter.required("name")
        value = parameter.values.get("value")
        types[name] = (parameter.text("type") or TEXT).upper()
        if types[name] not in {*PARAMETER_TYPES, TEXT}:
            raise invalid(f"parameters: {name} is of the unknown type {types[name]}")
        values[name] = None if value is None else str(value)
    return Statement(
        text=asked.required("statement"),
        format=form,
        values=values,
        types=types,
        catalog=asked.text("catalog"),
        schema=asked.text("schema"),
    )


def _wait_s(text: str) -> int:
    seconds = text.removesuffix("s")
    if not text.endswith("s") or not seconds.isdecimal():
        raise invalid(f"wait_timeout: {text!r} is no number of seconds such as 30s")
    if int(seconds) and not SHORTEST_WAIT_S <= int(seconds) <= LONGEST_WAIT_S:
        raise invalid(f"wait_timeout: {text!r} is neither 0s nor between 5s and 50s")
    return int(seconds)


def _one_of(asked: Parameters, name: str, default: str, *others: str) -> str:
    value = asked.text(name) or default
    if value not in {default, *others}:
        raise invalid(f"{name}: {value!r} is none of {', '.join((default, *others))}")
    return value


def _rows_within(outcome: Outcome, asked: Parameters) -> int:
    """Number of rows that the limits of a request leave."""
    row_limit = asked.limited("row_limit", least=1, most=1 << 62)
    byte_limit = asked.limited("byte_limit", least=1, most=1 << 62)
    rows = outcome.row_count if row_limit is None else min(row_limit, outcome.row_count)
    if byte_limit is None:
        return rows
    kept = 0
    for row in range(rows):
        byte_limit -= len(_bytes(outcome, range(row, row + 1)))
        if byte_limit < 0:
            break
        kept += 1
    return kept


def _manifest(taken: _Taken, outcome: Outcome) -> Json:
    columns = [
        {"name": name, "position": position, "type_name": type_name, "type_text": type_text}
        for position, (name, type_name, type_text) in enumerate(outcome.columns)
    ]
    manifest: Json = {
        "format": taken.form,
        "schema": {"column_count": len(columns), "columns": columns},
        "total_chunk_count": len(taken.chunks),
        "total_row_count": outcome.row_count,
        "truncated": taken.is_truncated,
    }
    if taken.chunks:
        manifest["chunks"] = [_chunk_info(taken, number) for number in range(len(taken.chunks))]
        if taken.disposition == "EXTERNAL_LINKS":
            manifest["total_byte_count"] = sum(map(len, taken.contents))
    return manifest


def _chunk_info(taken: _Taken, number: int) -> Json:
    chunk = taken.chunks[number]
    info: Json = {"chunk_index": number, "row_offset": chunk.start, "row_count": len(chunk)}
    if taken.disposition == "EXTERNAL_LINKS":
        info["byte_count"] = len(taken.contents[number])
    return info


def _bytes(outcome: Outcome, rows: range) -> bytes:
    """Some of the rows in their format: compact JSON, or an Arrow stream with its schema."""
    if outcome.frame is None:
        return msgspec.json.encode(outcome.rows[rows.start : rows.stop])
    content = BytesIO()
    part = outcome.frame.slice(rows.start, len(rows)).rechunk()
    part.write_ipc_stream(content, compat_level=pl.CompatLevel.oldest())
    return content.getvalue()
