"""Tables on a local disk: created, staged, replaced, scanned."""

import os
import tempfile
from datetime import date
from pathlib import Path
from typing import cast

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable, TableFeatures
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.errors import SchemaMismatch, StorageError
from overwatch_assets.module import Column
from overwatch_assets_tests.delta.lake import (
    JOBRUNS,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    WORKSPACE,
    data_schema,
    local_store,
    put,
    runs,
    stored,
    with_columns,
)
from overwatch_assets_tests.delta.writers import PROCESSES, write_numbers

ORGANIZATION, RUN_ID, WRITER, TAGS, TASKS = JOBRUNS.columns
COST = Column("cost", pl.Float64, "US dollars.")


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    made = local_store(tmp_path)
    made.create(JOBRUNS)
    return made


def test_a_new_table_is_empty_and_has_the_declared_schema(store: DeltaStore) -> None:
    assert store.scan(JOBRUNS).collect().equals(pl.DataFrame(schema=JOBRUNS.schema))
    opened = DeltaTable(store.location.uri(JOBRUNS.name))
    assert opened.metadata().partition_columns == ["organization_id", "partition_date"]
    assert opened.metadata().description == "Job runs: one row per run."
    comments = {field.name: field.metadata["comment"] for field in opened.schema().fields}
    assert comments["run_id"] == "Job run."


def test_creating_again_changes_nothing(store: DeltaStore) -> None:
    put(store, MONDAY, runs(1))
    store.create(JOBRUNS)
    assert store.version(JOBRUNS) == 1
    assert stored(store) == [1]


def test_two_processes_may_create_a_table_at_once(tmp_path: Path) -> None:
    both = [PROCESSES.Process(target=write_numbers, args=(tmp_path, w, 1, 1)) for w in ("a", "b")]
    for each in both:
        each.start()
    for each in both:
        each.join()
        assert each.exitcode == 0
    assert local_store(tmp_path).version(JOBRUNS) == 2


def test_a_new_column_is_null_in_older_files(store: DeltaStore) -> None:
    put(store, MONDAY, runs(1))
    wider = with_columns(ORGANIZATION, RUN_ID, COST, WRITER, TAGS, TASKS)
    with pytest.raises(SchemaMismatch, match="cost is declared but not stored yet"):
        store.replace(wider, WORKSPACE, [TUESDAY], (), {})
    store.create(wider)
    store.create(wider)
    frame = runs(2, table=wider).with_columns(cost=pl.lit(0.5))
    staged = store.stage(wider, WORKSPACE, TUESDAY, frame)
    store.replace(wider, WORKSPACE, [TUESDAY], staged, {})
    rows = store.scan(wider).sort("run_id").collect()
    assert rows.schema == wider.schema
    assert rows.select("run_id", "cost").rows() == [(1, None), (2, 0.5)]


def test_a_new_field_is_null_in_older_files(store: DeltaStore) -> None:
    task = {"key": "a", "attempts": 1}
    put(store, MONDAY, runs(1).with_columns(pl.Series("tasks", [[task]])))
    task_type = pl.Struct({"key": pl.String, "owner": pl.String, "attempts": pl.Int64})
    tasks = Column("tasks", pl.List(task_type), "Tasks.")
    wider = with_columns(ORGANIZATION, RUN_ID, WRITER, TAGS, tasks)
    store.create(wider)
    rows = store.scan(wider).collect()
    assert rows["tasks"].to_list() == [[{"key": "a", "owner": None, "attempts": 1}]]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (
            (ORGANIZATION, Column("run_id", pl.String, "Job run."), WRITER, TAGS, TASKS),
            "run_id is stored as Int64 and declared as String",
        ),
        (
            (ORGANIZATION, RUN_ID, TAGS, TASKS),
            "writer is stored as String and declared as nothing",
        ),
        (
            (ORGANIZATION, RUN_ID, WRITER, Column("tags", pl.Map(pl.String, pl.Int64), ""), TASKS),
            "tags.value is stored as String and declared as Int64",
        ),
    ],
)
def test_a_changed_or_removed_column_is_refused(
    store: DeltaStore, columns: tuple[Column, ...], says: str
) -> None:
    other = with_columns(*columns)
    with pytest.raises(SchemaMismatch, match=f"table jobruns_bronze: {says}: declare it as"):
        store.create(other)
    with pytest.raises(SchemaMismatch, match=says):
        store.scan(other)
    with pytest.raises(SchemaMismatch, match=says):
        store.replace(other, WORKSPACE, [MONDAY], (), {})
    assert store.version(JOBRUNS) == 0


def test_a_replace_touches_only_its_workspace_and_days(store: DeltaStore) -> None:
    for day, run_id in ((MONDAY, 1), (TUESDAY, 2), (WEDNESDAY, 3)):
        put(store, day, runs(run_id))
        put(store, day, runs(run_id + 10), "other")
    staged = store.stage(JOBRUNS, WORKSPACE, MONDAY, runs(7, 8))
    store.replace(JOBRUNS, WORKSPACE, [MONDAY, TUESDAY], staged, {})
    assert stored(store, organization_id=WORKSPACE) == [3, 7, 8]
    assert stored(store, organization_id="other") == [11, 12, 13]
    assert store.newest_day(JOBRUNS, WORKSPACE) == WEDNESDAY
    assert store.newest_day(JOBRUNS, "nobody") is None


def test_replacing_every_day_leaves_only_what_was_staged(store: DeltaStore) -> None:
    put(store, MONDAY, runs(1))
    put(store, WEDNESDAY, runs(2))
    put(store, MONDAY, runs(3), organization_id="other")
    staged = store.stage(JOBRUNS, WORKSPACE, TUESDAY, runs(4))
    put(store, MONDAY, runs(5))
    store.replace(JOBRUNS, WORKSPACE, None, staged, {})
    assert stored(store, organization_id=WORKSPACE) == [4]
    assert stored(store, organization_id="other") == [3]
    store.replace(JOBRUNS, WORKSPACE, None, (), {})
    assert stored(store) == [3]


def test_replacing_with_nothing_empties_the_days(store: DeltaStore) -> None:
    put(store, MONDAY, runs(1))
    put(store, MONDAY, runs(1).clear())
    assert stored(store) == []
    assert store.newest_day(JOBRUNS, WORKSPACE) is None


def test_staged_rows_show_only_where_they_are_asked_for(store: DeltaStore) -> None:
    put(store, MONDAY, runs(1, 2))
    put(store, TUESDAY, runs(3))
    staged = store.stage(JOBRUNS, WORKSPACE, MONDAY, runs(9))
    assert stored(store) == [1, 2, 3]
    assert sorted(store.scan(JOBRUNS, staged=staged).collect()["run_id"]) == [3, 9]
    assert store.scan(JOBRUNS, WORKSPACE, [TUESDAY], staged).collect()["run_id"].to_list() == [3]
    assert store.scan(JOBRUNS, "other", None, staged).collect().is_empty()


def test_no_rows_stage_no_files(store: DeltaStore, tmp_path: Path) -> None:
    assert store.stage(JOBRUNS, WORKSPACE, MONDAY, runs(1).clear()) == ()
    nothing = runs(1).lazy().filter(pl.col("run_id") > 1)
    assert store.stage(JOBRUNS, WORKSPACE, MONDAY, nothing) == ()
    assert list(tmp_path.rglob("*.parquet")) == []


def test_many_rows_become_files_of_bounded_size(store: DeltaStore) -> None:
    bounded = DeltaStore(store.location, store.patience, file_bytes=1_000_000)
    frame = pl.select(run_id=pl.int_range(600_000), writer=pl.lit("x")).lazy()
    missing = {k: pl.lit(None) for k in data_schema() if k not in ("run_id", "writer")}
    staged = bounded.stage(JOBRUNS, WORKSPACE, MONDAY, frame.with_columns(**missing))
    assert len(staged) > 2
    bounded.replace(JOBRUNS, WORKSPACE, [MONDAY], staged, {})
    assert stored(store) == list(range(600_000))
    [partition] = store.partitions(JOBRUNS).rows()
    assert partition[:4] == (WORKSPACE, MONDAY, 600_000, len(staged))


def test_a_frame_that_fails_while_it_is_computed_leaves_no_file(
    store: DeltaStore, tmp_path: Path
) -> None:
    broken = runs(1, 2).lazy().with_columns(run_id=pl.lit("x").cast(pl.Int64))
    with pytest.raises(pl.exceptions.InvalidOperationError):
        store.stage(JOBRUNS, WORKSPACE, MONDAY, broken)
    assert list(tmp_path.rglob("*.parquet")) == []


def test_discarded_files_are_gone(store: DeltaStore, tmp_path: Path) -> None:
    staged = store.stage(JOBRUNS, "50% a/b", MONDAY, runs(1))
    store.discard(JOBRUNS, staged)
    store.discard(JOBRUNS, staged)
    assert list(tmp_path.rglob("*.parquet")) == []


def test_only_the_files_of_the_asked_partitions_are_opened(store: DeltaStore) -> None:
    put(store, MONDAY, runs(1))
    put(store, TUESDAY, runs(2))
    [staged] = store.stage(JOBRUNS, WORKSPACE, WEDNESDAY, runs(3))
    store.replace(JOBRUNS, WORKSPACE, [WEDNESDAY], [staged], {})
    gone = Path(store.location.uri(JOBRUNS.name)) / staged.path
    gone.write_bytes(b"not Parquet")
    assert stored(store, MONDAY, TUESDAY) == [1, 2]
    on_monday = store.scan(JOBRUNS).filter(pl.col("partition_date") == MONDAY)
    assert on_monday.select("run_id").collect().rows() == [(1,)]
    assert store.partitions(JOBRUNS, days=[WEDNESDAY])["rows"].to_list() == [1]


@pytest.mark.parametrize(
    "days", [[], [TUESDAY]], ids=["no days", "other days than the staged files"]
)
def test_a_replace_that_makes_no_sense_is_refused(store: DeltaStore, days: list[date]) -> None:
    staged = store.stage(JOBRUNS, WORKSPACE, MONDAY, runs(1))
    with pytest.raises(ValueError, match="jobruns_bronze"):
        store.replace(JOBRUNS, WORKSPACE, days, staged, {})
    with pytest.raises(ValueError, match="jobruns_bronze"):
        store.replace(JOBRUNS, "other", [MONDAY], staged, {})
    with pytest.raises(ValueError, match="names are taken"):
        store.replace(JOBRUNS, WORKSPACE, [MONDAY], staged, {"overwatch.nonce": "mine"})
    assert store.version(JOBRUNS) == 0


def test_folders_above_may_look_like_partitions(tmp_path: Path) -> None:
    store = local_store(tmp_path / "env=prod" / "tier=a b")
    store.create(JOBRUNS)
    put(store, MONDAY, runs(1))
    assert store.scan(JOBRUNS).collect().schema == JOBRUNS.schema
    assert stored(store, MONDAY, organization_id=WORKSPACE) == [1]


@pytest.mark.parametrize("organization_id", ["", "__HIVE_DEFAULT_PARTITION__"])
def test_an_id_that_would_be_read_back_as_null_is_refused(
    store: DeltaStore, organization_id: str
) -> None:
    with pytest.raises(StorageError, match="read back as null"):
        store.stage(JOBRUNS, organization_id, MONDAY, runs(1))


def test_a_table_that_another_tool_changed_beyond_reading_is_refused(store: DeltaStore) -> None:
    opened = DeltaTable(store.location.uri(JOBRUNS.name))
    opened.alter.add_feature(TableFeatures.DeletionVectors, allow_protocol_versions_increase=True)
    with pytest.raises(StorageError, match="deletionVectors"):
        store.scan(JOBRUNS)


def test_other_tools_read_what_was_written(store: DeltaStore) -> None:
    task = {"key": "a", "attempts": 1}
    frame = runs(1).with_columns(
        pl.Series("tasks", [[task]]), pl.Series("tags", [{"k": "v"}], dtype=TAGS.dtype)
    )
    put(store, MONDAY, frame, "50% a/b")
    opened = DeltaTable(store.location.uri(JOBRUNS.name))
    [row] = cast("list[dict[str, object]]", opened.to_pyarrow_table().to_pylist())
    assert (row["organization_id"], row["tags"], row["tasks"]) == ("50% a/b", [("k", "v")], [task])
    query = "select tags['k'], tasks[1].key from read_parquet($files)"
    assert duckdb.execute(query, {"files": opened.file_uris()}).fetchall() == [("v", "a")]


def test_a_commit_is_synced_with_the_folders_above_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    synced: list[str] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(tmp_path)))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    (tmp_path / "below").mkdir()
    below = local_store(tmp_path / "below")
    below.create(JOBRUNS)
    put(below, MONDAY, runs(1), "7")
    table = f"below/{JOBRUNS.name}"
    partition = f"{table}/organization_id=7/partition_date={MONDAY}"
    folders = ["below", table, f"{table}/_delta_log", f"{table}/organization_id=7", partition]
    commits = [f"{table}/_delta_log/{version:020}.json" for version in (0, 1)]
    assert set(synced) == {".", *folders, *commits}
    assert synced.index(partition) < synced.index(commits[1])


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ROW = st.fixed_dictionaries(
    {
        "run_id": st.none() | st.integers(-(2**63), 2**63 - 1),
        "writer": st.none() | TEXT,
        "tags": st.none() | st.dictionaries(TEXT, st.none() | TEXT, max_size=3),
        "tasks": st.none()
        | st.lists(
            st.none()
            | st.fixed_dictionaries(
                {"key": st.none() | TEXT, "attempts": st.none() | st.integers(-(2**63), 2**63 - 1)}
            ),
            max_size=3,
        ),
        "workspace_name": TEXT,
    }
)
IDS = TEXT.filter(bool)


@settings(max_examples=40, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=5), st.lists(IDS, min_size=2, max_size=2, unique=True))
def test_any_rows_of_any_workspace_come_back_as_they_were(
    rows: list[dict[str, object]], ids: list[str]
) -> None:
    frame = pl.DataFrame(rows, schema=data_schema())
    mine, other = ids
    with tempfile.TemporaryDirectory() as folder:
        store = local_store(Path(folder))
        store.create(JOBRUNS)
        put(store, MONDAY, runs(1), other)
        put(store, MONDAY, runs(2), mine)
        put(store, MONDAY, frame, mine)
        back = store.scan(JOBRUNS, mine).collect()
        assert back.select(frame.columns).equals(frame)
        assert back["organization_id"].to_list() == [mine] * len(rows)
        assert stored(store, organization_id=other) == [1]
        assert store.scan(JOBRUNS).collect().height == len(rows) + 1


def test_a_version_that_never_was_is_named(store: DeltaStore) -> None:
    store.create(JOBRUNS)
    with pytest.raises(StorageError, match=r"can't be read in version 99, if there ever was"):
        store.scan(JOBRUNS, version=99)
