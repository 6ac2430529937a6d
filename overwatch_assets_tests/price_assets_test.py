import json
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from overwatch_assets.assets import DEPLOYMENT
from overwatch_assets.config import load_config
from overwatch_assets.demo.emulator.faults import Fault, FaultRule
from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets.partitions import range_tags
from overwatch_assets.price_assets import STEP, price_assets
from overwatch_assets.reference.tables import (
    DBU_COST_DETAILS,
    INSTANCE_DETAILS,
    REFERENCE_TABLES,
)
from overwatch_assets.resources import Deployment
from overwatch_assets_tests.delta.lake import MONDAY, TUESDAY
from overwatch_assets_tests.demo.emulator.literal import CREDENTIALS, ORG, PAT, LiteralWorkspace

CONFIG = """\
storage: {root: tables}
workspaces:
  - {workspace_id: "1", workspace_name: prod, cloud: aws, primordial_date: 2026-09-21}
  - {workspace_id: "2", workspace_name: lab, cloud: gcp, primordial_date: 2026-09-21,
     prices: {dbu_cost_details: skus.csv}}
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    (tmp_path / "overwatch.yaml").write_text(CONFIG)
    (tmp_path / "skus.csv").write_text("sku,contract_price\ndlt,0.25\n")
    return Deployment(config=load_config(tmp_path / "overwatch.yaml"), modules={})


def materialized(
    deployment: Deployment, tags: dict[str, str] | None = None
) -> dg.ExecuteInProcessResult:
    resources = {DEPLOYMENT: deployment}
    return dg.materialize([price_assets()], resources=resources, tags=tags, raise_on_error=False)


def failure(result: dg.ExecuteInProcessResult) -> tuple[str | None, str]:
    """Class and text of the only error."""
    [failed] = [event for event in result.all_events if event.is_step_failure]
    error = failed.step_failure_data.error
    assert error is not None
    assert error.cause is not None
    return error.cause.cls_name, error.cause.message


def workspaces(deployment: Deployment) -> list[str]:
    partitions = deployment.store.partitions(DBU_COST_DETAILS, missing_ok=True)
    return partitions["organization_id"].unique().sort().to_list()


def test_a_materialisation_tells_rows_and_what_changed(deployment: Deployment) -> None:
    told = [
        {
            event.asset_key.path[-1]: (
                event.metadata["dagster/row_count"].value,
                event.metadata["changed"].value,
            )
            for event in materialized(deployment).asset_materializations_for_node(STEP)
        }
        for _ in range(2)
    ]
    counts = dict(zip((table.name for table in REFERENCE_TABLES), (154, 9, 9), strict=True))
    assert told[0] == {
        name: (rows, "1" if name == "warehousedbudetails" else "1, 2")
        for name, rows in counts.items()
    }
    assert told[1] == {name: (rows, "") for name, rows in counts.items()}


def test_a_run_of_partitions_refreshes_only_their_workspace(deployment: Deployment) -> None:
    assert materialized(deployment, range_tags("2", MONDAY, TUESDAY)).success
    assert workspaces(deployment) == ["2"]


def test_a_wrong_file_of_one_workspace_does_not_keep_back_the_others(
    deployment: Deployment,
) -> None:
    (deployment.config.path.parent / "skus.csv").write_text("sku,contract_price\ndlt,-1\n")
    kind, message = failure(materialized(deployment))
    assert kind == "ConfigError"
    assert "workspace 2 (lab): " in message
    assert "dlt: contract_price '-1' is a negative price" in message
    assert workspaces(deployment) == ["1"]


def test_a_file_that_cannot_be_read_is_an_error_of_the_source(deployment: Deployment) -> None:
    path = deployment.config.path.parent / "skus.csv"
    path.unlink()
    path.mkdir()
    kind, message = failure(materialized(deployment))
    assert (kind, "can't be read" in message) == ("SourceError", True)
    assert workspaces(deployment) == ["1"]


def sizes(deployment: Deployment, name: str) -> list[tuple[object, ...]]:
    """Cores and memory of a node type, as stored and as costs are made of them."""
    columns = ("vCPUs", "Memory_GB")
    stored = deployment.store.scan(INSTANCE_DETAILS, ORG).collect()
    used = deployment.reference(ORG).inputs[INSTANCE_DETAILS.name]
    of_type = pl.col("API_Name") == name
    return [row for each in (stored, used) for row in each.filter(of_type).select(columns).rows()]


def test_node_types_that_no_list_names_are_completed_from_the_api_and_stay_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERWATCH_TEST_TOKEN", PAT)
    offered = [{"node_type_id": "m99.large", "num_cores": 2.0, "memory_mb": 8192}]
    workspace = LiteralWorkspace(lists_given={"node_types": offered})
    with Emulator([workspace], CREDENTIALS) as emulator:
        entry = {
            "workspace_id": ORG,
            "workspace_name": "prod",
            "cloud": "aws",
            "primordial_date": "2026-09-21",
            "databricks": {
                "host": emulator.address(ORG),
                "token": "env:OVERWATCH_TEST_TOKEN",
                "retry_seconds": 1,
            },
        }
        text = json.dumps({"storage": {"root": "tables"}, "workspaces": [entry]})
        (tmp_path / "overwatch.yaml").write_text(text)
        deployment = Deployment(config=load_config(tmp_path / "overwatch.yaml"), modules={})
        assert materialized(deployment).success
        assert sizes(deployment, "m99.large") == [(2, 8.0), (2, 8.0)]
        workspace.lists_given = {"node_types": []}
        assert materialized(deployment).success
        assert sizes(deployment, "m99.large") == [(2, 8.0), (2, 8.0)], "offered no more"
        emulator.faults.add(FaultRule(Fault.FORBIDDEN, "GET */clusters/list-node-types"))
        assert materialized(deployment).success
    assert sizes(deployment, "m99.large") == [(2, 8.0), (2, 8.0)], "the API can't be asked"
