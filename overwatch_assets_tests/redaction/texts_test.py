import json
import re

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overwatch_assets.module import Content
from overwatch_assets.redaction.treatment import Treatment, Treatments
from overwatch_assets_tests.redaction.treated import DROPPED, HASHED, address, text, texts, user

INES, LENA = "ines@acme.example", "lena.castell@acme.example"
RUN = "0a1b2c3d-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    "written",
    [
        "{}",
        "/Users/{}/report",
        "mailto:{}",
        "<{}>, and others",
        "'{}'",
        "u={}&x=1",
        '{{"user_name":"{}"}}',
        '{{"said":"\\"{}\\""}}',
        '{{"said":"\\n{}\\u0026"}}',
        "{}'s Cluster",
        "Ask {}.",
        "https://{}@github.com/acme/etl",
        "%2FUsers%2F{}%2Freport",
    ],
)
@pytest.mark.parametrize("email", [INES, "INES@Acme.Example", "ines%40acme.example"])
def test_one_user_has_one_pseudonym_wherever_and_however_the_email_stands(
    written: str, email: str
) -> None:
    assert texts().stored(written.format(email)) == written.format(user(INES))


def test_a_pseudonym_is_no_plain_hash_and_another_key_makes_another() -> None:
    stored = texts().stored(INES)
    assert re.fullmatch(r"user-[0-9a-f]{16}@redacted", str(stored))
    assert stored != texts(key="another key of 30 letters.....").stored(INES)
    assert texts().stored(INES) != texts().stored(LENA)


def test_names_of_all_kinds_are_found_whole() -> None:
    for name in ("o'brien", "ines_acme.com#EXT#", "jörg", "a+b", "x_y", "a!b$c*d^e~f", "1"):
        email = f"{name}@tenant.onmicrosoft.com"
        assert texts().stored(f"by {email}") == f"by {user(email)}"


@pytest.mark.parametrize(
    "kept",
    [
        "abfss://logs@acme.dfs.core.windows.net/cluster-logs",
        "git@github.com:acme/etl.git",
        "@pytest.fixture",
        "/mnt/table@v12",
        "8f0c9d1e-0000-4000-8000-1234567890ab",
        "System-User",
        "2026-11-28T12:30:45.123Z",
        "13.3.x-scala2.12",
        "127.0.0.1",
        "1.2.3.4.5",
        "999.1.2.3",
        "a::b",
    ],
)
def test_what_names_nobody_stays(kept: str) -> None:
    assert texts().stored(kept) == kept


def test_an_email_that_a_text_was_cut_in_is_found() -> None:
    for cut in ("ines@", "ines@acm", "ines@acme.", "ines@acme.e"):
        stored = str(texts().stored(f"granted to {cut}"))
        assert re.fullmatch(r"granted to user-[0-9a-f]{16}@redacted", stored)
        assert texts().stored(stored) == stored


def test_the_last_word_of_the_beginning_of_a_record_is_left_out() -> None:
    told = Treatments(emails=Treatment.HASH)
    record = '{"user":"ines@acme.example","by":"lena.cas'
    stored = texts(told).stored(record, Content.RAW_RECORD)
    assert stored == f'{{"user":"{user(INES)}","by":"'
    whole_file = "/logs/date=2026-10-05/audit.json"
    assert texts(told).stored(whole_file, Content.RAW_RECORD) == whole_file


@pytest.mark.parametrize("written", ["{}", "from {}:443", "{}/32", "\\n{} ", "%20{}", "ip={}, "])
def test_one_address_has_one_pseudonym_wherever_it_stands(written: str) -> None:
    stored = texts().stored(written.format("203.0.113.77"))
    assert stored == written.format(address("203.0.113.77"))


def test_spellings_of_an_address_are_one() -> None:
    for first, second in (
        ("203.0.113.7", "::ffff:203.0.113.7"),
        ("203.0.113.7", "203.000.113.007"),
        ("2001:db8::1", "2001:0DB8:0:0:0:0:0:1"),
        ("fe80::1", "fe80:0::1"),
    ):
        assert texts().stored(first) == texts().stored(second) == address(first)


def test_versions_in_a_user_agent_are_no_addresses() -> None:
    agent = "Mozilla/5.0 Chrome/120.0.0.0 from 203.0.113.7"
    stored = texts().stored(agent, Content.USER_AGENT)
    assert stored == f"Mozilla/5.0 Chrome/120.0.0.0 from {address('203.0.113.7')}"


def test_what_is_dropped_is_null_and_in_a_longer_text_a_mark() -> None:
    dropped = texts(DROPPED)
    assert dropped.stored(INES) is None
    assert dropped.stored("203.0.113.7") is None
    assert dropped.stored(f"{INES} at 203.0.113.7") == "[email] at [ip]"
    assert dropped.stored("select 1", Content.SQL_TEXT) is None
    assert dropped.stored('{"by":"ines@acme.example"}') == '{"by":"[email]"}'


def test_equal_queries_stay_equal_and_each_kind_follows_its_own_setting() -> None:
    told = texts(Treatments(sql_text=Treatment.HASH, command_text=Treatment.DROP))
    assert told.stored(" select 1\n", Content.SQL_TEXT) == text("select 1")
    assert told.stored("print(1)", Content.COMMAND_TEXT) is None
    assert told.stored("print(1)", Content.SQL_OR_COMMAND) is None, "the stricter of the two"
    assert told.stored(INES) == INES


@pytest.mark.parametrize("name", ["queryText", "query_text", "statement", "sql", "viewDefinition"])
def test_sql_text_is_found_by_its_name_at_any_depth(name: str) -> None:
    inner = json.dumps({name: "select 'x'", "id": 7}, separators=(",", ":"))
    outer = json.dumps({"tasks": inner, "rate": 1.10}, separators=(",", ":"))
    told = texts(Treatments(sql_text=Treatment.HASH))
    stored = json.loads(str(told.stored(outer)))
    assert json.loads(stored["tasks"]) == {name: text("select 'x'"), "id": 7}
    assert stored["rate"] == 1.1


def test_a_command_to_a_warehouse_is_sql_and_one_of_a_notebook_a_command() -> None:
    told = texts(Treatments(sql_text=Treatment.DROP))
    to_warehouse = '{"commandText":"select 1","warehouseId":"w"}'
    assert told.stored(to_warehouse) == '{"warehouseId":"w"}'
    of_notebook = '{"commandText":"select 1","notebookId":"n"}'
    assert told.stored(of_notebook) == of_notebook
    in_sql = '{"commandLanguage":"sql","commandText":"select 1","notebookId":"n"}'
    assert told.stored(in_sql) == '{"commandLanguage":"sql","notebookId":"n"}'


def test_lists_of_commands_are_commands() -> None:
    told = texts(Treatments(command_text=Treatment.HASH))
    stored = told.stored('{"commands":["dbt run","dbt test"]}')
    assert stored == f'{{"commands":["{text("dbt run")}","{text("dbt test")}"]}}'


def test_json_that_cannot_be_read_is_cut_where_the_first_such_text_begins() -> None:
    stored = texts().stored('{"user":"ines@acme.example","commandText":"secret pl')
    assert stored == f'{{"user":"{user(INES)}","commandText":[text]'
    too_deep = '{"a":' * 200 + '{"sql":"select 1"}' + "}" * 200
    assert "select 1" not in str(texts().stored(too_deep))


def test_errors_keep_their_class_and_lose_the_sql_that_they_repeat() -> None:
    parsing = "[PARSE_SYNTAX_ERROR] near 'form'\n\n== SQL (line 1) ==\nselect secret form t\n---^^^"
    stored = texts().stored(parsing)
    assert stored == "[PARSE_SYNTAX_ERROR] near 'form'\n\n== SQL (line 1) == [text]"
    assert texts().stored(parsing, Content.SQL_ERROR) == "[PARSE_SYNTAX_ERROR] [text]"
    assert texts().stored("no column secret", Content.SQL_ERROR) == "[text]"


def test_a_description_still_tells_the_micro_batch_it_belongs_to() -> None:
    told = f"orders\nid = {RUN}\nrunId = {RUN}\nbatch = 12"
    kept = f"id = {RUN} runId = {RUN} batch = 12"
    assert texts().stored(told, Content.SQL_OR_COMMAND) == f"{text(told)} {kept}"
    assert texts(DROPPED).stored(told, Content.SQL_OR_COMMAND) == kept
    assert texts(DROPPED).stored("select 1 where batch = 12", Content.SQL_OR_COMMAND) is None


EMAILS = st.emails().filter(lambda email: email.partition("@")[0][-1].isalnum())
"""RFC 5322 has names that end with a slash or a brace, too; nobody's does."""
CONTENTS = st.sampled_from([None, *(set(Content) - {Content.FINGERPRINT})])
PIECES = st.one_of(
    EMAILS,
    st.ip_addresses().map(str),
    st.text(max_size=8),
    st.sampled_from(["@", "%40", "\\u0040", "\\n", '"', "{", "[", "]", "}", ":", "/", ".", " "]),
    st.sampled_from(['"sql":', '"commandText":"', "== SQL ==", "abfss://", "user-", "redacted"]),
)
TEXTS = st.lists(PIECES, max_size=8).map("".join)


@given(TEXTS, CONTENTS, st.sampled_from([HASHED, DROPPED]))
@example("a@b.cc@d.ee", None, HASHED)
@example('{"sql":"{}"}', None, HASHED)
@example("/@A.Ai", None, HASHED)
@example('10.0.0.1"SQL":', None, DROPPED)
@example("2000:0::@", None, HASHED)
@example("0@0.0.0.1", None, HASHED)
@example("0:1:0:1:0:1:0:f00.0.0.0", None, HASHED)
def test_doing_it_twice_changes_nothing_more(
    told: str, content: Content | None, treatments: Treatments
) -> None:
    redacting = texts(treatments)
    once = redacting.stored(told, content)
    assert once is None or redacting.stored(once, content) == once


@settings(max_examples=50)
@given(EMAILS, st.sampled_from([" ", "'", '"', "(", "/", "\n", "user=", ":", "[", "\\n"]))
def test_no_email_survives(email: str, before: str) -> None:
    for treatments in (HASHED, DROPPED):
        stored = texts(treatments).told(f"x {before}{email} y")
        assert email.lower() not in stored.lower()


@given(st.ip_addresses(v=4), st.sampled_from([" ", "=", "/", "[", "_", "ip", "\\n", "%3D"]))
def test_no_address_survives(ip: object, before: str) -> None:
    is_kept = str(ip).startswith("127.") or str(ip) in ("0.0.0.0", "255.255.255.255")  # noqa: S104
    stored = texts().told(f"x{before}{ip}:80 y")
    assert (str(ip) in stored) == is_kept


@settings(max_examples=50)
@given(TEXTS, CONTENTS)
def test_what_has_to_change_looks_like_it(told: str, content: Content | None) -> None:
    redacting = texts()
    hint = redacting.hint(content)
    assert hint is not None
    if not pl.Series([told]).str.contains(hint).item():
        assert redacting.stored(told, content) == told
