from pathlib import Path

import pytest

from overwatch_assets.operations.validation.findings import Finding, Verdict
from overwatch_assets.operations.validation.price_files import RULE
from overwatch_assets_tests.operations.validation.deployments import Checked, workspace

GOOD = "sku,contract_price\ninteractive,0.5\n"
GAP = "interactive,0.5,,2026-10-01\ninteractive,0.4,2026-11-01,\n"


def finding(folder: Path, content: str | None) -> Finding:
    """What is found of a price file with that content; None: there is no such file."""
    if content is not None:
        (folder / "skus.csv").write_text(content)
    checked = Checked(folder)
    config = checked.config(workspace(prices={"dbu_cost_details": "skus.csv"}))
    [found] = [each for each in checked.check(config).findings if each.rule == RULE]
    return found


def test_without_price_files_the_shipped_figures_hold(tmp_path: Path) -> None:
    checked = Checked(tmp_path)
    [found] = [e for e in checked.check(checked.config(workspace())).findings if e.rule == RULE]
    assert (found.verdict, found.tried) == (Verdict.OK, "read 0 price files")


@pytest.mark.parametrize(
    ("content", "verdict", "told"),
    [
        (GOOD, Verdict.OK, "skus.csv"),
        (f"{GOOD}dlt,-1\n", Verdict.ERROR, "line 3: dlt: contract_price '-1' is a negative price"),
        (None, Verdict.ERROR, "skus.csv"),
        ("sku,contract_price,activeFrom,activeUntil\n" + GAP, Verdict.WARNING, "interactive"),
    ],
)
def test_price_files_are_read_and_checked(
    tmp_path: Path, content: str | None, verdict: Verdict, told: str
) -> None:
    found = finding(tmp_path, content)
    assert (found.verdict, told in found.came_back) == (verdict, True), found
