from overwatch_assets.presentation.cluster import VIEW
from overwatch_assets_tests.frames import declared


def test_the_view_shows_the_workspace_and_every_column_of_its_table() -> None:
    shown = (column.name for column in declared(VIEW.table).columns)
    assert VIEW.columns == ("organization_id", "workspace_name", *shown)
