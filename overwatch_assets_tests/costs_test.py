from datetime import date

import pytest

from overwatch_assets.costs import costs
from overwatch_assets.demo.setup import demo_config
from overwatch_assets.errors import ConfigError

ANY = demo_config()


@pytest.mark.parametrize("window", ["7", "0d", "d", "2026-10-07..2026-10-05", "2026-10-05", "x..y"])
def test_a_window_that_is_none_is_refused(window: str) -> None:
    with pytest.raises(ConfigError, match="write for example 7d"):
        costs(ANY, window=window)


def test_what_costs_cannot_be_told_by_is_answered_with_what_they_can() -> None:
    with pytest.raises(ConfigError, match="workspace, cluster, job, user, tag, tag:KEY"):
        costs(ANY, by=["team"])


def test_nothing_loaded_costs_nothing() -> None:
    for window in ("7d", "99999d", f"{date(2026, 10, 5)}..{date(2026, 10, 5)}"):
        assert costs(ANY, window=window, by=["job", "tag:team"], idle="share").is_empty()
