import dagster as dg
import pytest

from overwatch_assets.data_dictionary import described_view
from overwatch_assets.definitions import build_definitions
from overwatch_assets.demo.setup import demo_config
from overwatch_assets.reference.tables import REFERENCE_TABLES
from overwatch_assets.registry import DERIVED_VIEWS, MODULES, VIEWS
from overwatch_assets.view import View


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions(config=demo_config())


def test_every_module_is_an_asset_with_its_dependencies(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for module in MODULES:
        node = graph.get(dg.AssetKey(module.table.name))
        own = {module.table.name} if module.is_carrying else set[str]()
        assert {key.path[-1] for key in node.parent_keys} == {*module.dependencies, *own}
        assert node.group_name == module.layer
        assert node.kinds == {"polars", "deltalake"}
        assert node.metadata["module id"] == module.module_id
        assert node.description == module.table.doc


def test_the_price_tables_are_assets_without_partitions(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for table in REFERENCE_TABLES:
        node = graph.get(dg.AssetKey(table.name))
        assert (node.group_name, node.partitions_def) == ("prices", None)
        assert node.description == table.doc
        shown = node.metadata["dagster/column_schema"].columns
        assert [column.name for column in shown] == table.schema.names()


def test_an_asset_shows_the_stored_columns(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for module in MODULES:
        shown = graph.get(dg.AssetKey(module.table.name)).metadata["dagster/column_schema"]
        assert [column.name for column in shown.columns] == module.table.schema.names()
        assert all(column.description for column in shown.columns)


def test_every_view_is_an_asset_that_says_what_the_data_dictionary_says(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    for view in (*VIEWS, *DERIVED_VIEWS):
        node = graph.get(dg.AssetKey(view.name))
        tables = {view.table} if isinstance(view, View) else {*view.tables}
        assert {key.path[-1] for key in node.parent_keys} == tables
        assert (node.group_name, node.is_materializable) == ("presentation", False)
        assert node.description == view.doc
        shown = node.metadata["dagster/column_schema"].columns
        told = described_view(view)
        assert [(each.name, each.description) for each in shown] == [
            (each.name, each.meaning) for each in told
        ]
        assert [each.tags.get("unit", "").replace("_", " ") for each in shown] == [
            each.unit for each in told
        ]


def test_columns_are_traced_from_views_to_silver(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()

    def source(asset: str, column: str) -> list[tuple[str, str]]:
        lineage = graph.get(dg.AssetKey(asset)).metadata["dagster/column_lineage"]
        deps = lineage.deps_by_column.get(column, [])
        return [(each.asset_key.path[-1], each.column_name) for each in deps]

    assert source("jobRun", "run_id") == [("jobrun_gold", "run_id")]
    assert source("jobrun_gold", "run_id") == [("jobrun_silver", "runId")]
    assert source("clusterStateFactDaily", "state") == [("clusterstatefact_gold", "state")]
    assert source("clusterStateFactDaily", "total_cost") == []
    assert source("clusterStateFactDaily", "share_of_state") == []
    several = graph.get(dg.AssetKey("jobruncostpotentialfact_gold")).metadata
    assert "dagster/column_lineage" not in several


def test_partitions_are_days_by_workspace(definitions: dg.Definitions) -> None:
    partitions = definitions.resolve_asset_graph().get(dg.AssetKey("sparkjob_gold")).partitions_def
    assert isinstance(partitions, dg.MultiPartitionsDefinition)
    first = partitions.get_partition_keys()[0]
    assert first == "2026-10-05|3471820956612044"


def test_dagster_can_show_every_job(definitions: dg.Definitions) -> None:
    names = {job.name for job in definitions.resolve_all_job_defs()}
    assert {"overwatch", "bronze", "silver", "gold"} <= names
    for name in names:
        assert definitions.resolve_job_def(name).get_job_snapshot_id()
