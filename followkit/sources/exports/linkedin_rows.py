"""LinkedIn's CSV files as records: headers below a preamble, slugs of profiles, ways of time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from followkit.errors import InputError
from followkit.sources.exports.members import Member, Members
from followkit.sources.exports.reading import MONTHS, read_rows, text_of, written_time

__all__ = [
    "DAY_S", "MINUTE_S", "Record", "find_tables", "precision_of", "read_message_table",
    "read_table", "sent_time", "slug_of", "squeeze",
]  # fmt: skip

Record = dict[str, str]

DAY_S, MINUTE_S = 86_400, 60

#: The header stands below three lines of notes; a few more are allowed for.
MOST_PREAMBLE = 25
#: Companies, e-mail addresses, subjects and texts are never taken out of a row.
_COLUMNS = frozenset(
    {"first name", "last name", "url", "connected on", "from", "to", "sent at", "direction",
     "inviterprofileurl", "inviteeprofileurl", "conversation id", "sender profile url",
     "recipient profile urls", "date", "is message draft", "full name", "status",
     "profile url"}
)  # fmt: skip
#: Tools that save a file again often take the blanks out of its header, and LinkedIn does at times.
_BY_LETTERS = {name.replace(" ", ""): name for name in _COLUMNS}
#: Complete archives of 2026 put the owner's number behind some names; browsers count in brackets.
_FILE = re.compile(
    r"(connections|invitations|messages|member[_ ]follows)(?:[_ ]\d{1,20}| ?\(\d{1,9}\))?\.csv",
    re.I,
)
_SLUG = re.compile(r"(?:^|//|\.)linkedin\.com/(?:[a-z]{2}/)?(?:in|pub)/([^/?#\s]{1,300})", re.I)
#: `08 Feb 2023`; a spreadsheet that saved the file again writes `8-Feb-23`.
_DAY = re.compile(r"(\d{1,2})(?: ([A-Za-z]{3,9}) (\d{4})|-([A-Za-z]{3})-(\d{2}|\d{4}))")
_FULL_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august",
                "september", "october", "november", "december")  # fmt: skip
_CLOCK = re.compile(r"\d:\d\d(:\d\d)?")
#: Month first: only United States English writes AM and PM behind a date of this form.
_SENT = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4}),?\s{1,3}(\d{1,2}):(\d\d)\s{0,3}([AP])M", re.I
)
_JAVA = re.compile(r"[A-Za-z]{3} ([A-Za-z]{3}) (\d{1,2}) (\d\d):(\d\d):(\d\d) (?:UTC|GMT) (\d{4})")


def find_tables(members: Members) -> dict[str, list[Member]]:
    """Return the files worth reading by their kind: connections, invitations, messages, …"""
    found: dict[str, list[Member]] = {}
    for member in members:
        if match := _FILE.fullmatch(member.name):
            found.setdefault(match[1].lower().replace(" ", "_"), []).append(member)
    return found


def read_table(member: Member, *needed: str) -> list[Record]:
    r"""Return the records below the header, keys in small letters.

    Parameters
    ----------
    member
        A CSV file.
    needed
        Columns that the header must have, in small letters.

    Raises
    ------
    InputError
        If no line near the top has these columns.

    Examples
    --------
    >>> from followkit.sources.exports.members import Member
    >>> text = b"Notes:\n\nFirst Name,Company,Connected On\nAna,Acme,08 Feb 2023\n"
    >>> read_table(Member("Connections.csv", len(text), "", lambda: text), "connected on")
    [{'first name': 'Ana', 'connected on': '08 Feb 2023'}]
    """
    rows = read_rows(member)
    for place, row in enumerate(rows[:MOST_PREAMBLE]):
        header = [_BY_LETTERS.get(re.sub(r"[\s_]", "", cell).casefold(), "") for cell in row]
        if set(needed) <= set(header):
            kept = [(at, name) for at, name in enumerate(header) if name]
            return [
                {name: cells[at] for at, name in kept if at < len(cells)}
                for cells in rows[place + 1 :]
            ]
    raise InputError(
        f"{member.path}: a header with {', '.join(needed)} is needed near the top, and none of "
        f"the first {min(len(rows), MOST_PREAMBLE)} lines is one; the format has changed"
    )


def read_message_table(member: Member) -> list[Record]:
    """Return the messages; files of 2018 have a direction instead of conversations and addresses.

    Raises
    ------
    InputError
        If it is neither.
    """
    try:
        return read_table(member, "conversation id", "date")
    except InputError as error:
        try:
            return read_table(member, "from", "to", "date", "direction")
        except InputError:
            raise error from None


def squeeze(text: str) -> str:
    """Return text with one blank between its words."""
    return " ".join(text.split())


def slug_of(url: str) -> str:
    """Return the account in the address of a profile, "" if it is none.

    Examples
    --------
    >>> slug_of("https://www.linkedin.com/in/Ana-L%C3%BA-12/?trk=x")
    'ana-lú-12'
    >>> slug_of("https://www.linkedin.com/company/acme")
    ''
    """
    match = _SLUG.search(url[:2000])
    return unquote(match[1]).strip().casefold() if match else ""


def sent_time(text: str) -> datetime | None:
    """Return a time in one of LinkedIn's unambiguous forms, None for any other.

    The forms: `1/14/26, 7:02 AM` (month first), `08 Feb 2023`, `8-Feb-23`, ISO 8601, and
    `Tue May 04 12:38:24 UTC 2021`. No zone is taken as UTC.

    Examples
    --------
    >>> [str(sent_time(text)) for text in ("1/14/26, 7:02 AM", "08 Feb 2023", "14/1/26, 07:02")]
    ['2026-01-14 07:02:00+00:00', '2023-02-08 00:00:00+00:00', 'None']
    """
    text = squeeze(text_of(text))[:60]
    try:
        if match := _SENT.fullmatch(text):
            return _american(match)
        if match := _DAY.fullmatch(text):
            year = int(match[3] or match[5])
            return datetime(year + 2000 * (year < 100), _month(match[2] or match[4]), int(match[1]),
                            tzinfo=UTC)  # fmt: skip
        if match := _JAVA.fullmatch(text):
            clock = (int(match[3]), int(match[4]), int(match[5]))
            return datetime(
                int(match[6]), MONTHS[match[1].lower()], int(match[2]), *clock, tzinfo=UTC
            )
    except (ValueError, KeyError):
        return None
    return written_time(text)


def _month(word: str) -> int:
    """Return an English month; `marras` begins like March, and is November in Finland."""
    full = (name for name in _FULL_MONTHS if name.startswith(word.lower()))
    return MONTHS[next(full, "none")[:3]]


def precision_of(text: str) -> int:
    """Return to how many seconds a time of LinkedIn's is written.

    Examples
    --------
    >>> [precision_of(text) for text in ("08 Feb 2023", "1/8/18, 6:14 PM", "2024-02-19 17:32:21")]
    [86400, 60, 1]
    """
    clock = _CLOCK.search(text)
    if clock is None:
        return DAY_S
    return 1 if clock[1] else MINUTE_S


def _american(match: re.Match[str]) -> datetime | None:
    year, hour = int(match[3]), int(match[4])
    if not 1 <= hour <= 12:
        return None
    if year < 100:
        year += 2000
    day = datetime(year, int(match[1]), int(match[2]), hour % 12, int(match[5]), tzinfo=UTC)
    return day + timedelta(hours=12 * (match[6].upper() == "P"))
