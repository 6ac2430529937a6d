"""An audit reader that meets anything: damage stops no line but the damaged one."""

import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overwatch_assets.module import DayWindow, Window
from overwatch_assets.sources.audit_azure import diagnostic_line
from overwatch_assets.sources.audit_reading import Delivery, read_delivery
from overwatch_assets.sources.audit_records import Form, bucket_line
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets_tests.damage import damaged
from overwatch_assets_tests.frames import ms, utc

SEED = 20240506
DAMAGED_LINES = 75_000
A_DAY = date(2024, 5, 6)
NOON = ms("2024-05-06 12:00")


def delivered(number: int = 0, **more: object) -> bytes:
    event: dict[str, object] = {
        "timestamp": NOON + number,
        "orgId": "1",
        "serviceName": "clusters",
        "actionName": f"good{number}",
        "requestId": None,
        "userIdentity": {"email": "maria@acme.example"},
        "requestParams": {"cluster_id": "c-1", "library": {"pypi": {"package": "holidays"}}},
        "response": {"statusCode": 200, "result": '{"cluster_id":"c-1"}'},
        **more,
    }
    return json.dumps(event).encode()


def archived(number: int = 0) -> bytes:
    instant = datetime.fromtimestamp((NOON + number) / 1000, UTC)
    properties = {
        "serviceName": "jobs",
        "actionName": f"good{number}",
        "requestParams": '{"jobId":"7"}',
        "response": '{"statusCode":200}',
    }
    record = {"time": instant.isoformat(), "identity": "{}", "properties": properties}
    return json.dumps(record).encode()


SHAPES = ("timestamp", "requestParams", "userIdentity", "response", "sessionId", "version")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def read(folder: Path, form: Form, lines: list[bytes]) -> Gathered:
    path = folder / "audit.json"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    since = utc("2024-05-06")
    files = Files()
    request = Request(
        organization_id="1",
        days=[DayWindow(A_DAY, Window(since, utc("2024-05-07")))],
        first_ms=0,
        now_ms=ms("2024-05-09"),
        known=pl.DataFrame(),
        coverage=pl.DataFrame(),
        scratch=folder,
        zone=ZoneInfo("UTC"),
    )
    delivery = Delivery("bucket", form, [str(folder)], list(files.list(str(path))), ())
    return read_delivery(files, delivery, request)


def good(found: Gathered) -> set[str]:
    rows = found.rows[A_DAY].collect()
    return set(rows.filter(pl.col("actionName").str.contains(r"^good\d+$"))["actionName"])


@pytest.mark.parametrize(
    ("form", "line"), [(bucket_line, delivered), (diagnostic_line(), archived)]
)
def test_damaged_lines_cost_no_neighbour(
    tmp_path: Path, form: Form, line: Callable[[int], bytes]
) -> None:
    randomly = random.Random(SEED)  # noqa: S311 - reproducible damage, no secret
    neighbours = DAMAGED_LINES // 20
    lines: list[bytes] = []
    for number in range(1, neighbours + 1):
        lines += [damaged(line(0), randomly) for _ in range(20)]
        lines.append(line(number))
    found = read(tmp_path, form, lines)
    assert good(found) >= {f"good{number}" for number in range(1, neighbours + 1)}
    [tracked] = found.processed.to_dicts()
    blank = sum(not each.strip() for each in lines)
    assert tracked["lines"] == len(lines) - blank
    of_days = sum(each["rows"] for each in tracked["day_counts"])
    early = found.counts.get("before_first_day", 0)
    assert tracked["rejected"] + of_days + early == len(lines) - blank
    assert DAMAGED_LINES // 20 < tracked["rejected"] < DAMAGED_LINES


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=60).map(lambda each: each.replace(b"\n", b""))))
def test_any_bytes_between_good_lines_are_events_or_rejected(
    tmp_path: Path, between: list[bytes]
) -> None:
    found = read(tmp_path, bucket_line, [delivered(1), *between, delivered(2)])
    assert good(found) >= {"good1", "good2"}
    [tracked] = found.processed.to_dicts()
    assert tracked["lines"] == 2 + sum(bool(each.strip()) for each in between)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(SHAPES), json_values)
def test_any_value_in_place_of_a_field_is_an_event_or_rejected(
    tmp_path: Path, field: str, value: object
) -> None:
    lines = [delivered(1), delivered(3, **{field: value}), delivered(2)]
    found = read(tmp_path, bucket_line, lines)
    assert good(found) >= {"good1", "good2"}
    [tracked] = found.processed.to_dicts()
    assert tracked["lines"] == 3


def test_published_samples_are_rows_or_rejected_with_a_reason(
    tmp_path: Path, test_data: Path
) -> None:
    samples = (test_data / "api" / "audit_panther_samples.jsonl").read_bytes().splitlines()
    with_time = [each for each in samples if json.loads(each).get("timestamp")]
    found = read(tmp_path, bucket_line, samples)
    [tracked] = found.processed.to_dicts()
    assert (tracked["lines"], tracked["rejected"]) == (len(samples), len(samples) - len(with_time))
    counted = sum(each["rows"] for each in tracked["day_counts"])
    assert counted == len(with_time)
    rejected = pl.concat(found.rejected.values())
    assert set(rejected["reason"]) == {"no timestamp in epoch milliseconds"}
    assert rejected["line_number"].n_unique() == len(samples) - len(with_time)
