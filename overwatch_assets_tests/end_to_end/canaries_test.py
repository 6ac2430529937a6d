"""Secrets planted wherever people and services put them; what a run leaves behind has none.

The command line runs as a user types it, against an emulated workspace, one that repeats what it
is sent in its refusals, and logs on disk. Then everything that it wrote is searched: tables, their
logs, Dagster's databases, what was printed.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from overwatch_assets.demo.emulator.credentials import Credentials
from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets_tests.demo.emulator.literal import (
    CLIENT_ID,
    ORG,
    OTHER,
    WAREHOUSE,
    Json,
    LiteralWorkspace,
)
from overwatch_assets_tests.eavesdropper import eavesdropper
from overwatch_assets_tests.end_to_end.left_behind import overwatch, told_by_files

NOW = datetime.now(UTC).replace(microsecond=0)
YESTERDAY = (NOW - timedelta(days=1)).date()
NOON_MS = (
    round(datetime(YESTERDAY.year, YESTERDAY.month, YESTERDAY.day, 12, tzinfo=UTC).timestamp())
    * 1000
)
CLUSTER = "0101-canary-c1"


@dataclass
class Canaries:
    """Secrets by the place where they were planted."""

    cores: dict[str, str] = field(default_factory=dict[str, str])

    def at(self, place: str) -> str:
        """A new one: letters and digits that occur nowhere else."""
        assert place not in self.cores
        self.cores[place] = f"7canary{len(self.cores):02}q4x9z"
        return self.cores[place]

    def found_in(self, text: str) -> set[str]:
        """Places whose secret is in the text, as it is or in its encoded forms."""
        told = set(re.findall(r"7canary\d\dq4x9z", text))
        return {place for place, core in self.cores.items() if core in told}


def cluster(canaries: Canaries) -> Json:
    return {
        "cluster_id": CLUSTER,
        "cluster_name": "etl",
        "state": "RUNNING",
        "start_time": NOON_MS - 3_600_000,
        "state_message": f"failed with token dapi0123abcd{canaries.at('cluster: message')}",
        "spark_conf": {
            "spark.hadoop.fs.s3a.secret.key": canaries.at("cluster: spark_conf"),
            "url": f"jdbc:mysql://u:{canaries.at('cluster: address with password')}@h/db",
            "sas": f"https://a/c?sv=1&sig={canaries.at('cluster: signed address')}",
            "conn": f"AccountKey={canaries.at('cluster: connection string')};x",
        },
        "spark_env_vars": {
            "API_TOKEN": canaries.at("cluster: environment"),
            "URL": f"https://u:{canaries.at('cluster: address in environment')}@h",
        },
        "custom_tags": {
            "password": canaries.at("cluster: tag"),
            "note": f"Bearer {canaries.at('cluster: tag text')}",
        },
        "docker_image": {"basic_auth": {"password": canaries.at("cluster: docker")}},
        "driver": {"private_key": canaries.at("cluster: driver")},
        "never_seen": {"client_secret": canaries.at("cluster: unknown field")},
    }


def job(canaries: Canaries) -> Json:
    conf = f"fs.s3a.secret.key={canaries.at('job: argument')}"
    task = {
        "task_key": "t",
        "notebook_task": {"base_parameters": {"db_password": canaries.at("job: parameter")}},
        "spark_python_task": {"parameters": ["--conf", conf]},
        "new_cluster": {"spark_env_vars": {"SECRET": canaries.at("job: environment")}},
    }
    return {"job_id": 1, "created_time": 1, "settings": {"name": "j", "tasks": [task]}}


def workspace(canaries: Canaries) -> LiteralWorkspace:
    definition = {"spark_conf.fs.s3a.secret.key": {"value": canaries.at("policy: definition")}}
    text = f"copy into t from 'https://h/f?X-Amz-Signature={canaries.at('query: text')}'"
    return LiteralWorkspace(
        ORG,
        clusters_given=[cluster(canaries)],
        jobs_given=[job(canaries)],
        events_given={
            CLUSTER: [
                {
                    "cluster_id": CLUSTER,
                    "timestamp": NOON_MS,
                    "type": "CREATING",
                    "details": {
                        "user": f"https://u:{canaries.at('event: user')}@h",
                        "attributes": {"spark_env_vars": {"PASSWORD": canaries.at("event: spec")}},
                        "never_seen": {"api_token": canaries.at("event: unknown field")},
                    },
                }
            ]
        },
        queries_given=[
            {
                "query_id": "q1",
                "warehouse_id": WAREHOUSE,
                "query_text": text,
                "query_start_time_ms": NOON_MS,
                "query_end_time_ms": NOON_MS + 1000,
                "status": "FAILED",
                "error_message": f"eyJhbGciOiJ.{canaries.at('query: error')}",
            }
        ],
        lists_given={
            "policies": [{"policy_id": "y", "definition": json.dumps(definition)}],
            "scripts": [
                {"script_id": "s", "script": canaries.at("init script")},
                {"script": canaries.at("init script without an id")},
            ],
            "tokens": [{"token_id": "t", "token_value": canaries.at("token")}],
        },
    )


def audit_lines(canaries: Canaries) -> Iterator[str]:
    def event(number: int, service: str, action: str, **more: object) -> str:
        told = {
            "timestamp": NOON_MS + number,
            "orgId": ORG,
            "serviceName": service,
            "actionName": action,
            "requestId": str(number),
            "userIdentity": {"email": "ines@acme.example"},
            "response": {"statusCode": 200},
        }
        return json.dumps({**told, **more})

    yield event(
        1, "secrets", "putSecret", requestParams={"string_value": canaries.at("audit: put")}
    )
    conf = json.dumps({"spark.hadoop.fs.s3a.secret.key": canaries.at("audit: spark_conf")})
    created = {"cluster_id": CLUSTER, "spark_conf": conf}
    yield event(2, "clusters", "create", requestParams=created)
    refused = f"Bearer {canaries.at('audit: refusal')}"
    yield event(3, "jobs", "create", response={"statusCode": 400, "errorMessage": refused})
    yield event(
        4, "git", "clone", requestParams={"url": f"https://u:{canaries.at('audit: url')}@h"}
    )
    yield f'{{"timestamp": {NOON_MS}, "password": "{canaries.at("audit: broken line")}", '


def spark_lines(canaries: Canaries) -> Iterator[str]:
    start = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart"
    properties = {
        "spark.hadoop.fs.azure.account.key.acme": canaries.at("spark: property"),
        "spark.job.description": f"https://u:{canaries.at('spark: description')}@h",
    }
    events: list[Json] = [
        {"Event": "SparkListenerApplicationStart", "App Name": "a", "Timestamp": NOON_MS},
        {
            "Event": start,
            "executionId": 0,
            "description": f"load abfss://c@a?sig={canaries.at('spark: execution')}",
            "details": f"Bearer {canaries.at('spark: details')}",
            "time": NOON_MS + 1,
        },
        {
            "Event": "SparkListenerJobStart",
            "Job ID": 0,
            "Submission Time": NOON_MS + 2,
            "Stage IDs": [],
            "Properties": properties,
        },
    ]
    yield from map(json.dumps, events)
    yield f'{{"Event": "SparkListenerJobEnd", "token": "dapi0123abcd{canaries.at("spark: line")}'


def configured(folder: Path, canaries: Canaries, host: str, ear: str) -> dict[str, str]:
    """Write the configuration; returns the environment that its references lead to."""
    secret = folder / "secrets" / "client-secret"
    secret.parent.mkdir()
    secret.write_text(canaries.cores["configuration: client secret"])
    hidden = {
        "CANARY_PAT": canaries.at("configuration: token"),
        "CANARY_PROXY": ear.replace("://", f"://u:{canaries.at('configuration: proxy')}@"),
        "CANARY_KEY": canaries.at("configuration: access key"),
        "CANARY_SECRET": canaries.at("configuration: secret key"),
        "CANARY_SESSION": canaries.at("configuration: session token"),
    }
    common = {"cloud": "aws", "primordial_date": str(YESTERDAY)}
    options = {
        "endpoint": ear,
        "region": "us-east-1",
        "access_key_id": "env:CANARY_KEY",
        "secret_access_key": "env:CANARY_SECRET",
        "token": "env:CANARY_SESSION",
    }
    settings = {
        "storage": {"root": "tables"},
        "secrets_directory": "secrets",
        "workspaces": [
            {
                **common,
                "workspace_id": ORG,
                "workspace_name": "prod",
                "audit_logs": {"path": "logs/audit"},
                "spark_event_logs": {"folders": ["logs/spark"]},
                "databricks": {
                    "host": host,
                    "client_id": CLIENT_ID,
                    "client_secret": "file:client-secret",
                    "retry_seconds": 1,
                },
            },
            {
                **common,
                "workspace_id": OTHER,
                "workspace_name": "refused",
                "audit_logs": {"path": "s3://acme/audit"},
                "databricks": {
                    "host": "http://127.0.0.1:9",
                    "token": "env:CANARY_PAT",
                    "proxy": "env:CANARY_PROXY",
                    "retry_seconds": 1,
                },
                "source_storage": [
                    {
                        "root": "s3://acme",
                        "client_options": {"allow_http": True},
                        "options": options,
                    }
                ],
            },
        ],
    }
    (folder / "overwatch.yaml").write_text(yaml.safe_dump(settings))
    return hidden


def test_thirty_secrets_and_none_in_anything_that_a_run_leaves_behind(tmp_path: Path) -> None:
    canaries = Canaries()
    client_secret = canaries.at("configuration: client secret")
    logs = tmp_path / "logs"
    audit = logs / "audit" / f"date={YESTERDAY}" / "auditlogs_1.json"
    spark = logs / "spark" / CLUSTER / "eventlog" / f"{CLUSTER}_10_0_0_1" / "77" / "eventlog"
    for path, lines in ((audit, audit_lines(canaries)), (spark, spark_lines(canaries))):
        path.parent.mkdir(parents=True)
        path.write_text("".join(f"{line}\n" for line in lines))
    credentials = Credentials(clients={CLIENT_ID: client_secret}, tokens={})
    with (
        Emulator([workspace(canaries)], credentials) as emulator,
        eavesdropper() as ear,
    ):
        hidden = configured(tmp_path, canaries, emulator.address(ORG), ear.address)
        assert len(canaries.cores) >= 30
        printed = [
            overwatch(tmp_path, hidden, *arguments)
            for arguments in (
                ("validate",),
                ("run",),
                ("prices",),
                ("sql", "--json", "from etl.audit_log_bronze"),
            )
        ]
    assert [code for code, _ in printed] == [1, 3, 0, 0]
    heard = canaries.found_in(ear.all_heard)
    assert {"configuration: access key", "configuration: session token"} <= heard
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    left -= {*logs.rglob("*"), *(tmp_path / "secrets").rglob("*")}
    told = told_by_files(left)
    told |= {f"printed {number}": text for number, (_, text) in enumerate(printed)}
    everything = "".join(told.values())
    for landed in ("0101-canary-c1", "putSecret", "SQLExecutionStart", "SparkListenerJobEnd", "q1"):
        assert landed in everything, "the good records beside them are there"
    assert {
        where: found for where, text in told.items() if (found := canaries.found_in(text))
    } == {}
