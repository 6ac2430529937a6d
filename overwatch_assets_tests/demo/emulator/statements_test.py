import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest
import requests
from databricks.sdk.errors import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.service.sql import (
    Disposition,
    ExecuteStatementRequestOnWaitTimeout,
    Format,
    StatementParameterListItem,
    StatementResponse,
    StatementState,
)

from overwatch_assets.demo.emulator.faults import Fault, FaultRule
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.demo.emulator.statements import StatementOptions
from overwatch_assets.demo.emulator.workspace import Delivered
from overwatch_assets.demo.scene import HOUR_MS
from overwatch_assets_tests.demo.emulator.literal import (
    CREDENTIALS,
    NOW_MS,
    ORG,
    OTHER,
    PAT,
    WAREHOUSE,
    Json,
    LiteralWorkspace,
)
from overwatch_assets_tests.demo.emulator.sdk import client

LINKS = {"disposition": Disposition.EXTERNAL_LINKS, "wait_timeout": "30s"}


def row(day: int, action: str = "edit", org: str = ORG) -> Json:
    return {
        "workspace_id": org,
        "event_time": f"2026-10-{day:02}T09:14:05.412Z",
        "event_date": f"2026-10-{day:02}",
        "action_name": action,
        "user_identity": {"email": "ines", "subject_name": None},
        "request_params": {"num_workers": "4"},
        "response": {"status_code": 200},
    }


@pytest.fixture
def five_days(here: LiteralWorkspace, there: LiteralWorkspace, emulator: Emulator) -> Emulator:
    """Five days of a row each, and one row of the other workspace."""
    here.rows_given = [row(day) for day in range(5, 10)]
    there.rows_given = [row(5, org=OTHER)]
    return emulator


def execute(emulator: Emulator, statement: str, **settings: Any) -> StatementResponse:
    api = client(emulator).statement_execution
    return api.execute_statement(statement, WAREHOUSE, **settings)


def state(answer: StatementResponse) -> StatementState | None:
    return answer.status.state if answer.status else None


def inline_rows(emulator: Emulator, answer: StatementResponse) -> list[list[str]]:
    """Every row of a result, chunk by chunk."""
    api, result = client(emulator).statement_execution, answer.result
    rows: list[list[str]] = []
    while result is not None:
        rows += result.data_array or []
        number = result.next_chunk_index
        result = (
            None
            if number is None
            else api.get_statement_result_chunk_n(answer.statement_id or "", number)
        )
    return rows


def links(emulator: Emulator, answer: StatementResponse) -> list[str]:
    """A link to each chunk."""
    assert answer.manifest
    api = client(emulator).statement_execution
    found: list[str] = []
    for number in range(answer.manifest.total_chunk_count or 0):
        chunk = api.get_statement_result_chunk_n(answer.statement_id or "", number)
        [link] = chunk.external_links or []
        found.append(link.external_link or "")
    return found


def fetched(address: str, **headers: str) -> requests.Response:
    return requests.get(address, headers=headers, timeout=10)


def test_both_system_tables_can_be_asked(here: LiteralWorkspace, five_days: Emulator) -> None:
    event = {"workspace_id": ORG, "warehouse_id": "w-1", "event_type": "SCALED_UP"}
    here.lists_given = {
        "warehouse_events": [
            {**event, "cluster_count": 2, "event_time": "2026-10-05T09:14:05.412Z"}
        ]
    }
    events = (
        "select warehouse_id, event_type, cluster_count, event_time "
        "from system.compute.warehouse_events where workspace_id = '3471820956612044'"
    )
    counted = "select count(*) from system.access.audit"
    expected = [["w-1", "SCALED_UP", "2", "2026-10-05T09:14:05.412Z"]]
    for statement, rows in ((events, expected), (counted, [["6"]]), (events, expected)):
        assert inline_rows(five_days, execute(five_days, statement)) == rows


def test_a_result_comes_in_chunks_of_text(five_days: Emulator) -> None:
    statement = (
        "select event_time, event_date, user_identity, request_params from system.access.audit "
        "where workspace_id = '3471820956612044' order by 1"
    )
    answer = execute(five_days, statement)
    assert answer.manifest
    assert answer.manifest.schema
    columns = answer.manifest.schema.columns or []
    assert [each.type_text for each in columns] == ["TIMESTAMP", "DATE", "STRUCT", "MAP"]
    counted = answer.manifest.total_chunk_count, answer.manifest.total_row_count
    assert (state(answer), counted) == (StatementState.SUCCEEDED, (3, 5))
    rows = inline_rows(five_days, answer)
    assert [each[1] for each in rows] == [f"2026-10-{day:02}" for day in range(5, 10)]
    assert rows[0] == [
        "2026-10-05T09:14:05.412Z",
        "2026-10-05",
        '{"email":"ines","subject_name":null}',
        '{"num_workers":"4"}',
    ]


def test_the_table_holds_every_workspace_of_the_account(five_days: Emulator) -> None:
    statement = "select workspace_id, count(*) from system.access.audit group by all order by 2"
    assert inline_rows(five_days, execute(five_days, statement)) == [[OTHER, "1"], [ORG, "5"]]


def test_days_are_counted_with_parameters(five_days: Emulator) -> None:
    statement = """
        select event_date, count(*) as n from system.access.audit
        where workspace_id = :org and event_time >= :since and event_date <= :until
        group by event_date order by event_date"""
    parameters = [
        StatementParameterListItem(name="org", value=ORG),
        StatementParameterListItem(name="since", value="2026-10-06 00:00:00", type="TIMESTAMP"),
        StatementParameterListItem(name="until", value="2026-10-07", type="DATE"),
    ]
    answer = execute(five_days, statement, parameters=parameters)
    assert inline_rows(five_days, answer) == [["2026-10-06", "1"], ["2026-10-07", "1"]]


@pytest.mark.parametrize("form", [Format.JSON_ARRAY, Format.ARROW_STREAM])
def test_a_result_is_fetched_by_links(five_days: Emulator, form: Format) -> None:
    statement = (
        "select event_time, response, action_name from system.access.audit "
        "where workspace_id = '3471820956612044' order by event_time"
    )
    answer = execute(five_days, statement, format=form, **LINKS)
    bodies = [fetched(link).content for link in links(five_days, answer)]
    assert answer.manifest
    assert answer.manifest.total_byte_count == sum(map(len, bodies))
    assert [chunk.row_count for chunk in answer.manifest.chunks or []] == [2, 2, 1]
    if form is Format.JSON_ARRAY:
        assert bodies[2].startswith(b'[["2026-10-09T09:14:05.412Z","{\\"status_code\\":200,')
    else:
        frame = pl.concat(pl.read_ipc_stream(io.BytesIO(body)) for body in bodies)
        assert frame.schema["event_time"] == pl.Datetime("us", "Etc/UTC")
        assert frame.schema["response"] == pl.String
        assert frame["event_time"].dt.day().to_list() == [5, 6, 7, 8, 9]


def test_a_link_opens_nothing_once_it_has_expired(five_days: Emulator) -> None:
    answer = execute(
        five_days, "select 1 from system.access.audit", format=Format.ARROW_STREAM, **LINKS
    )
    [first, *_] = links(five_days, answer)
    assert fetched(first).status_code == 200
    five_days.clock.now_ms = (five_days.clock.now_ms or 0) + 900_000
    expired = fetched(first)
    assert (expired.status_code, b"Request has expired" in expired.content) == (403, True)
    [fresh, *_] = links(five_days, answer)
    assert fetched(fresh).status_code == 200


def test_a_link_is_for_one_chunk_and_without_credentials(five_days: Emulator) -> None:
    answer = execute(
        five_days, "select 1 from system.access.audit", format=Format.ARROW_STREAM, **LINKS
    )
    [first, *_] = links(five_days, answer)
    assert fetched(first, Authorization=f"Bearer {PAT}").status_code == 400
    other = urlsplit(first)._replace(path=urlsplit(first).path[:-1] + "1").geturl()
    assert b"SignatureDoesNotMatch" in fetched(other).content
    seen = five_days.journal.requests("GET /results/*")
    assert all("Signature" not in str(each) and "Expires" not in str(each) for each in seen)


def test_a_truncated_arrow_stream_has_a_length_that_fits(five_days: Emulator) -> None:
    answer = execute(
        five_days, "select * from system.access.audit", format=Format.ARROW_STREAM, **LINKS
    )
    whole, *_ = (fetched(link).content for link in links(five_days, answer))
    five_days.faults.add(FaultRule(Fault.ARROW_CUT, "GET /results/*"))
    cut, *_ = (fetched(link) for link in links(five_days, answer))
    assert (cut.status_code, len(cut.content)) == (200, len(whole) // 2)
    with pytest.raises(pl.exceptions.ComputeError):
        pl.read_ipc_stream(io.BytesIO(cut.content))


def test_who_does_not_wait_is_told_to_come_back(five_days: Emulator) -> None:
    answer = execute(five_days, "select count(*) from system.access.audit", wait_timeout="0s")
    api, states = client(five_days).statement_execution, [state(answer)]
    while states[-1] in {StatementState.PENDING, StatementState.RUNNING}:
        assert answer.manifest is None
        answer = api.get_statement(answer.statement_id or "")
        states.append(state(answer))
    expected = [StatementState.PENDING, StatementState.RUNNING, StatementState.SUCCEEDED]
    assert states == expected
    assert inline_rows(five_days, answer) == [["6"]]


def test_a_statement_can_be_canceled_while_it_runs(five_days: Emulator) -> None:
    api = client(five_days).statement_execution
    running = (
        execute(five_days, "select 1 from system.access.audit", wait_timeout="0s").statement_id
        or ""
    )
    api.cancel_execution(running)
    assert state(api.get_statement(running)) is StatementState.CANCELED
    done = execute(five_days, "select 1 from system.access.audit").statement_id or ""
    api.cancel_execution(done)
    assert state(api.get_statement(done)) is StatementState.SUCCEEDED


@pytest.mark.parametrize(
    ("on_wait_timeout", "expected"),
    [
        (ExecuteStatementRequestOnWaitTimeout.CANCEL, StatementState.CANCELED),
        (ExecuteStatementRequestOnWaitTimeout.CONTINUE, StatementState.PENDING),
    ],
)
def test_a_statement_may_take_longer_than_anybody_waits(
    on_wait_timeout: ExecuteStatementRequestOnWaitTimeout, expected: StatementState
) -> None:
    options = StatementOptions(is_outlasting=True)
    with Emulator([LiteralWorkspace()], CREDENTIALS, statements=options) as emulator:
        answer = execute(emulator, "select 1", wait_timeout="5s", on_wait_timeout=on_wait_timeout)
    assert state(answer) is expected


def test_a_result_is_kept_for_an_hour(five_days: Emulator) -> None:
    statement_id = execute(five_days, "select 1 from system.access.audit").statement_id or ""
    five_days.clock.now_ms = (five_days.clock.now_ms or 0) + 3_600_000
    api = client(five_days).statement_execution
    assert state(api.get_statement(statement_id)) is StatementState.CLOSED
    with pytest.raises(ResourceDoesNotExist):
        api.get_statement_result_chunk_n(statement_id, 0)


@pytest.mark.parametrize(
    ("statement", "reason", "sql_state"),
    [
        ("select * from system.access.none", "TABLE_OR_VIEW_NOT_FOUND", "42P01"),
        ("select * from access.audit", "TABLE_OR_VIEW_NOT_FOUND", "42P01"),
        ("select nothing from system.access.audit", "UNRESOLVED_COLUMN", "42703"),
        ("select from where", "PARSE_SYNTAX_ERROR", "42601"),
        (
            "select * from system.access.audit where event_date = :day",
            "UNBOUND_SQL_PARAMETER",
            "42P02",
        ),
        (
            "select cast(action_name as date) from system.access.audit",
            "CAST_INVALID_INPUT",
            "22018",
        ),
        ("delete from system.access.audit", "INSUFFICIENT_PERMISSIONS", "42501"),
        ("select 1; select 2", "INSUFFICIENT_PERMISSIONS", "42501"),
        ("select * from read_text('/etc/hostname')", "INTERNAL_ERROR", "XX000"),
    ],
)
def test_a_statement_that_can_not_be_run_fails_with_its_reason(
    five_days: Emulator, statement: str, reason: str, sql_state: str
) -> None:
    answer = execute(five_days, statement)
    assert answer.status
    assert answer.status.error
    assert (state(answer), answer.manifest) == (StatementState.FAILED, None)
    assert (answer.status.error.message or "").startswith(f"[{reason}")
    assert answer.status.sql_state == sql_state


@pytest.mark.parametrize(
    "settings",
    [
        {"format": Format.ARROW_STREAM},
        {"wait_timeout": "51s"},
        {"wait_timeout": "3s"},
        {"wait_timeout": "soon"},
        {"format": Format.CSV, "disposition": Disposition.EXTERNAL_LINKS},
        {"parameters": [StatementParameterListItem(name="x", value="1", type="BLOB")]},
        {"row_limit": 0},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    five_days: Emulator, settings: dict[str, Any]
) -> None:
    with pytest.raises(InvalidParameterValue):
        execute(five_days, "select 1", **settings)


def test_an_unknown_warehouse_or_statement_is_missing(five_days: Emulator) -> None:
    api = client(five_days).statement_execution
    with pytest.raises(ResourceDoesNotExist, match="warehouse none"):
        api.execute_statement("select 1", "none")
    with pytest.raises(ResourceDoesNotExist):
        api.get_statement("none")


def test_limits_cut_a_result(five_days: Emulator) -> None:
    statement = (
        "select event_date from system.access.audit "
        "where workspace_id = '3471820956612044' order by 1"
    )
    by_rows = execute(five_days, statement, row_limit=3)
    by_bytes = execute(five_days, statement, byte_limit=40)
    for answer, rows in ((by_rows, 3), (by_bytes, 2)):
        assert answer.manifest
        assert (answer.manifest.truncated, answer.manifest.total_row_count) == (True, rows)
        assert len(inline_rows(five_days, answer)) == rows


def test_a_large_result_does_not_fit_inline() -> None:
    workspace = LiteralWorkspace(rows_given=[row(5), row(6)])
    options = StatementOptions(inline_bytes=100)
    with Emulator([workspace], CREDENTIALS, statements=options) as emulator:
        answer = execute(emulator, "select * from system.access.audit")
        assert state(answer) is StatementState.FAILED
        linked = execute(emulator, "select * from system.access.audit", **LINKS)
        assert state(linked) is StatementState.SUCCEEDED


def test_an_empty_result_has_no_chunks(five_days: Emulator) -> None:
    answer = execute(five_days, "select * from system.access.audit where false", **LINKS)
    assert answer.manifest
    assert (answer.manifest.total_chunk_count, answer.manifest.total_row_count) == (0, 0)
    assert links(five_days, answer) == []


def test_the_request_may_name_catalog_and_schema(five_days: Emulator) -> None:
    settings = {"catalog": "system", "schema": "access"}
    assert inline_rows(five_days, execute(five_days, "select count(*) from audit", **settings))
    with_schema = execute(five_days, "select count(*) from access.audit", catalog="system")
    assert inline_rows(five_days, with_schema) == [["6"]]


def test_the_tables_rows_are_read_once_and_seen_from_their_delivery_on() -> None:
    class Counted(LiteralWorkspace):
        reads = 0

        def audit_rows(self) -> Iterator[Delivered]:
            self.reads += 1
            yield from ((NOW_MS + number * HOUR_MS, row(5 + number)) for number in range(3))

    workspace = Counted()
    with Emulator([workspace], CREDENTIALS, clock=Clock(NOW_MS)) as emulator:
        assert emulator.fill_audit_table() == 3
        seen: list[str] = []
        for at_ms in (NOW_MS + 2 * HOUR_MS, NOW_MS, NOW_MS + HOUR_MS + 1, NOW_MS - 1):
            emulator.clock.now_ms = at_ms
            answer = execute(emulator, "select count(*) from system.access.audit")
            seen += [value for [value] in inline_rows(emulator, answer)]
    assert (seen, workspace.reads) == (["3", "1", "2", "0"], 1)


def test_others_statements_are_not_told(five_days: Emulator) -> None:
    statement_id = execute(five_days, "select 1").statement_id or ""
    with pytest.raises(ResourceDoesNotExist, match="was not found"):
        client(five_days, OTHER).statement_execution.get_statement(statement_id)
