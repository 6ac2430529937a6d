"""What tests share: real inputs, and object storage on the loopback.

Real inputs are public Spark event logs and API answers, with independently counted facts. The
setting `OVERWATCH_TEST_DATA` names the folder that holds `spark-events/` and `api/`; unset, it
is `../shared/data` beside the repository if that exists.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from overwatch_assets_tests import azurite as blob_service
from overwatch_assets_tests.azurite import Azurite, running_azurite
from overwatch_assets_tests.fake_gcs import FakeGcs, running_gcs

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
    return _do_without(
        f"no real inputs: set {SETTING} to the folder that holds spark-events/ and api/"
    )


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Azure's Blob service; without it a test is skipped, and fails in CI."""
    program = blob_service.executable()
    if program is None:
        folder, setting = blob_service.BELOW_THE_REPOSITORY, blob_service.SETTING
        _do_without(f"no Azurite: `make azurite` installs it below {folder}, or set {setting}")
    with running_azurite(program, tmp_path_factory.mktemp("azurite")) as service:
        yield service


@pytest.fixture(scope="session")
def gcs() -> Iterator[FakeGcs]:
    """Google Cloud Storage, as far as it is needed."""
    with running_gcs() as service:
        yield service


def _do_without(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
