"""The demo's configuration: its workspaces, their logs and prices, where the tables go."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from overwatch_assets.config import Config, config_of
from overwatch_assets.configuration.document import parse_document
from overwatch_assets.demo.audit_azure import resource_id
from overwatch_assets.demo.company import LOG_MOUNT, Company, Workspace, found_company
from overwatch_assets.demo.price_files import DBU_COST_DETAILS, INSTANCE_DETAILS
from overwatch_assets.demo.write import FIRST_DAY, PRICES

DEMO_CONFIG = Path("demo/overwatch.yaml")
LOGS = "logs"

CLIENT_ID = "5f0c2d1e-0000-4000-8000-000000000001"
SECRET_FILE = "client-secret"  # noqa: S105 - a file's name

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Reached:
    """A workspace as the emulator serves it.

    Attributes:
        host: Address of its API.
        warehouse_id: A SQL warehouse of it.
    """

    host: str
    warehouse_id: str


def demo_config_text(seed: int, reached: Mapping[str, Reached] | None = None) -> str:
    """The demo's configuration file; its paths begin in its folder.

    Args:
        seed: Of the company.
        reached: By workspace id how its API is reached; None: there is none, only files.
    """
    company = found_company(seed, FIRST_DAY, 1.0)
    workspaces = [
        _workspace(company, number, (reached or {}).get(each.workspace_id))
        for number, each in enumerate(company.workspaces)
    ]
    values: Json = {"storage": {"root": "tables"}}
    values["prices"] = {
        "instance_details": f"{LOGS}/{PRICES}/{INSTANCE_DETAILS}",
        "dbu_cost_details": f"{LOGS}/{PRICES}/{DBU_COST_DETAILS}",
    }
    if reached:
        values["secrets_directory"] = "."
    values["workspaces"] = workspaces
    head = "# Configuration of the demo, written by `overwatch demo`.\n"
    return head + yaml.safe_dump(values, sort_keys=False)


def _workspace(company: Company, number: int, reached: Reached | None) -> Json:
    workspace = company.workspaces[number]
    values: Json = {
        "workspace_id": workspace.workspace_id,
        "workspace_name": workspace.name,
        "cloud": "aws",
        "primordial_date": FIRST_DAY.isoformat(),
        "audit_logs": _audit_logs(company, workspace, number, reached),
        "spark_event_logs": {
            "from_clusters": True,
            "mounts": {LOG_MOUNT: f"{LOGS}/cluster-logs"},
        },
    }
    if reached is not None:
        values["databricks"] = {
            "host": reached.host,
            "client_id": CLIENT_ID,
            "client_secret": f"file:{SECRET_FILE}",
            "requests_per_second": 100,
        }
        values["sql_warehouse"] = reached.warehouse_id
    return values


def _audit_logs(
    company: Company, workspace: Workspace, number: int, reached: Reached | None
) -> Json:
    """The first workspace's by bucket, the second's by Azure, the third's by system table."""
    if number == 1:
        resource = resource_id(workspace, company.account_id)
        return {"path": f"{LOGS}/audit-azure", "layout": "azure", "resource_id": resource}
    if number > 1 and reached is not None:
        return {"sql_warehouse": reached.warehouse_id}
    return {"path": f"{LOGS}/audit/workspaceId={workspace.workspace_id}"}


def demo_config(path: Path = DEMO_CONFIG, seed: int = 7) -> Config:
    """The configuration as it would be read from the demo's folder; nothing need be there."""
    text = demo_config_text(seed)
    return config_of(parse_document(path, text.encode()), now=datetime.now(UTC))
