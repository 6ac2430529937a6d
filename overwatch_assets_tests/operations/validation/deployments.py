"""Deployments that are checked: a configuration file, and the literal folders it names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from overwatch_assets.config import Config, load_config
from overwatch_assets.operations.validate import validate
from overwatch_assets.operations.validation.findings import Finding, Report, Verdict
from overwatch_assets_tests.demo.emulator.literal import NOW_MS, ORG

NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
TODAY = NOW.date()
FIRST_DAY = TODAY - timedelta(days=4)
TOKEN_VARIABLE = "OVERWATCH_TEST_TOKEN"  # noqa: S105 - a variable's name
UNREACHABLE = "http://127.0.0.1:9"


@dataclass
class Checked:
    """A deployment below a folder."""

    folder: Path

    @property
    def audit(self) -> Path:
        return self.folder / "audit"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def deliver(self, *days: date) -> None:
        """Put a `date=` folder with a file there, per day."""
        for day in days:
            folder = self.audit / f"date={day}"
            folder.mkdir(parents=True)
            (folder / "auditlogs_1.json").write_text("{}\n")

    def deliver_all(self) -> None:
        self.deliver(*(FIRST_DAY + timedelta(days=number) for number in range(4)))

    def log(self, cluster_id: str, destination: Path | None = None) -> Path:
        """Put an event log of a cluster there."""
        folder = (destination or self.logs) / cluster_id / "eventlog"
        path = folder / f"{cluster_id}_10_0_0_1" / "123" / "eventlog"
        path.parent.mkdir(parents=True)
        path.write_text('{"Event":"SparkListenerLogStart"}\n')
        return path

    def config(self, *workspaces: dict[str, object], **top: object) -> Config:
        """The configuration, written and loaded."""
        content: dict[str, object] = {
            "storage": {"root": str(self.folder / "tables")},
            "workspaces": list(workspaces),
            **top,
        }
        path = self.folder / "overwatch.yaml"
        path.write_text(yaml.dump(content))
        return load_config(path, now=NOW)

    def check(self, config: Config, *, with_logs: bool = False, now: datetime = NOW) -> Report:
        return validate(config, config.workspaces, with_logs=with_logs, clock=lambda: now)


def workspace(organization_id: str = ORG, /, **more: Any) -> dict[str, object]:
    """A workspace's entry in the file."""
    return {
        "workspace_id": organization_id,
        "workspace_name": f"name of {organization_id}",
        "cloud": "aws",
        "primordial_date": str(FIRST_DAY),
        **more,
    }


def api(host: str, **more: object) -> dict[str, object]:
    """Access to an API with a token."""
    return {"host": host, "token": f"env:{TOKEN_VARIABLE}", "retry_seconds": 1, **more}


def of_rule(report: Report, rule: str) -> Sequence[Finding]:
    """Findings of a rule."""
    return [each for each in report.findings if each.rule == rule]


def only(report: Report, rule: str) -> Finding:
    """The one finding of a rule."""
    [found] = of_rule(report, rule)
    return found


def verdicts(report: Report) -> set[tuple[str, Verdict]]:
    """Rules and what they came to."""
    return {(each.rule, each.verdict) for each in report.findings}


def reasons(report: Report) -> dict[str, str]:
    """Why tables have no rows at all."""
    return {each.table: each.reason for each in report.empty if each.extent == "empty"}
