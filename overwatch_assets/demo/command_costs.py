"""What the DBUs of a cluster cost while a notebook command ran, by the cluster's true states.

An hour of a state costs what `cost_shares.py` says. Commands that run at once each have all of it.
"""

from collections.abc import Iterable, Mapping

from overwatch_assets.demo.cluster_life import ClusterLife
from overwatch_assets.demo.cost_shares import hourly_of, states_of
from overwatch_assets.demo.estate import NotebookCommand
from overwatch_assets.demo.prices import Prices
from overwatch_assets.demo.scene import HOUR_MS


def command_costs(
    commands: Iterable[NotebookCommand],
    lives: Iterable[ClusterLife],
    prices: Prices,
    until_ms: int,
) -> Mapping[str, float]:
    """Return USD by command id, of those whose cluster is told."""
    by_cluster = {life.cluster_id: life for life in lives}
    return {
        each.command_id: _usd(each, by_cluster[each.cluster_id], prices, until_ms)
        for each in commands
        if each.cluster_id is not None
    }


def _usd(command: NotebookCommand, life: ClusterLife, prices: Prices, until_ms: int) -> float:
    usd = 0.0
    for state in states_of(life, until_ms):
        ran_ms = min(state.until_ms, command.ended_ms) - max(state.since_ms, command.started_ms)
        if ran_ms > 0:
            usd += hourly_of(state, life, prices).dbu_usd * ran_ms / HOUR_MS
    return usd
