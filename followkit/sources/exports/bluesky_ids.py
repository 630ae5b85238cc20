"""Names and times of Bluesky: accounts (DIDs), at-URIs, and record keys (TIDs) that hold a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

__all__ = ["EARLIEST", "account_of_uri", "is_did", "time_of_tid", "time_of_uri"]

#: The network did not exist before; earlier keys and dates are made up, or brought from elsewhere.
EARLIEST = datetime(2022, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TID_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
#: The highest bit of the 64 is always 0, so the first letter is one of the first half.
TID = re.compile(f"[{TID_LETTERS[:16]}][{TID_LETTERS}]{{12}}")
#: The lowest bits of a TID tell clocks apart; the others are microseconds since 1970.
CLOCK_BITS = 10
DID = re.compile(r"did:[a-z]{1,20}:[A-Za-z0-9._:%-]{1,200}")


def is_did(value: Any) -> TypeGuard[str]:
    """Return whether a value is the id of an account.

    Examples
    --------
    >>> is_did("did:plc:abc"), is_did("ana.bsky.social"), is_did(None)
    (True, False, False)
    """
    return isinstance(value, str) and DID.fullmatch(value) is not None


def account_of_uri(uri: Any) -> str | None:
    """Return the DID whose repository an at-URI points into, or None.

    Examples
    --------
    >>> account_of_uri("at://did:plc:abc/app.bsky.feed.post/3jzi4jqfh632f")
    'did:plc:abc'
    """
    if not isinstance(uri, str) or not uri.startswith("at://"):
        return None
    account = uri.removeprefix("at://").partition("/")[0]
    return account if is_did(account) else None


def time_of_tid(key: str) -> datetime | None:
    """Return the moment (UTC, to the microsecond) that a record's key stands for.

    None if it is no TID, or before 2022, when there was no such network.

    Examples
    --------
    >>> time_of_tid("3jzi4jqfh632f").isoformat()
    '2023-07-01T17:54:19.216001+00:00'
    >>> time_of_tid("self") is None
    True
    """
    if not TID.fullmatch(key):
        return None
    number = 0
    for letter in key:
        number = number * len(TID_LETTERS) + TID_LETTERS.index(letter)
    try:
        at = EPOCH + timedelta(microseconds=number >> CLOCK_BITS)
    except OverflowError:
        return None
    return at if at >= EARLIEST else None


def time_of_uri(uri: Any) -> datetime | None:
    """Return the moment (UTC) that the key at the end of an at-URI stands for, or None.

    Examples
    --------
    >>> time_of_uri("at://did:plc:abc/app.bsky.graph.follow/3jzi4jqfh632f").year
    2023
    """
    if account_of_uri(uri) is None:
        return None
    return time_of_tid(uri.rpartition("/")[2])
