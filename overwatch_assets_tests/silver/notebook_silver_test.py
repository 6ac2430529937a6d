from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from overwatch_assets.silver.notebook_silver import notebook_silver
from overwatch_assets_tests.frames import Row, ms
from overwatch_assets_tests.laws.cluster_world import audit_event
from overwatch_assets_tests.silver.version_days import Followed, follow

MONDAY, TUESDAY = "2024-05-06", "2024-05-07"


def did(
    at: str,
    action: str,
    notebook: str | None = "7",
    status: int = 200,
    request: str | None = None,
    **params: object,
) -> Row:
    told = {"notebookId": notebook, **params}
    return audit_event(
        ms(at), f"notebook.{action}", told, status=status, user="maria@acme", request=request
    )


def notebooks(*events: Row, days: Sequence[str] = (MONDAY,)) -> Followed:
    return follow(notebook_silver, events, days=days)


def test_every_action_of_a_notebook_is_a_row_with_what_the_request_says() -> None:
    created = did(f"{MONDAY} 08:00", "createNotebook", notebookName="explore", path="/Users/m/x")
    attached = did(f"{MONDAY} 08:01", "attachNotebook", clusterId="c-1", path="/Users/m/x")
    moved = did(
        f"{MONDAY} 08:02", "moveNotebook",
        oldPath="/Users/m/x", newPath="/Shared/x", parentPath="/Shared",
    )  # fmt: skip
    renamed = did(
        f"{MONDAY} 08:03", "renameNotebook", oldName="x", newName="y", parentPath="/Shared"
    )
    rows = notebooks(created, attached, moved, renamed).rows
    assert rows.select(
        "actionName", "notebookId", "notebookName", "path", "clusterId", "oldName", "newName",
        "oldPath", "newPath", "parentPath", "userEmail",
    ).rows() == [
        ("createNotebook", "7", "explore", "/Users/m/x", *[None] * 6, "maria@acme"),
        ("attachNotebook", "7", "x", "/Users/m/x", "c-1", *[None] * 5, "maria@acme"),
        ("moveNotebook", "7", *[None] * 5, "/Users/m/x", "/Shared/x", "/Shared", "maria@acme"),
        ("renameNotebook", "7", None, None, None, "x", "y", None, None, "/Shared", "maria@acme"),
    ]  # fmt: skip
    assert rows["date"].to_list() == [date(2024, 5, 6)] * 4


def test_a_row_tells_the_request_and_its_answer() -> None:
    [row] = notebooks(did(f"{MONDAY} 08:00", "openNotebook", request="r-1")).rows.to_dicts()
    answer = {"errorMessage": None, "result": None, "statusCode": 200}
    assert (row["serviceName"], row["requestId"], row["response"]) == ("notebook", "r-1", answer)


def test_what_was_refused_or_done_by_another_service_is_no_row() -> None:
    refused = did(f"{MONDAY} 08:00", "deleteNotebook", status=403)
    unanswered = {**did(f"{MONDAY} 08:01", "deleteNotebook"), "response": None}
    elsewhere = audit_event(ms(f"{MONDAY} 08:02"), "workspace.deleteNotebook", {"notebookId": "7"})
    assert notebooks(refused, unanswered, elsewhere).rows.is_empty()


def test_events_of_one_millisecond_are_rows_though_they_name_neither_notebook_nor_request() -> None:
    at = f"{MONDAY} 08:00"
    first = did(at, "openNotebook", notebook=None, path="/a")
    rows = notebooks(first, did(at, "openNotebook", notebook=None, path="/b")).rows
    assert rows["path"].sort().to_list() == ["/a", "/b"]
    assert rows["effective_path"].sort().to_list() == ["/a", "/b"]


def test_a_notebook_keeps_its_name_and_path_until_it_is_renamed_or_moved() -> None:
    rows = notebooks(
        did(f"{MONDAY} 08:00", "attachNotebook", path="/Users/m/x"),
        did(f"{MONDAY} 09:00", "runCommand"),
        did(f"{MONDAY} 10:00", "renameNotebook", oldName="x", newName="y", parentPath="/Users/m/"),
        did(f"{MONDAY} 11:00", "detachNotebook"),
        did(f"{MONDAY} 12:00", "moveNotebook", oldPath="/Users/m/y", newPath="/Shared/y"),
    ).rows
    assert rows.select("effective_name", "effective_path").rows() == [
        ("x", "/Users/m/x"),
        ("x", "/Users/m/x"),
        ("y", "/Users/m/y"),
        ("y", "/Users/m/y"),
        ("y", "/Shared/y"),
    ]


def test_a_name_is_what_was_told_before_never_what_comes_later() -> None:
    rows = notebooks(
        did(f"{MONDAY} 08:00", "runCommand"),
        did(f"{MONDAY} 09:00", "renameNotebook", oldName="x", newName="y", parentPath="/"),
    ).rows
    assert rows.select("effective_name", "effective_path").rows() == [(None, None), ("y", "/y")]


def test_names_of_one_notebook_are_not_those_of_another_or_of_none() -> None:
    rows = notebooks(
        did(f"{MONDAY} 08:00", "createNotebook", notebookName="x", path="/x"),
        did(f"{MONDAY} 08:01", "createNotebook", notebook=None, notebookName="z", path="/z"),
        did(f"{MONDAY} 09:00", "runCommand", notebook="8"),
        did(f"{MONDAY} 10:00", "runCommand", notebook=None),
    ).rows
    assert rows["effective_name"].to_list() == ["x", "z", None, None]


def test_names_are_carried_over_days_though_the_last_row_tells_none() -> None:
    days = (MONDAY, TUESDAY, "2024-05-08")
    rows = notebooks(
        did(f"{MONDAY} 08:00", "createNotebook", notebookName="x", path="/x"),
        did(f"{TUESDAY} 09:00", "runCommand"),
        did("2024-05-08 10:00", "runCommand"),
        days=days,
    ).rows
    assert rows.select("notebookName", "effective_name", "effective_path").rows() == [
        ("x", "x", "/x"),
        (None, "x", "/x"),
        (None, "x", "/x"),
    ]


def test_a_notebook_is_forgotten_180_days_after_its_last_event() -> None:
    def known_at_the_end_of(day: date) -> int:
        created = did(f"{MONDAY} 00:00", "createNotebook", notebookName="x")
        return notebooks(created, days=(MONDAY, str(day))).carried.height

    last = date(2024, 5, 6) + timedelta(days=179)
    assert known_at_the_end_of(last) == 1
    assert known_at_the_end_of(last + timedelta(days=1)) == 0


def test_what_names_no_notebook_is_not_carried() -> None:
    found = notebooks(did(f"{MONDAY} 08:00", "createNotebook", notebook=None, notebookName="x"))
    assert (found.rows.height, found.carried.height) == (1, 0)


def test_events_of_one_millisecond_follow_each_other_by_what_they_do() -> None:
    at = f"{MONDAY} 08:00"
    rows = notebooks(
        did(at, "deleteNotebook", notebookName="y"),
        did(at, "renameNotebook", oldName="x", newName="y"),
        did(at, "createNotebook", notebookName="x"),
    ).rows
    assert rows.select("actionName", "seq", "effective_name").rows() == [
        ("createNotebook", 0, "x"),
        ("renameNotebook", 1, "y"),
        ("deleteNotebook", 2, "y"),
    ]


def test_no_events_give_no_rows_of_the_declared_types() -> None:
    rows = notebooks().rows
    declared = {column.name: column.dtype for column in notebook_silver.table.columns}
    assert rows.schema == pl.Schema(declared)
