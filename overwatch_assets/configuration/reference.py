"""The documentation of the keys, made from the model: JSON schema and tables.

`python -m overwatch_assets.configuration.reference docs` writes both into the folder `docs`.
A test holds what is there to what would be written.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from overwatch_assets.configuration.databricks import Databricks
from overwatch_assets.configuration.model import (
    AuditLogs,
    ConfigFile,
    ContractPrice,
    PriceFiles,
    SparkEventLogs,
    WorkspaceEntry,
)
from overwatch_assets.configuration.reading import example_text
from overwatch_assets.configuration.redaction import RedactionRules
from overwatch_assets.configuration.storage import (
    AzureOptions,
    ClientOptions,
    GcsOptions,
    S3Options,
    Storage,
)

PAGE = "configuration.md"
SCHEMA = "overwatch.schema.json"
BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"

SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("Top level", ConfigFile),
    ("`redaction`", RedactionRules),
    ("`workspaces[]`", WorkspaceEntry),
    ("`workspaces[].audit_logs`", AuditLogs),
    ("`workspaces[].spark_event_logs`", SparkEventLogs),
    ("`workspaces[].databricks`", Databricks),
    ("`prices` and `workspaces[].prices`", PriceFiles),
    ("`workspaces[].*_dbu_price` with a day", ContractPrice),
    ("`storage` and `workspaces[].source_storage[]`", Storage),
    ("`options` of an `s3://` root", S3Options),
    ("`options` of an `abfss://` root", AzureOptions),
    ("`options` of a `gs://` root", GcsOptions),
    ("`client_options`", ClientOptions),
)


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out the titles that only repeat the keys."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  the signature overridden
        return False


def json_schema() -> dict[str, object]:
    """JSON schema of the configuration file, for editors."""
    schema = ConfigFile.model_json_schema(schema_generator=_WithoutTitles)
    return {"$schema": _WithoutTitles.schema_dialect, **schema}


def schema_text() -> str:
    """The schema as its file holds it."""
    return json.dumps(json_schema(), indent=2) + "\n"


def key_tables() -> str:
    """Tables of all keys, in Markdown."""
    return "\n".join(line for title, model in SECTIONS for line in _table(title, model))


def with_key_tables(page: str) -> str:
    """The page with its tables between the two marks written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{key_tables()}\n{END}{after}"


def _table(title: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"### {title}\n"
    yield "| key | meaning | default | example |"
    yield "|---|---|---|---|"
    for name, field in model.model_fields.items():
        yield f"| `{name}` | {field.description} | {_default(field)} | {_example(field)} |"
    yield ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default: object = field.default
    if field.default_factory or default in (None, ()) or isinstance(default, BaseModel):
        return ""
    return f"`{example_text(default)}`"


def _example(field: FieldInfo) -> str:
    return f"`{example_text(field.examples[0])}`" if field.examples else ""


def write_reference(docs: Path) -> None:
    """Write schema and tables into the documentation's folder."""
    (docs / SCHEMA).write_text(schema_text(), encoding="utf-8")
    page = docs / PAGE
    page.write_text(with_key_tables(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]))
