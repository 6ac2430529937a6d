from datetime import date

from overwatch_assets.gold.notebook_gold import COLUMNS, RENAMED, notebook_gold
from overwatch_assets.module import Window
from overwatch_assets_tests.frames import declared, ms, table, utc

WINDOW = Window(since=utc("2024-05-06"), until=utc("2024-05-07"))


def test_a_row_is_an_event_under_business_names() -> None:
    answer = {"errorMessage": None, "result": "{}", "statusCode": 200}
    event = {
        "actionName": "attachNotebook",
        "notebookId": "7",
        "notebookName": "x",
        "path": "/x",
        "clusterId": "c-1",
        "timestamp": ms("2024-05-06 23:59:59.999"),
        "date": date(2024, 5, 6),
        "requestId": "r-1",
        "hashKey": 5,
        "userEmail": "maria@acme",
        "response": answer,
        "partition_date": date(2024, 5, 6),
    }
    moved = {
        "oldName": "a", "newName": "b", "oldPath": "/a", "newPath": "/s/b", "parentPath": "/s",
    }  # fmt: skip
    frame = notebook_gold(table("notebook_silver", event | moved), window=WINDOW).collect()
    assert frame.drop("response").row(0, named=True) == {
        "partition_date": date(2024, 5, 6),
        "notebook_id": "7",
        "notebook_name": "x",
        "notebook_path": "/x",
        "cluster_id": "c-1",
        "action": "attachNotebook",
        "unixTimeMS": ms("2024-05-06 23:59:59.999"),
        "timestamp": utc("2024-05-06 23:59:59.999"),
        "date": date(2024, 5, 6),
        "old_name": "a",
        "old_path": "/a",
        "new_name": "b",
        "new_path": "/s/b",
        "parent_path": "/s",
        "user_email": "maria@acme",
        "request_id": "r-1",
        "hashKey": 5,
    }
    assert frame["response"].to_list() == [answer]


def test_everything_that_silver_tells_of_the_event_itself_is_shown() -> None:
    silver = {column.name for column in declared("notebook_silver").columns}
    shown = {RENAMED.get(column.name, column.name) for column in COLUMNS}
    assert silver - shown == {"serviceName", "effective_name", "effective_path", "seq"}
