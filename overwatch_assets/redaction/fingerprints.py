"""Hashes of records that tell nobody what was hashed, and whose key they were made with.

A plain hash of an event tells who it was to whoever tries all the users. Of the 64 bits of a
keyed one 32 come from the plain one, 12 from the key alone, and 20 tell that it is no plain hash:
so it is never hashed twice, and rows that were stored under another key are known.
"""

from collections.abc import Callable, Sequence

import polars as pl

from overwatch_assets.module import Content, Grain, Table

TAG_BITS, CHECK_BITS = 12, 20

_TAGS, _CHECKS = 1 << TAG_BITS, 1 << CHECK_BITS
_MIXER = 0x9E3779B97F4A7C15
_WORD = 1 << 64


def keyed(hashes: pl.Series, hidden: Callable[[int], int], tag: int) -> pl.Series:
    """Hashes made with a key; those that were made with one stay.

    Args:
        hashes: Plain hashes and others.
        hidden: From a plain one to 32 bits that only the key's owner can make of it.
        tag: What tells the key.
    """
    is_plain = pl.select(tag_in(pl.lit(hashes)).is_null()).to_series() & hashes.is_not_null()
    if not is_plain.any():
        return hashes
    made = [_keyed(hidden(each), tag) for each in hashes.filter(is_plain)]
    return hashes.clone().scatter(is_plain.arg_true(), made)


def tag_in(hashes: pl.Expr) -> pl.Expr:
    """What a hash tells of the key that it was made with; null: it is a plain one."""
    word = hashes.reinterpret(signed=False)
    body, check = word // _CHECKS, word % _CHECKS
    mixed = (body + 1) * pl.lit(_MIXER, dtype=pl.UInt64)
    is_keyed = check == mixed // (_WORD // _CHECKS)
    return pl.when(is_keyed).then(body % _TAGS)


def without_former(
    table: Table, stored: pl.LazyFrame, offered: pl.LazyFrame, tag: int | None
) -> pl.LazyFrame:
    """Stored rows without those that stand for an offered one under another key.

    Their pseudonyms can't be matched with the present ones. What such a row tells is offered again
    if a row of the same key, its hash aside, is.

    Args:
        table: Whose rows they are.
        stored: Rows that the day holds already.
        offered: Rows that were read again, as they are to be stored.
        tag: What tells the key they were made with; None: nothing is redacted.
    """
    hashes = [name for name in table.keys if is_fingerprint(table, name)]
    if not hashes or table.grain is Grain.RECORD:
        return stored
    told = tag_in(pl.col(hashes[0]))
    is_former = told.is_not_null() & told.ne_missing(tag)
    if not stored.select(is_former.any()).collect().item():
        return stored
    others = [name for name in table.keys if name not in hashes]
    former = stored.filter(is_former).join(offered, on=others, how="semi", nulls_equal=True)
    return stored.join(former, on=list(table.keys), how="anti", nulls_equal=True)


def is_fingerprint(table: Table, name: str) -> bool:
    """Whether a column is a hash of what the others hold."""
    return any(each.name == name and each.content is Content.FINGERPRINT for each in table.columns)


def key_without_hashes(
    table: Table, column: Callable[[str], pl.Expr] = pl.col
) -> Sequence[pl.Expr]:
    """The key without such hashes, made of a table's columns."""
    return [_part(key, column) for key in table.keys if not is_fingerprint(table, key)]


def _part(key: str, column: Callable[[str], pl.Expr]) -> pl.Expr:
    name, *fields = key.split(".")
    part = column(name)
    for each in fields:
        part = part.struct.field(each)
    return part.alias(key)


def _keyed(hidden: int, tag: int) -> int:
    body = hidden << TAG_BITS | tag
    check = (body + 1) * _MIXER % _WORD // (_WORD // _CHECKS)
    word = body << CHECK_BITS | check
    return word - _WORD if word >= _WORD // 2 else word
