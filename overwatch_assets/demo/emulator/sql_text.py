"""Databricks SQL as far as a statement on the audit table is concerned, written for DuckDB.

Only what is spelled otherwise is rewritten: the table's three-part name, identifiers in
backticks, text in double quotes or with backslashes, and parameter markers. Everything else
is left to DuckDB.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

SCHEMA = ("system", "access")
TABLE = "audit"
SCHEMA_IN_DUCKDB = "system.access"
"""One name: `system` is a catalog of DuckDB's own."""

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


def _text(literal: str) -> str:
    inner = literal[1:-1].replace(literal[0] * 2, literal[0])
    plain = _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), inner)
    escaped = plain.replace("'", "''")
    return f"'{escaped}'"


def _marker(name: str, types: Mapping[str, str]) -> str:
    duckdb_type = PARAMETER_TYPES.get(types.get(name, TEXT))
    return f"${name}" if duckdb_type is None else f"cast(${name} as {duckdb_type})"


def _name(chain: str, catalog: str | None) -> str:
    """A name, perhaps of several parts; the audit table's becomes what DuckDB knows it as."""
    parts: list[str] = [quoted or plain for quoted, plain in _PART.findall(chain)]
    lowered = tuple(part.lower() for part in parts)
    if lowered[:3] == (*SCHEMA, TABLE):
        parts = [SCHEMA_IN_DUCKDB, *parts[2:]]
    elif lowered[:2] == (SCHEMA[1], TABLE) and (catalog or "").lower() == SCHEMA[0]:
        parts = [SCHEMA_IN_DUCKDB, *parts[1:]]
    elif "`" not in chain:
        return chain
    return ".".join(f'"{part}"' for part in parts)
