import json

import polars as pl
import pytest

from overwatch_assets.sources.audit_records import (
    RECORD_SCHEMA,
    AuditRecords,
    NoRecord,
    NotJson,
    Row,
    frame_of,
    whole_number,
)

EVENT: dict[str, object] = {
    "timestamp": 1700557212101,
    "serviceName": "clusters",
    "actionName": "edit",
    "requestId": "r-1",
    "sourceIPAddress": "203.0.113.24",
    "userIdentity": {"email": "maria@acme.example", "subjectName": None},
    "requestParams": {"cluster_id": "c-1", "num_workers": "4"},
    "response": {"statusCode": 200, "errorMessage": None, "result": "{}"},
}


def row_of(line: bytes, records: AuditRecords | None = None) -> Row:
    [row] = (records or AuditRecords()).decode(line)
    if isinstance(row, NoRecord):
        raise row
    return row


def decoded(event: dict[str, object], records: AuditRecords | None = None) -> Row:
    return row_of(json.dumps(event).encode(), records)


def test_an_event_becomes_a_row_of_the_declared_columns() -> None:
    row = {**decoded(EVENT), "date": None, "filename": "a.json"}
    [found] = frame_of([row]).to_dicts()
    assert found["userIdentity"] == {"email": "maria@acme.example", "subjectName": None}
    assert found["response"] == {"statusCode": 200, "errorMessage": None, "result": "{}"}
    assert found["requestParams"] == '{"cluster_id":"c-1","num_workers":"4"}'
    assert (found["timestamp"], found["sessionId"]) == (1700557212101, None)


def test_no_rows_still_have_the_declared_columns() -> None:
    assert frame_of([]).schema == RECORD_SCHEMA


def test_absent_null_and_blank_are_the_same_event() -> None:
    assert decoded({**EVENT, "sessionId": None, "userAgent": ""}) == decoded(EVENT)
    bare = {key: EVENT[key] for key in ("timestamp", "serviceName", "actionName")}
    hollow: dict[str, object] = {"requestParams": {}, "response": {}, "userIdentity": None}
    assert decoded({**bare, **hollow}) == decoded(bare)
    assert frame_of([{**decoded(bare), "date": None, "filename": None}])["response"].to_list() == [
        None
    ]


def test_the_same_event_by_another_route_has_the_same_hash() -> None:
    diagnostic = {
        **EVENT,
        "timestamp": "1700557212101",
        "userIdentity": '{"email":"maria@acme.example"}',
        "requestParams": '{"num_workers":4,"cluster_id":"c-1","cause":null}',
        "response": '{"statusCode":"200","result":"{}"}',
        "category": "clusters",
    }
    assert decoded(diagnostic)["hashKey"] == decoded(EVENT)["hashKey"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timestamp", 1700557212102),
        ("serviceName", "jobs"),
        ("actionName", "delete"),
        ("requestId", None),
        ("sessionId", "s"),
        ("sourceIPAddress", "203.0.113.25"),
        ("userIdentity", {"email": "tom@acme.example"}),
        ("response", {"statusCode": 400}),
        ("requestParams", {"cluster_id": "c-2"}),
    ],
)
def test_whatever_tells_events_apart_changes_the_hash(name: str, value: object) -> None:
    assert decoded({**EVENT, name: value})["hashKey"] != decoded(EVENT)["hashKey"]


def test_the_hash_is_the_one_that_is_stored() -> None:
    assert decoded(EVENT)["hashKey"] == 5347024248881032461


def test_values_of_another_shape_are_left_out_and_counted() -> None:
    records = AuditRecords()
    odd = {**EVENT, "requestParams": [1], "sessionId": {"a": 1}, "response": {"statusCode": "OK"}}
    row = decoded(odd, records)
    assert (row["requestParams"], row["sessionId"], row["statusCode"]) == (None, None, None)
    assert dict(records.counts) == {"requestParams is no object": 1, "sessionId is no text": 1}


def test_one_spelling_of_the_ids_of_queries_is_kept() -> None:
    event = {**EVENT, "serviceName": "databrickssql"}
    capital = decoded({**event, "requestParams": {"DataSourceId": "1"}})
    assert capital["requestParams"] == '{"dataSourceId":"1"}'
    both = decoded({**event, "requestParams": {"dataSourceId": "2", "DataSourceId": "1"}})
    assert both["requestParams"] == '{"dataSourceId":"2"}'


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("5", 5),
        ("-5", -5),
        (5.0, 5),
        (5.5, None),
        ("abc", None),
        (True, None),
        (2**63, None),
        (-(2**63), -(2**63)),
        (10**400, None),
        ("9" * 400, None),
        (None, None),
    ],
)
def test_whole_numbers_are_cast_leniently(value: object, number: int | None) -> None:
    assert whole_number(value) == number


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"timestamp":1,', "not JSON"),
        (b"[1]", "not an audit record"),
        (b"null", "not an audit record"),
        (b'{"serviceName":"a","actionName":"b"}', "no timestamp"),
        (b'{"timestamp":1e400,"serviceName":"a","actionName":"b"}', "out of range"),
        (b'{"timestamp":1,"actionName":"b"}', "no serviceName"),
        (b'{"timestamp":1,"serviceName":"\xff","actionName":"b"}', "not valid Unicode"),
        (b'{"timestamp":1,"serviceName":"\\ud800x","actionName":"b"}', "not JSON"),
        (b'{"requestParams":' + b"[" * 100_000, "nested too deeply"),
        (b'{"requestParams":{"a":' + b"9" * 5000 + b"}}", "out of range"),
        (b"\xff\xfe{\x00}\x00", "not JSON"),
        (b"\x00", "not JSON"),
    ],
)
def test_hostile_lines_are_refused_with_a_reason(line: bytes, reason: str) -> None:
    with pytest.raises(NoRecord, match=reason) as refused:
        row_of(line)
    assert isinstance(refused.value, NotJson) == (reason == "not JSON")


def test_nul_characters_are_text_like_any_other() -> None:
    row = {**decoded({**EVENT, "userAgent": "a\0b"}), "date": None, "filename": None}
    assert frame_of([row]).select(pl.col("userAgent")).item() == "a\0b"


def test_an_event_that_names_another_workspace_is_none_of_this_one() -> None:
    records = AuditRecords(organization_id="5206439413157315")
    assert decoded({**EVENT, "orgId": "5206439413157315"}, records)
    assert decoded({**EVENT, "orgId": 5206439413157315}, records)
    with pytest.raises(NoRecord, match="of workspace 77, not of 5206439413157315"):
        decoded({**EVENT, "orgId": "77"}, records)


@pytest.mark.parametrize("named", [None, "", "0", 0])
def test_an_event_of_the_account_or_of_no_workspace_is_kept(named: object) -> None:
    assert decoded({**EVENT, "orgId": named}, AuditRecords(organization_id="5206439413157315"))


def test_a_workspace_that_is_known_by_another_text_keeps_whatever_it_is_given() -> None:
    assert decoded({**EVENT, "orgId": "77"}, AuditRecords(organization_id="acme-ilb"))
