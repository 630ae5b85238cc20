"""Moments that exports and servers write as ISO 8601: one parser for all of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["LATEST", "in_utc", "parse_moment", "read_moment"]

#: No way to write a moment is longer; what is longer is not looked at.
LONGEST = 40
#: What canonical tables hold; `0001-01-01` stands for "unknown" in real data.
FIRST_YEAR, LAST_YEAR = 2004, 2100
#: To later moments, which a caller may give, nothing can be added.
LATEST = datetime(LAST_YEAR, 1, 1, tzinfo=UTC)
_WRITTEN = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"\s?(?:[Zz]|UTC|([+-])(\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)


def parse_moment(text: str) -> datetime | None:
    """Return ISO 8601 text as UTC to the microsecond, None for any other order of parts.

    No zone means UTC; `UTC` may stand where the standard has `Z`. Any year is a year here.

    Examples
    --------
    >>> parse_moment("2024-01-02 10:00:00 UTC").isoformat()
    '2024-01-02T10:00:00+00:00'
    >>> parse_moment("2024-01-02T10:00:00.25+0200").isoformat(), parse_moment("02/01/2024")
    ('2024-01-02T08:00:00.250000+00:00', None)
    """
    match = _WRITTEN.fullmatch(text) if len(text) <= LONGEST else None
    if not match:
        return None
    parts = [int(part or 0) for part in match.groups()[:6]]
    micros = int((match[7] or "0")[:6].ljust(6, "0"))
    shift = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0))
    if shift >= timedelta(days=1):
        return None
    try:
        at = datetime(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], micros, UTC)
        return at + shift if match[8] == "-" else at - shift
    except (ValueError, OverflowError):
        return None


def in_utc(at: datetime) -> datetime:
    """Return a moment that a caller gave, in UTC where it has no zone.

    Examples
    --------
    >>> in_utc(datetime(2024, 5, 1, 10)).isoformat()
    '2024-05-01T10:00:00+00:00'
    """
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def read_moment(value: Any) -> datetime | None:
    """Return ISO 8601 text as UTC, or None; without a zone it is taken as UTC.

    Moments outside of 2004 to 2100 are no moments of these platforms: None, too.

    Examples
    --------
    >>> read_moment("2024-05-01T12:00:00.5+02:00").isoformat()
    '2024-05-01T10:00:00.500000+00:00'
    >>> read_moment("yesterday") is None
    True
    """
    at = parse_moment(value) if isinstance(value, str) else None
    return at if at is not None and FIRST_YEAR <= at.year < LAST_YEAR else None
