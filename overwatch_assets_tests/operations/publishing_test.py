from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from overwatch_assets import cli
from overwatch_assets.config import Config, config_of
from overwatch_assets.configuration.document import parse_document
from overwatch_assets.errors import ConfigError
from overwatch_assets.operations.publishing import publish
from overwatch_assets.operations.query import answer
from overwatch_assets.registry import DERIVED_VIEWS, VIEWS
from overwatch_assets.resources import Deployment
from overwatch_assets.view import View
from overwatch_assets.views import BY_NAME, view
from overwatch_assets_tests.frames import table

TEXT = """
storage: {root: tables}
workspaces:
  - {workspace_id: "1", workspace_name: east, cloud: aws, primordial_date: 2026-11-01}
  - {workspace_id: "2", workspace_name: west, cloud: aws, primordial_date: 2026-11-01}
"""
DAY = date(2026, 11, 1)
NAMES = "select cluster_name from cluster order by 1"


def config(tmp_path: Path, more: str = "") -> Config:
    path = tmp_path / "overwatch.yaml"
    path.write_text(TEXT + more)
    return config_of(parse_document(path, path.read_bytes()), now=datetime(2026, 11, 2, tzinfo=UTC))


def put(of: Config, org: str, name: str) -> None:
    cluster = BY_NAME["cluster_gold"]
    store = Deployment(config=of, modules={}).store
    store.create(cluster)
    rows = table("cluster_gold", {"cluster_id": name, "cluster_name": name})
    staged = store.stage(cluster, org, DAY, rows.drop("organization_id", "partition_date"))
    store.replace(cluster, org, [DAY], staged, {"overwatch.run_id": "r"})


def names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [name for (name,) in connection.sql(NAMES).fetchall()]


def test_a_reader_of_the_old_file_goes_on_and_a_new_one_sees_what_was_loaded(
    tmp_path: Path,
) -> None:
    of = config(tmp_path)
    put(of, "1", "etl")
    path = publish(of)
    assert path == tmp_path / "overwatch.duckdb"
    with duckdb.connect(path, read_only=True) as old:
        put(of, "2", "web")
        publish(of)
        assert names(old) == ["etl"]
        with duckdb.connect(":memory:") as new:
            new.execute(f"attach '{path}' as bi (read_only); use bi")
            assert names(new) == ["etl", "web"]
    left = {each.name for each in tmp_path.glob("*duckdb*")}
    assert left == {"overwatch.duckdb", ".overwatch.duckdb.lock"}


def test_the_file_has_every_view(tmp_path: Path) -> None:
    of = config(tmp_path)
    put(of, "1", "etl")
    with duckdb.connect(publish(of), read_only=True) as connection:
        for each in (*VIEWS, *DERIVED_VIEWS):
            schema = "etl." if isinstance(each, View) and each.in_etl else ""
            found = connection.sql(f'from {schema}"{each.name}" limit 0').columns
            assert found == view(each.name, of).collect_schema().names()


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = config(tmp_path)
    put(of, "1", "etl")
    before = publish(of).read_bytes()
    put(of, "2", "web")

    def refused(*_: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(PermissionError):
        publish(of)
    assert (tmp_path / "overwatch.duckdb").read_bytes() == before
    assert [each.name for each in tmp_path.glob(".overwatch.duckdb.new*")] == []


def test_what_a_killed_process_left_is_no_hindrance(tmp_path: Path) -> None:
    of = config(tmp_path)
    put(of, "1", "etl")
    for left in (".overwatch.duckdb.new", ".overwatch.duckdb.new.wal"):
        (tmp_path / left).write_bytes(b"half of it")
    with duckdb.connect(publish(of), read_only=True) as connection:
        assert names(connection) == ["etl"]


def test_workspaces_that_are_not_shown_can_be_queried_in_no_way(tmp_path: Path) -> None:
    of = config(tmp_path, "shown_workspaces: [east]\n")
    for org, name in (("1", "etl"), ("2", "web")):
        put(of, org, name)
    with duckdb.connect(publish(of), read_only=True) as connection:
        assert names(connection) == ["etl"]
        assert connection.sql("select count(*) from etl.cluster_gold").fetchall() == [(1,)]
    for statement in ("select cluster_name from cluster", "from etl.cluster_gold"):
        assert answer(of, statement)["cluster_name"].to_list() == ["etl"]
    assert view("CLUSTER", of).collect()["cluster_name"].to_list() == ["etl"]
    for asked in ("west", "2"):
        with pytest.raises(ConfigError, match=r"workspace 2 \(west\) is not shown"):
            view("cluster", of, workspaces=[asked])


def test_some_of_the_workspaces_can_be_asked_for(tmp_path: Path) -> None:
    of = config(tmp_path)
    for org, name in (("1", "etl"), ("2", "web")):
        put(of, org, name)
    assert answer(of, "from cluster", None, ["west"])["cluster_name"].to_list() == ["web"]
    assert view("cluster", of, workspaces=["1"]).collect()["cluster_name"].to_list() == ["etl"]
    both = view("cluster", of, workspaces=["1", "west"])
    assert sorted(both.collect()["cluster_name"]) == ["etl", "web"]
    arguments = ["sql", "--config", str(of.path), "--json", "--workspaces", "east,2", NAMES]
    printed = CliRunner().invoke(cli.cli, arguments).output
    assert printed.strip() == '[{"cluster_name":"etl"},{"cluster_name":"web"}]'


def test_shown_workspaces_are_configured_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="shown_workspaces"):
        config(tmp_path, "shown_workspaces: [north]\n")


def test_an_unknown_view_is_answered_with_its_nearest(tmp_path: Path) -> None:
    of = config(tmp_path)
    with pytest.raises(ConfigError, match="did you mean clusterStateFact"):
        view("clusterStateFacts", of)


def test_the_printed_statements_make_the_views(tmp_path: Path) -> None:
    of = config(tmp_path)
    put(of, "1", "etl")
    put(of, "2", "web")
    arguments = ["ddl", "--config", str(of.path), "--dialect", "duckdb", "--workspaces", "west"]
    printed = CliRunner().invoke(cli.cli, arguments)
    assert printed.exit_code == 0
    with duckdb.connect(":memory:") as connection:
        connection.execute(printed.output)
        assert names(connection) == ["web"]
    arguments = ["ddl", "--config", str(of.path), "--dialect", "databricks", "--catalog", "main"]
    printed = CliRunner().invoke(cli.cli, arguments)
    assert printed.output.startswith("create schema if not exists `main`.`overwatch`;\n")
    assert "create or replace view `main`.`overwatch`.`cluster` (" in printed.output


def test_a_run_writes_the_file_and_says_so_if_it_cannot(tmp_path: Path) -> None:
    of = config(tmp_path)
    arguments = ["run", "--config", str(of.path), "--modules", "audit_log_bronze"]
    arguments += ["--from", "2026-11-01", "--to", "2026-11-01"]
    done = CliRunner().invoke(cli.cli, arguments)
    assert "WARNING" not in done.output
    with duckdb.connect(tmp_path / "overwatch.duckdb", read_only=True) as connection:
        assert connection.sql("select count(*) > 0 from dbuCostDetails").fetchall() == [(True,)]
    (tmp_path / "file").touch()
    config(tmp_path, "duckdb_file: file/overwatch.duckdb\n")
    done = CliRunner().invoke(cli.cli, arguments, standalone_mode=False)
    assert "file/overwatch.duckdb could not be written, it shows what it did before" in done.output
    assert done.return_value == 0
