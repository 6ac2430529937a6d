"""The documented questions; that they are answered rightly, the demo's test shows."""

import duckdb
import pytest

from overwatch_assets_tests.end_to_end.acceptance_queries import NAMES, QUERIES, query_text
from overwatch_assets_tests.view_table import DOCUMENTED

TEXTS = {"user_name", "status", "statement_type", "warehouse_id", "query_id"}


def test_the_page_lists_every_question_by_its_first_line() -> None:
    page = (QUERIES / "README.md").read_text()
    rows = [
        f"| [{name}]({name}.sql) | {query_text(name).splitlines()[0].removeprefix('-- ')} |"
        for name in NAMES
    ]
    assert [line for line in page.splitlines() if line.startswith("| [")] == rows


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("dbsql")])
def test_questions_about_queries_fit_the_documented_columns(name: str) -> None:
    _, columns = DOCUMENTED["sqlQueryHistory"]
    types = {column: "varchar" if column in TEXTS else "bigint" for column in columns.split()}
    typed = ", ".join(f"null::{dtype} as {column}" for column, dtype in types.items())
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"create view sqlQueryHistory as select 'w' as workspace_name, {typed}")
        assert len(connection.sql(query_text(name)).fetchall()) == 1
