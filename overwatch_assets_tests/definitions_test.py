import dagster as dg
import pytest

from overwatch_assets.definitions import build_definitions
from overwatch_assets.demo.setup import demo_config
from overwatch_assets.reference.tables import REFERENCE_TABLES
from overwatch_assets.registry import MODULES


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
