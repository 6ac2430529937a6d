"""Databricks SQL as far as a statement on system tables is concerned, written for DuckDB.

Only what is spelled otherwise is rewritten: a table's three-part name, identifiers in
backticks, text in double quotes or with backslashes, and parameter markers. Everything else
is left to DuckDB.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

CATALOG = "system"
AUDIT, WAREHOUSE_EVENTS = "audit", "warehouse_events"
TABLES = {AUDIT: "access", WAREHOUSE_EVENTS: "compute"}
"""Schema by table."""

PARAMETER_TYPES = {
    "BIGINT": "BIGINT",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "DOUBLE": "DOUBLE",
    "FLOAT": "FLOAT",
    "INT": "INTEGER",
    "INTEGER": "INTEGER",
    "LONG": "BIGINT",
    "SHORT": "SMALLINT",
    "SMALLINT": "SMALLINT",
    "TIMESTAMP": "TIMESTAMP",
    "TIMESTAMP_NTZ": "TIMESTAMP",
}
"""DuckDB's type by that of a statement's parameter; text takes the type that it is used as."""

TEXT = "STRING"

_TOKEN = re.compile(
    r"""
      (?P<comment>  --[^\n]* | /\*.*?\*/ )
    | (?P<text>     '(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" )
    | (?P<marker>   (?<!:):(?P<parameter>[A-Za-z_]\w*) )
    | (?P<name>     (?:`[^`]+`|[A-Za-z_]\w*) (?:\s*\.\s*(?:`[^`]+`|[A-Za-z_]\w*))* )
    """,
    re.VERBOSE | re.DOTALL,
)
_PART = re.compile(r"`([^`]+)`|(\w+)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


def for_duckdb(
    statement: str, types: Mapping[str, str], catalog: str | None = None
) -> tuple[str, AbstractSet[str]]:
    """Rewrite a statement.

    Args:
        statement: Databricks SQL.
        types: Databricks' type by parameter; others are text.
        catalog: Catalog of names that have none.

    Returns:
        The statement, and the parameters that it marks.
    """
    marked: set[str] = set()

    def rewritten(found: re.Match[str]) -> str:
        match found.lastgroup:
            case "text":
                return _text(found[0])
            case "marker":
                marked.add(found["parameter"])
                return _marker(found["parameter"], types)
            case "name":
                return _name(found[0], catalog)
            case _:
                return found[0]

    return _TOKEN.sub(rewritten, statement), marked


def schema_in_duckdb(schema: str) -> str:
    """A schema with its catalog in one name: `system` is a catalog of DuckDB's own."""
    return f"{CATALOG}.{schema}"


def _text(literal: str) -> str:
    inner = literal[1:-1].replace(literal[0] * 2, literal[0])
    plain = _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), inner)
    escaped = plain.replace("'", "''")
    return f"'{escaped}'"


def _marker(name: str, types: Mapping[str, str]) -> str:
    duckdb_type = PARAMETER_TYPES.get(types.get(name, TEXT))
    return f"${name}" if duckdb_type is None else f"cast(${name} as {duckdb_type})"


def _name(chain: str, catalog: str | None) -> str:
    """A name, perhaps of several parts; a system table's becomes what DuckDB knows it as."""
    parts: list[str] = [quoted or plain for quoted, plain in _PART.findall(chain)]
    lowered = [part.lower() for part in parts]
    is_whole = lowered[0] == CATALOG
    schema, table = [*lowered[is_whole:], "", ""][:2]
    if TABLES.get(table) == schema and (is_whole or (catalog or "").lower() == CATALOG):
        parts = [schema_in_duckdb(schema), *parts[1 + is_whole :]]
    elif "`" not in chain:
        return chain
    return ".".join(f'"{part}"' for part in parts)
