"""The demo: three made-up workspaces, loaded through Dagster, and what there is to see."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table as Grid

from overwatch_assets.config import Config, load_config
from overwatch_assets.demo.company import LOG_MOUNT
from overwatch_assets.demo.emulated import emulated_workspaces
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.demo.setup import LOGS, Reached, demo_config_text
from overwatch_assets.demo.write import DemoWorld, write_demo
from overwatch_assets.errors import ConfigError
from overwatch_assets.operations import showing
from overwatch_assets.operations.emulator import credentials_in, seen_ms
from overwatch_assets.operations.plan import Selection
from overwatch_assets.operations.query import answer
from overwatch_assets.operations.session import Session

VOLUME = """
select workspace_name, partition_date as day, count(*) as tasks,
  count(*) filter (task_end_reason.Reason <> 'Success') as failed,
  round(sum(task_metrics.ExecutorRunTime) / 3.6e6, 1) as task_hours,
  round(sum(task_metrics.InputMetrics.BytesRead) / 1e9, 1) as read_gb,
  round(sum(task_metrics.DiskBytesSpilled) / 1e9, 2) as spilled_gb
from sparkTask where end_reason = 'event' group by all order by all"""

TOP_JOBS = """
with tasks as (
  select spark_context_id, stage_id, task_metrics.ExecutorRunTime as ms,
    task_metrics.DiskBytesSpilled as spilled, task_end_reason.Reason <> 'Success' as is_failed
  from sparkTask where end_reason = 'event')
select j.workspace_name,
  coalesce(regexp_extract(j.notebook_path, '[^/]+/[^/]+$'), 'job ' || j.db_job_id, '') as work,
  split_part(any_value(j.user_email), '@', 1) as by_user,
  count(distinct (j.spark_context_id, j.job_id)) as spark_jobs,
  round(sum(t.ms) / 3.6e6, 2) as task_hours, round(sum(t.spilled) / 1e9, 2) as spilled_gb,
  count(*) filter (t.is_failed) as failed_tasks
from (select *, unnest(stage_ids) as stage_id from sparkJob) j
join tasks t on t.spark_context_id = j.spark_context_id and t.stage_id = j.stage_id
group by 1, 2 order by task_hours desc, work limit 8"""

FAILURES = """
select task_end_reason.Reason as reason, coalesce(task_end_reason.ClassName, '') as class_name,
  count(*) as tasks, count(distinct spark_context_id) as applications
from sparkTask where task_end_reason.Reason <> 'Success'
group by all order by tasks desc, reason limit 6"""

STREAMS = """
select workspace_name, coalesce(stream_name, '(no name)') as stream, count(*) as batches,
  round(avg(streaming_metrics.batchDuration) / 1000, 1) as avg_batch_s
from sparkStream where streamSegment = 'Progressed' group by all order by all limit 6"""

CONTEXTS = """
select workspace_name, end_reason, count(*) as applications
from etl.spark_applications_silver where not is_open group by all order by all"""

PORT = 41207
"""Of the first workspace's API; another where it is taken."""

TEXT_WIDTH = 36

SHOWN = {
    "Per workspace and day": VOLUME,
    "Spark work by task hours": TOP_JOBS,
    "Why tasks failed": FAILURES,
    "Streams": STREAMS,
    "How Spark applications ended (Databricks logs never say)": CONTEXTS,
}


def run_demo(folder: Path, seed: int, console: Console) -> int:
    """Make the demo, load it, show it; returns the exit code.

    Raises:
        ConfigError: The folder holds something else.
    """
    with console.status("making up three workspaces"):
        demo = write_demo(folder / LOGS, seed=seed)
    seen = datetime.fromtimestamp(seen_ms(demo.world) / 1000, UTC)
    with _served(folder, demo) as emulator:
        config = _config(folder, seed, demo, emulator)
        session = Session(config, console, clock=lambda: seen)
        report = session.load(session.plan(Selection()))
    showing.show_report(console, config, report)
    if report.failed or report.is_stopped:
        return 1
    for title, statement in SHOWN.items():
        _show(console, title, answer(config, statement, None))
    _show_next(console, folder, config, demo)
    return 0


def _served(folder: Path, demo: DemoWorld) -> Emulator:
    """The demo's workspaces behind their API, as they are seen the morning after.

    Raises:
        ConfigError: No port is free.
    """
    workspaces = emulated_workspaces(demo.world, demo.log_mounts[LOG_MOUNT])
    _, credentials = credentials_in(folder)
    clock = Clock(seen_ms(demo.world))
    account_id = demo.world.company.account_id
    try:
        return Emulator(workspaces, credentials, clock=clock, port=PORT, account_id=account_id)
    except ConfigError:
        return Emulator(workspaces, credentials, clock=clock, account_id=account_id)


def _config(folder: Path, seed: int, demo: DemoWorld, emulator: Emulator) -> Config:
    reached = {
        each.workspace.workspace_id: Reached(
            emulator.address(each.workspace.workspace_id),
            each.estate.warehouses[0].warehouse_id,
        )
        for each in demo.world.workspaces
    }
    path = folder / "overwatch.yaml"
    path.write_text(demo_config_text(seed, reached), encoding="utf-8")
    return load_config(path)


def _show(console: Console, title: str, rows: pl.DataFrame) -> None:
    grid = Grid(box=None, pad_edge=False)
    for name, dtype in rows.schema.items():
        if dtype.is_numeric():
            grid.add_column(name, justify="right", no_wrap=True)
        else:
            grid.add_column(name, max_width=TEXT_WIDTH, overflow="ellipsis", no_wrap=True)
    for row in rows.iter_rows():
        grid.add_row(*("" if value is None else str(value) for value in row))
    console.print(f"\n{title}", style="bold")
    console.print(grid)


def _show_next(console: Console, folder: Path, config: Config, demo: DemoWorld) -> None:
    commands = (
        "overwatch views",
        f'overwatch sql --config {config.path} "from sparkJob limit 5"',
        f"overwatch ui --config {config.path}",
        f"overwatch emulator --folder {folder}     # the workspaces' API, for what loads again:",
        f"overwatch run --config {config.path} --from {demo.last_day} --to {demo.last_day}",
    )
    console.print("\nNext:", style="bold")
    for command in commands:
        console.print(f"  {command}", highlight=False, soft_wrap=True)
