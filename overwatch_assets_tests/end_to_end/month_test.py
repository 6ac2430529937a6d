"""What the made-up company's telemetry says of a month, against the truth.

In the suite the largest workspace is loaded for all 30 days in one run. The two whose audit logs
come as Azure's records and from the system table are for the first days, one of them every
morning. `make soak` loads all three for all days, of three seeds and a larger company. Nothing is
left out and everything is held to a millionth: where telemetry has a gap, against what the
documented rules make of it (`told.py`), and the difference from the truth is printed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from overwatch_assets.demo.job_runs import SUBMIT
from overwatch_assets.module import ORGANIZATION_ID
from overwatch_assets.presentation import (
    cluster,
    clusteridlecostdaily,
    clusterstatefact,
    clusterstatefactdaily,
    jobrun,
    jobruncostdaily,
    tagcostdaily,
    usercostdaily,
)
from overwatch_assets_tests.end_to_end.cluster_versions import CHANGES, Versions, shown_versions
from overwatch_assets_tests.end_to_end.company import open_company
from overwatch_assets_tests.end_to_end.jobs_and_runs import (
    CHANGES as CHANGES_OF_JOBS,
)
from overwatch_assets_tests.end_to_end.jobs_and_runs import (
    FOR_DAYS,
    IMPUTED,
    NEVER_STARTED,
    OPEN,
    OVER_MIDNIGHT,
    REPAIRED,
    SHARED,
    expected_jobs,
    expected_runs,
    jobs_shown,
    kind_of,
    runs_shown,
    undelivered,
)
from overwatch_assets_tests.end_to_end.month import (
    BY_TABLE,
    COLUMNS,
    USD,
    Loaded,
    Month,
    by_day_of,
)

DAYS = 30
RELATIVE = 1e-6
BY_SYSTEM_TABLE = "tidewater-shops"
NAMES = ("tidewater-prod", "tidewater-lab", BY_SYSTEM_TABLE)
"""Their audit logs come from a bucket, as Azure's records, and from the system table."""


@dataclass(frozen=True)
class Played:
    """A month to play, and how many of its days are loaded of each workspace."""

    seed: int
    scale: float
    loaded: Mapping[str, Loaded] = field(
        default_factory=lambda: {
            **dict.fromkeys(NAMES, Loaded(DAYS)),
            BY_SYSTEM_TABLE: Loaded(DAYS, hours_after=30),
        }
    )

    def __str__(self) -> str:
        return f"seed {self.seed}"


IN_SUITE = Played(
    seed=7,
    scale=0.05,
    loaded={
        "tidewater-prod": Loaded(DAYS),
        "tidewater-lab": Loaded(4, every_morning=True),
        BY_SYSTEM_TABLE: Loaded(4),
    },
)
SOAK = [pytest.param(Played(seed, 0.2), marks=pytest.mark.soak) for seed in (7, 11, 23)]


@pytest.fixture(scope="module", params=[IN_SUITE, *SOAK], ids=str)
def months(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Month]]:
    """A month as it was observed of each workspace, by its name."""
    played: Played = request.param
    root = tmp_path_factory.mktemp("company")
    with open_company(root, days=DAYS, scale=played.scale, seed=played.seed) as company:
        observed = company.deployed()
        worlds = {each.workspace.name: each for each in company.demo.world.workspaces}
        for name, loaded in played.loaded.items():
            loaded.load(observed, name)
        yield {
            name: Month(company, observed, worlds[name], loaded)
            for name, loaded in played.loaded.items()
        }


@pytest.fixture(params=NAMES)
def month(request: pytest.FixtureRequest, months: Mapping[str, Month]) -> Month:
    return months[request.param]


def close(value: float) -> object:
    return pytest.approx(value, rel=RELATIVE, abs=1e-8)


def differing(found: Mapping[Any, object], expected: Mapping[Any, object]) -> list[object]:
    """What only one side has, and what is not the same."""
    lonely: list[object] = [("only found", key) for key in found.keys() - expected.keys()]
    lonely += [("not found", key) for key in expected.keys() - found.keys()]
    both = found.keys() & expected.keys()
    return lonely + [
        (key, found[key], expected[key]) for key in both if found[key] != expected[key]
    ]


def differing_values(
    found: Mapping[Any, Mapping[str, object]], expected: Mapping[Any, Mapping[str, object]]
) -> list[object]:
    """The same, of the columns that are expected."""
    names = {key: row.keys() for key, row in expected.items()}
    shown = {key: {name: row[name] for name in names.get(key, ())} for key, row in found.items()}
    return differing(shown, expected)


def test_every_state_of_every_cluster_is_there_and_no_other(month: Month) -> None:
    told = month.told_states()
    assert differing(month.found_states(), told) == []
    assert len(told) > 100
    assert month.states.select("cluster_id", "unixTimeMS_state_start").is_unique().all()


def test_node_seconds_dbus_and_costs_of_each_cluster_and_day_are_the_true_ones(
    month: Month,
) -> None:
    told = {
        key: {name: close(value) for name, value in amounts.items()}
        for key, amounts in by_day_of(month.told).items()
    }
    assert differing(month.by_day(), told) == []
    assert len(told) > 20


def test_each_run_costs_what_it_truly_cost(month: Month) -> None:
    """Without a state of its cluster its cost is not known; that is not zero."""
    tasks = month.tasks()
    found = {
        row["run_id"]: [row[name] for name in COLUMNS] for row in month.runs.iter_rows(named=True)
    }
    expected = {
        run_id: [close(task[name]) if task["has_states"] else None for name in USD]
        for run_id, task in tasks.items()
    }
    assert differing(found, expected) == []
    assert sum(task["has_states"] for task in tasks.values()) > 50


def test_every_null_has_its_reason(month: Month) -> None:
    tasks = month.tasks()
    reasons = {run_id: reason_of(task) for run_id, task in tasks.items()}
    assert differing(dict(month.runs.select("run_id", "cost_reason").iter_rows()), reasons) == []
    assert month.runs["run_id"].is_unique().all()
    assert month.states["cost_reason"].drop_nulls().to_list() == []
    assert month.states["total_cost"].null_count() == 0


def reason_of(task: Mapping[str, object]) -> str | None:
    if task["has_states"]:
        return None
    if task["started_ms"] is not None:
        return "no_cluster_states"
    skipped = {"Skipped", "InternalError", "Canceled"}
    return "never_started" if task["ending"] in skipped else "start_unknown"


def test_each_day_of_a_run_costs_what_it_truly_cost(month: Month) -> None:
    rows = month.derived(jobruncostdaily.VIEW)
    found = {
        (run_id, str(day)): usd
        for run_id, day, usd in rows.select("run_id", "date", "total_cost").iter_rows()
        if usd
    }
    told = {
        (run_id, day): close(usd["total_usd"])
        for run_id, task in month.tasks().items()
        for day, usd in task["days"].items()
        if usd["total_usd"] > 0
    }
    assert differing(found, told) == []


@pytest.mark.parametrize(("cut", "told_by"), [("submitted_by", "by"), ("job_id", "job_id")])
def test_users_and_jobs_cost_on_each_day_what_they_truly_cost(
    month: Month, cut: str, told_by: str
) -> None:
    rows = month.derived(jobruncostdaily.VIEW).filter(pl.col("total_cost") > 0)
    sums = rows.group_by(cut, pl.col("date").cast(pl.String)).agg(pl.col("total_cost").sum())
    told: dict[tuple[object, str], float] = defaultdict(float)
    for task in month.tasks().values():
        for day, usd in task["days"].items():
            told[task[told_by], day] += usd["total_usd"]
    found = {(who, day): usd for who, day, usd in sums.iter_rows()}
    assert differing(found, {key: close(usd) for key, usd in told.items() if usd > 0}) == []


def test_what_no_run_used_is_what_was_truly_idle(month: Month) -> None:
    rows = month.derived(clusteridlecostdaily.VIEW)
    found = {
        (row["cluster_id"], str(row["date"])): (row["total_cost"], row["idle_cost"])
        for row in rows.iter_rows(named=True)
        if row["total_cost"] > 0
    }
    told = {
        (cluster_id, day): (close(usd["total_usd"]), close(usd["idle"]["total_usd"]))
        for cluster_id, cluster in month.told["clusters"].items()
        for day, usd in cluster["days"].items()
        if usd["total_usd"] > 0
    }
    assert differing(found, told) == []
    assert rows.filter((pl.col("idle_cost") < -1e-9) | (pl.col("run_cost") < 0)).is_empty()


def test_every_cut_sums_to_what_the_clusters_cost(month: Month) -> None:
    whole = pytest.approx(month.states["total_cost"].sum(), rel=1e-9)
    idle, users = month.derived(clusteridlecostdaily.VIEW), month.derived(usercostdaily.VIEW)
    tags = month.derived(tagcostdaily.VIEW)
    assert idle["total_cost"].sum() == whole
    assert float(idle["run_cost"].sum()) + float(idle["idle_cost"].sum()) == whole
    assert users["total_cost"].sum() == whole
    by_key = tags.group_by("tag_key").agg(pl.col("total_cost").sum())["total_cost"]
    assert len(by_key) > 0
    assert by_key.to_list() == [whole] * len(by_key)
    days = month.shown(clusterstatefactdaily.VIEW)
    for name in clusterstatefactdaily.AMOUNTS:
        assert days[name].sum() == pytest.approx(month.states[name].sum(), rel=1e-9)


def test_what_is_told_differs_from_the_truth_only_by_gaps_that_are_named(
    month: Month, capsys: pytest.CaptureFixture[str]
) -> None:
    gaps, told, true = month.gaps(), by_day_of(month.told), by_day_of(month.truth)
    tasks = {task["run_id"]: task for run in month.truth["runs"].values() for task in run["tasks"]}
    # A run that is told wrongly is so for its cluster too, and for the runs it shares it with.
    clusters = gaps.keys() | {
        str(task["cluster_id"]) for run_id, task in tasks.items() if str(run_id) in gaps
    }
    elsewhere = [
        key for key in told.keys() | true.keys() if key[0] not in gaps and told[key] != true[key]
    ]
    assert elsewhere == []
    told_tasks = month.tasks()
    changed = {
        run_id: (task["total_usd"], told_tasks[run_id]["total_usd"])
        for run_id, task in tasks.items()
        if task["total_usd"] != close(told_tasks[run_id]["total_usd"])
    }
    assert {str(tasks[run_id]["cluster_id"]) for run_id in changed} <= clusters
    lines = [
        f"{month.truth['clusters'][subject]['name']}: {_sum(told, subject):.4f} of "
        f"{_sum(true, subject):.4f} USD ({', '.join(sorted(kinds))})"
        for subject, kinds in sorted(gaps.items())
        if subject in month.truth["clusters"]
    ]
    lines += [
        f"run {run_id}: {found:.4f} of {is_true:.4f} USD ({', '.join(sorted(gaps[str(run_id)]))})"
        for run_id, (is_true, found) in sorted(changed.items())
        if str(run_id) in gaps
    ]
    beside = [costs for run_id, costs in changed.items() if str(run_id) not in gaps]
    lines.append(
        f"{len(beside)} runs beside a gap of their cluster: "
        f"{sum(found for _, found in beside):.4f} of {sum(true for true, _ in beside):.4f} USD"
    )
    with capsys.disabled():
        print(f"\n{month.of.workspace.name}, {month.loaded}:", *lines, sep="\n  ")  # noqa: T201 - what is asked for


def _sum(days: Mapping[tuple[str, str], Mapping[str, float]], cluster_id: str) -> float:
    return sum(amounts["total_usd"] for key, amounts in days.items() if key[0] == cluster_id)


def test_a_row_says_when_its_end_was_imputed(month: Month) -> None:
    ends = {
        task["run_id"]: not task["is_end_told"] and task["ended_ms"] is not None
        for task in month.tasks().values()
    }
    assert differing(dict(month.runs.select("run_id", "end_imputed").iter_rows()), ends) == []
    is_told = {
        task["run_id"]: (task["is_end_told"], task["ended_ms"])
        for run in month.truth["runs"].values()
        for task in run["tasks"]
    }
    lost = [run_id for run_id, (is_so, _) in is_told.items() if not is_so]
    off_ms = {
        found and found - is_told[run_id][1]
        for run_id in lost
        for found in (month.tasks()[run_id]["ended_ms"],)
    }
    assert off_ms <= {1000, None}
    assert bool(lost) == (month.of.workspace.size >= 1)


def test_every_run_is_shown_as_it_was(month: Month) -> None:
    expected = expected_runs(month.of, month.span)
    found = runs_shown(month.observed, month.organization_id)
    if month.of.workspace.name == BY_SYSTEM_TABLE:
        assert undelivered(month.world, month.of, month.span.asked_ms) == set()
    assert differing_values(found, expected) == []
    kinds = Counter(kind_of(run) for run in expected.values())
    seen = {what for kind in kinds for what in kind}
    if month.of.workspace.size >= 1:
        assert seen >= {"Succeeded", "Failed", "Canceled", "TimedOut", "Skipped", "InternalError"}
        assert seen >= {IMPUTED, NEVER_STARTED, REPAIRED, OVER_MIDNIGHT, FOR_DAYS}
    assert seen >= {OPEN, SHARED}


def test_every_change_of_every_job_is_shown_as_it_was(month: Month) -> None:
    expected = expected_jobs(month.of, month.span)
    found = jobs_shown(month.observed, month.organization_id)
    assert differing_values(found, expected) == []
    if month.of.workspace.size >= 1:
        assert {action for _, _, action in expected} == {*CHANGES_OF_JOBS, "snapImpute"}


def test_every_version_of_every_cluster_is_shown_as_it_was(month: Month) -> None:
    span = month.span
    expected = Versions(month.world, month.of, span.first_asked_ms, span.until_ms).rows()
    found = shown_versions(month.shown(cluster.VIEW))
    assert differing_values(found, expected) == []
    if month.of.workspace.size >= 1:
        assert {action for _, _, action in expected} == {*CHANGES, "snapImpute"}


def test_what_a_run_was_asked_with_is_kept(month: Month) -> None:
    asked = {run.run_id: run for run in month.of.compute.runs()}
    seen: Counter[str] = Counter()
    for row in month.shown(jobrun.VIEW).iter_rows(named=True):
        run = asked[row["job_run_id"]]
        if "notebook_params" in run.request:
            given = row["manual_override_params"]["notebook_params"]
            assert dict(given) == run.request["notebook_params"]
            seen["overrides"] += 1
        if run.asked == SUBMIT:
            [task] = row["submitRun_details"]["tasks"]
            assert (task["task_key"], row["run_name"]) == (row["task_key"], run.name)
            assert row["time_detail"]["timeout_seconds"] == 3600
            seen["submitted"] += 1
        if row["repair_id"] is not None:
            [repair] = row["repair_details"]
            [known] = [each for each in run.repairs if each.repair_id == row["repair_id"]]
            by = (known.at_ms, known.by.email)
            assert (repair["repair_timestamp"], repair["repairedBy"]) == by
            seen["repaired"] += 1
    if month.of.workspace.size >= 1:
        assert min(seen[what] for what in ("overrides", "submitted", "repaired")) > 2


def test_prices_change_in_the_middle_of_the_days(month: Month) -> None:
    changes_on = month.company.demo.first_day + timedelta(days=DAYS // 2)
    rows = month.shown(clusterstatefact.VIEW).filter(pl.col("sku") == "interactive")
    rates = rows.select(pl.col("state_start_date") >= changes_on, "dbu_rate").unique()
    expected = {(False, 0.55), (True, 0.60)}
    assert set(rates.rows()) == (expected if month.loaded.days == DAYS else {(False, 0.55)})


def test_every_cost_agrees_with_the_rules_of_the_table(month: Month) -> None:
    rows = month.states
    hours, multiplier = pl.col("uptime_in_state_H"), pl.col("photon_multiplier")
    worker = pl.col("workerSpecs").struct
    current, target = pl.col("current_num_workers"), pl.col("target_num_workers")
    dbus = worker.field("Hourly_DBUs") * current * hours * multiplier
    checks = {
        "worker_dbu_cost": dbus * pl.col("dbu_rate"),
        "worker_compute_cost": worker.field("Compute_Contract_Price") * target * hours,
        "worker_potential_core_H": worker.field("vCPUs") * current * hours,
    }
    has_workers = rows.filter("databricks_billable", pl.col("workerSpecs").is_not_null())
    assert has_workers.height > 0
    for name, expected in checks.items():
        assert has_workers.select((pl.col(name) - expected).abs().max()).item() < RELATIVE
    idle = rows.filter(~pl.col("cloud_billable"))
    assert idle["total_cost"].to_list() == [0.0] * idle.height


def test_workspaces_are_kept_apart(months: Mapping[str, Month]) -> None:
    [observed, *_] = [month.observed for month in months.values()]
    per_cluster = (
        observed.deployment.store.scan(BY_TABLE["clusterstatefact_gold"])
        .group_by("cluster_id")
        .agg(pl.col(ORGANIZATION_ID.name).n_unique())
        .collect()
    )
    assert per_cluster[ORGANIZATION_ID.name].to_list() == [1] * per_cluster.height
