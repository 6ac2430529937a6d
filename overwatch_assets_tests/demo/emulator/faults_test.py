import threading
from collections import Counter
from typing import Any

import pytest
import requests
from databricks.sdk.errors import (
    InternalError,
    InvalidParameterValue,
    PermissionDenied,
)
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.demo.emulator.faults import Fault, FaultRule, Faults, Storm, parse_storm
from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets.errors import ConfigError
from overwatch_assets_tests.demo.emulator.literal import (
    CREDENTIALS,
    ORG,
    OTHER,
    PAT,
    Json,
    LiteralWorkspace,
)
from overwatch_assets_tests.demo.emulator.sdk import VirtualClock, client

LIST = "GET /api/2.1/clusters/list"


@pytest.fixture
def stormy(here: LiteralWorkspace, emulator: Emulator) -> Emulator:
    """A server whose first workspace has 60 clusters, that is three pages."""
    here.clusters_given = [{"cluster_id": f"c-{n}"} for n in range(60)]
    return emulator


def ids(emulator: Emulator, page_size: int | None = None, **settings: Any) -> list[str | None]:
    return [
        each.cluster_id for each in client(emulator, **settings).clusters.list(page_size=page_size)
    ]


ALL = [f"c-{n}" for n in range(60)]


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.UNAVAILABLE, Fault.RESET])
def test_the_sdk_asks_again_until_it_is_answered(stormy: Emulator, fault: Fault) -> None:
    rule = stormy.faults.add(FaultRule(fault, LIST, calls={1, 2, 4}))
    assert ids(stormy) == ALL
    assert (rule.seen, rule.fired) == (6, 3)
    faulty = [each.fault for each in stormy.journal.requests(LIST)]
    assert faulty == [None, fault, fault, None, fault, None]


def test_a_throttled_client_is_told_how_long_to_wait(stormy: Emulator) -> None:
    clock = VirtualClock()
    stormy.faults.add(FaultRule(Fault.THROTTLED, LIST, calls={0}, retry_after=17))
    assert ids(stormy, clock=clock) == ALL
    [waited_s] = clock.slept_s
    assert 17 <= waited_s < 18


def test_without_retry_after_the_header_is_absent(stormy: Emulator) -> None:
    stormy.faults.add(FaultRule(Fault.THROTTLED, retry_after=None))
    headers = {"Authorization": f"Bearer {PAT}"}
    address = f"{stormy.address(ORG)}/api/2.1/clusters/list"
    answer = requests.get(address, headers=headers, timeout=10)
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, False)


def test_a_server_error_is_not_asked_again_by_the_sdk(stormy: Emulator) -> None:
    stormy.faults.add(FaultRule(Fault.SERVER_ERROR, LIST, calls={0}))
    with pytest.raises(InternalError):
        ids(stormy)
    assert ids(stormy) == ALL


def test_a_late_answer_comes_and_an_impatient_client_asks_again(stormy: Emulator) -> None:
    rule = stormy.faults.add(FaultRule(Fault.SLOW, LIST, calls={0}, seconds=0.05))
    assert ids(stormy) == ALL
    assert (rule.seen, rule.fired) == (3, 1)
    rule = stormy.faults.add(FaultRule(Fault.SLOW, LIST, calls={0}, seconds=30))
    assert ids(stormy, http_timeout_seconds=0.1) == ALL
    assert rule.seen == 4


def test_who_waits_for_a_late_answer_does_not_keep_the_server(stormy: Emulator) -> None:
    del stormy
    with Emulator([LiteralWorkspace()], CREDENTIALS) as emulator:
        rule = emulator.faults.add(FaultRule(Fault.SLOW, LIST, seconds=3600))
        waiting = threading.Thread(target=ids, args=(emulator,))
        waiting.start()
        while not rule.fired:
            waiting.join(0.01)
    waiting.join()
    assert rule.fired == 1


def test_a_cut_body_ends_the_clients_reading(stormy: Emulator) -> None:
    stormy.faults.add(FaultRule(Fault.CUT, LIST, calls={1}))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        ids(stormy)


def test_half_of_the_json_has_a_length_that_fits(stormy: Emulator) -> None:
    stormy.faults.add(FaultRule(Fault.INVALID_JSON, LIST, calls={1}))
    with pytest.raises(requests.exceptions.JSONDecodeError):
        ids(stormy)


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Fault.FORBIDDEN, PermissionDenied), (Fault.BAD_PARAMETER, InvalidParameterValue)],
)
def test_one_object_alone_may_be_refused(
    stormy: Emulator, fault: Fault, error: type[Exception]
) -> None:
    stormy.faults.add(FaultRule(fault, "GET /api/2.1/clusters/*", about="c-7"))
    sdk = client(stormy)
    assert sdk.clusters.get("c-8").cluster_id == "c-8"
    with pytest.raises(error):
        sdk.clusters.get("c-7")


def test_one_workspace_alone_may_be_struck(stormy: Emulator) -> None:
    stormy.faults.add(FaultRule(Fault.FORBIDDEN, LIST, workspace_id=OTHER))
    assert ids(stormy) == ALL
    with pytest.raises(PermissionDenied):
        list(client(stormy, OTHER).clusters.list())


def test_a_page_comes_twice_behind_tokens_that_differ(stormy: Emulator) -> None:
    stormy.faults.add(FaultRule(Fault.REPEATED_PAGE, LIST, calls={1}))
    assert ids(stormy) == [*ALL[:40], *ALL[20:]]
    tokens = [each.page_token for each in stormy.journal.requests(LIST)]
    assert len(set(tokens)) == len(tokens) == 4


def test_a_page_token_expires_and_the_first_page_does_not(stormy: Emulator) -> None:
    rule = stormy.faults.add(FaultRule(Fault.TOKEN_EXPIRED, LIST))
    with pytest.raises(InvalidParameterValue, match="page token has expired"):
        ids(stormy)
    assert (rule.seen, len(stormy.journal.requests(LIST))) == (1, 2)


def test_the_first_rule_that_fires_decides() -> None:
    faults = Faults()
    second = faults.add(FaultRule(Fault.RESET, calls={0}))
    third = faults.add(FaultRule(Fault.SLOW))
    fates = [faults.next("GET /api/x", {}, ORG) for _ in range(2)]
    assert fates == [second, third]
    faults.clear()
    assert faults.next("GET /api/x", {}, ORG) is None


def test_a_storm_ends_no_list_and_spares_the_token_endpoint(stormy: Emulator) -> None:
    stormy.faults.storm = Storm(seed=3, throttled=0.3, reset=0.2, slow=0.1, slow_seconds=0.001)
    assert ids(stormy) == ALL
    sdk = client(stormy)
    assert [sdk.clusters.get(name).cluster_id for name in ALL] == ALL
    seen = Counter(each.fault for each in stormy.journal.requests("GET /api/*"))
    assert seen.keys() == {None, Fault.THROTTLED, Fault.RESET, Fault.SLOW}
    assert not [each for each in stormy.journal.requests("* /.well*") if each.fault]


def fates(storm: Storm, questions: range) -> list[Fault | None]:
    rules = [storm.rule(str(question), 0) for question in questions]
    return [rule.fault if rule else None for rule in rules]


def test_a_storm_strikes_as_often_as_it_says() -> None:
    storm = Storm(throttled=0.05, server_error=0.02, reset=0.01)
    counts = Counter(fates(storm, range(20_000)))
    assert counts[Fault.THROTTLED] == pytest.approx(1000, rel=0.1)
    assert counts[Fault.SERVER_ERROR] == pytest.approx(200, rel=0.25)
    assert counts[Fault.UNAVAILABLE] == pytest.approx(200, rel=0.25)
    assert counts[Fault.RESET] == pytest.approx(200, rel=0.25)


@given(st.integers(0, 5), st.lists(st.sampled_from("abc"), max_size=30))
def test_a_calls_fate_does_not_depend_on_what_else_is_asked(seed: int, asked: list[str]) -> None:
    def told(questions: list[str], of: str) -> list[Fault | None]:
        faults = Faults(storm=Storm(seed=seed, throttled=0.5))
        found = [(each, faults.next("GET /api/x", {"id": each}, ORG)) for each in questions]
        return [rule.fault if rule else None for each, rule in found if each == of]

    assert told(asked, "a") == told([each for each in asked if each == "a"], "a")


def test_a_storm_is_read_from_text() -> None:
    storm = parse_storm("throttled=0.05, reset=0.5,seed=7,retry_after=0")
    assert storm == Storm(seed=7, throttled=0.05, reset=0.5, retry_after=0)
    assert parse_storm("") == Storm()


@pytest.mark.parametrize(
    "text",
    ["rain=1", "reset", "reset=often", "reset=2", "reset=-1", "seed=nan", "reset=0.6,slow=0.6"],
)
def test_a_text_that_is_no_storm_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="faults: "):
        parse_storm(text)


def test_a_body_that_is_no_json_object_is_refused(emulator: Emulator) -> None:
    address = f"{emulator.address(ORG)}/api/2.1/clusters/events"
    headers = {"Authorization": f"Bearer {PAT}", "Content-Type": "application/json"}
    bodies: list[Json | str] = ["{", "[1]"]
    for body in bodies:
        answer = requests.post(address, data=body, headers=headers, timeout=10)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "MALFORMED_REQUEST")


def test_a_storm_of_a_seed_is_the_same_storm_again(stormy: Emulator) -> None:
    told: list[list[Fault | None]] = []
    for _ in range(2):
        stormy.faults.clear()
        stormy.journal.clear()
        stormy.faults.storm = Storm(seed=5, throttled=0.5)
        assert ids(stormy, page_size=5) == ALL
        told.append([each.fault for each in stormy.journal.requests(LIST)])
    assert told[0] == told[1]
    assert len(told[0]) > 12
