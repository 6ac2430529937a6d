"""What clusters cost, in the cut that somebody asks for: by job, user, tag, cluster or workspace.

    from overwatch_assets.costs import costs
    costs(window="30d", by=["job"], idle="share")

Here belongs how a question is read. Not here: how costs are allocated
(`expressions/cost_allocation.py`).
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from overwatch_assets.config import Config, load_config
from overwatch_assets.errors import ConfigError
from overwatch_assets.expressions.cost_allocation import KINDS, Idle, Step, allocated
from overwatch_assets.presentation.reading import newest_days, rows_of
from overwatch_assets.resources import Deployment
from overwatch_assets.views import BY_NAME, reach_of

STATES, RUNS = "clusterstatefact_gold", "jobruncostpotentialfact_gold"
TAG = "tag:"
_DAYS = re.compile(r"([1-9][0-9]{0,4})d")


def costs(
    config: Config | None = None,
    *,
    window: str = "7d",
    by: Sequence[str] = (),
    step: Step | str = Step.WINDOW,
    idle: Idle | str = Idle.SEPARATE,
    workspaces: Sequence[str] = (),
) -> pl.DataFrame:
    """Rows of costs in USD, the dearest first. They add up to the same whatever `by` and `idle`.

    Args:
        config: The deployment; None: the one that `overwatch` would use here.
        window: The last days up to the newest one that is loaded, such as `7d`; or the first and
            the last day, such as `2026-10-05..2026-10-11`.
        by: What rows are told apart by: `workspace`, `cluster`, `job`, `user`, `tag` (all tags of
            the cluster together) or `tag:KEY` (the value of one).
        step: How long a row's time is: `day`, `week`, `month`, or the whole `window`.
        idle: What no run bears: rows of its own (`separate`), borne by the runs beside it
            (`share`), or a row of what is not shown (`hide`).
        workspaces: Only these, by id or name; none: all that are shown.

    Raises:
        ConfigError: An argument fits nothing.
    """
    config = config or load_config()
    reach = reach_of(config, workspaces)
    kinds = [each for each in by if not each.startswith(TAG)]
    for each in kinds:
        if each not in KINDS:
            known = ", ".join([*KINDS, f"{TAG}KEY"])
            raise ConfigError(f"costs can't be told by {each!r}; they can by {known}")
    store = Deployment(config=config, modules={}).store
    newest = newest_days(store, BY_NAME[STATES], reach)
    if reach.workspaces is not None:
        newest = {org: day for org, day in newest.items() if org in reach.workspaces}
    first, last = _window(window, max(newest.values(), default=date.min))
    return allocated(
        rows_of(store, BY_NAME[STATES], reach),
        rows_of(store, BY_NAME[RUNS], reach),
        zone=reach.timezone.key,
        first=first,
        last=last,
        by=[KINDS[each] for each in kinds],
        tag_keys=[each.removeprefix(TAG) for each in by if each.startswith(TAG)],
        step=Step(step),
        idle=Idle(idle),
    ).collect()


def _window(text: str, newest: date) -> tuple[date, date]:
    if count := _DAYS.fullmatch(text):
        days = min(int(count[1]) - 1, (newest - date.min).days)
        return newest - timedelta(days=days), newest
    first, separator, last = text.partition("..")
    try:
        days = (date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        days = None
    if not separator or days is None or days[1] < days[0]:
        what = f"the window {text!r} is none"
        raise ConfigError(f"{what}; write for example 7d, or 2026-10-05..2026-10-11")
    return days
