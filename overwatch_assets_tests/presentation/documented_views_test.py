import pytest

from overwatch_assets.module import Grain
from overwatch_assets.registry import MODULES, TABLES, VIEWS
from overwatch_assets_tests.view_table import BEYOND, DOCUMENTED, ETL_ONLY, WHOLE

BY_NAME = {view.name: view for view in VIEWS}
TABLE_OF: dict[int | str, str] = {
    **{module.module_id: module.table.name for module in MODULES},
    **{table.name: table.name for table in TABLES},
}

STANDING = [name for name, (source, _) in DOCUMENTED.items() if source in TABLE_OF]
WAITING = [name for name in DOCUMENTED if name not in STANDING]
"""Views of modules that are not registered."""


@pytest.mark.parametrize("name", STANDING)
def test_a_view_shows_the_documented_columns_and_those_listed_beyond_them(name: str) -> None:
    source, columns = DOCUMENTED[name]
    view = BY_NAME[name]
    shown = list(view.columns)
    assert view.table == TABLE_OF[source]
    assert shown[:2] == ["organization_id", "workspace_name"]
    documented = columns.split()
    assert sorted(shown[2:]) == sorted([*documented, *BEYOND.get(name, ())])
    assert view.in_etl == (name in ETL_ONLY)


@pytest.mark.parametrize("name", WAITING)
def test_a_view_without_its_module_is_not_shown(name: str) -> None:
    assert name not in BY_NAME


@pytest.mark.parametrize("name", WHOLE)
def test_views_of_prices_show_all_of_their_table(name: str) -> None:
    table = next(each for each in TABLES if each.name == BY_NAME[name].table)
    assert {*BY_NAME[name].columns, "partition_date"} == set(table.schema)


def test_every_capture_has_a_view_that_shows_all_but_what_has_no_column() -> None:
    captures = {
        each.table.name: each.table for each in MODULES if each.table.grain is Grain.CAPTURE
    }
    shown = {view.table: view for view in VIEWS if view.table in captures}
    assert set(captures) == set(shown)
    for name, view in shown.items():
        columns = [column.name for column in captures[name].columns if column.name != "_extra"]
        assert view.columns == ("organization_id", "workspace_name", *columns)


def test_no_view_shows_a_secret() -> None:
    named = {name.lower() for view in VIEWS for name in view.columns}
    assert not [
        name for name in named if "secret" in name or name in {"token", "token_value", "script"}
    ]
