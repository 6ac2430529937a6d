from pathlib import Path

from click.testing import CliRunner

from overwatch_assets.cli import cli
from overwatch_assets.operations.dagster_home import SETTINGS
from overwatch_assets.registry import MODULES

ROOT = Path(__file__).parent.parent


def section(name: str) -> str:
    text = (ROOT / "README.md").read_text()
    return text.partition(f"<!-- {name} -->\n")[2].partition(f"\n<!-- /{name} -->")[0]


def test_the_readme_shows_the_modules_as_the_command_line_prints_them() -> None:
    printed = CliRunner().invoke(cli, ["modules"])
    assert printed.exit_code == 0
    assert section("modules") == printed.output.strip()


def test_every_command_of_the_readme_exists() -> None:
    text = (ROOT / "README.md").read_text()
    used = {line.split()[1] for line in text.splitlines() if line.startswith("overwatch ")}
    assert used <= set(cli.commands)
    assert {"init", "run", "sql", "ui"} <= used


def test_every_page_that_the_readme_names_is_there() -> None:
    text = (ROOT / "README.md").read_text()
    pages = {part.partition(")")[0] for part in text.split("](")[1:]}
    missing = [page for page in pages if "://" not in page and not (ROOT / page).exists()]
    assert missing == []


def test_the_page_of_rules_lists_every_rule_of_every_table() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    listed = [line for line in page.splitlines() if line.startswith("| `")]
    assert listed == [
        f"| `{module.table.name}` | `{rule.name}` | {rule.doc}{' (warns)' * rule.is_warning} |"
        for module in MODULES
        for rule in module.rules
    ]


def test_the_instance_settings_at_the_root_are_those_that_are_written() -> None:
    assert (ROOT / "dagster.yaml").read_text() == SETTINGS
