"""Price files wherever they lie: a CSV file, or a Delta table such as Overwatch's own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from deltalake.exceptions import TableNotFoundError
from polars.exceptions import PolarsError

from overwatch_assets.configuration.fields import scheme_of
from overwatch_assets.delta.log import TransactionLog
from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.errors import SourceError, StorageError
from overwatch_assets.reference.sheet import MOST_ROWS, Sheet, sheet_of_csv, sheet_of_rows, unusable
from overwatch_assets.sources.files import FileGone, Files
from overwatch_assets.sources.paths import CHUNK_BYTES


@dataclass(frozen=True, slots=True)
class PriceFileReader:
    """Reads price files by path.

    The paths come from the configuration, so on a disk links are followed: mounted secrets and
    settings are links.

    Attributes:
        files: What lies in object storage.
        location_of: Where the folder of a path is, and how it is reached.
    """

    files: Files
    location_of: Callable[[str], StorageLocation]

    def __call__(self, path: str) -> Sheet:
        """The cells of a file; what is wrong with it as a file is among its problems.

        Raises:
            SourceError: It can't be reached or read.
        """
        return self._csv(path) if path.lower().endswith(".csv") else self._delta(path)

    def _csv(self, path: str) -> Sheet:
        try:
            return sheet_of_csv(path, self.files.open(path) if scheme_of(path) else _chunks(path))
        except FileGone:
            return unusable(path, "there is no such file", "Write its path, or leave it out")

    def _delta(self, path: str) -> Sheet:
        folder, _, name = path.rpartition("/")
        log = TransactionLog(name, self.location_of(folder))
        try:
            opened = log.open()
            options = log.location.polars_options
            rows = pl.scan_delta(opened, storage_options=options).head(MOST_ROWS + 1).collect()
        except TableNotFoundError:
            remedy = "Write the path of a .csv file or of a Delta table's folder, or leave it out"
            return unusable(path, "there is no Delta table", remedy)
        except StorageError as error:
            raise SourceError(str(error)) from None
        except (PolarsError, OSError) as error:
            raise SourceError(str(log.failure("can't be read", error))) from None
        return sheet_of_rows(path, rows)


def _chunks(path: str) -> Iterator[bytes]:
    """Bytes of a local file.

    Raises:
        FileGone: There is none.
        SourceError: It can't be read.
    """
    try:
        with Path(path).open("rb") as opened:
            while chunk := opened.read(CHUNK_BYTES):
                yield chunk
    except FileNotFoundError:
        raise FileGone(f"{path}: there is no such file") from None
    except OSError as error:
        raise SourceError(f"{path}: can't be read: {error.strerror}. Check it") from None
