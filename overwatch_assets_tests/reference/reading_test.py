import uuid
from pathlib import Path
from typing import Any, cast

import fsspec  # pyright: ignore[reportMissingTypeStubs]
import polars as pl
import pytest
from deltalake import write_deltalake

from overwatch_assets.config import load_config
from overwatch_assets.errors import SourceError
from overwatch_assets.execution.versions import version_of_rows
from overwatch_assets.reference.prices import INPUTS, PriceFilesRead
from overwatch_assets.resources import Deployment
from overwatch_assets_tests.configuration.loading import MINIMAL, NOON
from overwatch_assets_tests.memory import MemoryLedger
from overwatch_assets_tests.reference.files import ORG

TEXT = "sku,contract_price\ninteractive,0.5\n"


def deployment(folder: Path, path: str) -> Deployment:
    file = folder / "overwatch.yaml"
    file.write_text(f"prices: {{dbu_cost_details: {path!r}}}\n{MINIMAL}")
    return Deployment(config=load_config(file, now=NOON), modules={})


def read(folder: Path, path: str) -> PriceFilesRead:
    return deployment(folder, path).price_files(ORG)


def prices(folder: Path, path: str) -> dict[str, float]:
    frame = deployment(folder, path).reference(ORG).dbu_cost_details
    return dict(frame.filter("isActive").select("sku", "contract_price").iter_rows())


def test_a_csv_file_beside_the_configuration_is_read(tmp_path: Path) -> None:
    (tmp_path / "prices.CSV").write_text(TEXT)
    assert prices(tmp_path, "prices.CSV")["interactive"] == 0.5


def test_a_link_to_a_csv_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "mounted").write_text(TEXT)
    (tmp_path / "prices.csv").symlink_to("mounted")
    assert prices(tmp_path, "prices.csv")["interactive"] == 0.5


def test_a_csv_file_elsewhere_is_read_through_its_storage(tmp_path: Path) -> None:
    path = f"memory://{uuid.uuid4()}/prices.csv"
    with cast("Any", fsspec).open(path, "w") as opened:
        opened.write(TEXT)
    assert prices(tmp_path, path)["interactive"] == 0.5


def test_the_table_of_an_overwatch_deployment_is_read_as_it_is(tmp_path: Path) -> None:
    old = pl.DataFrame(
        {
            "organization_id": [ORG, ORG, "9"],
            "sku": ["interactive", "interactive", "interactive"],
            "contract_price": [0.6, 0.5, 0.1],
            "activeFrom": ["2024-01-01", "2026-07-01", "2024-01-01"],
            "activeUntil": ["2026-07-01", None, None],
            "isActive": [False, True, True],
            "Pipeline_SnapTS": ["2024-01-01", "2026-07-01", "2024-01-01"],
        }
    ).with_columns(
        pl.col("activeFrom", "activeUntil").str.to_date(),
        pl.col("Pipeline_SnapTS").str.to_datetime(),
    )
    write_deltalake(tmp_path / "dbucostdetails", old, partition_by=["organization_id"])
    made = deployment(tmp_path, "dbucostdetails").reference(ORG)
    rows = made.dbu_cost_details.filter(sku="interactive").select("contract_price", "origin").rows()
    place = str(tmp_path / "dbucostdetails")
    assert [price for price, _ in rows] == [0.55, 0.6, 0.5]
    assert [origin for _, origin in rows[1:]] == [place, place]


def test_a_mistake_in_a_table_is_told_without_a_line(tmp_path: Path) -> None:
    wrong = pl.DataFrame(
        {"sku": ["dlt", "dlt"], "contract_price": [-1.0, float("nan")], "x": [[1]] * 2}
    )
    write_deltalake(tmp_path / "skus", wrong)
    place = tmp_path / "skus"
    first, *others = map(str, read(tmp_path, "skus").problems)
    assert first.startswith(f"{place}: 'x' is no column of dbu_cost_details.")
    assert [each.partition(". ")[0] for each in others] == [
        f"{place}: dlt: contract_price '-1.0' is a negative price",
        f"{place}: dlt: contract_price 'NaN' is no number",
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none.csv", "there is no such file. Write its path, or leave it out."),
        ("none", "there is no Delta table. Write the path of a .csv file or of a Delta table's"),
    ],
)
def test_a_path_that_leads_nowhere_is_a_problem(tmp_path: Path, path: str, message: str) -> None:
    [problem] = read(tmp_path, path).problems
    assert str(problem).startswith(f"{tmp_path / path}: {message}")


def test_a_file_that_is_there_and_cannot_be_read_is_an_error_of_the_source(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").mkdir()
    with pytest.raises(SourceError, match=r"prices.csv: can't be read: Is a directory"):
        read(tmp_path, "prices.csv")
    broken = tmp_path / "skus" / "_delta_log"
    broken.mkdir(parents=True)
    (broken / "00000000000000000000.json").write_text("{")
    with pytest.raises(SourceError, match=r"table skus at .* can't be read"):
        read(tmp_path, "skus")


def test_transforms_are_given_the_figures_and_their_version_is_what_is_recorded(
    tmp_path: Path,
) -> None:
    (tmp_path / "prices.csv").write_text(TEXT)
    made = deployment(tmp_path, "prices.csv")
    figures = made.reference(ORG)
    references = made.loader(MemoryLedger()).references
    assert tuple(references) == INPUTS
    for name, rows_of in references.items():
        assert rows_of(ORG).equals(figures.inputs[name])
        assert version_of_rows(rows_of(ORG)) == figures.versions[name]
