import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from pydantic import BaseModel

from overwatch_assets.configuration.reference import (
    BEGIN,
    PAGE,
    SCHEMA,
    SECTIONS,
    json_schema,
    schema_text,
    with_key_tables,
    write_reference,
)
from overwatch_assets.configuration.storage import Provider
from overwatch_assets_tests.configuration.loading import (
    MINIMAL,
    WORKSPACES,
    loaded,
    with_workspace,
)

DOCS = Path(__file__).parents[2] / "docs"
WRITE_AGAIN = "run: python -m overwatch_assets.configuration.reference docs"


def test_the_schema_in_the_documentation_is_the_models() -> None:
    assert (DOCS / SCHEMA).read_text(encoding="utf-8") == schema_text(), WRITE_AGAIN


def test_the_tables_in_the_documentation_are_the_models() -> None:
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    assert with_key_tables(page) == page, WRITE_AGAIN


def test_both_are_written_in_one_go(tmp_path: Path) -> None:
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    before, _, _ = page.partition(BEGIN)
    (tmp_path / PAGE).write_text(f"{before}{BEGIN}\n<!-- keys: end -->\n", encoding="utf-8")
    write_reference(tmp_path)
    assert (tmp_path / PAGE).read_text(encoding="utf-8") == page
    assert (tmp_path / SCHEMA).read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("model", [model for _, model in SECTIONS])
def test_every_key_has_a_meaning(model: type[BaseModel]) -> None:
    unexplained = [name for name, field in model.model_fields.items() if not field.description]
    assert unexplained == []


def examples() -> Iterator[tuple[str, object, object]]:
    for title, model in SECTIONS:
        for name, field in model.model_fields.items():
            for example in field.examples or ():
                yield title, name, example


def around(title: str, name: object, example: object) -> dict[str, object]:
    """A whole configuration that holds an example of a key."""
    config: dict[str, object] = yaml.safe_load(MINIMAL)
    workspace: dict[str, object] = yaml.safe_load(WORKSPACES)["workspaces"][0]
    config["workspaces"] = [workspace]
    given = {name: example}
    match title.replace("`", ""):
        case "Top level" | "redaction" as at:
            redaction = {"redaction": {"key": "env:KEY", **given}}
            config |= redaction if at == "redaction" else {str(name): example}
        case "workspaces[]":
            through = {"databricks": {"host": "acme.example"}} if name == "sql_warehouse" else {}
            workspace |= {str(name): example, **through}
        case "workspaces[].audit_logs":
            azure = {"layout": "azure"} if name == "resource_id" else {}
            place = {} if name == "sql_warehouse" else {"path": "a"}
            workspace["audit_logs"] = {**place, **azure, **given}
            workspace["databricks"] = {"host": "acme.example"}
        case "workspaces[].spark_event_logs":
            workspace["audit_logs"] = {"path": "a"}
            workspace["spark_event_logs"] = {"folders": ["a"], **given}
        case "workspaces[].databricks":
            identity = {"client_id": "8f0c", "client_secret": "env:SECRET"}
            first = identity if str(name).startswith("client_") else {}
            workspace["databricks"] = {"host": "acme.example", **first, **given}
        case "prices and workspaces[].prices":
            config["prices"] = workspace["prices"] = given
        case "workspaces[].*_dbu_price with a day":
            workspace["interactive_dbu_price"] = {"price": 1, **given}
        case "client_options":
            config["storage"] = {"root": "a", "client_options": given}
        case "storage and workspaces[].source_storage[]":
            config["storage"] = given
        case options:
            root = options.removeprefix("options of an ").removeprefix("options of a ")
            of_azure = "@acmelake.dfs.core.windows.net" if root.startswith("abfss") else ""
            url = f"{root.removesuffix(' root')}container{of_azure}"
            config["storage"] = {"root": url, "options": given}
    return config


@pytest.mark.parametrize(("title", "name", "example"), list(examples()))
def test_every_example_is_accepted(title: str, name: str, example: object) -> None:
    assert loaded(yaml.dump(around(title, name, example)))


def test_the_example_of_the_page_loads() -> None:
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    config = loaded(page.partition("```yaml\n")[2].partition("```")[0])
    [workspace] = config.workspaces
    logs = workspace.storage_for("s3://acme-logs/clusters/0919-1")
    assert logs is not None
    assert logs.root == "s3://acme-logs"


def test_every_example_of_storages_loads() -> None:
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    examples = [block.partition("```")[0] for block in page.split("```yaml\n")[1:]]
    providers = [loaded(example).storage.provider for example in examples]
    assert providers == [Provider.S3, Provider.AZURE, Provider.GCS]
    [workspace] = loaded(examples[1]).workspaces
    audit = workspace.storage_for("abfss://audit@acmelogs.dfs.core.windows.net/a")
    assert audit is not None
    assert "sas_key=SecretReference(text='env:AUDIT_SAS')" in repr(audit.options)


def test_the_example_of_access_to_the_api_loads() -> None:
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    example = page.partition("## Databricks\n")[2].partition("```\n")[2].partition("```")[0]
    [workspace] = loaded(with_workspace(*dedent(example).splitlines())).workspaces
    assert workspace.databricks is not None
    assert workspace.databricks.client_secret is not None


def test_the_schema_holds_no_defaults_of_this_machine() -> None:
    text = json.dumps(json_schema())
    assert str(Path.cwd()) not in text
    assert str(Path.home()) not in text
