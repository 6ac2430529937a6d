import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from overwatch_assets import cli
from overwatch_assets.errors import ConfigError
from overwatch_assets.registry import DERIVED_VIEWS, MODULES, VIEWS

ONE_TABLE = ("--modules", "audit_log_bronze", "--from", "2026-11-01", "--to", "2026-11-01")


def invoke(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.cli, arguments)
    return done.exit_code, done.output


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "overwatch.yaml"
    (tmp_path / "logs").mkdir()
    arguments = ("--workspace-id", "123", "--workspace-name", "prod")
    arguments += ("--spark-logs", str(tmp_path / "logs"), "--storage", str(tmp_path / "tables"))
    code, output = invoke("init", "--config", str(path), *arguments)
    assert (code, "Next: " in output) == (0, True)
    head, _, rest = path.read_text().partition("primordial_date: ")
    path.write_text(f"{head}primordial_date: 2026-11-01{rest[10:]}")
    return str(path)


def test_an_empty_load_says_why_each_table_is_empty(config: str) -> None:
    days = ("--from", "2026-11-01", "--to", "2026-11-01")
    first = ("--layers", "bronze")
    _, output = invoke("run", "--config", config, *days, *first)
    assert "has no `audit_logs` configured" in output
    assert "the source has no records of that day" in output
    assert "has no `databricks` configured" in output
    assert f"EMPTY {sum(each.source is not None for each in MODULES)}" in output


def test_a_price_file_that_cannot_be_used_fails_the_prices_and_nothing_else(config: str) -> None:
    path = Path(config)
    (path.parent / "skus.csv").write_text("sku,contract_price\ndlt,-1\ndlt,x\n")
    path.write_text(f"{path.read_text()}\nprices: {{dbu_cost_details: skus.csv}}\n")
    command = ["run", "--config", config, *ONE_TABLE]
    done = CliRunner().invoke(cli.cli, command, standalone_mode=False)
    assert done.return_value == 1
    assert "FAILED prices, workspace 123" in done.output
    assert "the price files have 2 problems; `overwatch prices --check` lists them" in done.output
    assert "EMPTY 1  FAILED 1" in done.output
    assert "To repeat" not in done.output
    done = CliRunner().invoke(cli.cli, ["prices", "--config", config, "--check"])
    assert "2 errors" in done.output


def test_prices_are_there_to_query_after_a_run(config: str) -> None:
    invoke("run", "--config", config, *ONE_TABLE)
    sql = "select sku, contract_price from dbuCostDetails order by sku limit 1"
    _, output = invoke("sql", "--config", config, "--json", sql)
    assert json.loads(output) == [{"sku": "automated", "contract_price": 0.15}]


def test_every_view_is_listed_with_what_it_shows() -> None:
    code, output = invoke("views")
    assert code == 0
    listed = dict(line.split(maxsplit=1) for line in output.splitlines())
    assert listed == {view.name: view.doc for view in (*VIEWS, *DERIVED_VIEWS)}


def test_days_before_the_first_are_not_loaded(config: str) -> None:
    days = ("--from", "2026-10-30", "--to", "2026-11-02")
    _, output = invoke("run", "--config", config, "--plan", "--json", *days)
    assert {(step["first"], step["days"]) for step in json.loads(output)} == {("2026-11-01", 2)}


def test_a_plan_is_shown_and_nothing_is_loaded(config: str) -> None:
    days = ("--from", "2026-11-01", "--to", "2026-11-01")
    _, output = invoke("run", "--config", config, "--plan", *days)
    assert "asked for" in output
    assert "EMPTY" not in output


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--workspace", "nope"),
        ("run", "--modules", "9999"),
        ("run", "--from", "2026-11-02", "--to", "2026-11-01"),
        ("run", "--from", "2026-10-30", "--to", "2026-10-31"),
        ("sql", "select nothing from nowhere"),
    ],
)
def test_a_mistake_in_the_arguments_is_a_configuration_error(
    config: str, arguments: tuple[str, ...]
) -> None:
    command, *rest = arguments
    result = CliRunner().invoke(cli.cli, [command, "--config", config, *rest])
    assert isinstance(result.exception, ConfigError)


@pytest.mark.parametrize(
    ("argv", "code"),
    [(["overwatch", "run", "--no-such-option"], 2), (["overwatch", "modules"], 0)],
)
def test_exit_codes_mean_something(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], code: int
) -> None:
    monkeypatch.setattr("sys.argv", argv)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert (stopped.value.code or 0) == code
