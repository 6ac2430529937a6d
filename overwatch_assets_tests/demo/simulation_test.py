from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.demo.moment import as_of
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import SparkContext, Task, World

FIRST_DAY = date(2026, 10, 5)
HOUR_MS = 3_600_000


def small_world(seed: int = 7) -> World:
    return simulate(seed=seed, first_day=FIRST_DAY, days=1, scale=0.2)


WORLD = small_world()
CONTEXTS = [context for each in WORLD.workspaces for context in each.contexts]


def tasks_of(context: SparkContext) -> list[Task]:
    return [task for job in context.jobs for stage in job.stages for task in stage.tasks]


def busiest(tasks: list[Task], until_ms: int) -> int:
    """How many of the tasks ran at once, at most."""
    changes = sorted(
        change
        for task in tasks
        for change in (
            (task.launched_ms, 1),
            (until_ms if task.finished_ms is None else task.finished_ms, -1),
        )
    )
    running, most = 0, 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


def test_an_executor_never_runs_more_tasks_than_it_has_cores() -> None:
    for context in CONTEXTS:
        tasks = tasks_of(context)
        for executor in context.executors:
            own = [each for each in tasks if each.executor.executor_id == executor.executor_id]
            assert busiest(own, WORLD.until_ms) <= executor.cores


def test_an_executor_works_only_while_it_is_there() -> None:
    for context in CONTEXTS:
        removed = {each.executor_id: each.removed_ms for each in context.executors}
        for task in tasks_of(context):
            gone_ms = removed[task.executor.executor_id] or WORLD.until_ms
            assert task.executor.added_ms <= task.launched_ms
            assert (task.finished_ms or 0) <= gone_ms


def test_ids_are_unique_in_a_context() -> None:
    for context in CONTEXTS:
        stages = [(stage.stage_id, stage.attempt) for job in context.jobs for stage in job.stages]
        tasks = [task.task_id for task in tasks_of(context)]
        assert len(stages) == len(set(stages))
        assert len(tasks) == len(set(tasks))


def test_what_a_scale_adds_leaves_the_rest_as_it_was() -> None:
    more = simulate(seed=7, first_day=FIRST_DAY, days=1, scale=3.0)
    for few, many in zip(WORLD.workspaces, more.workspaces, strict=True):
        assert few.workspace.shared == many.workspace.shared
        assert len(few.contexts) <= len(many.contexts)
    larger = [len(each.contexts) for each in more.workspaces[:2]]
    assert larger > [len(each.contexts) for each in WORLD.workspaces[:2]]


@given(
    st.sampled_from(CONTEXTS),
    st.integers(WORLD.since_ms, WORLD.until_ms + HOUR_MS),
    st.integers(WORLD.since_ms, WORLD.until_ms + HOUR_MS),
)
@settings(deadline=None, max_examples=40)
def test_looking_twice_shows_what_the_earlier_look_shows(
    context: SparkContext, one: int, other: int
) -> None:
    assert as_of(as_of(context, one), other) == as_of(context, min(one, other))


@given(st.sampled_from(CONTEXTS), st.integers(WORLD.since_ms, WORLD.until_ms))
@settings(deadline=None, max_examples=40)
def test_nothing_is_known_of_the_future(context: SparkContext, until_ms: int) -> None:
    seen = as_of(context, until_ms)
    for task in tasks_of(seen):
        assert max(task.launched_ms, task.finished_ms or 0) < until_ms
        assert (task.ending is None) == (task.finished_ms is None)
    for job in seen.jobs:
        assert max(job.submitted_ms, job.completed_ms or 0) < until_ms
