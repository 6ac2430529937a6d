"""How fast the project is, against what: `python -m benchmarks [BENCHMARK]`.

Exit codes: 0 every goal met, 1 a goal missed, 2 usage, 3 a way failed or found other numbers
than it should.
"""

import sys

import click

from benchmarks.company_days import company_days
from benchmarks.event_logs import event_logs
from benchmarks.growth import growth, history
from benchmarks.huge_day import huge_day
from benchmarks.silver_on_spark import silver_on_spark

BENCHMARKS = (event_logs, company_days, silver_on_spark, growth)
LONG = (history, huge_day)
"""An hour or more each: run by name only."""


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Measure CPU and memory; without a name all but the longest, one after the other."""
    if context.invoked_subcommand is None:
        sys.exit(max(map(_exit_code, BENCHMARKS)))


def _exit_code(benchmark: click.Command) -> int:
    try:
        benchmark.main([], prog_name=benchmark.name)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0


for each in (*BENCHMARKS, *LONG):
    main.add_command(each)


if __name__ == "__main__":
    main()
