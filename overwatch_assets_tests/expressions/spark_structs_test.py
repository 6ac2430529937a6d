import polars as pl
import pytest

from overwatch_assets.expressions import spark_structs
from overwatch_assets_tests.frames import declared

EVENTS = declared("spark_events_bronze").schema
PARTS = {"StageInfo": spark_structs.STAGE_INFO, "TaskInfo": spark_structs.TASK_INFO}


@pytest.mark.parametrize("name", PARTS)
def test_what_is_kept_in_part_has_the_types_it_has_in_bronze(name: str) -> None:
    stored = EVENTS[name]
    assert isinstance(stored, pl.Struct)
    assert set(PARTS[name].fields) <= set(stored.fields)
