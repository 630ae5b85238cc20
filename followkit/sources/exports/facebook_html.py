"""Pages of a Facebook export (HTML) → names and times; they are built like Instagram's.

Their rows are written in the owner's own zone. The header tells it as `UTC+01:00`, without summer
time, so such a time is good to an hour; without it, to a day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from followkit.sources.exports.careful_json import read_text
from followkit.sources.exports.instagram_dates import parse_written_date
from followkit.sources.exports.instagram_html import Block, Page, read_page
from followkit.sources.exports.instagram_values import MALFORMED
from followkit.sources.exports.members import Member

__all__ = ["DAY_S", "NamedPage", "is_page", "read_names"]

ZONE = re.compile(r"UTC ?([+-])([0-9]{1,2}):([0-9]{2})")
HOUR_S, DAY_S = 3_600, 86_400


@dataclass
class NamedPage:
    """What one page lists: names with times (UTC, good to `precision_s`), and what it says of it.

    `is_ranged`: only a range of dates was asked for. `made_at` in UTC, where the header tells it.
    """

    rows: list[tuple[str, datetime | None]] = field(default_factory=list)
    precision_s: int = DAY_S
    is_ranged: bool = False
    made_at: datetime | None = None


def is_page(member: Member) -> bool:
    """Tell whether a file is a page by its ending.

    Examples
    --------
    >>> is_page(Member("friends/your_friends.html", 0, "", bytes))
    True
    """
    return member.name.lower().endswith((".html", ".htm"))


def read_names(member: Member) -> NamedPage:
    """Return the names on a page, "" for a record without one.

    Raises
    ------
    InputError
        If the page does not end, or holds no record in a form that is known.

    Examples
    --------
    >>> page = (b'<html><div class="_aoaa">By Me, 5:16 PM UTC+01:00</div><main><section class='
    ...         b'"_a6-g"><h2 class="_a6-h">Bo B</h2><footer class="_a6-o"><div class="_a72d">'
    ...         b'Feb 03, 2024 5:08:06pm</div></footer></section></main></html>')
    >>> names = read_names(Member("your_friends.html", len(page), "", lambda: page))
    >>> names.rows[0][0], str(names.rows[0][1]), names.precision_s
    ('Bo B', '2024-02-03 16:08:06+00:00', 3600)
    """
    page = read_page(read_text(member), member.path)
    shift = _shift_of(page)
    rows = [(" ".join(block.heading.split()), _time_of(block, shift)) for block in page.blocks]
    precision_s = DAY_S if shift is None else HOUR_S
    return NamedPage(rows, precision_s, page.is_ranged, page.made_at)


def _shift_of(page: Page) -> timedelta | None:
    """Return how far the owner's zone is ahead of UTC, None where it is not told."""
    match = ZONE.search(page.about)
    if not match or int(match[2]) > 14 or int(match[3]) > 59:
        return None
    shift = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return shift if match[1] == "+" else -shift


def _time_of(block: Block, shift: timedelta | None) -> datetime | None:
    written = [parse_written_date(text) for text in (block.date, *reversed(block.texts)) if text]
    at = next((one for one in written if one not in (None, MALFORMED)), None)
    if at is None:
        return None
    try:
        return (at - (shift or timedelta())).astimezone(UTC)
    except OverflowError:
        return None
