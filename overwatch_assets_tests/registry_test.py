import pytest

from overwatch_assets.module import Grain, Module, Table
from overwatch_assets.presentation.reading import shown_columns
from overwatch_assets.reference.tables import REFERENCE_TABLES
from overwatch_assets.registry import DERIVED_VIEWS, MODULES, TABLES, VIEWS, in_load_order
from overwatch_assets.view import View
from overwatch_assets_tests.module_table import BEYOND, BEYOND_DEPENDENCIES, DOCUMENTED

BY_TABLE = {module.table.name: module for module in MODULES}
STORED = {table.name: table for table in TABLES}


def test_modules_stand_in_id_order() -> None:
    ids = [module.module_id for module in MODULES]
    assert ids == sorted(set(ids))


def test_the_modules_are_those_of_the_documented_table() -> None:
    ids = {module.table.name: module.module_id for module in MODULES}
    registered = {
        module.module_id: (
            module.name,
            module.table.name,
            tuple(
                ids[name]
                for name in module.dependencies
                if ids[name] not in BEYOND_DEPENDENCIES.get(module.module_id, ())
            ),
        )
        for module in MODULES
    }
    assert registered == DOCUMENTED | BEYOND


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.table.name)
def test_what_a_module_reads_exists(module: Module) -> None:
    assert {*module.dependencies} <= BY_TABLE.keys()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.table.name)
def test_a_file_a_function_and_a_table_have_one_name(module: Module) -> None:
    assert module.transform.__module__.rpartition(".")[2] == module.table.name
    assert module.transform.__module__.split(".")[1] == module.layer


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.table.name)
def test_every_table_and_column_is_described(module: Module) -> None:
    assert module.table.doc
    assert [c.name for c in module.table.stored_columns if not c.doc.endswith(".")] == []


@pytest.mark.parametrize("table", REFERENCE_TABLES, ids=lambda table: table.name)
def test_every_price_table_and_column_is_described(table: Table) -> None:
    assert table.doc
    assert [c.name for c in table.stored_columns if not c.doc.endswith(".")] == []
    assert set(table.keys) <= set(table.schema)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.table.name)
def test_interval_tables_name_the_columns_that_later_days_may_change(module: Module) -> None:
    names = {column.name for column in module.table.columns}
    assert set(module.provisional) <= names
    assert bool(module.provisional) == (module.table.grain is Grain.INTERVAL)


def test_a_module_comes_after_those_it_reads() -> None:
    loaded: set[str] = set()
    for module in in_load_order():
        assert {*module.dependencies} <= loaded
        loaded.add(module.table.name)
    assert loaded == BY_TABLE.keys()


def test_table_names_are_lower_case_and_unique() -> None:
    names = [table.name for table in TABLES]
    assert [name.lower() for name in names] == names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_shows_columns_of_its_table(view: View) -> None:
    table = STORED[view.table]
    assert set(shown_columns(view, table)) <= set(table.schema)
    assert view.doc


def test_derived_views_are_computed_from_tables_that_exist_and_have_names_of_their_own() -> None:
    assert {name for view in DERIVED_VIEWS for name in view.tables} <= STORED.keys()
    names = [view.name.lower() for view in (*VIEWS, *DERIVED_VIEWS)]
    assert len(set(names)) == len(names)
