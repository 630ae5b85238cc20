"""Single values of an Instagram export: user names, links, times and numbers as text."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

__all__ = [
    "DELETED", "EARLIEST", "FAR_FUTURE", "MALFORMED", "clean_handle", "handle_in_link", "is_handle",
    "parse_count", "parse_iso_time", "pick_handle", "post_in_link", "story_owner_in_link",
    "time_of_stamp",
]  # fmt: skip

HANDLE = re.compile(r"[a-z0-9._]{1,30}")
#: What stands in a list in place of an account that is gone.
DELETED = re.compile(r"__deleted__[a-z0-9._-]{0,80}")
NUMBER = re.compile(r"[0-9]{1,3}(?:[,.\u00a0\u202f '’][0-9]{3}){1,4}|[0-9]{1,15}")
STAMP = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,9})?")
POST_PARTS = ("p", "reel", "reels", "tv")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The platform did not exist before.
EARLIEST = datetime(2010, 10, 1, tzinfo=UTC)
#: Stands for a time beyond the calendar, until such times are counted and taken out.
FAR_FUTURE = datetime(9999, 1, 1, tzinfo=UTC)
#: Stands for a time that is written, yet not in a way that can be read.
MALFORMED = datetime(1, 1, 1, tzinfo=UTC)


def clean_handle(text: Any) -> str:
    """Return a user name in lower case without `@`, or "" if it cannot be one.

    Examples
    --------
    >>> clean_handle(" @Bo_77 "), clean_handle("Ana Lu"), clean_handle("__deleted__1f-9")
    ('bo_77', '', '__deleted__1f-9')
    """
    if not isinstance(text, str) or len(text) > 120:
        return ""
    handle = text.strip().removeprefix("@").lower()
    return handle if HANDLE.fullmatch(handle) or DELETED.fullmatch(handle) else ""


def is_handle(text: str) -> bool:
    """Tell whether a text is a user name as the platform writes it: no capitals, no blanks.

    Examples
    --------
    >>> is_handle("bo_77"), is_handle("Bo"), is_handle("")
    (True, False, False)
    """
    return bool(HANDLE.fullmatch(text) or DELETED.fullmatch(text))


def handle_in_link(link: Any) -> str:
    """Return the user name at the end of a profile's link, or "".

    Examples
    --------
    >>> handle_in_link("https://www.instagram.com/_u/bo_77/?hl=en")
    'bo_77'
    >>> handle_in_link("https://www.threads.net/@bo_77"), handle_in_link("https://instagram.com/")
    ('bo_77', '')
    """
    parts = _path_parts(link)
    return clean_handle(parts[-1]) if parts and parts[-1] != "_u" else ""


def post_in_link(link: Any) -> str:
    """Return the code of a post in its link, or "".

    Examples
    --------
    >>> post_in_link("https://www.instagram.com/p/Cx1_a-9/"), post_in_link("https://x.example/p")
    ('Cx1_a-9', '')
    """
    parts = _path_parts(link)
    for kind, code in pairwise(parts):
        if kind in POST_PARTS and re.fullmatch(r"[A-Za-z0-9_-]{1,60}", code):
            return code
    return ""


def story_owner_in_link(link: Any) -> str:
    """Return whose story a link leads to, or "".

    Examples
    --------
    >>> story_owner_in_link("https://www.instagram.com/stories/ana.lu/314/")
    'ana.lu'
    """
    parts = _path_parts(link)
    if len(parts) >= 2 and parts[0] == "stories" and parts[1] != "highlights":
        return clean_handle(parts[1])
    return ""


def _path_parts(link: Any) -> list[str]:
    """Return the parts of a link's path; the host is none of them."""
    if not isinstance(link, str) or len(link) > 2_000:
        return []
    path = re.split(r"[?#]", link.strip(), maxsplit=1)[0]
    if "://" in path:
        path = path.partition("://")[2].partition("/")[2]
    return [part for part in path.split("/") if part]


def pick_handle(value: Any, title: Any, link: Any, *, title_is_name: bool = False) -> str:
    """Return the user name of one record: its value, else its title, else its link.

    Parameters
    ----------
    value, title, link
        What stands in the record; anything but text is passed over.
    title_is_name
        Whether this list writes the display name into the title, which then says nothing.

    Examples
    --------
    >>> pick_handle("", "bo_77", "https://www.instagram.com/_u/bo_77")
    'bo_77'
    >>> pick_handle("", "maria", "https://www.instagram.com/maria.l", title_is_name=True)
    'maria.l'
    """
    handle = clean_handle(value)
    if not handle and not title_is_name:
        handle = clean_handle(title)
    return handle or handle_in_link(link)


def time_of_stamp(stamp: Any) -> datetime | None:
    """Return a stamp as a moment in UTC; None for 0 and for what is no number.

    Seconds and milliseconds are told apart by size: in seconds the year 5138 begins at 10¹¹. A
    stamp beyond the calendar becomes `FAR_FUTURE`, which is counted and taken out later.

    Examples
    --------
    >>> time_of_stamp(1700000000) == time_of_stamp(1700000000000)
    True
    >>> time_of_stamp(0), time_of_stamp("soon"), time_of_stamp(None)
    (None, None, None)
    """
    if isinstance(stamp, str) and STAMP.fullmatch(stamp.strip()):
        stamp = float(stamp) if "." in stamp else int(stamp)
    if isinstance(stamp, bool) or not isinstance(stamp, int | float) or stamp == 0:
        return None
    if isinstance(stamp, float) and not math.isfinite(stamp):
        return FAR_FUTURE
    milliseconds = round(stamp) if abs(stamp) >= 10**11 else round(stamp * 1000)
    if milliseconds >= 10**14:
        return FAR_FUTURE
    # Before 1970 is as wrong as 1970, and may lie before the calendar.
    return EPOCH + timedelta(milliseconds=max(milliseconds, 0))


def parse_iso_time(text: Any) -> tuple[datetime | None, bool]:
    """Return an ISO time in UTC, and whether it named its zone (without one UTC is assumed).

    None if there is none; `MALFORMED` if there is text that is no time.

    Examples
    --------
    >>> parse_iso_time("2020-07-11T06:39:28+02:00")
    (datetime.datetime(2020, 7, 11, 4, 39, 28, tzinfo=datetime.timezone.utc), True)
    >>> parse_iso_time("2020-07-11 06:39:28")[1], parse_iso_time("")
    (False, (None, True))
    """
    if not isinstance(text, str) or not text.strip():
        return None, True
    try:
        moment = datetime.fromisoformat(text.strip()[:40])
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC), False
        return moment.astimezone(UTC), True
    except (ValueError, OverflowError):
        return MALFORMED, True


def parse_count(text: Any) -> int | None:
    """Return a number as statistics write it; None where there is none.

    Examples
    --------
    >>> parse_count("1,204"), parse_count("--"), parse_count("12"), parse_count("1.2K")
    (1204, None, 12, None)
    """
    if isinstance(text, bool):
        return None
    if isinstance(text, int):
        return text if 0 <= text < 10**15 else None
    if not isinstance(text, str) or not NUMBER.fullmatch(text.strip()):
        return None
    return int(re.sub(r"[^0-9]", "", text))
