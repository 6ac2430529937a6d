"""The documented questions, and what the truth about the made-up company answers to them."""

import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

QUERIES = Path(__file__).parent.parent.parent / "docs" / "queries"

NAMES = sorted(path.stem for path in QUERIES.glob("*.sql"))

Said = dict[str, Any]
Rows = list[Said]


def query_text(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text()


def read_by(name: str) -> set[str]:
    """Views that a question is asked of."""
    return set(re.findall(r"\b(?:from|join) (\w+)", query_text(name)))


def cluster_days(truth: Said, amount: str) -> dict[tuple[str, str], float]:
    """What each cluster cost on each day."""
    return {
        (cluster_id, day): of_day[amount]
        for cluster_id, cluster in truth["compute"]["clusters"].items()
        for day, of_day in cluster["days"].items()
    }


def days(truth: Said, amount: str) -> dict[str, float]:
    """What all clusters cost by day."""
    costs: defaultdict[str, float] = defaultdict(float)
    for (_, day), usd in cluster_days(truth, amount).items():
        costs[day] += usd
    return dict(costs)


def dearest(truth: Said) -> set[tuple[str, str]]:
    """The three most expensive clusters of each day."""
    costs = cluster_days(truth, "total_usd")
    by_day: defaultdict[str, list[str]] = defaultdict(list)
    for cluster_id, day in sorted(costs, key=lambda each: -costs[each]):
        by_day[day].append(cluster_id)
    return {(day, each) for day, clusters in by_day.items() for each in clusters[:3]}


def states(truth: Said) -> Counter[str]:
    """How often clusters were in each state that began on the days played."""
    return Counter(
        state["state"]
        for cluster in truth["compute"]["clusters"].values()
        for state in cluster["states"]
    )


def endings(truth: Said) -> Counter[str]:
    """How task runs ended."""
    tasks = (task for run in truth["compute"]["runs"].values() for task in run["tasks"])
    return Counter(task["ending"] for task in tasks if task["ending"])


def spark_sum(truth: Said, name: str) -> int:
    """A metric of all Spark tasks."""
    return sum(day["sums"][name] for day in truth["days"].values())


def failed_spark_jobs(truth: Said) -> int:
    """Spark jobs that failed."""
    results = (day["spark_jobs"] for day in truth["days"].values())
    return sum(count for each in results for name, count in each.items() if name != "JobSucceeded")
