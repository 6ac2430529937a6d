"""Whether the configuration still says what tables were loaded with: a run refuses others."""

from overwatch_assets.config import Config
from overwatch_assets.frozen_facts import frozen_since_loaded
from overwatch_assets.operations.dagster_home import open_instance
from overwatch_assets.operations.validation.findings import Check, Finding

RULE = "Frozen_Facts"


def frozen_finding(config: Config) -> Finding:
    """Compare time zone and first days with those of what was loaded; nothing is recorded."""
    check = Check(RULE, "", "compare time zone and first days with what was loaded")
    if not config.dagster_home.is_dir():
        return check.ok("nothing was loaded yet")
    with open_instance(config.dagster_home) as instance:
        differences = frozen_since_loaded(instance, config)
    if differences:
        return check.error("; ".join(differences), "Write again what it was loaded with")
    return check.ok("they are the same")
