from typing import Any

import pytest
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.compute import EventType, GetEventsOrder

from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets_tests.demo.emulator.literal import NOW_MS, Json, LiteralWorkspace
from overwatch_assets_tests.demo.emulator.sdk import ask, client

PATH = "/api/2.1/clusters/events"


def events(number: int) -> list[Json]:
    return [{"cluster_id": "c", "timestamp": n, "type": "RUNNING"} for n in range(number)]


def asked(emulator: Emulator, **body: Any) -> Any:
    return ask(client(emulator), "POST", PATH, body={"cluster_id": "c"} | body)


def times(answer: Any) -> list[int]:
    return [each["timestamp"] for each in answer.get("events", [])]


def test_events_come_page_by_page_with_tokens(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.events_given = {"c": events(1200)}
    found: list[int] = []
    answer = asked(emulator, page_size=500, order="ASC", start_time=1, end_time=1100)
    while True:
        assert "next_page" not in answer
        found += times(answer)
        if not answer["next_page_token"]:
            break
        answer = asked(emulator, page_size=500, page_token=answer["next_page_token"])
    assert found == list(range(1, 1101))
    previous = asked(emulator, page_size=500, page_token=answer["prev_page_token"])
    assert times(previous) == list(range(501, 1001))


def test_a_page_has_at_most_five_hundred_events(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.events_given = {"c": events(600)}
    assert len(asked(emulator, page_size=5000)["events"]) == 500
    assert len(asked(emulator, page_size=0)["events"]) == 50


def test_the_latest_event_comes_first_unless_asked_otherwise(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.events_given = {"c": events(3)}
    assert times(asked(emulator, page_size=500)) == [2, 1, 0]
    with pytest.raises(InvalidParameterValue, match="order"):
        asked(emulator, order="UP")


def test_the_sdk_pages_in_the_deprecated_manner(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.events_given = {"c": events(120)}
    found = [each.timestamp for each in client(emulator).clusters.events("c")]
    assert found == list(range(119, -1, -1))
    found = [each.timestamp for each in client(emulator).clusters.events("c", limit=100)]
    assert found == list(range(119, -1, -1))


def test_the_deprecated_manner_needs_an_end_when_it_goes_backwards(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.events_given = {"c": events(120)}
    with pytest.raises(InvalidParameterValue, match="end_time"):
        asked(emulator, limit=10, offset=10)
    answer = asked(emulator, limit=10, offset=10, order="ASC")
    assert (times(answer), answer["total_count"]) == (list(range(10, 20)), 120)
    assert answer["next_page"] == {
        "cluster_id": "c",
        "order": "ASC",
        "end_time": NOW_MS,
        "offset": 20,
        "limit": 10,
    }
    with pytest.raises(InvalidParameterValue, match="limit"):
        asked(emulator, limit=501)


def test_types_are_filtered(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.events_given = {"c": [*events(2), {"cluster_id": "c", "timestamp": 9, "type": "PINNED"}]}
    pinned = client(emulator).clusters.events(
        "c", event_types=[EventType.PINNED], order=GetEventsOrder.ASC
    )
    assert [each.timestamp for each in pinned] == [9]


def test_a_cluster_without_events_answers_nothing(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.events_given = {"c": []}
    assert asked(emulator, page_size=500) == {}
    assert asked(emulator, limit=500) == {"total_count": 0}


def test_a_cluster_that_is_gone_is_an_invalid_parameter(emulator: Emulator) -> None:
    with pytest.raises(InvalidParameterValue, match="Cluster c does not exist"):
        asked(emulator, page_size=500)
