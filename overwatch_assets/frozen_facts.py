"""The time zone and first days that tables were loaded with, kept by the Dagster instance.

Every row's day depends on them, so a configuration that says otherwise is refused.
"""

import json
from datetime import date

import dagster as dg

from overwatch_assets.config import Config
from overwatch_assets.configuration.frozen import FrozenFacts, frozen_differences
from overwatch_assets.errors import ConfigError

KEY = "overwatch/frozen_facts"


def hold_frozen(instance: dg.DagsterInstance, config: Config) -> None:
    """Compare the configuration with what was loaded, and record what is new in it.

    Raises:
        ConfigError: The time zone or a first day is another one.
    """
    recorded = _recorded(instance)
    if differences := frozen_differences(config, recorded):
        raise ConfigError("\n".join(differences))
    configured = FrozenFacts.of(config)
    first_days = {**configured.first_days, **recorded.first_days}
    if first_days != recorded.first_days:
        text = json.dumps({"timezone": configured.timezone, "first_days": first_days}, default=str)
        instance.daemon_cursor_storage.set_cursor_values({KEY: text})


def frozen_since_loaded(instance: dg.DagsterInstance, config: Config) -> tuple[str, ...]:
    """What the configuration says differently from what was loaded; nothing is recorded."""
    return frozen_differences(config, _recorded(instance))


def _recorded(instance: dg.DagsterInstance) -> FrozenFacts:
    text = instance.daemon_cursor_storage.get_cursor_values({KEY}).get(KEY)
    if text is None:
        return FrozenFacts(timezone=None, first_days={})
    facts = json.loads(text)
    days = {org: date.fromisoformat(day) for org, day in facts["first_days"].items()}
    return FrozenFacts(timezone=facts["timezone"], first_days=days)
