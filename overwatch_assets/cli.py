"""The command line: parses arguments, makes one call into the package, prints what it returned.

Exit codes: 0 done, 1 a table failed, 2 usage or configuration, 3 a source could not be reached,
130 interrupted. The commands are in `command_line/`; one imports what it needs, so that `--help`
answers at once.
"""

import sys

import click

from overwatch_assets.command_line import (
    asking,
    catalogue,
    demonstrating,
    explaining,
    loading,
    setting_up,
)
from overwatch_assets.command_line.options import INTERRUPTED, UNREACHABLE, USAGE
from overwatch_assets.errors import OverwatchError, SourceError

COMMANDS = (
    setting_up.init,
    setting_up.config,
    setting_up.validate,
    demonstrating.demo,
    demonstrating.emulator,
    loading.run,
    loading.ui,
    catalogue.modules,
    catalogue.views,
    catalogue.prices,
    asking.sql,
    asking.ddl,
    asking.cost,
    asking.diff,
    explaining.explain,
)


@click.group(commands=COMMANDS)
@click.version_option(package_name="overwatch-assets")
def cli() -> None:
    """Databricks telemetry as Delta tables: who ran what, on which compute, at what cost."""


def main() -> None:
    """Run the command line; an error that a user can mend is one line and an exit code."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except OverwatchError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(UNREACHABLE if isinstance(error, SourceError) else USAGE)


if __name__ == "__main__":
    main()
