"""Real inputs: public Spark event logs and API answers, with independently counted facts.

The setting `OVERWATCH_TEST_DATA` names the folder that holds `spark-events/` and `api/`; unset,
it is `../shared/data` beside the repository if that exists.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SETTING = "OVERWATCH_TEST_DATA"
BESIDE_THE_REPOSITORY = Path(__file__).parents[2] / "shared" / "data"


def data_folder() -> Path | None:
    """The folder of real inputs; None where there is none."""
    folder = Path(os.environ.get(SETTING) or BESIDE_THE_REPOSITORY)
    return folder if (folder / "spark-events" / "expected.json").is_file() else None


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real inputs; without it a test is skipped, and fails in CI."""
    folder = data_folder()
    if folder is not None:
        return folder
    message = f"no real inputs: set {SETTING} to the folder that holds spark-events/ and api/"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
