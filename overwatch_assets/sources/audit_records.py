"""One delivered audit event to one canonical row, or to the reason why it is none.

The canonical row is the same whatever the route an event came by: absent, null and blank are
null, numbers that come as text are numbers, request parameters are canonical JSON text.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec
import polars as pl

from overwatch_assets.sources.canonical_json import (
    TooDeep,
    as_object,
    canonical_params,
    compact_text,
    scalar_text,
)
from overwatch_assets.sources.secret_texts import texts_struck_out
from overwatch_assets.sources.signed_hash import signed_hash

KEPT_ID = 64

Row = dict[str, str | int | date | None]

RECORD_SCHEMA = pl.Schema(
    {
        "serviceName": pl.String,
        "actionName": pl.String,
        "timestamp": pl.Int64,
        "date": pl.Date,
        "sourceIPAddress": pl.String,
        "userAgent": pl.String,
        "requestId": pl.String,
        "sessionId": pl.String,
        "version": pl.String,
        "hashKey": pl.Int64,
        "userIdentity": pl.Struct({"email": pl.String, "subjectName": pl.String}),
        "response": pl.Struct(
            {"statusCode": pl.Int64, "errorMessage": pl.String, "result": pl.String}
        ),
        "requestParams": pl.String,
        "auditLevel": pl.String,
        "accountId": pl.String,
        "category": pl.String,
        "filename": pl.String,
    }
)
"""What is handed over of an audit event; `organization_id` is the workspace asked for."""

_IDENTIFYING = (
    "timestamp",
    "serviceName",
    "actionName",
    "requestId",
    "sessionId",
    "sourceIPAddress",
    "email",
    "statusCode",
    "requestParams",
)
_PLAIN = (
    "serviceName",
    "actionName",
    "sourceIPAddress",
    "userAgent",
    "requestId",
    "sessionId",
    "version",
    "auditLevel",
    "accountId",
    "category",
)
_FREE_TEXTS = ("userAgent", "errorMessage", "result", "requestParams")
_DBSQL_SPELLINGS = {
    "DataSourceId": "dataSourceId",
    "DashboardId": "dashboardId",
    "AlertId": "alertId",
}


class NoRecord(ValueError):
    """A line is no audit event; the text is the reason, for the rejected row."""


class NotJson(NoRecord):
    """A line is no JSON; the last line of a file may merely be unfinished."""


class Delivered(msgspec.Struct, gc=False):
    """The fields used of an event as a bucket's file has it; the rest is skipped undecoded."""

    timestamp: object = None
    serviceName: object = None  # noqa: N815 - as delivered
    actionName: object = None  # noqa: N815 - as delivered
    sourceIPAddress: object = None  # noqa: N815 - as delivered
    userAgent: object = None  # noqa: N815 - as delivered
    requestId: object = None  # noqa: N815 - as delivered
    sessionId: object = None  # noqa: N815 - as delivered
    version: object = None
    userIdentity: object = None  # noqa: N815 - as delivered
    response: object = None
    requestParams: object = None  # noqa: N815 - as delivered
    auditLevel: object = None  # noqa: N815 - as delivered
    accountId: object = None  # noqa: N815 - as delivered
    orgId: object = None  # noqa: N815 - as delivered
    category: object = None


Form = Callable[[bytes], Sequence[Delivered | NoRecord]]
"""How a route writes a line: to the events it holds, in the bucket's spelling; in the place of
one that can't be read, the reason."""

_decoder = msgspec.json.Decoder(Delivered)


def bucket_line(line: bytes) -> Sequence[Delivered]:
    """The event of a line of bucket delivery."""
    return (_decoder.decode(line),)


@dataclass(frozen=True, slots=True)
class AuditRecords:
    """Makes events rows.

    Attributes:
        form: How the route writes a line.
        organization_id: The workspace, where it is known by its number: events that name another
            are none of it. None: whatever they name.
        counts: Values that had another shape than their column, and were left out.
    """

    form: Form = bucket_line
    organization_id: str | None = None
    counts: Counter[str] = field(default_factory=Counter[str])

    def decode(self, line: bytes) -> Sequence[Row | NoRecord]:
        """The rows of a line's events; in the place of one that is none, the reason.

        Raises:
            NoRecord: The line is no JSON of the form.
        """
        try:
            delivered = self.form(line)
        except msgspec.ValidationError as error:
            raise NoRecord(f"not an audit record: {error}") from error
        except msgspec.DecodeError as error:
            raise NotJson(f"not JSON: {error}") from error
        except UnicodeError as error:
            raise NoRecord("not valid Unicode") from error
        except (RecursionError, TooDeep) as error:
            raise NoRecord("nested too deeply") from error
        return [self.row_or_reason(each) for each in delivered]

    def row_or_reason(self, delivered: Delivered | NoRecord) -> Row | NoRecord:
        """The row of an event: the columns of `RECORD_SCHEMA`, structs as their fields.

        `date` and `filename` are the caller's to add.
        """
        if isinstance(delivered, NoRecord):
            return delivered
        try:
            row = self._row(delivered)
            row["hashKey"] = hash_key(row)
        except NoRecord as reason:
            return reason
        except UnicodeError:
            return NoRecord("not valid Unicode")
        except (RecursionError, TooDeep):
            return NoRecord("nested too deeply")
        return row

    def _row(self, delivered: Delivered) -> Row:
        self._require_own(delivered.orgId)
        row: Row = {name: self._text(name, getattr(delivered, name)) for name in _PLAIN}
        row["timestamp"] = whole_number(delivered.timestamp)
        if row["timestamp"] is None:
            raise NoRecord("no timestamp in epoch milliseconds")
        if row["serviceName"] is None or row["actionName"] is None:
            raise NoRecord("no serviceName or no actionName")
        identity = self._object("userIdentity", delivered.userIdentity)
        for name in ("email", "subjectName"):
            row[name] = self._text(name, identity.get(name))
        response = self._object("response", delivered.response)
        row["statusCode"] = whole_number(response.get("statusCode"))
        row["errorMessage"] = self._text("errorMessage", response.get("errorMessage"))
        row["result"] = compact_text(response.get("result")) or None
        params = self._object("requestParams", delivered.requestParams)
        if row["serviceName"] == "databrickssql":
            params = _one_spelling(params)
        row["requestParams"] = canonical_params(params)
        return row

    def _require_own(self, named: object) -> None:
        """Refuse an event of another workspace; account-level ones say 0, many say nothing."""
        own = self.organization_id
        other = scalar_text(named)
        if own is None or not own.isdecimal() or not other or other in {"0", own}:
            return
        raise NoRecord(f"of workspace {other[:KEPT_ID]}, not of {own}")

    def _text(self, name: str, value: object) -> str | None:
        if value is None:
            return None
        text = scalar_text(value)
        if text is None:
            self.counts[f"{name} is no text"] += 1
        return text if text and text.strip() else None

    def _object(self, name: str, value: object) -> Mapping[str, object]:
        found = as_object(value)
        if found is None and value not in (None, ""):
            self.counts[f"{name} is no object"] += 1
        return found or {}


def frame_of(rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as a frame of `RECORD_SCHEMA`; a struct whose fields are all null is null.

    What has the shape of a secret is struck out of texts that people and services write.
    """
    structs = {name: dtype for name, dtype in RECORD_SCHEMA.items() if isinstance(dtype, pl.Struct)}
    plain = {name: dtype for name, dtype in RECORD_SCHEMA.items() if name not in structs}
    fields = {field.name: field.dtype for dtype in structs.values() for field in dtype.fields}
    flat = pl.DataFrame(
        {name: [row[name] for row in rows] for name in (*plain, *fields)},
        schema={**plain, **fields},
    )
    mended = flat.with_columns(texts_struck_out(flat[name]) for name in _FREE_TEXTS)
    return mended.with_columns(
        pl.when(pl.any_horizontal(pl.col(each.name).is_not_null() for each in dtype.fields))
        .then(pl.struct(each.name for each in dtype.fields))
        .alias(name)
        for name, dtype in structs.items()
    ).select(RECORD_SCHEMA.names())


def hash_key(row: Row) -> int:
    """Signed xxh64 of what tells one event from another; null and blank are the same."""
    parts = (row[name] for name in _IDENTIFYING)
    return signed_hash("\x1f".join("" if part is None else str(part) for part in parts).encode())


def whole_number(value: object) -> int | None:
    """A number, also one written as text or with a zero fraction, if 64 bits hold it."""
    match value:
        case bool():
            return None
        case int():
            number = value
        case float() if value.is_integer():
            number = int(value)
        case str() if len(value) <= 20 and value.strip().lstrip("-").isdecimal():  # noqa: PLR2004 - digits of 64 bits and a sign
            number = int(value)
        case _:
            return None
    return number if -(1 << 63) <= number < 1 << 63 else None


def _one_spelling(params: Mapping[str, object]) -> Mapping[str, object]:
    """Some databrickssql events spell three ids with a capital; the small letter wins."""
    renamed = {_DBSQL_SPELLINGS.get(key, key): value for key, value in params.items()}
    small = {key: value for key, value in params.items() if key in renamed and value is not None}
    return {**renamed, **small}
