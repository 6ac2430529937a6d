from collections.abc import Mapping, Sequence

import pytest

from overwatch_assets.sources.rest_api.api import ApiError
from overwatch_assets.sources.rest_api.statements import Parameter, run_statement
from overwatch_assets_tests.sources.rest_api.warehouse import Values, Warehouse

ROWS = [[str(n), f"name {n}"] for n in range(5)]


def rows_of(_: str, __: Mapping[str, str]) -> tuple[Sequence[str], Sequence[Values]]:
    return ("id", "name"), ROWS


def run(warehouse: Warehouse, pauses: list[float] | None = None) -> list[Mapping[str, object]]:
    sleep = ([] if pauses is None else pauses).append
    parameters = (Parameter("day", "2024-05-06", "DATE"),)
    return list(run_statement(warehouse, "w-1", "select 1", parameters, sleep=sleep))


@pytest.mark.parametrize("is_inline", [True, False])
@pytest.mark.parametrize("chunk_rows", [1, 2, 5, 9])
def test_rows_come_chunk_by_chunk_each_once(*, is_inline: bool, chunk_rows: int) -> None:
    found = run(Warehouse(rows_of, chunk_rows=chunk_rows, is_inline=is_inline))
    assert found == [{"id": str(n), "name": f"name {n}"} for n in range(5)]


def test_a_statement_is_waited_for_with_growing_pauses() -> None:
    pauses: list[float] = []
    states = ("PENDING", "RUNNING", "RUNNING", "RUNNING", "RUNNING", "RUNNING")
    assert len(run(Warehouse(rows_of, states=states), pauses)) == 5
    assert pauses == [1, 2, 5, 10, 10, 10]


def test_a_statement_that_never_ends_is_given_up() -> None:
    pauses: list[float] = []
    with pytest.raises(ApiError, match="still RUNNING after 3600 s"):
        run(Warehouse(rows_of, states=["RUNNING"] * 1000), pauses)


def test_a_link_that_has_expired_is_asked_for_again() -> None:
    warehouse = Warehouse(rows_of, expired={1})
    assert len(run(warehouse)) == 5
    assert [url[-1] for url in warehouse.fetched] == ["0", "1", "1", "2"]


def test_a_statement_that_fails_says_why() -> None:
    failure = ("TABLE_OR_VIEW_NOT_FOUND", "system.access.audit is not there")
    with pytest.raises(ApiError, match="FAILED: TABLE_OR_VIEW_NOT_FOUND system"):
        run(Warehouse(rows_of, failure=failure))


def test_rows_that_do_not_fit_the_columns_are_an_error() -> None:
    crooked = Warehouse(lambda _, __: (("id",), ROWS), is_inline=True)
    with pytest.raises(ApiError, match="2 values for 1 columns"):
        run(crooked)


def test_what_is_asked_holds_warehouse_statement_and_named_parameters() -> None:
    warehouse = Warehouse(rows_of)
    run(warehouse)
    [body] = warehouse.bodies
    assert (body["warehouse_id"], body["statement"]) == ("w-1", "select 1")
    assert body["parameters"] == [{"name": "day", "value": "2024-05-06", "type": "DATE"}]
