"""When an export was made, and which times in it cannot be true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from followkit.errors import InputError
from followkit.sources.exports.found import Act, Found, Mark, Post, Tie
from followkit.sources.exports.instagram_files import Origin
from followkit.sources.exports.instagram_values import EARLIEST, MALFORMED

__all__ = ["ExportTime", "Settled", "find_export_time", "is_possible", "latest_of", "settle_times"]

DAY = timedelta(days=1)
Source = Literal["given", "name", "page", "newest", "none"]
Timed = TypeVar("Timed", Tie, Mark, Act, Post)


@dataclass(frozen=True, slots=True)
class ExportTime:
    """The moment at which the lists were read (UTC), and where it is known from."""

    at: datetime | None
    source: Source


@dataclass(frozen=True, slots=True)
class Settled:
    """How many times were taken out: too early, too late, or not readable."""

    early_count: int = 0
    late_count: int = 0
    malformed_count: int = 0


def find_export_time(
    found: Found,
    given: datetime | None,
    origins: Sequence[Origin],
    page_times: Sequence[datetime],
    *,
    now: datetime | None = None,
) -> ExportTime:
    """Return when the export was made.

    Parameters
    ----------
    found
        What was read; its times not yet checked.
    given
        What the caller says; it wins. Without a zone it is UTC.
    origins
        Names of zips and folders; they tell the day. The moment is then the newest entry or page
        time up to the end of the next day, since a list holds nothing that came later.
    page_times
        What the headers of pages say.
    now
        Entries more than a day after it are no guide; the clock's time by default.

    Returns
    -------
    ExportTime
        In UTC. Without any of these it is the newest entry, or None.

    Examples
    --------
    >>> found = Found("instagram", ties=[Tie("me", "bo", "follow", datetime(2026, 8, 11, 9,
    ...                                                                     tzinfo=UTC), "f")])
    >>> find_export_time(found, None, [Origin("me", datetime(2026, 8, 11, tzinfo=UTC))], [],
    ...                  now=datetime(2027, 1, 1, tzinfo=UTC)).at.isoformat()
    '2026-08-11T09:00:00+00:00'
    """
    if given is not None:
        aware = given.replace(tzinfo=UTC) if given.tzinfo is None else given
        try:
            return ExportTime(aware.astimezone(UTC), "given")
        except (OverflowError, ValueError):
            raise InputError(f"exported_at: {given} is beyond the calendar") from None
    latest = (now or datetime.now(UTC)) + DAY
    stamps = [at for at in _times(found) if EARLIEST <= at <= latest]
    pages = [at for at in page_times if EARLIEST <= at <= latest]
    days = [one.day for one in origins if one.day and one.day <= latest]
    if days:
        newest = max(days)
        within = [at for at in (*stamps, *pages) if newest <= at < newest + 2 * DAY]
        return ExportTime(max(within, default=newest), "name")
    if pages:
        newest = max(pages)
        return ExportTime(max([at for at in stamps if at <= newest + DAY] + [newest]), "page")
    return ExportTime(max(stamps), "newest") if stamps else ExportTime(None, "none")


def _times(found: Found) -> Iterator[datetime]:
    for group in (found.ties, found.marks, found.acts, found.posts):
        for one in group:
            if one.at is not None:
                yield one.at


def latest_of(exported_at: datetime | None) -> datetime | None:
    """Return the last moment that an entry may have: a day after the export."""
    return exported_at + DAY if exported_at and exported_at.year < 9999 else None


def is_possible(at: datetime, latest: datetime | None) -> bool:
    """Tell whether a time can be true.

    Examples
    --------
    >>> is_possible(datetime(2009, 1, 1, tzinfo=UTC), None)
    False
    """
    return at >= EARLIEST and at.year < 9999 and (latest is None or at <= latest)


def settle_times(found: Found, exported_at: datetime | None) -> Settled:
    """Take out times before October 2010 and more than a day after the export; records stay.

    Parameters
    ----------
    found
        Changed in place.
    exported_at
        When the export was made (UTC); without it only the calendar's end bounds the times.

    Examples
    --------
    >>> early = datetime(1973, 3, 3, tzinfo=UTC)
    >>> found = Found("instagram", ties=[Tie("me", "bo", "follow", early, "following.json")])
    >>> settle_times(found, None), found.ties[0].at
    (Settled(early_count=1, late_count=0, malformed_count=0), None)
    """
    latest = latest_of(exported_at)
    counts = {"early": 0, "late": 0, "malformed": 0}
    found.ties = list(_checked(found.ties, latest, counts))
    found.marks = list(_checked(found.marks, latest, counts))
    found.acts = list(_checked(found.acts, latest, counts))
    found.posts = list(_checked(found.posts, latest, counts))
    return Settled(counts["early"], counts["late"], counts["malformed"])


def _checked(
    items: Iterable[Timed], latest: datetime | None, counts: dict[str, int]
) -> Iterator[Timed]:
    for one in items:
        at = one.at
        if at is None or is_possible(at, latest):
            yield one
            continue
        reason = "malformed" if at == MALFORMED else "early" if at < EARLIEST else "late"
        counts[reason] += 1
        yield replace(one, at=None)
