"""One event log of any size, for benchmarks: a stretch of real-looking work, repeated.

The stretch is simulated and rendered once; every repetition shifts its ids and times, so that
the log reads as one long Spark context. Nothing but the shifted numbers is made anew, which
is what makes it fast.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from overwatch_assets.demo.company import Workspace, found_company, seeded
from overwatch_assets.demo.queries import QUERIES, QueryShape
from overwatch_assets.demo.scene import MINUTE_MS, SECOND_MS, midnight_ms, session
from overwatch_assets.demo.spark_driver import ACCUMULATORS_PER_STAGE, Driver, Trouble
from overwatch_assets.demo.spark_lines import file_header
from overwatch_assets.demo.spark_logs import LogLine, log_lines, to_json
from overwatch_assets.demo.world import SparkContext

FIRST_DAY = date(2026, 10, 5)
WIDER = 12
"""How many times more tasks a stage has than in the demo: about 200, as Spark defaults to."""

BUFFER_BYTES = 4 << 20
NAMES = (
    "basket_join",
    "store_sales",
    "merge_sales",
    "daily_report",
    "read_tills",
    "train_model",
)
NUMBER = re.compile(r"\d+")
TIMES = "Timestamp|Submission Time|Completion Time|Launch Time|Finish Time|time"
SHIFTED = re.compile(
    rf'"(?P<at>{TIMES})":(?P<at_n>[1-9]\d*)'
    r'|"(?P<job>Job ID)":(?P<job_n>\d+)'
    r'|"(?P<stage>Stage ID)":(?P<stage_n>\d+)'
    r'|"(?P<task>Task ID)":(?P<task_n>\d+)'
    r'|"(?P<execution>executionId|rootExecutionId|spark\.sql\.execution\.id)":"?(?P<execution_n>\d+)'
    r'|"(?P<accumulator>ID)":(?P<accumulator_n>\d+)'
    r'|"(?P<stages>Stage IDs)":\[(?P<stages_n>[\d,]+)\]'
    r'|"(?P<parents>Parent IDs)":\[(?P<parents_n>[\d,]+)\](?=,"Details")'
)
SUBJECT = {"stages": "stage", "parents": "stage"}


@dataclass(frozen=True, slots=True)
class BigLog:
    """What a big log holds; counts are of end events, `run_time_ms` of the tasks they end."""

    path: Path
    size_bytes: int
    lines: int
    jobs: int
    stages: int
    tasks: int
    run_time_ms: int


@dataclass(frozen=True, slots=True)
class _Template:
    """A line with its shifting numbers taken out."""

    text: str
    subjects: tuple[str, ...]
    numbers: tuple[int, ...]
    ended: str
    run_ms: int

    def line(self, offsets: Mapping[str, int]) -> bytes:
        shifted = zip(self.numbers, self.subjects, strict=True)
        values = tuple(number + offsets[subject] for number, subject in shifted)
        return (self.text % values).encode()


def write_big_log(path: Path, size_bytes: int, *, seed: int = 7) -> BigLog:
    """Write a log of at least `size_bytes`, less than one line more; memory stays constant.

    Args:
        path: File to write, plain JSON lines.
        size_bytes: Size wanted.
        seed: Changes figures, not shapes.
    """
    workspace = found_company(seed, FIRST_DAY, 1.0).workspaces[0]
    context = _stretch(workspace, seed)
    ordered = log_lines(context, workspace)
    work_ms = context.jobs[0].submitted_ms - SECOND_MS
    begin = [line for line in ordered if line.at_ms < work_ms]
    templates = [_template(line) for line in ordered if line.at_ms >= work_ms]
    steps = _steps(context, ordered[-1].at_ms - work_ms + SECOND_MS)
    written, lines, run_ms = 0, 0, 0
    ended: Counter[str] = Counter()
    header = to_json(file_header(context.context_id, context.started_ms, 0))
    with path.open("wb", buffering=BUFFER_BYTES) as file:
        for text in (header, *(line.text for line in begin)):
            written += file.write(f"{text}\n".encode())
            lines += 1
        for template, line in _repeated(templates, steps):
            if written >= size_bytes:
                break
            written += file.write(line)
            lines += 1
            ended[template.ended] += 1
            run_ms += template.run_ms
    return BigLog(
        path=path,
        size_bytes=written,
        lines=lines,
        jobs=ended["Job"],
        stages=ended["Stage"],
        tasks=ended["Task"],
        run_time_ms=run_ms,
    )


def _repeated(
    templates: list[_Template], steps: Mapping[str, int]
) -> Iterator[tuple[_Template, bytes]]:
    repetition = 0
    while True:
        offsets = {subject: step * repetition for subject, step in steps.items()}
        for template in templates:
            yield template, template.line(offsets)
        repetition += 1


def _stretch(workspace: Workspace, seed: int) -> SparkContext:
    """Some minutes of work on a large cluster; one task in it fails, one is overtaken."""
    rng = seeded(seed, "big log")
    started = midnight_ms(FIRST_DAY) + MINUTE_MS
    cluster = replace(workspace.shared, cores=8, min_workers=8, max_workers=8)
    driver = Driver(cluster, rng, started)
    driver.scale_up(8, started + 9 * SECOND_MS)
    origin = replace(session(workspace.people[0], rng), notebook=workspace.notebooks[0])
    clock = started + MINUTE_MS
    for name in NAMES:
        trouble = {"basket_join": Trouble.STRAGGLER, "merge_sales": Trouble.RETRIED}.get(
            name, Trouble.NONE
        )
        clock = driver.run(_wide(QUERIES[name]), origin, clock, trouble).ended_ms + SECOND_MS
    return driver.context(cluster.log_destination or "", None)


def _wide(query: QueryShape) -> QueryShape:
    stages = tuple(
        replace(shape, tasks=shape.tasks * WIDER, run_ms=shape.run_ms // 2)
        for shape in query.stages
    )
    return replace(query, stages=stages)


def _steps(context: SparkContext, duration_ms: int) -> dict[str, int]:
    """How far each kind of number moves from one repetition to the next."""
    stages = [stage for job in context.jobs for stage in job.stages]
    return {
        "at": duration_ms,
        "job": len(context.jobs),
        "stage": 1 + max(stage_id for job in context.jobs for stage_id in job.stage_ids),
        "task": sum(len(stage.tasks) for stage in stages),
        "execution": len(context.executions),
        "accumulator": ACCUMULATORS_PER_STAGE * len(stages),
    }


def _template(line: LogLine) -> _Template:
    subjects: list[str] = []
    numbers: list[int] = []
    parts: list[str] = []
    end = 0
    for match in SHIFTED.finditer(line.text):
        name = next(key for key in match.groupdict() if match[key] and not key.endswith("_n"))
        start, stop = match.span(f"{name}_n")
        found = match[f"{name}_n"]
        numbers += (int(number) for number in NUMBER.findall(found))
        subjects += [SUBJECT.get(name, name)] * len(NUMBER.findall(found))
        parts += [line.text[end:start].replace("%", "%%"), NUMBER.sub("%d", found)]
        end = stop
    parts.append(line.text[end:].replace("%", "%%") + "\n")
    ended = re.match(r'{"Event":"SparkListener(Job|Stage|Task)(?:End|Completed)"', line.text)
    ran = re.search(r'"Executor Run Time":(\d+)', line.text)
    return _Template(
        text="".join(parts),
        subjects=tuple(subjects),
        numbers=tuple(numbers),
        ended=ended[1] if ended else "",
        run_ms=int(ran[1]) if ran else 0,
    )
