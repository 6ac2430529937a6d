"""The demo's configuration: its workspaces, where their logs lie, where the tables go."""

from datetime import UTC, datetime
from pathlib import Path

import yaml

from overwatch_assets.config import Config, config_of
from overwatch_assets.configuration.document import parse_document
from overwatch_assets.demo.company import LOG_MOUNT, found_company
from overwatch_assets.demo.write import FIRST_DAY

DEMO_CONFIG = Path("demo/overwatch.yaml")
LOGS = "logs"


def demo_config_text(seed: int) -> str:
    """The demo's configuration file; its paths begin in its folder."""
    workspaces = [
        {
            "workspace_id": workspace.workspace_id,
            "workspace_name": workspace.name,
            "cloud": "aws",
            "primordial_date": FIRST_DAY.isoformat(),
            "audit_logs": {"path": f"{LOGS}/audit/workspaceId={workspace.workspace_id}"},
            "spark_event_logs": {
                "from_clusters": True,
                "mounts": {LOG_MOUNT: f"{LOGS}/cluster-logs"},
            },
        }
        for workspace in found_company(seed, FIRST_DAY, 1.0).workspaces
    ]
    values = {"storage": {"root": "tables"}, "workspaces": workspaces}
    head = "# Configuration of the demo, written by `overwatch demo`.\n"
    return head + yaml.safe_dump(values, sort_keys=False)


def demo_config(path: Path = DEMO_CONFIG, seed: int = 7) -> Config:
    """The configuration as it would be read from the demo's folder; nothing need be there."""
    text = demo_config_text(seed)
    return config_of(parse_document(path, text.encode()), now=datetime.now(UTC))
