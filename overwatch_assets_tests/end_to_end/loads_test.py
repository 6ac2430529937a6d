"""However the days of the made-up company are loaded, what it did and cost comes out the same.

Everything is compared with one range in one run: day by day from shuffled and repeated audit
lines; two ranges with a reload between; and a first load that lacked audit lines and cluster
events, mended a week later. A redo writes what read something that changed, and nothing else.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime

import pytest

from overwatch_assets.demo.emulator.faults import Fault, FaultRule
from overwatch_assets.demo.setup import LOGS
from overwatch_assets.execution.records import Record
from overwatch_assets.module import Grain
from overwatch_assets.registry import in_load_order
from overwatch_assets_tests.end_to_end.company import Company, Observed, open_company
from overwatch_assets_tests.end_to_end.month import NEEDED
from overwatch_assets_tests.laws.harness import MS_PER_DAY

PEOPLE = {
    "account_login_silver",
    "account_mods_silver",
    "notebook_silver",
    "notebook_gold",
    "account_mods_gold",
    "account_login_gold",
    "instancepool_gold",
    "notebookcommands_gold",
}
MODULES = [module for module in in_load_order() if module.table.name in NEEDED | PEOPLE]
DAYS = 3
WORKSPACE = "tidewater-prod"
CAPTURES = [module for module in MODULES if module.table.grain is Grain.CAPTURE]
AUDIT = [module for module in MODULES if module.table.name == "audit_log_bronze"]
EVENTS = [module for module in MODULES if module.table.name == "cluster_events_bronze"]
MADE = [module for module in MODULES if module.source is None]
OTHERS = [module for module in MODULES if module not in CAPTURES]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    root = tmp_path_factory.mktemp("company")
    with open_company(root, days=DAYS, scale=0.1) as company:
        yield company


@pytest.fixture(scope="module")
def once(company: Company) -> Observed:
    """All days in one run."""
    observed = company.deployed()
    observed.load_range(MODULES, company.days, WORKSPACE)
    assert all(rows.height for rows in observed.tables(MADE).values())
    return observed


def changed(one: Observed, other: Observed) -> list[str]:
    """Tables that are not the same."""
    left, right = one.tables(MADE), other.tables(MADE)
    return [name for name in left if not left[name].equals(right[name])]


def delivered(company: Company, folder: str, change: Callable[[list[str]], list[str]]) -> str:
    """Another delivery of the audit log, each file's lines changed; returns its folder's name."""
    for path in sorted((company.root / LOGS / "audit").rglob("*.json")):
        target = company.root / folder / path.relative_to(company.root / LOGS / "audit")
        target.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        target.write_text("".join(change(lines)), encoding="utf-8")
    return folder


def test_day_by_day_from_shuffled_and_repeated_lines_in_another_order_of_sources(
    company: Company, once: Observed
) -> None:
    rng = random.Random(7)  # noqa: S311 - an order

    def shuffled(lines: list[str]) -> list[str]:
        return rng.sample([*lines, *lines[::2]], len(lines) + len(lines[::2]))

    observed = company.deployed(audit=delivered(company, "shuffled", shuffled))
    observed.load(AUDIT, *company.days, workspace=WORKSPACE)
    observed.load(CAPTURES[::-1], company.now.date(), workspace=WORKSPACE)
    for day in company.days:
        observed.load(EVENTS, day, workspace=WORKSPACE)
    for day in company.days:
        observed.load(MADE, day, workspace=WORKSPACE)
    assert changed(once, observed) == []


def test_two_ranges_with_a_reload_between_them(company: Company, once: Observed) -> None:
    first, second, third = company.days
    observed = company.deployed()
    observed.load_range(MODULES, [first, second], WORKSPACE)
    observed.load(OTHERS, first, workspace=WORKSPACE)
    assert observed.load(MADE, *company.days[:2], workspace=WORKSPACE, redo=True) == []
    observed.load(OTHERS, third, workspace=WORKSPACE)
    observed.load(OTHERS, second, workspace=WORKSPACE)
    assert observed.load(MADE, *company.days, workspace=WORKSPACE, redo=True) == []
    assert changed(once, observed) == []


def test_what_came_late_is_mended_a_week_later_and_nothing_else_is_written(
    company: Company, once: Observed
) -> None:
    late_day = company.days[1]
    kept: list[str] = []

    def without_late(lines: list[str]) -> list[str]:
        late = [line for line in lines if is_late(line, late_day)]
        kept.extend(late)
        return [line for line in lines if line not in set(late)]

    folder = delivered(company, "late", without_late)
    observed = company.deployed(audit=folder)
    rule = FaultRule(Fault.FORBIDDEN, "*clusters/events", about=shared_cluster(company))
    company.emulator.faults.add(rule)
    observed.load_range(MODULES, company.days, WORKSPACE)
    company.emulator.faults.clear()
    assert rule.fired > 0
    assert len(kept) > 10
    mended = {"jobrun_gold", "clusterstatefact_gold", "account_login_gold", "notebookcommands_gold"}
    assert mended < set(changed(once, observed))

    organization_id = observed.config.workspace(WORKSPACE).organization_id
    target = company.root / folder / f"workspaceId={organization_id}" / f"date={late_day}"
    (target / "auditlogs_late.json").write_text("".join(kept), encoding="utf-8")
    with company.at(company.end_ms + 7 * MS_PER_DAY):
        observed.load(AUDIT, late_day, workspace=WORKSPACE)
        owed = observed.deployment.owed(observed.ledger, organization_id)
        observed.load(EVENTS, *owed["cluster_events_bronze"], workspace=WORKSPACE, retry=True)
        written = observed.load(MADE, *company.days, workspace=WORKSPACE, redo=True)
        assert changed(once, observed) == []
        assert observed.load(MADE, *company.days, workspace=WORKSPACE, redo=True) == []
        everything = observed.load(MADE, *company.days, workspace=WORKSPACE)
    assert changed(once, observed) == []
    assert {record.table for record in written} >= mended
    assert partitions(written) < partitions(everything)
    print(f"written: {len(partitions(written))} of {len(partitions(everything))} partitions")  # noqa: T201 - what is asked for


def is_late(line: str, day: date) -> bool:
    """Whether a record tells of jobs, clusters or people, in two hours of a day."""
    record = json.loads(line)
    at = datetime.fromtimestamp(record["timestamp"] / 1000, UTC)
    is_then = at.date() == day and 10 <= at.hour < 12
    return is_then and record["serviceName"] in {"jobs", "clusters", "notebook", "accounts"}


def shared_cluster(company: Company) -> str:
    return company.demo.world.workspaces[0].workspace.shared.cluster_id


def partitions(records: Sequence[Record]) -> set[tuple[str, date]]:
    return {(record.table, record.day) for record in records}
