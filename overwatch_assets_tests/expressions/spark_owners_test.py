import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.expressions.spark_owners import owned_stages, owned_tasks

Job = tuple[int | None, int | None, list[int]]
"""Start (null: not logged), end (null: it runs on) and the stages it lists."""

Task = tuple[int, int]
"""Stage and start."""


def owners(jobs: list[Job], tasks: list[Task]) -> dict[Task, list[int]]:
    """The jobs that each task belongs to, numbered in order; all in one context."""
    job_frame = pl.LazyFrame(
        [
            {
                "spark_context_id": "x",
                "job_id": number,
                "stage_ids": stages,
                "unixTimeMS": since,
                "job_runtime": {"endEpochMS": until},
            }
            for number, (since, until, stages) in enumerate(jobs)
        ],
        schema={
            "spark_context_id": pl.String,
            "job_id": pl.Int64,
            "stage_ids": pl.List(pl.Int64),
            "unixTimeMS": pl.Int64,
            "job_runtime": pl.Struct({"endEpochMS": pl.Int64}),
        },
    )
    task_frame = pl.LazyFrame(
        [("x", *task) for task in tasks],
        schema={"spark_context_id": pl.String, "stage_id": pl.Int64, "unixTimeMS": pl.Int64},
        orient="row",
    )
    stages = owned_stages(job_frame).select(
        "spark_context_id", "stage_id", "job_id", "_owned_since_ms", "_owned_until_ms"
    )
    made = owned_tasks(task_frame, stages).collect()
    found: dict[Task, list[int]] = {task: [] for task in tasks}
    for stage, started, job in made.select("stage_id", "unixTimeMS", "job_id").iter_rows():
        found[stage, started].append(job)
    return found


def test_a_task_belongs_to_the_first_started_job_that_lists_its_stage_and_runs_then() -> None:
    jobs: list[Job] = [(0, 100, [1]), (50, 200, [1, 2]), (250, None, [1])]
    tasks = [(1, 0), (1, 60), (1, 100), (1, 200), (1, 260), (2, 60), (3, 60)]
    assert owners(jobs, tasks) == {
        (1, 0): [0],
        (1, 60): [0],
        (1, 100): [1],
        (1, 200): [],
        (1, 260): [2],
        (2, 60): [1],
        (3, 60): [],
    }


def test_of_jobs_that_start_together_the_one_with_the_smaller_id_owns_the_stage() -> None:
    assert owners([(0, 10, [1]), (0, 20, [1])], [(1, 5), (1, 15)]) == {(1, 5): [0], (1, 15): [1]}


def test_a_job_that_runs_on_owns_its_stages_for_good() -> None:
    assert owners([(0, None, [1]), (5, 50, [1])], [(1, 20), (1, 60)]) == {
        (1, 20): [0],
        (1, 60): [0],
    }


def test_a_job_whose_start_is_not_known_owns_nothing_and_takes_nothing_from_others() -> None:
    jobs: list[Job] = [(None, 100, [1]), (0, 50, [1]), (0, 50, [])]
    assert owners(jobs, [(1, 10), (1, 60)]) == {(1, 10): [1], (1, 60): []}


ends = st.tuples(st.integers(0, 12), st.integers(0, 8), st.booleans()).map(
    lambda span: (span[0], None if span[2] and span[1] > 5 else span[0] + span[1])
)
stages = st.lists(st.integers(1, 3), max_size=3, unique=True)
jobs = st.lists(st.tuples(ends, stages).map(lambda job: (*job[0], job[1])), max_size=6)


@settings(max_examples=30, deadline=None)
@given(jobs)
def test_every_task_belongs_to_the_job_that_the_rule_names(made: list[Job]) -> None:
    tasks = [(stage, started) for stage in (1, 2, 3) for started in range(21)]
    expected: dict[Task, list[int]] = {}
    for stage, started in tasks:
        listing = [
            (since, number)
            for number, (since, until, listed) in enumerate(made)
            if stage in listed
            and since is not None
            and since <= started
            and (until is None or started < until)
        ]
        expected[stage, started] = [min(listing)[1]] if listing else []
    assert owners(made, tasks) == expected
