"""Which part of a cluster's states each run on the cluster bears.

Runs share each moment of their cluster evenly, so that what they bear together is the time with
at least one run. A state lasts from its start up to before the next one; a run bears a state

- from its own start, or the state's if that is later. Where the cluster is coming up, or was
  made for the run, the run that started first in the state bears its beginning too;
- up to its own end, or the state's if that is earlier: never what comes after it.

What no run bears is idle. Frames have these columns besides their own; all times are epoch ms
and half-open:

- runs: `run_id`, `cluster_id`, `cluster_type`, `_run_since_ms`, `_run_until_ms`;
- states, disjoint on a cluster: `cluster_id`, `state`, `_state_since_ms`, `_state_until_ms`.
"""

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.durations import date_of, midnight_ms

COMING_UP = ("CREATING", "STARTING")
MADE_FOR_RUN = "new"
"""Kind of a cluster that exists for one run."""

PARTS = 720_720
"""Parts of a millisecond in which shares are counted: from 1 to 16 runs divide them evenly.

Sums of whole numbers are exact in any order: shares and idle time add up to the state without a
tolerance. Of more than 16 runs less than a part of each moment between two changes is idle.
"""

OF_STATE = "_state"
"""Number of a state among those of the frame."""


def run_states(runs: pl.LazyFrame, states: pl.LazyFrame) -> pl.LazyFrame:
    """One row per run and state in which it ran, with `_since_ms` and `_until_ms` it bears."""
    return states_met(runs, states).with_columns(
        _since_ms=_borne_since(),
        _until_ms=pl.min_horizontal("_state_until_ms", "_run_until_ms"),
    )


def states_met(runs: pl.LazyFrame, states: pl.LazyFrame) -> pl.LazyFrame:
    """One row per run and state in which it ran, with the columns of both.

    A run meets states that stand in a row, because states are disjoint: only their first and
    last one are looked for. States without length are none.
    """
    numbered = (
        states.filter(pl.col("_state_until_ms") > pl.col("_state_since_ms"))
        .sort("cluster_id", "_state_since_ms")
        .with_row_index(OF_STATE)
        .with_columns(pl.col(OF_STATE).cast(pl.Int64))
    )
    first = numbered.select("cluster_id", "_state_until_ms", _first=OF_STATE)
    last = numbered.select("cluster_id", "_state_since_ms", _last=OF_STATE)
    return (
        runs.sort("_run_since_ms")
        .join_asof(
            first.sort("_state_until_ms"),
            left_on="_run_since_ms",
            right_on="_state_until_ms",
            by="cluster_id",
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .sort("_run_until_ms")
        .join_asof(
            last.sort("_state_since_ms"),
            left_on="_run_until_ms",
            right_on="_state_since_ms",
            by="cluster_id",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .select(
            *runs.collect_schema(), pl.int_ranges("_first", pl.col("_last") + 1).alias(OF_STATE)
        )
        .explode(OF_STATE)
        .join(numbered.drop("cluster_id"), on=OF_STATE)
    )


def _borne_since() -> pl.Expr:
    """From when on a run bears a state: the first of the state may bear its beginning."""
    start = pl.col("_run_since_ms")
    is_first = start == start.min().over(OF_STATE)
    is_coming_up = pl.col("state").is_in(COMING_UP) | (pl.col("cluster_type") == MADE_FOR_RUN)
    return (
        pl.when(is_first & is_coming_up)
        .then("_state_since_ms")
        .otherwise(pl.max_horizontal("_state_since_ms", start))
    )


def day_pieces(
    spans: pl.LazyFrame, zone: str, since: str = "_since_ms", until: str = "_until_ms"
) -> pl.LazyFrame:
    """Spans cut at the midnights of a time zone: `_day`, `_piece_since_ms`, `_piece_until_ms`.

    A span without length stays a piece.
    """
    first_ms, last_ms = pl.col(since), pl.max_horizontal(pl.col(until) - 1, since)
    day = pl.col("_day")
    return (
        spans.with_columns(_day=pl.date_ranges(date_of(first_ms, zone), date_of(last_ms, zone)))
        .explode("_day")
        .with_columns(
            _piece_since_ms=pl.max_horizontal(since, midnight_ms(day, zone)),
            _piece_until_ms=pl.min_horizontal(until, midnight_ms(day.dt.offset_by("1d"), zone)),
        )
    )


def shared(pieces: pl.LazyFrame) -> pl.LazyFrame:
    """Pieces with `_parts`, what they bear, and `_overlapping_runs` of their run state.

    The instants of a state at which something begins or ends stand in a row. `_parts_before` is
    what a run would have borne up to one of them, had it been there from the first on; a piece
    bears the difference between its two.

    Args:
        pieces: Of every run in each of the states; what is missing is taken for absent.
    """
    piece, of_run, state = ["run_id", OF_STATE, "_day"], ["run_id", OF_STATE], [OF_STATE]
    is_start = pl.col("_is_start")
    instant = pl.when(is_start).then("_piece_since_ms").otherwise("_piece_until_ms")
    begins = is_start & (pl.col("_piece_since_ms") == pl.col("_since_ms"))
    ends = ~is_start & (pl.col("_piece_until_ms") == pl.col("_until_ms"))
    instants = (
        pieces.with_columns(_is_start=pl.lit([True, False]))
        .explode("_is_start")
        .with_columns(_at=instant, _begins=begins.cast(pl.Int64), _ends=ends.cast(pl.Int64))
        .sort(OF_STATE, "_at")
        .with_columns(
            _begun=pl.col("_begins").cum_sum().over(state),
            _ended=pl.col("_ends").cum_sum().over(state),
        )
        .with_columns(
            pl.col("_begun", "_ended").max().over(OF_STATE, "_at"),
            _begun_before=pl.col("_begun").max().over(OF_STATE, "_at")
            - pl.col("_begins").sum().over(OF_STATE, "_at"),
        )
    )
    running = pl.col("_begun") - pl.col("_ended")
    # After the last instant of a state none is running: the one that follows is never looked at.
    length_ms = pl.col("_at").shift(-1) - pl.col("_at")
    parts = pl.when(running > 0).then(length_ms * PARTS // running).otherwise(0)
    borne = pl.col("_parts_before") * pl.when(is_start).then(-1).otherwise(1)
    others = pl.col("_begun_before") * pl.col("_ends") - pl.col("_ended") * pl.col("_begins")
    has_length = pl.col("_until_ms") > pl.col("_since_ms")
    return (
        instants.with_columns(_parts=parts)
        .with_columns(_parts_before=pl.col("_parts").cum_sum().over(state) - pl.col("_parts"))
        .with_columns(
            _parts=borne.sum().over(piece),
            _overlapping_runs=pl.when(has_length).then(others.sum().over(of_run) - 1).otherwise(0),
        )
        .filter(is_start)
        .select(*pieces.collect_schema(), "_parts", "_overlapping_runs")
    )


def share_of_state() -> pl.Expr:
    """What a piece bears of its state's amounts: 1 is all of them."""
    length_ms = pl.col("_state_until_ms") - pl.col("_state_since_ms")
    return quotient(pl.col("_parts"), length_ms * PARTS)
