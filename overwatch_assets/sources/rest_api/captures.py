"""What a workspace has at this moment, as its API lists it.

An API tells only of now, so only the day that has begun is captured; a past day is not asked for,
and what was captured on it stays. An object that is none is rejected, all beside it is kept.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import cast

import polars as pl

from overwatch_assets.module import DayWindow
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.json_lines import KEPT_BYTES
from overwatch_assets.sources.json_shapes import Shaper, json_text
from overwatch_assets.sources.rest_api.api import Api, ApiError, Json
from overwatch_assets.sources.rest_api.endpoints import Listing
from overwatch_assets.sources.rest_api.fan_out import fan_out
from overwatch_assets.sources.rest_api.paging import listed
from overwatch_assets.sources.secret_texts import struck_out
from overwatch_assets.sources.signed_hash import signed_hash

CAPTURED_AT_MS = "captured_at_ms"
PAST_DAY = "past day, no capture"
KEPT_REJECTS = 10_000
"""Rejected objects of one capture that are kept; more are only counted."""

REJECTED_SCHEMA = pl.Schema(
    {
        "table": pl.String,
        "endpoint": pl.String,
        "reason": pl.String,
        "record_hash": pl.Int64,
        "record": pl.String,
    }
)


@dataclass(frozen=True, slots=True)
class Captures:
    """Captures the objects of an endpoint.

    Attributes:
        api: The workspace's API.
        listing: What is asked.
        table: For whom; rejected objects are kept under this name.
        cloud: Cloud that the workspace runs in.
        threads: Questions at the same time, where objects are asked for one by one.
    """

    api: Api
    listing: Listing
    table: str
    cloud: str
    threads: int

    def gather(self, request: Request) -> Gathered:
        """List the objects, if the day that has begun is asked for.

        Raises:
            SourceError: The API can't be asked.
        """
        if self.listing.clouds and self.cloud not in self.listing.clouds:
            clouds = " and ".join(sorted(self.listing.clouds))
            reason = f"{self.cloud} has none of them, only {clouds} has; nothing was asked"
            return nothing_gathered(request, reason)
        today = day_that_has_begun(request)
        if today is None:
            return nothing_gathered(request, PAST_DAY)
        objects, rejects = self._objects(request.organization_id)
        return captured(
            request, today, objects, listing=self.listing, table=self.table, rejects=rejects
        )

    def _objects(self, organization_id: str) -> tuple[Sequence[object], Sequence["Reject"]]:
        """What is listed, each object whole, and those that could not be completed."""
        objects = list_of(self.api, self.listing, organization_id)
        parts = {
            number: one
            for number, each in enumerate(objects)
            if (one := as_json(each)) is not None and self.listing.is_part(one)
        }
        complete = partial(self.listing.complete, self.api)
        told = fan_out(complete, list(parts.values()), threads=self.threads)
        whole = dict(zip(parts, told, strict=True))
        rejects = [
            Reject(
                f"could not be completed: {error}", _without(self.listing.dropped, parts[number])
            )
            for number, error in whole.items()
            if isinstance(error, ApiError)
        ]
        completed = [whole.get(number, each) for number, each in enumerate(objects)]
        return [each for each in completed if not isinstance(each, ApiError)], rejects


@dataclass(frozen=True, slots=True)
class Reject:
    """What was listed and is no object of its kind."""

    reason: str
    record: object


def as_json(value: object) -> Json | None:
    """The value, if it is an object."""
    return cast("Json", value) if isinstance(value, dict) else None


def list_of(api: Api, listing: Listing, organization_id: str) -> list[object]:
    """All that an endpoint lists.

    Raises:
        ApiError: It can't be asked.
    """
    what = f"workspace {organization_id}: {listing}"
    return list(
        listed(lambda query: api.get(listing.path, query), listing.query, listing.key, what=what)
    )


def day_that_has_begun(request: Request) -> date | None:
    """The day asked for that is now; None: there is none."""
    return next((each.day for each in request.days if _is_now(each, request.now_ms)), None)


def nothing_gathered(request: Request, reason: str) -> Gathered:
    """No rows, and why."""
    reasons = {each.day: reason for each in request.days}
    return Gathered(rows={}, rejected={}, processed=pl.DataFrame(), reasons=reasons)


def captured(
    request: Request,
    today: date,
    objects: Iterable[object],
    *,
    listing: Listing,
    table: str,
    rejects: Sequence[Reject] = (),
) -> Gathered:
    """Objects as rows of today, with the instant of the capture.

    Args:
        request: What was asked for.
        today: The day that has begun.
        objects: As the API gave them.
        listing: Where the objects are from.
        table: For whom.
        rejects: Further records that are none.
    """
    good: list[Json] = []
    rejects = [*rejects]
    for each in objects:
        one = as_json(each)
        if one is None:
            rejects.append(Reject("is no object", each))
        else:
            good.append(listing.prepare(_without(listing.dropped, one)))
    columns = {name: dtype for name, dtype in request.schema.items() if name != CAPTURED_AT_MS}
    shaped = Shaper(pl.Schema(columns)).shape(good)
    has_name = shaped.rows[listing.object_id].cast(pl.String).str.strip_chars().str.len_bytes() > 0
    nameless: list[int] = (~has_name.fill_null(value=False)).arg_true().to_list()
    rejects += [Reject(f"has no {listing.object_id}", good[number]) for number in nameless]
    rows = shaped.rows.filter(has_name).with_columns(
        pl.lit(request.now_ms, dtype=pl.Int64).alias(CAPTURED_AT_MS)
    )
    counts = {f"unfit_{name}": count for name, count in shaped.lost.items()}
    if len(rejects) > KEPT_REJECTS:
        counts["rejected_not_kept"] = len(rejects) - KEPT_REJECTS
    return Gathered(
        rows={today: rows.select(request.schema.names()).lazy()},
        rejected=_rejected(table, listing, rejects, today),
        processed=pl.DataFrame(),
        counts=counts,
        reasons={each.day: PAST_DAY for each in request.days}
        | {today: f"{listing} listed nothing"},
    )


def _without(names: Collection[str], each: Json) -> Json:
    return {name: value for name, value in each.items() if name not in names}


def _rejected(
    table: str, listing: Listing, rejects: Sequence[Reject], today: date
) -> Mapping[date, pl.DataFrame]:
    if not rejects:
        return {}
    rows: list[tuple[object, ...]] = []
    for each in rejects[:KEPT_REJECTS]:
        kept = json_text(each.record) or "nested too deeply"
        record = struck_out(kept).encode()[:KEPT_BYTES].decode(errors="ignore")
        rows.append((table, str(listing), each.reason, signed_hash(record.encode()), record))
    return {today: pl.DataFrame(rows, schema=REJECTED_SCHEMA, orient="row")}


def _is_now(day: DayWindow, now_ms: int) -> bool:
    return day.window.since_ms <= now_ms < day.window.until_ms
