"""Tasks in processes.

Nothing is imported here that takes long: a process sets its number of threads before it
imports Polars.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[Result]:
    """Call a module's function for every task; results come in the order of the tasks.

    Args:
        function: Of a module that another process can import.
        tasks: Each worth the start of a process, the longest first.
        workers: How many processes; 1: none but this one.
    """
    count = min(workers, len(tasks))
    if count <= 1:
        yield from map(function, tasks)
        return
    with ProcessPoolExecutor(count, get_context("spawn"), _use_one_thread) as pool:
        yield from pool.map(function, tasks)


def _use_one_thread() -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"
