import pytest

from overwatch_assets.presentation import (
    accountlogin,
    accountmod,
    instancepool,
    notebook,
    notebookcommands,
    sparkexecution,
    sparkexecutor,
    sparkjob,
    sparkstage,
    sparkstream,
    sparktask,
    verboseaudittarget,
)
from overwatch_assets.view import View
from overwatch_assets_tests.frames import declared

HIDDEN = {
    "notebook": {"hashKey"},
    "accountLogin": {"hashKey"},
    "accountMod": {"hashKey"},
    "sparkJob": {"db_run_id"},
    "sparkTask": {"task_executor_metrics"},
}
VIEWS = [
    each.VIEW
    for each in (
        notebook,
        accountmod,
        accountlogin,
        instancepool,
        notebookcommands,
        verboseaudittarget,
        sparkexecution,
        sparkexecutor,
        sparkjob,
        sparkstage,
        sparkstream,
        sparktask,
    )
]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_shows_the_workspace_and_every_column_of_its_table_but_the_hidden_ones(
    view: View,
) -> None:
    shown = [column.name for column in declared(view.table).columns]
    hidden = HIDDEN.get(view.name, set())
    assert view.columns == (
        "organization_id",
        "workspace_name",
        *(name for name in shown if name not in hidden),
    )
    assert hidden <= set(shown)
