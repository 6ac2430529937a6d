"""Personal and confidential data planted wherever people and services put them.

The command line runs as a user types it, and everything that it wrote is searched. The made-up
company is loaded with and without redaction: whatever is computed of users is the same of their
pseudonyms.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest
import yaml

from overwatch_assets.demo.emulator.credentials import Credentials
from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets.presentation import sqlusercostdaily, usercostdaily
from overwatch_assets.presentation.reading import Reach, derived_rows
from overwatch_assets.redaction.redaction import Redaction
from overwatch_assets.redaction.treatment import Treatment, Treatments
from overwatch_assets.registry import in_load_order
from overwatch_assets_tests.demo.emulator.literal import (
    CLIENT_ID,
    ORG,
    WAREHOUSE,
    Json,
    LiteralWorkspace,
)
from overwatch_assets_tests.end_to_end.company import Company, open_company
from overwatch_assets_tests.end_to_end.left_behind import overwatch, told_by_files
from overwatch_assets_tests.redaction.treated import KEY, texts, user

NOW = datetime.now(UTC).replace(microsecond=0)
YESTERDAY = (NOW - timedelta(days=1)).date()
NOON_MS = (
    round(datetime(YESTERDAY.year, YESTERDAY.month, YESTERDAY.day, 12, tzinfo=UTC).timestamp())
    * 1000
)
CLUSTER = "0101-redact-c1"
INES = "ines.7okafor@acme.example"
IP, IP6 = "203.0.113.177", "2001:db8:7::1"
SQL, COMMAND = "select 7sql_core from t", "print(7command_core)"
CORES = ("7okafor", IP, IP6, "7sql_core", "7command_core", KEY)


def workspace() -> LiteralWorkspace:
    """A workspace whose every text tells something."""
    script = f"# by {INES}\n{COMMAND}"
    said = f"asked by {INES.upper()} from {IP} and [{IP6}]:443"
    cluster: Json = {
        "cluster_id": CLUSTER,
        "cluster_name": f"{INES}'s Cluster",
        "creator_user_name": INES,
        "single_user_name": INES,
        "state": "RUNNING",
        "start_time": NOON_MS - 3_600_000,
        "state_message": said,
        "spark_conf": {"spark.databricks.note": said},
        "custom_tags": {"Owner": INES, INES: "key"},
        "driver": {"public_dns": IP},
        "never_seen": {"by": INES, "commandText": COMMAND},
    }
    task: Json = {
        "task_key": "t",
        "notebook_task": {"notebook_path": f"/Users/{INES}/etl", "base_parameters": {"to": INES}},
        "dbt_task": {"commands": [COMMAND]},
        "sql_task": {"query": {"query_id": "q"}, "statement": SQL},
    }
    settings: Json = {
        "name": f"{INES} nightly",
        "tasks": [task],
        "email_notifications": {"on_failure": [INES]},
    }
    job: Json = {
        "job_id": 1,
        "created_time": 1,
        "creator_user_name": INES,
        "run_as_user_name": INES.title(),
        "settings": settings,
    }
    query: Json = {
        "query_id": "q1",
        "warehouse_id": WAREHOUSE,
        "query_text": SQL,
        "user_name": INES,
        "query_start_time_ms": NOON_MS,
        "query_end_time_ms": NOON_MS + 1000,
        "status": "FAILED",
        "error_message": f"[PARSE_SYNTAX_ERROR] == SQL ==\n{SQL}\n^^^",
        "never_seen": {"statement": SQL, "address": IP},
    }
    event: Json = {
        "cluster_id": CLUSTER,
        "timestamp": NOON_MS,
        "type": "CREATING",
        "details": {"user": INES, "attributes": {"custom_tags": {"Owner": INES}}, "seen": IP},
    }
    definition = json.dumps({"single_user_name": {"value": INES}})
    return LiteralWorkspace(
        ORG,
        clusters_given=[cluster],
        jobs_given=[job],
        events_given={CLUSTER: [event]},
        queries_given=[query],
        lists_given={
            "policies": [{"policy_id": "y", "creator_user_name": INES, "definition": definition}],
            "scripts": [
                {"script_id": "s", "created_by": INES, "script": script},
                {"script": script, "created_by": INES},
            ],
            "tokens": [{"token_id": "t", "comment": said}],
        },
    )


def audit_lines() -> Iterator[str]:
    def event(number: int, service: str, action: str, **params: object) -> str:
        told: Json = {
            "timestamp": NOON_MS + number,
            "orgId": ORG,
            "serviceName": service,
            "actionName": action,
            "requestId": str(number),
            "sourceIPAddress": IP if number % 2 else IP6,
            "userAgent": f"curl for {INES} at {IP}",
            "userIdentity": {"email": INES},
            "response": {"statusCode": 200, "result": json.dumps({"by": INES, "sql": SQL})},
            "requestParams": params,
        }
        return json.dumps(told)

    yield event(1, "accounts", "login", user=INES)
    yield event(2, "accounts", "addPrincipalToGroup", targetUserName=INES, targetGroupName="g")
    yield event(3, "notebook", "runCommand", commandText=COMMAND, notebookId="7", commandId="c")
    yield event(4, "databrickssql", "commandSubmit", commandText=SQL, warehouseId=WAREHOUSE)
    yield event(5, "workspace", "rename", path=f"/Users/{INES}/%2FUsers%2F{INES}")
    tags = json.dumps([{"key": "Owner", "value": INES}])
    yield event(6, "clusters", "create", cluster_id=CLUSTER, custom_tags=tags, user_id=INES)
    yield f'{{"timestamp": {NOON_MS}, "by": "{INES}", "commandText": "{COMMAND}", '


def spark_lines() -> Iterator[str]:
    start = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart"
    failure = f"ParseException: == SQL ==\n{SQL}"
    events: list[Json] = [
        {
            "Event": "SparkListenerApplicationStart",
            "App Name": f"{INES} shell",
            "User": INES,
            "Timestamp": NOON_MS,
        },
        {
            "Event": "SparkListenerExecutorAdded",
            "Executor ID": "0",
            "Timestamp": NOON_MS + 1,
            "Executor Info": {"Host": IP, "Total Cores": 4, "Log Urls": {}},
        },
        {
            "Event": start,
            "executionId": 0,
            "description": SQL,
            "details": f"by {INES}",
            "physicalPlanDescription": f"Project {SQL}",
            "time": NOON_MS + 2,
        },
        {
            "Event": "SparkListenerJobStart",
            "Job ID": 0,
            "Submission Time": NOON_MS + 3,
            "Stage IDs": [],
            "Properties": {
                "user": INES,
                "spark.driver.host": IP,
                "spark.databricks.notebook.path": f"/Users/{INES}/etl",
            },
        },
        {
            "Event": "SparkListenerJobEnd",
            "Job ID": 0,
            "Completion Time": NOON_MS + 4,
            "Job Result": {"Result": "JobFailed", "Exception": {"Message": failure}},
        },
    ]
    yield from map(json.dumps, events)
    yield f'{{"Event": "SparkListenerJobEnd", "by": "{INES}", "description": "{SQL}'


def configured(folder: Path, host: str) -> None:
    settings: Json = {
        "storage": {"root": "tables"},
        "redaction": {
            "emails": "hash",
            "ip_addresses": "hash",
            "sql_text": "hash",
            "command_text": "hash",
            "key": "env:SOME_KEY",
        },
        "workspaces": [
            {
                "cloud": "aws",
                "primordial_date": str(YESTERDAY),
                "workspace_id": ORG,
                "workspace_name": "prod",
                "audit_logs": {"path": f"logs/{INES}/audit"},
                "spark_event_logs": {"folders": [f"logs/{INES}/spark", "logs/none/" + INES]},
                "databricks": {
                    "host": host,
                    "client_id": CLIENT_ID,
                    "client_secret": "env:SOME_SECRET",
                    "retry_seconds": 1,
                },
            }
        ],
    }
    (folder / "overwatch.yaml").write_text(yaml.safe_dump(settings))


def test_nothing_that_a_run_leaves_behind_tells_what_is_redacted(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    audit = logs / INES / "audit" / f"date={YESTERDAY}" / "auditlogs_1.json"
    driver = logs / INES / "spark" / CLUSTER / "eventlog" / f"{CLUSTER}_10_0_0_1" / "77"
    for path, lines in ((audit, audit_lines()), (driver / "eventlog", spark_lines())):
        path.parent.mkdir(parents=True)
        path.write_text("".join(f"{line}\n" for line in lines))
    secret = "only-for-the-emulator"  # noqa: S105 - of the emulator
    credentials = Credentials(clients={CLIENT_ID: secret}, tokens={})
    with Emulator([workspace()], credentials) as emulator:
        configured(tmp_path, emulator.address(ORG))
        hidden = {"SOME_KEY": KEY, "SOME_SECRET": secret}
        _, printed = overwatch(tmp_path, hidden, "run", "--json")
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    left -= {*logs.rglob("*"), tmp_path / "overwatch.yaml"}
    told = {**told_by_files(left), "printed": printed}
    everything = "".join(told.values())
    pseudonyms = texts().pseudonyms
    landed = [CLUSTER, "commandSubmit", "SQLExecutionStart", "q1", "addPrincipalToGroup"]
    landed += [user(INES), pseudonyms.of_address(IP), pseudonyms.of_address(IP6)]
    landed += [pseudonyms.of_text(SQL), pseudonyms.of_text(COMMAND)]
    assert [each for each in landed if each not in everything] == [], "all else is there"
    lowered = {where: text.lower() for where, text in told.items()}
    assert {
        where: found
        for where, text in lowered.items()
        if (found := [core for core in CORES if core in text])
    } == {}


HASHED_USERS = {"emails": "hash", "ip_addresses": "hash", "key": "env:SOME_KEY"}


def ordered(rows: pl.DataFrame) -> list[str]:
    """Rows without hashes of records, in an order that depends on them alone."""
    kept = rows.select(~cs.by_name("hashKey", require_all=False)).with_columns(cs.float().round(9))
    return sorted(kept.write_ndjson().splitlines())


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with open_company(tmp_path_factory.mktemp("company"), days=1, scale=0.05) as company:
        yield company


def test_what_is_computed_of_users_is_the_same_of_their_pseudonyms(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    modules = in_load_order()
    plain, redacted = company.deployed(), company.deployed(redaction=HASHED_USERS)
    for each in (plain, redacted):
        each.load_range(modules, company.days, "tidewater-prod")
    redaction = Redaction(texts(Treatments(emails=Treatment.HASH, ip_addresses=Treatment.HASH)))
    expected, found = plain.tables(modules), redacted.tables(modules)
    tables = {module.table.name: module.table for module in modules}
    assert [
        name
        for name, table in tables.items()
        if ordered(redaction.frame(table, expected[name])) != ordered(found[name])
    ] == []
    for view in (usercostdaily.VIEW, sqlusercostdaily.VIEW):
        as_they_are, of_pseudonyms = (
            derived_rows(each.deployment.store, view, tables, Reach()).collect()
            for each in (plain, redacted)
        )
        names = [name for name in ("submitted_by", "user_name") if name in as_they_are]
        users = pl.col(names).map_elements(user, return_dtype=pl.String)
        assert ordered(as_they_are.with_columns(users)) == ordered(of_pseudonyms)
        assert as_they_are.select(names).n_unique() > 2
