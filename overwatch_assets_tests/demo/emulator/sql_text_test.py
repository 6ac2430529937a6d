import pytest

from overwatch_assets.demo.emulator.sql_text import for_duckdb


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("from system.access.audit a", 'from "system.access"."audit" a'),
        ("from `System` . access.AUDIT", 'from "system.access"."AUDIT"'),
        ("system.access.audit.version", '"system.access"."audit"."version"'),
        (
            "from system.compute.warehouse_events",
            'from "system.compute"."warehouse_events"',
        ),
        ("from system.access.warehouse_events", "from system.access.warehouse_events"),
        ("select `a b`.c", 'select "a b"."c"'),
        ("select user_identity.email", "select user_identity.email"),
        ("x = 'system.access.audit :p `'", "x = 'system.access.audit :p `'"),
        ("""x = "it's" """, "x = 'it''s' "),
        (r"x = 'a\'b\\c\n'", "x = 'a''b\\c\n'"),
        ("x = 'it''s'", "x = 'it''s'"),
        ("-- :p from system.access.audit\n1", "-- :p from system.access.audit\n1"),
        ("/* :p\n */ 1", "/* :p\n */ 1"),
        ("x::string", "x::string"),
        ("x = :text and y = :day", "x = $text and y = cast($day as DATE)"),
    ],
)
def test_databricks_sql_is_written_for_duckdb(statement: str, expected: str) -> None:
    assert for_duckdb(statement, {"day": "DATE"})[0] == expected


def test_marked_parameters_are_told() -> None:
    assert for_duckdb("a = :x or b = :x or c = ':y' or d = :z", {})[1] == {"x", "z"}


def test_a_name_without_catalog_is_the_tables_only_in_its_catalog() -> None:
    assert for_duckdb("from access.audit", {}, "main")[0] == "from access.audit"
    assert for_duckdb("from access.audit", {}, "system")[0] == 'from "system.access"."audit"'
