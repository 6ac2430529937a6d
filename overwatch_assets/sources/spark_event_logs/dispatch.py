"""Which event type each line of a block is, told by its first bytes.

Spark writes `{"Event":"<type>"` first on every line. Lines of the two task types are nine of
ten, so they are found first, and out of the long ones everything is cut that no table uses,
before anything is decoded.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

from overwatch_assets.sources.spark_event_logs.lines import Block

TASK_END = b'{"Event":"SparkListenerTaskEnd"'
TASK_START = b'{"Event":"SparkListenerTaskStart"'

_EVENT = b'{"Event":"'
_ACCUMULABLES = b',"Accumulables":['
_THEN_EXECUTOR_METRICS = b']},"Task Executor Metrics":{'
_END_THEN_METRICS = b']},"Task Metrics":{'
_THEN_METRICS = b'},"Task Metrics":{'
_BEFORE_BRACKET = len(_ACCUMULABLES) - 1
_BEFORE_BRACE = len(_THEN_EXECUTOR_METRICS) - 1
_LONGEST_NAME = 200


@dataclass(slots=True)
class Lines:
    """Lines of one type with their newlines, each with its number in the file."""

    texts: list[bytes] = field(default_factory=list[bytes])
    numbers: list[int] = field(default_factory=list[int])

    def append(self, text: bytes, number: int) -> None:
        """Add a line."""
        self.texts.append(text)
        self.numbers.append(number)

    def without_newlines(self) -> Iterator[tuple[bytes, int]]:
        """Each line as what was wrong with it is told of."""
        for text, number in zip(self.texts, self.numbers, strict=True):
            yield text.removesuffix(b"\n"), number


@dataclass(slots=True)
class Dispatched:
    """The lines of a block by event type.

    Attributes:
        count: Lines, blank ones included.
        task_ends: Without accumulables and executor metrics, where these were found.
        executor_metrics: What was cut out of each of those; None: nothing was.
        task_starts: Lines of that type.
        others: By the type that the line's beginning names; "" where it names none.
    """

    count: int = 0
    task_ends: Lines = field(default_factory=Lines)
    executor_metrics: list[bytes | None] = field(default_factory=list[bytes | None])
    task_starts: Lines = field(default_factory=Lines)
    others: defaultdict[bytes, Lines] = field(default_factory=lambda: defaultdict(Lines))


def dispatched(block: Block, first_number: int) -> Dispatched:
    """Sort the lines of a block by event type.

    Args:
        block: Whole lines.
        first_number: Number of its first line.
    """
    found = Dispatched()
    add_end, add_start = found.task_ends.texts.append, found.task_starts.texts.append
    add_end_number = found.task_ends.numbers.append
    add_start_number = found.task_starts.numbers.append
    add_metrics = found.executor_metrics.append
    number = first_number
    for line in BytesIO(block.text[block.begin : block.end]):
        if line.startswith(TASK_END):
            # Single bytes are found ten times as fast as words. No bracket is a wrong one that
            # is followed by these words: inside a string, quotes are escaped.
            text, metrics = line, None
            opening = line.find(b"[")
            closing = line.find(b"]", opening)
            if closing > 0 and line.startswith(_ACCUMULABLES, opening - _BEFORE_BRACKET):
                if line.startswith(_THEN_EXECUTOR_METRICS, closing):
                    resumed = line.find(b"}", closing + _BEFORE_BRACE)
                    if line.startswith(_THEN_METRICS, resumed):
                        metrics = line[closing + _BEFORE_BRACE : resumed + 1]
                    else:
                        resumed = closing + 1
                    text = line[: opening - _BEFORE_BRACKET] + line[resumed:]
                elif line.startswith(_END_THEN_METRICS, closing):
                    text = line[: opening - _BEFORE_BRACKET] + line[closing + 1 :]
            add_end(text)
            add_metrics(metrics)
            add_end_number(number)
        elif line.startswith(TASK_START):
            add_start_number(number)
            add_start(line)
        else:
            _add_other(found, line, number)
        number += 1
    found.count = number - first_number
    return found


def _add_other(found: Dispatched, line: bytes, number: int) -> None:
    name = b""
    if line.startswith(_EVENT):
        name_end = line.find(b'"', len(_EVENT), len(_EVENT) + _LONGEST_NAME)
        name = line[len(_EVENT) : max(name_end, len(_EVENT))]
    elif not line.strip():
        return
    found.others[name].append(line, number)
