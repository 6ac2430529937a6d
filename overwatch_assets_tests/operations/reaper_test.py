import subprocess
import sys

import dagster as dg

from overwatch_assets.operations.reaper import PROCESS_TAG, process_tag, reap


@dg.op
def nothing() -> None:
    pass


@dg.job
def idle() -> None:
    nothing()


def started(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    run = instance.create_run_for_job(job_def=idle, status=dg.DagsterRunStatus.STARTED, tags=tags)
    return run.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_a_run_whose_process_is_gone_is_reported_failed() -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    boot = process_tag()[PROCESS_TAG].split(":")[0]
    process.wait()
    with dg.DagsterInstance.ephemeral() as instance:
        gone = started(instance, {PROCESS_TAG: f"{boot}:{process.pid}:1"})
        other_boot = started(instance, {PROCESS_TAG: "earlier:1:1"})
        assert sorted(reap(instance)) == sorted([gone, other_boot])
        assert status(instance, gone) is dg.DagsterRunStatus.FAILURE


def test_a_run_whose_process_lives_is_left_alone() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        mine = started(instance, process_tag())
        assert reap(instance) == []
        assert status(instance, mine) is dg.DagsterRunStatus.STARTED


def test_a_run_that_dagster_launched_itself_is_left_to_dagster() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        started(instance, {})
        assert reap(instance) == []
