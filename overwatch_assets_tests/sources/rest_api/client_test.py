import json
import logging
import os
import random
import threading
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from overwatch_assets.errors import ConfigError, SourceError
from overwatch_assets.sources.rest_api import login, sdk_login
from overwatch_assets.sources.rest_api.api import ApiError, ApiRefused
from overwatch_assets.sources.rest_api.client import DatabricksApi
from overwatch_assets.sources.rest_api.exchange import Answer, Call, NoAnswer
from overwatch_assets.sources.rest_api.fan_out import fan_out
from overwatch_assets.sources.rest_api.pace import Pace
from overwatch_assets.sources.rest_api.paging import listed, pages
from overwatch_assets_tests.sources.rest_api.loopback import (
    CLIENT_SECRET,
    TOKEN,
    Asked,
    Fault,
    Loopback,
    Reply,
    VirtualClock,
    access_to,
    api_of,
    refused,
    self_signed,
    serving,
)

PATH = "/api/2.0/things/list"
SERVICE_PRINCIPAL = {"client_id": "8f0c", "client_secret": CLIENT_SECRET}
GOOD = Reply({"things": [1], "new": {"a": None}})


@pytest.fixture
def there() -> Generator[Loopback]:
    with serving(Loopback()) as loopback:
        yield loopback


def client(there: Loopback, **access: Any) -> DatabricksApi:
    return api_of(lambda: access_to(there, **access))


def test_an_answer_is_the_json_as_it_was_sent(there: Loopback) -> None:
    there.replies[PATH] = [GOOD]
    query = {"limit": 25, "expand": True, "name": "a&b ü"}
    assert client(there).get(PATH, query) == {"things": [1], "new": {"a": None}}
    [asked] = there.of_path(PATH)
    assert asked.query == {"limit": "25", "expand": "true", "name": "a&b ü"}
    assert asked.authorization == f"Bearer {TOKEN}"
    assert asked.headers["user-agent"].startswith("overwatch-assets/")


def test_a_body_is_posted_as_json(there: Loopback) -> None:
    there.replies[PATH] = [GOOD]
    client(there).post(PATH, {"cluster_id": "c-1", "limit": 500})
    [asked] = there.of_path(PATH)
    assert (asked.method, asked.body) == ("POST", {"cluster_id": "c-1", "limit": 500})


@pytest.mark.parametrize(
    "bad",
    [
        refused(429, "REQUEST_LIMIT_EXCEEDED", "slow down"),
        refused(429, "REQUEST_LIMIT_EXCEEDED", "slow down", retry_after="7"),
        refused(503, "TEMPORARILY_UNAVAILABLE", "later"),
        Reply(b"<html>bad gateway</html>", 502),
        Reply(b"", 408),
        Reply({"things": ["half"]}, fault=Fault.CUT),
        Reply({"things": ["half"]}, fault=Fault.CUT_CHUNKS),
        Reply(fault=Fault.RESET),
        Reply(b'{"things": [', 200),
        Reply(b"<html>login</html>", 200),
        Reply([1], 200),
        Reply(b"", 200),
        Reply(b"[" * 100_000, 200),
    ],
    ids=lambda reply: f"{reply.status} {reply.fault or reply.content[:20]!r}",
)
def test_what_passes_is_asked_again_and_never_becomes_data(there: Loopback, bad: Reply) -> None:
    there.replies[PATH] = [bad, bad, GOOD]
    assert client(there).get(PATH) == GOOD.body
    assert len(there.of_path(PATH)) == 3


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.DROPS])
def test_an_answer_that_stalls_is_asked_again(there: Loopback, fault: Fault) -> None:
    there.replies[PATH] = [Reply({"things": "x" * 200}, fault=fault), GOOD]
    assert client(there, timeout_seconds=0.05).get(PATH) == GOOD.body


def test_a_workspace_that_is_not_there_is_told_with_what_was_tried(there: Loopback) -> None:
    gone = access_to(there, host="http://127.0.0.1:9")
    api = api_of(lambda: gone, retry_seconds=30)
    with pytest.raises(ApiError) as raised:
        api.get(PATH)
    assert str(raised.value) == (
        "workspace prod (5206439413157315): GET /api/2.0/things/list: no usable answer, asked 7 "
        "times in 25 s; the last time the connection failed: Connection refused; check the "
        "workspace's state and the network, or give it more `retry_seconds`, and load again"
    )


def test_waits_are_short_at_first_and_as_long_as_the_workspace_asks(there: Loopback) -> None:
    busy = refused(503, "X", "")
    clock = VirtualClock()
    there.replies[PATH] = [
        busy, busy, refused(429, "X", "", retry_after="42"),
        refused(503, "X", "", Date="Mon, 06 May 2024 08:00:00 GMT",
                Retry_After="Mon, 06 May 2024 08:01:00 GMT"),
        GOOD,
    ]  # fmt: skip
    api_of(lambda: access_to(there), clock=clock).get(PATH)
    assert clock.now() == pytest.approx(2 + 3 + 42 + 60, abs=0.1)


def test_a_workspace_that_asks_for_no_wait_is_not_overrun(there: Loopback) -> None:
    there.replies[PATH] = [refused(429, "LIMIT", "busy", retry_after="0")]
    with pytest.raises(ApiError, match="asked 31 times in 30 s"):
        api_of(lambda: access_to(there), retry_seconds=30).get(PATH)


def test_a_longer_wait_than_there_is_time_for_ends_at_once(there: Loopback) -> None:
    there.replies[PATH] = [refused(429, "LIMIT", "busy", retry_after="3600")]
    clock = VirtualClock()
    with pytest.raises(ApiError, match="asks to come back in 3600 s"):
        api_of(lambda: access_to(there), clock=clock).get(PATH)
    assert clock.now() == 0


@pytest.mark.parametrize(
    ("path", "reply", "told"),
    [
        (
            "/api/2.1/clusters/list",
            refused(403, "PERMISSION_DENIED", "no access"),
            "answered 403 PERMISSION_DENIED no access; grant the identity that is used: CAN ATTACH",
        ),
        (PATH, refused(401, "UNAUTHENTICATED", "who"), "check the one under `databricks`"),
        (PATH, refused(404, "ENDPOINT_NOT_FOUND", "No API"), "check that `host` is the workspace"),
        (PATH, Reply(b"", 302, {"Location": "https://elsewhere"}), "check that `host` is the work"),
        (PATH, Reply(b"plain\n text", 400), "answered 400 plain text; asking again would change"),
        (PATH, Reply({"detail": "scim"}, 407), "answered 407 scim; check user and password of"),
    ],
)
def test_a_refusal_names_workspace_endpoint_answer_and_remedy(
    there: Loopback, path: str, reply: Reply, told: str
) -> None:
    there.replies[path] = [reply]
    with pytest.raises(ApiRefused) as raised:
        client(there).get(path)
    assert str(raised.value).startswith("workspace prod (5206439413157315): GET ")
    assert told in str(raised.value)
    assert (raised.value.status, raised.value.is_missing) == (reply.status, False)
    assert isinstance(raised.value, SourceError)


@pytest.mark.parametrize(
    "reply",
    [
        refused(400, "INVALID_PARAMETER_VALUE", "Cluster 1110-080000-gone1 does not exist"),
        refused(404, "RESOURCE_DOES_NOT_EXIST", "no such thing"),
        refused(404, "NOT_FOUND", "no such file"),
    ],
)
def test_what_does_not_exist_is_told_apart(there: Loopback, reply: Reply) -> None:
    there.replies[PATH] = [reply]
    with pytest.raises(ApiRefused) as raised:
        client(there).get(PATH)
    assert raised.value.is_missing
    assert raised.value.code in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")


def test_lone_surrogates_and_bytes_that_are_no_text_spoil_no_page(there: Loopback) -> None:
    there.replies[PATH] = [Reply(b'{"a":"\\ud800","b":"\xff","c":"\xc3\xbc"}')]
    assert client(there).get(PATH) == {"a": "\ud800", "b": "\ufffd", "c": "ü"}


def test_oauth_logs_in_once_for_many_requests(there: Loopback) -> None:
    there.replies[PATH] = [GOOD]
    api = client(there, identity=SERVICE_PRINCIPAL)
    for _ in range(3):
        api.get(PATH)
    assert [each.authorization for each in there.of_path(PATH)] == ["Bearer oauth-token-0000"] * 3
    assert there.issued == ["oauth-token-0000"]


def test_an_oauth_token_that_expires_is_renewed(
    there: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "HEADERS_KEPT_SECONDS", 0.0)
    there.replies[PATH] = [GOOD]
    there.token_seconds = 39
    api = client(there, identity=SERVICE_PRINCIPAL)
    for _ in range(2):
        api.get(PATH)
    used = [each.authorization for each in there.of_path(PATH)]
    assert used == ["Bearer oauth-token-0000", "Bearer oauth-token-0001"]


def test_an_oauth_token_that_was_revoked_is_replaced(there: Loopback) -> None:
    there.replies[PATH] = [GOOD]
    there.tokens = {"oauth-token-0001"}
    assert client(there, identity=SERVICE_PRINCIPAL).get(PATH) == GOOD.body


def test_the_configured_identity_goes_before_that_of_the_environment(
    there: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi99999999999999999999999999999999")
    there.replies[PATH] = [GOOD]
    client(there, identity=SERVICE_PRINCIPAL).get(PATH)
    assert there.of_path(PATH)[0].authorization == "Bearer oauth-token-0000"


def test_a_refused_login_is_told_without_trying_again(there: Loopback) -> None:
    told = {"error": "invalid_client", "error_description": f"{CLIENT_SECRET} is unknown"}
    there.login = Reply(told, 401, {"Content-Type": "application/json"})
    with pytest.raises(ApiError) as raised:
        client(there, identity=SERVICE_PRINCIPAL).get(PATH)
    assert "the login was refused: invalid_client: [REDACTED] is unknown" in str(raised.value)
    assert len(there.of_path("/oidc/v1/token")) == 1


@pytest.mark.parametrize(
    "reply", [Reply(b"<html>", 503, {"Content-Type": "text/html"}), Reply({"a": 1})]
)
def test_a_login_that_fails_is_tried_again(there: Loopback, reply: Reply) -> None:
    there.login = reply
    api = api_of(lambda: access_to(there, identity=SERVICE_PRINCIPAL), retry_seconds=6)
    with pytest.raises(ApiError, match="asked 3 times in 5 s; the last time the login failed"):
        api.get(PATH)


def test_a_login_that_hangs_ends(there: Loopback) -> None:
    there.login = Reply(fault=Fault.STALL)
    access = access_to(there, identity=SERVICE_PRINCIPAL, timeout_seconds=0.2)
    with pytest.raises(ApiError, match=r"the login took longer than 0\.2 s"):
        api_of(lambda: access, retry_seconds=1).get(PATH)


@pytest.mark.parametrize("status", [401, 403])
def test_a_rotated_secret_works_without_a_restart(there: Loopback, status: int) -> None:
    secret = [TOKEN]
    valid = {TOKEN}

    def answer(asked: Asked) -> Reply:
        if asked.authorization.removeprefix("Bearer ") in valid:
            return GOOD
        return refused(status, "X", "Invalid access token")

    there.replies[PATH] = answer
    api = api_of(lambda: access_to(there, identity={"token": secret[0]}))
    assert api.get(PATH) == GOOD.body
    secret[0] = "dapi00000000000000000000000000000003"
    valid.clear()
    valid.add(secret[0])
    assert api.get(PATH) == GOOD.body
    valid.clear()
    with pytest.raises(ApiRefused):
        api.get(PATH)


def test_a_secret_that_is_gone_is_told_as_the_configuration_names_it() -> None:
    def access() -> Any:
        message = "env:DATABRICKS_TOKEN: the environment variable is not set"
        raise ConfigError(message)

    with pytest.raises(ConfigError, match="env:DATABRICKS_TOKEN"):
        api_of(access).get(PATH)


def test_no_message_and_no_log_line_shows_a_secret(
    there: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = (
        f"token {TOKEN} of Bearer {CLIENT_SECRET} at https://u:hunter22@h/?sig=hunter22 "
        "AccountKey=hunter22 eyJhbGciOiJIUzI1NiJ9.hunter22"
    )
    told: list[str] = []
    for status in (400, 401, 403, 500):
        there.replies[PATH] = [refused(status, "CODE", said)]
        api = api_of(lambda: access_to(there, identity=SERVICE_PRINCIPAL), retry_seconds=1)
        with pytest.raises(ApiError) as raised:
            api.get(PATH)
        told += [str(raised.value), getattr(raised.value, "said", "")]
    told += [str(vars(record)) for record in caplog.records]
    told.append(repr(access_to(there, identity=SERVICE_PRINCIPAL, proxy="http://u:hunter22@p")))
    assert caplog.records
    for secret in (TOKEN, CLIENT_SECRET, "hunter22", "oauth-token-"):
        assert [line for line in told if secret in line] == []


def test_a_proxy_is_asked_in_place_of_the_workspace(there: Loopback) -> None:
    seen: list[str] = []

    def answer(asked: Asked) -> Reply:
        seen.append(asked.authorization)
        return GOOD

    there.replies[PATH] = answer
    access = access_to(there, host="http://workspace.invalid", proxy=there.host)
    assert api_of(lambda: access).get(PATH) == GOOD.body
    assert seen == [f"Bearer {TOKEN}"]
    assert there.asked[0].headers["host"] == "workspace.invalid"


def test_a_login_goes_through_the_proxy_too(there: Loopback) -> None:
    there.replies[PATH] = [GOOD]
    proxy, there.host = there.host, "http://workspace.invalid"
    access = access_to(there, identity=SERVICE_PRINCIPAL, proxy=proxy)
    assert api_of(lambda: access).get(PATH) == GOOD.body
    assert {each.headers["host"] for each in there.asked} == {"workspace.invalid"}
    assert "HTTPS_PROXY" not in os.environ


def test_only_certificates_that_are_trusted_are(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with serving(Loopback(replies={PATH: [GOOD]}), certificate) as there:
        access = access_to(there, identity=SERVICE_PRINCIPAL, ca_bundle=str(certificate[0]))
        assert api_of(lambda: access).get(PATH) == GOOD.body
        untrusting = access_to(there)
        with pytest.raises(ApiError, match="its certificate is not trusted; name the file"):
            api_of(lambda: untrusting).get(PATH)
        assert len(there.of_path(PATH)) == 1


def test_a_managed_identity_gets_its_token_from_the_machine(
    there: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk_login, "AZURE_METADATA", f"{there.host}/metadata")
    told = {"access_token": "azure-token", "token_type": "Bearer", "expires_in": "3600"}
    there.replies |= {"/metadata": [Reply(told)], PATH: [GOOD]}
    identity = {"azure_use_msi": True, "azure_client_id": "8f0c"}
    assert client(there, identity=identity).get(PATH) == GOOD.body
    [asked] = there.of_path("/metadata")
    assert (asked.headers["metadata"], asked.query["client_id"]) == ("true", "8f0c")
    assert there.of_path(PATH)[0].authorization == "Bearer azure-token"


def test_certificates_that_are_named_but_not_there_are_told(there: Loopback) -> None:
    access = access_to(there, host="https://127.0.0.1:9", ca_bundle="/nowhere/ca.pem")
    with pytest.raises(ApiError, match="`ca_bundle` names can't be read"):
        api_of(lambda: access).get(PATH)


def test_a_download_goes_on_where_it_broke_off(there: Loopback) -> None:
    content = "".join(f"{number:05}" for number in range(100_000)).encode()
    breaks = iter([Fault.CUT, Fault.CUT, Fault.RESET, None])

    def answer(asked: Asked) -> Reply:
        begin = int(asked.headers.get("range", "bytes=0-")[6:-1])
        status = 206 if begin else 200
        return Reply(content[begin:], status, {"ETag": "a"}, fault=next(breaks))

    there.replies["/api/2.0/fs/files/log"] = answer
    assert b"".join(client(there).download("/api/2.0/fs/files/log")) == content
    begins = [each.headers.get("range") for each in there.of_path("/api/2.0/fs/files/log")]
    assert begins == [None, "bytes=250000-", "bytes=375000-", "bytes=375000-"]


def test_a_server_without_ranges_gives_the_same_file(there: Loopback) -> None:
    content = bytes(range(256)) * 1000
    there.replies["/f"] = [Reply(content, fault=Fault.CUT), Reply(content)]
    assert b"".join(client(there).download("/f")) == content


def test_a_file_that_changes_while_it_is_read_is_refused(there: Loopback) -> None:
    there.replies["/f"] = [
        Reply(b"a" * 1000, headers={"ETag": "1"}, fault=Fault.CUT),
        Reply(b"b" * 1000, headers={"ETag": "2"}),
    ]
    with pytest.raises(ApiError, match="the file changed while it was read"):
        list(client(there).download("/f"))


def test_a_file_that_ends_where_it_broke_off_is_whole(there: Loopback) -> None:
    end = Reply(b"", 416, {"Content-Range": "bytes */1000"})
    there.replies["/f"] = [Reply(b"a" * 2000, fault=Fault.CUT), end]
    assert b"".join(client(there).download("/f")) == b"a" * 1000


def test_a_missing_file_is_refused(there: Loopback) -> None:
    there.replies["/f"] = [refused(404, "NOT_FOUND", "no file")]
    with pytest.raises(ApiRefused) as raised:
        list(client(there).download("/f"))
    assert raised.value.is_missing


def test_a_signed_address_is_fetched_without_credentials(there: Loopback) -> None:
    there.replies["/signed"] = [
        Reply(b"busy", 503),
        Reply(b"\x00\xff", fault=Fault.CUT),
        Reply(b"\xff"),
    ]
    assert client(there).fetch(f"{there.host}/signed?sig=hunter22") == b"\xff"
    assert [each.authorization for each in there.asked] == [""] * 3
    assert [each.query for each in there.asked] == [{"sig": "hunter22"}] * 3


@pytest.mark.parametrize("status", [401, 403])
def test_a_signed_address_that_has_expired_is_refused_and_not_shown(
    there: Loopback, status: int
) -> None:
    there.replies["/signed"] = [Reply(b"<Error>expired</Error>", status)]
    with pytest.raises(ApiRefused, match="it is to be asked for anew") as raised:
        client(there).fetch(f"{there.host}/signed?sig=hunter22")
    assert raised.value.status == status
    assert "hunter22" not in str(raised.value)
    assert len(there.asked) == 1


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/x", "file:///etc/passwd", "ftp://h/x", "/x", "", "http://["]
)
def test_only_https_is_followed(there: Loopback, url: str) -> None:
    with pytest.raises(ApiError, match="only https is followed"):
        client(there).fetch(url)


def test_requests_of_all_threads_keep_one_pace() -> None:
    clock = VirtualClock()
    pace = Pace(10, clock)
    fan_out(lambda _: pace.wait_turn(), range(200), threads=8)
    assert clock.now() == pytest.approx(19.9)


def page_after(asked: Asked) -> Reply:
    number = int(asked.query.get("page_token", "p0")[1:])
    last = {} if number == 3 else {"next_page_token": f"p{number + 1}"}
    return Reply({"things": [number], **last})


def test_pages_are_asked_one_after_the_other_each_once(there: Loopback) -> None:
    there.replies[PATH] = page_after
    api = client(there)
    query = {"limit": 25}
    found = list(listed(lambda each: api.get(PATH, each), query, "things", what=PATH))
    assert found == [0, 1, 2, 3]
    assert [dict(each.query) for each in there.of_path(PATH)][:2] == [
        {"limit": "25"}, {"limit": "25", "page_token": "p1"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["{}"], []),
        (['{"total_count": 0}'], []),
        (['{"things": null}'], []),
        (['{"next_page_token": "a"}', '{"things": [1], "next_page_token": ""}'], [1]),
        (['{"things": [1], "has_more": false, "next_page_token": "a"}'], [1]),
        (['{"things": [1], "has_more": true, "next_page_token": "a"}', '{"things": [2]}'], [1, 2]),
    ],
)
def test_a_page_without_the_list_lists_none(answers: list[str], expected: list[object]) -> None:
    left = (json.loads(each) for each in answers)
    assert list(listed(lambda _: next(left), {}, "things", what="things")) == expected
    assert next(left, None) is None


def test_pages_that_lead_in_a_circle_end_with_an_error() -> None:
    with pytest.raises(ApiError, match="workspace w: things: page 3 names an earlier page"):
        list(
            pages(
                lambda query: {"next_page_token": "b" if query.get("page_token") == "a" else "a"},
                {},
                what="workspace w: things",
            )
        )


def test_equal_pages_without_end_end_with_an_error_and_few_of_them_are_listed() -> None:
    tokens = (str(number) for number in range(1000))
    same = pages(lambda _: {"things": [1], "next_page_token": next(tokens)}, {}, what="things")
    with pytest.raises(ApiError, match="page 101 is the same as those before"):
        list(same)
    few: list[dict[str, object]] = [{"next_page_token": str(number)} for number in range(50)]
    few.append({"things": [1]})
    answers = iter(few)
    assert list(listed(lambda _: next(answers), {}, "things", what="things")) == [1]


def test_a_list_that_is_none_is_an_error() -> None:
    with pytest.raises(ApiError, match="`things` is no list"):
        list(listed(lambda _: {"things": {"a": 1}}, {}, "things", what="GET /things"))


def test_failures_are_answers_in_the_order_of_the_objects() -> None:
    def ask(number: int) -> int:
        if number % 3 == 0:
            raise ApiError(str(number))
        return number

    told = fan_out(ask, range(10), threads=4)
    assert [str(each) for each in told] == [str(number) for number in range(10)]
    assert [isinstance(each, ApiError) for each in told] == [n % 3 == 0 for n in range(10)]


def test_a_workspace_that_is_down_is_not_asked_for_every_object() -> None:
    asked: list[int] = []

    def ask(number: int) -> None:
        asked.append(number)
        message = f"no answer {number}"
        raise ApiError(message)

    told = fan_out(ask, range(1000), threads=2)
    assert len(told) == 1000
    assert all(isinstance(each, ApiError) for each in told)
    assert len(asked) <= 6


def test_refusals_do_not_count_as_being_down() -> None:
    def ask(number: int) -> None:
        raise ApiRefused(str(number), status=400, code="", said="", is_missing=True)

    told = fan_out(ask, range(100), threads=2)
    assert [str(each) for each in told] == [str(number) for number in range(100)]


def test_an_error_that_is_none_of_the_api_is_raised() -> None:
    def ask(number: int) -> int:
        return 1 // (number - 3)

    with pytest.raises(ZeroDivisionError):
        fan_out(ask, range(10), threads=2)


@dataclass
class Storm:
    """An API of many pages on a bad day, in virtual time."""

    clock: VirtualClock
    pages: int
    seed: int
    sent: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    done: list[str] = field(default_factory=list[str])
    tries: Counter[str] = field(default_factory=Counter[str])
    faults: Counter[str] = field(default_factory=Counter[str])
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def send(self, call: Call) -> Generator[Answer]:
        token = str((call.query or {}).get("page_token", f"{call.path} 0"))
        with self.lock:
            self.sent.append((self.clock.now(), token))
            self.tries[token] += 1
            pick = random.Random(f"{self.seed} {token} {self.tries[token]}").random()  # noqa: S311
            assert token not in self.done, f"{token} is asked again after it was answered"
        if pick < 0.05:
            yield self._counted("429", Answer(429, {"retry-after": "2"}, iter([b"{}"])))
        elif pick < 0.06:
            yield self._counted("5xx", Answer(503, {}, iter([b'{"error_code":"X"}'])))
        elif pick < 0.065:
            self.faults["reset"] += 1
            message = "the connection failed: Connection reset by peer"
            raise NoAnswer(message)
        elif pick < 0.07:
            self.faults["stall"] += 1
            self.clock.sleep_until(self.clock.now() + 30)
            message = "no answer came in time"
            raise NoAnswer(message)
        else:
            path, _, number = token.rpartition(" ")
            following = int(number) + 1
            more = f'"next_page_token":"{path} {following}",' if following < self.pages else ""
            with self.lock:
                self.done.append(token)
            yield Answer(200, {}, iter([f'{{{more}"things":["{token}"]}}'.encode()]))

    def _counted(self, name: str, answer: Answer) -> Answer:
        self.faults[name] += 1
        return answer

    def renew(self, *, if_changed: bool) -> bool:
        raise AssertionError(if_changed)

    def secrets(self) -> tuple[str, ...]:
        return ()


def test_a_storm_leaves_every_page_exactly_once_at_the_pace_allowed() -> None:
    clock = VirtualClock()
    storm = Storm(clock, pages=500, seed=7)
    api = DatabricksApi("workspace w", storm, Pace(20, clock), retry_seconds=300)
    lists = [f"/api/{name}" for name in "abcde"]

    def ask(path: str) -> Sequence[object]:
        return list(listed(lambda query: api.get(path, query), {}, "things", what=path))

    told = fan_out(ask, lists, threads=4)
    assert told == [[f"{path} {number}" for number in range(500)] for path in lists]
    assert sorted(storm.done) == sorted({*storm.done})
    assert len(storm.done) == 2_500
    assert min(storm.faults[name] for name in ("429", "5xx", "reset", "stall")) > 5
    assert clock.now() >= (len(storm.sent) - 1) / 20
