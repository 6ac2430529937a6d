"""What may not change once something was loaded: the time zone and each first day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

from overwatch_assets.config import Config

_OTHERWISE = "or load everything anew under another storage root"


@dataclass(frozen=True, slots=True)
class FrozenFacts:
    """What tables were loaded with.

    Attributes:
        timezone: IANA name; None: nothing was loaded.
        first_days: First day by organization id, of workspaces that something was loaded for.
    """

    timezone: str | None
    first_days: Mapping[str, date]

    @classmethod
    def of(cls, config: Config) -> Self:
        """The facts as configured, to be recorded with the first load."""
        first_days = {each.organization_id: each.first_day for each in config.workspaces}
        return cls(timezone=config.timezone.key, first_days=first_days)


def frozen_differences(config: Config, recorded: FrozenFacts) -> tuple[str, ...]:
    """What the configuration says differently from what tables were loaded with.

    A workspace that is new, or no longer configured, is no difference.

    Returns:
        One message per difference, with the remedy; empty: none.
    """
    differences: list[str] = []
    configured = FrozenFacts.of(config)
    if recorded.timezone not in {None, configured.timezone}:
        differences.append(
            f"{config.path}: timezone is {configured.timezone}, but the tables were loaded with "
            f"days of {recorded.timezone}; write timezone: {recorded.timezone} again, {_OTHERWISE}"
        )
    for workspace in config.workspaces:
        first_day = recorded.first_days.get(workspace.organization_id, workspace.first_day)
        if workspace.first_day != first_day:
            differences.append(
                f"{config.path}: primordial_date of workspace {workspace.organization_id} "
                f"({workspace.name}) is {workspace.first_day}, but it was loaded from {first_day} "
                f"on; write primordial_date: {first_day} again, {_OTHERWISE}"
            )
    return tuple(differences)
