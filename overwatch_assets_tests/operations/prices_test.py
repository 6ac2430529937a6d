import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from overwatch_assets.cli import cli
from overwatch_assets.config import load_config
from overwatch_assets.operations.prices import as_text, prices_of

CONFIG = """\
storage: {root: tables}
prices: {instance_details: nodes.csv}
workspaces:
  - {workspace_id: "1", workspace_name: prod, cloud: aws, primordial_date: 2026-09-21}
  - {workspace_id: "2", workspace_name: lab, cloud: gcp, primordial_date: 2026-09-21,
     prices: {dbu_cost_details: skus.csv}}
"""
NODES = "cloud,API_Name,Compute_Contract_Price,activeFrom\naws,m5.large,0.08,2026-10-01\n"
SKUS = "sku,contract_price,activeFrom,activeUntil\ninteractive,0.5,,2026-10-01\n"
GAP = "interactive,0.4,2026-11-01,\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "nodes.csv").write_text(NODES)
    (tmp_path / "skus.csv").write_text(SKUS)
    path = tmp_path / "overwatch.yaml"
    path.write_text(CONFIG)
    return path


def invoke(config: Path, *arguments: str) -> tuple[int, str]:
    command = ["prices", "--config", str(config), *arguments]
    done = CliRunner().invoke(cli, command, standalone_mode=False, catch_exceptions=False)
    return done.return_value, done.output


def test_the_prices_in_force_are_shown_with_their_origin(config: Path) -> None:
    for day, price in ((date(2026, 9, 30), "0.096"), (date(2026, 10, 1), "0.08")):
        [prod] = prices_of(load_config(config), ["prod"], day)
        lines = as_text([prod]).splitlines()
        assert lines[0] == f"Prices of workspace 1 (prod) on {day}, USD"
        [line] = [line for line in lines if "| m5.large " in line]
        assert f"| {price} " in line
        origin = "nodes.csv, line 2" if price == "0.08" else "shipped: Overwatch 0.8.2.0, as of"
        assert origin in line


def test_a_machine_gets_everything(config: Path) -> None:
    code, output = invoke(config, "--workspace", "lab", "--json")
    [lab] = json.loads(output)
    assert (code, lab["workspace"], lab["problems"]) == (0, "2", [])
    assert int(lab["reference_version"]) > 0
    assert set(lab["tables"]) == {"instancedetails", "dbucostdetails", "warehousedbudetails"}
    [price] = [row for row in lab["tables"]["dbucostdetails"] if row["sku"] == "interactive"]
    assert price["contract_price"] in {0.5, 0.55}


def test_a_check_says_what_is_wrong_with_the_files_of_every_workspace(config: Path) -> None:
    (config.parent / "nodes.csv").write_text(f"{NODES}aws,m5.large,-1,\naws,M5.LARGE,0.1,\n")
    (config.parent / "skus.csv").write_text(SKUS + GAP)
    code, output = invoke(config, "--check")
    assert code == 2
    lines = output.splitlines()
    assert [line for line in lines if not line.startswith("  ")] == [
        "workspace 1 (prod): 2 errors, 0 warnings",
        "workspace 2 (lab): 2 errors, 1 warnings",
    ]
    assert f"  error: {config.parent}/nodes.csv, line 3: m5.large: " in output
    assert f"  warning: {config.parent}/skus.csv, line 3: interactive: " in output


def test_a_check_without_errors_ends_well(config: Path) -> None:
    (config.parent / "skus.csv").write_text(SKUS + GAP)
    code, output = invoke(config, "--check")
    assert code == 0
    assert "workspace 2 (lab): 0 errors, 1 warnings" in output
