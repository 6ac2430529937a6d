"""What becomes of personal and confidential data, and whether the key for it is there."""

from overwatch_assets.config import Config
from overwatch_assets.errors import ConfigError, SourceError
from overwatch_assets.operations.validation.findings import Check, Finding
from overwatch_assets.resources import redaction_of

RULE = "Redaction"
_REMEDY = "Put a key where redaction.key says, for the user that runs this"


def redaction_finding(config: Config) -> Finding:
    """Tell what is redacted, with which reference's key."""
    check = Check(RULE, "", "see what becomes of personal and confidential data")
    try:
        redaction = redaction_of(config)
    except (ConfigError, SourceError) as error:
        return check.failed(error, _REMEDY)
    if redaction is None:
        return check.ok("it is stored as it is")
    rules = config.redaction
    told = (
        f"emails: {rules.emails}, ip_addresses: {rules.ip_addresses}, "
        f"sql_text: {rules.sql_text}, command_text: {rules.command_text}, key: {rules.key}"
    )
    return check.ok(told)
