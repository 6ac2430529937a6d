from datetime import date

from overwatch_assets.configuration.frozen import FrozenFacts, frozen_differences
from overwatch_assets_tests.configuration.loading import MINIMAL, loaded

WORKSPACE = "1234567890123456"
FIRST_DAY = date(2026, 9, 21)


def test_what_is_configured_does_not_differ_from_itself() -> None:
    config = loaded(MINIMAL)
    assert FrozenFacts.of(config) == FrozenFacts("UTC", {WORKSPACE: FIRST_DAY})
    assert frozen_differences(config, FrozenFacts.of(config)) == ()


def test_before_anything_is_loaded_nothing_is_frozen() -> None:
    assert frozen_differences(loaded(MINIMAL), FrozenFacts(None, {})) == ()


def test_workspaces_come_and_go() -> None:
    assert frozen_differences(loaded(MINIMAL), FrozenFacts("UTC", {"2": FIRST_DAY})) == ()


def test_another_time_zone_and_another_first_day_are_told_with_the_remedy() -> None:
    recorded = FrozenFacts("Europe/Berlin", {WORKSPACE: date(2026, 9, 1)})
    zone, first_day = frozen_differences(loaded(MINIMAL), recorded)
    assert zone == (
        "/etc/overwatch/overwatch.yaml: timezone is UTC, but the tables were loaded with days of "
        "Europe/Berlin; write timezone: Europe/Berlin again, "
        "or load everything anew under another storage root"
    )
    assert first_day == (
        "/etc/overwatch/overwatch.yaml: primordial_date of workspace 1234567890123456 (analytics) "
        "is 2026-09-21, but it was loaded from 2026-09-01 on; "
        "write primordial_date: 2026-09-01 again, "
        "or load everything anew under another storage root"
    )
