"""Audit logs on disk, loaded by deployments that redact differently, into one table."""

import json
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from overwatch_assets.bronze.audit_log_bronze import audit_log_bronze
from overwatch_assets.bronze.audit_log_processedfiles import PROCESSED_FILES
from overwatch_assets.bronze.audit_log_rejected import REJECTED
from overwatch_assets.config import Config
from overwatch_assets.errors import ConfigError, SourceError
from overwatch_assets.execution import bronze
from overwatch_assets.execution.records import Record
from overwatch_assets.execution.run import Run
from overwatch_assets.module import Table
from overwatch_assets.resources import Deployment
from overwatch_assets.sources.gathering import Gathered, Request, Source
from overwatch_assets.sources.rest_api.api import ApiRefused
from overwatch_assets_tests.configuration.loading import loaded
from overwatch_assets_tests.memory import MemoryLedger
from overwatch_assets_tests.redaction.treated import KEY, address, text, texts, user

DAY = date(2026, 10, 5)
NOON_MS = round(datetime(2026, 10, 5, 12, tzinfo=UTC).timestamp() * 1000)
NOW = datetime(2026, 10, 6, 8, tzinfo=UTC)
INES, LENA, IP = "ines@acme.example", "lena@acme.example", "203.0.113.77"
ALL_HASHED = {
    "emails": "hash",
    "ip_addresses": "hash",
    "sql_text": "hash",
    "command_text": "hash",
    "key": "env:FIRST_KEY",
}
ALL_DROPPED = {name: "drop" if told == "hash" else told for name, told in ALL_HASHED.items()}
OTHER_KEY = {**ALL_HASHED, "key": "env:OTHER_KEY"}

Row = dict[str, object]


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_KEY", KEY)
    monkeypatch.setenv("OTHER_KEY", KEY[::-1])
    monkeypatch.setenv("SHORT_KEY", "acme-2026")


def command(number: int, by: str = INES, said: str = "print(1)") -> str:
    event: Row = {
        "timestamp": NOON_MS,
        "orgId": "o1",
        "serviceName": "notebook",
        "actionName": "runCommand",
        "sourceIPAddress": IP,
        "userIdentity": {"email": by},
        "requestParams": {
            "commandId": str(number),
            "commandText": said,
            "path": f"/Users/{by}/report",
        },
    }
    return json.dumps(event)


def _given(source: Source, _organization_id: str) -> Source:
    return source


@dataclass
class Lake:
    """A table's folder and the logs beside it."""

    folder: Path
    ledger: MemoryLedger

    @property
    def logs(self) -> Path:
        """Where logs are delivered; people name folders after themselves."""
        return self.folder / INES / "audit"

    def deliver(self, *lines: str, name: str = "1") -> Path:
        path = self.logs / f"date={DAY}" / f"audit_{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def config(self, redaction: Mapping[str, str]) -> Config:
        rules = json.dumps(dict(redaction))
        settings = (
            f"storage: {{root: '{self.folder}/t'}}\nredaction: {rules}\nworkspaces:\n"
            "  - {workspace_id: o1, workspace_name: w, cloud: aws, "
            f"primordial_date: {DAY}, audit_logs: {{path: '{self.logs}'}}}}\n"
        )
        return loaded(settings)

    def load(self, redaction: Mapping[str, str], source: Source | None = None) -> Record:
        config = self.config(redaction)
        by_table = {audit_log_bronze.table.name: audit_log_bronze}
        deployment = Deployment(config, by_table, clock=lambda: NOW)
        loader = deployment.loader(self.ledger)
        if source is not None:
            loader = replace(loader, sources={"audit_logs": partial(_given, source)})
        run = Run(run_id="run", snapshot=NOW, now=deployment.now)
        records = loader.load(audit_log_bronze, config.workspaces[0], [DAY], run)
        self.ledger.write(records)
        [record] = records
        return record

    def stored(self, table: Table = audit_log_bronze.table) -> pl.DataFrame:
        config = self.config({})
        rows = Deployment(config, {}, clock=lambda: NOW).store.scan(table).collect()
        return rows.sort(table.key_columns)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, MemoryLedger())


def another(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Another lake beside logs that are the same."""
    folder = tmp_path_factory.mktemp("other")
    (folder / INES).symlink_to(lake.folder / INES)
    return Lake(folder, MemoryLedger())


def told(row: pl.DataFrame) -> list[tuple[str | None, str | None, dict[str, str]]]:
    return [
        (each["userIdentity"]["email"], each["sourceIPAddress"], json.loads(each["requestParams"]))
        for each in row.to_dicts()
    ]


def test_events_are_redacted_before_they_are_stored(lake: Lake) -> None:
    lake.deliver(command(1))
    lake.load(ALL_HASHED)
    params = {
        "commandId": "1",
        "commandText": text("print(1)"),
        "path": f"/Users/{user(INES)}/report",
    }
    assert told(lake.stored()) == [(user(INES), address(IP), params)]
    for path in lake.folder.glob("t/**/*"):
        if path.is_file() and path.suffix == ".parquet":
            content = pl.read_parquet(path).write_ndjson()
            assert not [each for each in (INES, IP, "print(1)", KEY) if each in content]


def test_reading_a_day_again_changes_nothing_and_adds_what_came_late(lake: Lake) -> None:
    lake.deliver(command(1), command(2, by=LENA))
    first = lake.load(ALL_HASHED)
    again = lake.load(ALL_HASHED)
    assert again.closed_version == first.closed_version
    lake.deliver(command(2, by=LENA), command(3), name="late")
    lake.load(ALL_HASHED)
    ids = {params["commandId"] for _, _, params in told(lake.stored())}
    assert (lake.stored().height, ids) == (3, {"1", "2", "3"})


def test_events_that_only_differ_in_what_is_dropped_stay_two(lake: Lake) -> None:
    lake.deliver(command(1), command(1, by=LENA))
    lake.load(ALL_DROPPED)
    lake.load(ALL_DROPPED)
    rows = lake.stored()
    assert rows.height == 2
    assert rows["sourceIPAddress"].to_list() == [None, None]
    assert rows["userIdentity"].struct.field("email").to_list() == [None, None]


def test_the_hash_of_an_event_tells_nobody_who_it_was(lake: Lake) -> None:
    lake.deliver(command(1))
    lake.load({})
    plain = lake.stored()["hashKey"].item()
    lake.load(ALL_HASHED)
    hidden = texts().pseudonyms.of_hashes(pl.Series([plain])).item()
    assert lake.stored()["hashKey"].item() == hidden


@pytest.mark.parametrize("redaction", [ALL_HASHED, ALL_DROPPED])
def test_a_day_stored_as_it_was_becomes_what_it_would_have_been(
    lake: Lake, redaction: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    lake.deliver(command(1), command(2, by=LENA), "no event of lena@acme.example")
    lake.load({})
    assert INES in lake.stored().write_ndjson()
    lake.load(redaction)
    from_the_start = another(lake, tmp_path_factory)
    from_the_start.load(redaction)
    for table in (audit_log_bronze.table, REJECTED):
        origin = "filename"
        converted, expected = (each.stored(table).drop(origin) for each in (lake, from_the_start))
        assert converted.equals(expected)
        assert "@acme.example" not in lake.stored(table).write_ndjson()


def test_what_is_no_longer_delivered_is_redacted_too(lake: Lake) -> None:
    lake.deliver(command(1)).unlink()
    lake.deliver(command(1))
    lake.load({})
    lake.deliver(command(2, by=LENA))
    lake.load(ALL_HASHED)
    assert {email for email, _, _ in told(lake.stored())} == {user(INES), user(LENA)}


def test_another_key_makes_no_event_two(lake: Lake) -> None:
    lake.deliver(command(1), command(2, by=LENA))
    lake.load(ALL_HASHED)
    lake.load(OTHER_KEY)
    stored = lake.stored()
    other = KEY[::-1]
    assert {email for email, _, _ in told(stored)} == {user(INES, other), user(LENA, other)}
    lake.load(OTHER_KEY)
    assert lake.stored().equals(stored)


@pytest.mark.parametrize("redaction", [ALL_HASHED, ALL_DROPPED])
def test_what_is_kept_again_takes_the_place_of_what_was_redacted(
    lake: Lake, redaction: dict[str, str]
) -> None:
    lake.deliver(command(1), command(2, by=LENA))
    lake.load({})
    as_it_was = lake.stored()
    lake.load(redaction)
    lake.load({})
    assert lake.stored().equals(as_it_was)


def test_what_another_key_hid_stays_where_it_is_not_delivered_any_more(lake: Lake) -> None:
    lake.deliver(command(1), name="gone").unlink()
    lake.deliver(command(1), name="1")
    lake.load(ALL_HASHED)
    (lake.logs / f"date={DAY}" / "audit_1.json").unlink()
    lake.deliver(command(2).replace("runCommand", "attachNotebook"), name="2")
    lake.load(OTHER_KEY)
    assert {email for email, _, _ in told(lake.stored())} == {
        user(INES),
        user(INES, KEY[::-1]),
    }


def test_a_day_of_many_rows_is_redacted_shard_by_shard(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.deliver(*(command(number, by=f"u{number % 7}@acme.example") for number in range(40)))
    lake.load({})
    lake.load(ALL_HASHED)
    whole = lake.stored()
    monkeypatch.setattr(bronze, "SHARD_ROWS", 9)
    lake.load(OTHER_KEY)
    assert lake.stored().height == 40
    lake.load(ALL_HASHED)
    assert lake.stored().equals(whole)


def test_files_are_known_by_their_redacted_path_and_not_read_again(lake: Lake) -> None:
    lake.deliver(command(1))
    lake.load(ALL_HASHED)
    tracked = lake.stored(PROCESSED_FILES)
    assert user(INES) in tracked["path"].item()
    other_day = lake.config(ALL_HASHED)
    deployment = Deployment(
        other_day, {audit_log_bronze.table.name: audit_log_bronze}, clock=lambda: NOW
    )
    run = Run(run_id="second", snapshot=NOW, now=deployment.now)
    loader = deployment.loader(lake.ledger)
    loader.load(audit_log_bronze, other_day.workspaces[0], [date(2026, 10, 6)], run)
    assert lake.stored(PROCESSED_FILES).equals(tracked), "neither read again nor missed"


def test_the_raw_text_of_a_rejected_line_may_hold_anything(lake: Lake) -> None:
    broken = f'{{"user": "{INES}", "commandText": "print(1)", '
    lake.deliver(broken)
    lake.load({"emails": "hash", "key": "env:FIRST_KEY"})
    assert lake.stored(REJECTED)["record"].item().startswith(f'{{"user": "{user(INES)}"')
    lake.deliver(broken, name="again")
    lake.load(ALL_HASHED)
    [record] = lake.stored(REJECTED)["record"]
    assert re.fullmatch("text-[0-9a-f]{16}", record)


def test_what_could_not_be_read_is_told_without_who_is_meant(lake: Lake) -> None:
    failures = str(lake.load(ALL_HASHED).details["first_failures"])
    assert user(INES) in failures
    assert INES not in failures


@dataclass(frozen=True)
class Refused:
    """A source that can't be read."""

    error: Exception

    def gather(self, request: Request) -> Gathered:
        cause = ValueError(f"{INES} may not read it on {request.days[0].day}")
        raise self.error from cause


@pytest.mark.parametrize(
    "error",
    [
        SourceError(f"{INES} is refused"),
        SourceError("see below"),
        ApiRefused(f"{INES} is no admin", status=403, code="X", said=INES, is_missing=False),
        FileNotFoundError(2, "No such file", f"/Users/{INES}/audit"),
    ],
)
def test_no_error_tells_who_is_meant_nor_the_key(lake: Lake, error: Exception) -> None:
    with pytest.raises((SourceError, OSError)) as failed:
        lake.load(ALL_HASHED, Refused(error))
    shown = "".join(traceback.format_exception(failed.value))
    assert isinstance(failed.value, SourceError)
    assert INES not in shown
    assert KEY not in shown
    with pytest.raises(type(error)) as as_it_was:
        lake.load({}, Refused(error))
    assert as_it_was.value.__cause__ is not None


def test_an_error_that_tells_of_nobody_keeps_its_cause(lake: Lake) -> None:
    only_ips = {"ip_addresses": "hash", "key": "env:FIRST_KEY"}
    with pytest.raises(SourceError, match=INES) as failed:
        lake.load(only_ips, Refused(SourceError(f"{INES} is refused")))
    assert isinstance(failed.value.__cause__, ValueError)


@pytest.mark.parametrize(
    ("key", "said"),
    [("env:NO_SUCH_KEY", "NO_SUCH_KEY is not set"), ("env:SHORT_KEY", "shorter than 16 letters")],
)
def test_a_key_that_is_missing_or_can_be_guessed_stops_the_load(
    lake: Lake, key: str, said: str
) -> None:
    lake.deliver(command(1))
    with pytest.raises(ConfigError, match=rf"redaction\.key.*{said}") as refused:
        lake.load({"emails": "hash", "key": key})
    assert "acme-2026" not in str(refused.value)


def test_where_all_is_kept_nothing_is_looked_at(lake: Lake) -> None:
    kept = {"emails": "keep", "ip_addresses": "keep"}
    assert Deployment(lake.config(kept), {}).redaction() is None
