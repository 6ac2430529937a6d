"""The three tables every contender makes: of which event, and which value in which column.

A column is a value of the event's JSON, where it has one; nothing is computed. Only the
standard library is imported, so that any interpreter can run a contender.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, cast


class Kind(StrEnum):
    """Type of a column."""

    LONG = "long"
    TEXT = "text"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Field:
    """A column.

    Attributes:
        name: Of the column.
        path: Keys that lead to the value in the event.
        kind: Its type.
    """

    name: str
    path: tuple[str, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class EventTable:
    """A table.

    Attributes:
        name: Of the table.
        events: Types of events; each event is a row.
        fields: The columns.
    """

    name: str
    events: tuple[str, ...]
    fields: tuple[Field, ...]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [field.name for field in self.fields]


LONG, TEXT, FLAG = Kind.LONG, Kind.TEXT, Kind.FLAG


def _fields(kinds: Mapping[str, Kind], *above: str) -> tuple[Field, ...]:
    """Columns named like the values, without their spaces."""
    return tuple(Field(key.replace(" ", ""), (*above, key), kinds[key]) for key in kinds)


def _longs(*keys: str) -> dict[str, Kind]:
    return dict.fromkeys(keys, LONG)


_METRICS = "Task Metrics"

TASKS = EventTable(
    "tasks",
    ("SparkListenerTaskEnd",),
    (
        *_fields(_longs("Stage ID", "Stage Attempt ID") | {"Task Type": TEXT}),
        *_fields({"Reason": TEXT}, "Task End Reason"),
        *_fields(
            {
                **_longs("Task ID", "Index", "Attempt", "Launch Time"),
                "Executor ID": TEXT,
                "Host": TEXT,
                "Locality": TEXT,
                "Speculative": FLAG,
                **_longs("Getting Result Time", "Finish Time"),
                "Failed": FLAG,
                "Killed": FLAG,
            },
            "Task Info",
        ),
        *_fields(
            _longs(
                "Executor Deserialize Time",
                "Executor Deserialize CPU Time",
                "Executor Run Time",
                "Executor CPU Time",
                "Peak Execution Memory",
                "Result Size",
                "JVM GC Time",
                "Result Serialization Time",
                "Memory Bytes Spilled",
                "Disk Bytes Spilled",
            ),
            _METRICS,
        ),
        *_fields(
            _longs(
                "Remote Blocks Fetched",
                "Local Blocks Fetched",
                "Fetch Wait Time",
                "Remote Bytes Read",
                "Remote Bytes Read To Disk",
                "Local Bytes Read",
                "Total Records Read",
            ),
            _METRICS,
            "Shuffle Read Metrics",
        ),
        *_fields(
            _longs("Shuffle Bytes Written", "Shuffle Write Time", "Shuffle Records Written"),
            _METRICS,
            "Shuffle Write Metrics",
        ),
        *_fields(_longs("Bytes Read", "Records Read"), _METRICS, "Input Metrics"),
        *_fields(_longs("Bytes Written", "Records Written"), _METRICS, "Output Metrics"),
    ),
)
JOBS = EventTable(
    "jobs",
    ("SparkListenerJobStart", "SparkListenerJobEnd"),
    (
        *_fields(_longs("Job ID", "Submission Time", "Completion Time")),
        *_fields({"Result": TEXT}, "Job Result"),
    ),
)
STAGES = EventTable(
    "stages",
    ("SparkListenerStageCompleted",),
    _fields(
        {
            **_longs("Stage ID", "Stage Attempt ID", "Number of Tasks"),
            "Stage Name": TEXT,
            "Failure Reason": TEXT,
            **_longs("Submission Time", "Completion Time"),
        },
        "Stage Info",
    ),
)
TABLES = (TASKS, JOBS, STAGES)


Node: TypeAlias = "Kind | Objects"
Objects: TypeAlias = "dict[str, Node]"
"""A JSON object: under each key the kind of a value, or the object that is there."""


def nested(fields: tuple[Field, ...]) -> Objects:
    """The columns as the JSON objects they lie in."""
    objects: Objects = {}
    for field in fields:
        inside = objects
        for key in field.path[:-1]:
            inside = cast("Objects", inside.setdefault(key, {}))
        inside[field.path[-1]] = field.kind
    return objects
