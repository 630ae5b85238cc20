"""What the smaller readers of exports share: values, times, CSV rows and the state of a list.

Every function takes what a stranger's file holds and returns a plain value or "unknown"; none of
them guesses. Times without a zone are UTC where the platform says so.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from followkit.errors import InputError
from followkit.sources.exports.careful_json import read_text
from followkit.sources.exports.found import (
    Check,
    FileRead,
    Found,
    Listed,
    ListKind,
    ListState,
    Tie,
    Verdict,
)
from followkit.sources.exports.members import Member, Members
from followkit.sources.exports.moments import LATEST, in_utc, parse_moment

__all__ = [
    "MONTHS",
    "add_lists",
    "check_lists",
    "day_in_names",
    "epoch_time",
    "field",
    "number_of",
    "read_or_report",
    "read_rows",
    "records_of",
    "settle_times",
    "short_place",
    "text_of",
    "written_time",
]  # fmt: skip

T = TypeVar("T")

MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
#: A stamp this much later than all others is a slip of the file, not the moment of the export.
LONELY = timedelta(days=730)
DAY = timedelta(days=1)
_DAY_IN_NAME = re.compile(r"(?<!\d)(20\d\d)-(\d\d)-(\d\d)(?!\d)")
#: Folders that are named after the owner of an export.
_WRAPPER = re.compile(r"(?:instagram|facebook|meta|twitter|tiktok|linkedin)[-_ ]", re.IGNORECASE)
_AGAIN = (
    "Download the export again; if that does not help, its format has changed: please report it."
)


# ------------------------------------------------------------------------------------------ values


def text_of(value: Any) -> str:
    """Return text, or a whole number as text, without blanks around it; "" for the rest.

    Examples
    --------
    >>> [text_of(value) for value in (" ana ", 17, None, "N/A", True, ["a"])]
    ['ana', '17', '', '', '', '']
    """
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 128:
        return str(value)
    text = value.strip() if isinstance(value, str) else ""
    return "" if text.casefold() == "n/a" else text


def number_of(value: Any) -> int | None:
    """Return a count that is written as digits, perhaps with commas between thousands, else None.

    Examples
    --------
    >>> [number_of(value) for value in ("12", "1,204", 7, "1.2K", "--", -3, None)]
    [12, 1204, 7, None, None, None, None]
    """
    text = text_of(value)
    if re.fullmatch(r"\d{1,3}(,\d{3}){1,4}", text, re.ASCII):
        text = text.replace(",", "")
    return int(text) if re.fullmatch(r"\d{1,15}", text, re.ASCII) else None


def field(record: Any, *names: str) -> Any:
    """Return the first of the named values of a record, whatever the case of its keys.

    Examples
    --------
    >>> field({"userName": "bo", "date": None}, "username", "name")
    'bo'
    """
    if not isinstance(record, dict):
        return None
    for name in names:
        if name in record:
            return record[name]
    folded = {key.casefold(): value for key, value in record.items() if isinstance(key, str)}
    return next((folded[name.casefold()] for name in names if name.casefold() in folded), None)


def records_of(value: Any) -> list[Any] | None:
    """Return a list as it is and a single record as a list of one; None if it is neither.

    Examples
    --------
    >>> records_of([]), records_of({"name": "bo"}), records_of("bo")
    ([], [{'name': 'bo'}], None)
    """
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) and value else None


# ------------------------------------------------------------------------------------------- times


def epoch_time(value: Any) -> datetime | None:
    """Return seconds (or milliseconds) since 1970 as a time in UTC; None for 0 and the impossible.

    Examples
    --------
    >>> epoch_time(1700000000) == epoch_time("1700000000000")
    True
    >>> epoch_time(0), epoch_time("soon"), epoch_time(10**40)
    (None, None, None)
    """
    number = number_of(value)
    if not number:
        return None
    seconds = number / 1000 if number > 10**11 else float(number)
    return datetime.fromtimestamp(seconds, UTC) if seconds < LATEST.timestamp() else None


def written_time(value: Any) -> datetime | None:
    """Return a written ISO 8601 time as UTC in whole seconds; see `parse_moment`.

    Examples
    --------
    >>> written_time("2024-01-02 10:00:00 UTC").isoformat()
    '2024-01-02T10:00:00+00:00'
    >>> written_time("2024-01-02T10:00:00+0200").hour, written_time("02/01/2024")
    (8, None)
    """
    at = parse_moment(text_of(value))
    return at.replace(microsecond=0) if at is not None else None


def day_in_names(members: Members, like: str = "") -> datetime | None:
    """Return the day (midnight, UTC) in the name of a zip or of the topmost folder, if one has it.

    Parameters
    ----------
    members
        The files.
    like
        Only names that hold this text count, whatever their case.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits, Members
    >>> day_in_names(Members((), ("twitter-2024-05-06-0a1b.zip",), Limits())).isoformat()
    '2024-05-06T00:00:00+00:00'
    """
    tops = {member.path.partition("/")[0] for member in members if "/" in member.path}
    days = [
        day
        for name in [*members.origins, *sorted(tops)]
        if like.casefold() in name.casefold()
        for match in _DAY_IN_NAME.finditer(name)
        if (day := written_time(match[0]))
    ]
    return max(days, default=None)


def settle_times(
    found: Found,
    *,
    given: datetime | None,
    told: datetime | None,
    since: datetime,
    is_day: bool = False,
    others: Iterable[datetime] = (),
) -> None:
    """Set when the export was made, and take times that cannot be for unknown.

    Parameters
    ----------
    found
        Changed in place: `exported_at`, the times of ties, marks, acts and posts, and checks.
    given, told
        What the caller says, and what the export says of itself; else the newest stamp is taken.
    since
        Times before it are impossible on this platform; so are times a day after the export.
    is_day
        `told` is only a day: a stamp later on that day is then the earliest it can have been.
    others
        Further stamps of the export, of things that are not kept.
    """
    stamps = {one.at for kept in (found.ties, found.marks, found.acts, found.posts) for one in kept}
    times = sorted(at for at in {*stamps, *others} if at is not None and since <= at < LATEST)
    if given is not None:
        found.exported_at = in_utc(given)
    elif told is not None:
        same_day = [at for at in times if is_day and told < at < told + DAY]
        found.exported_at = max(same_day, default=told)
    else:
        found.exported_at = _newest(times)
        _note_newest(found)
    _forget_impossible(found, since, min(found.exported_at or LATEST, LATEST) + DAY)


def _newest(times: Sequence[datetime]) -> datetime | None:
    """Return the newest of sorted times that is not far away from all the others."""
    for at, before in zip(reversed(times[4:]), reversed(times[:-1]), strict=False):
        if at - before < LONELY:
            return at
    return times[-1] if times else None


def _note_newest(found: Found) -> None:
    value = "not told, and no list has times"
    if found.exported_at is not None:
        value = f"not told; the newest stamp, {found.exported_at:%Y-%m-%d}, is taken"
    remedy = "Give the day of the download where it is asked for, if you know it."
    found.checks.append(Check("day of the export", value, "note", remedy))


def _forget_impossible(found: Found, since: datetime, until: datetime) -> None:
    gone: list[str] = []

    def keep(one: Any) -> Any:
        if one.at is None or since <= one.at <= until:
            return one
        gone.append(f"{one.at:%Y-%m-%d} in {one.file}")
        return replace(one, at=None)

    found.ties = [keep(one) for one in found.ties]
    found.marks = [keep(one) for one in found.marks]
    found.acts = [keep(one) for one in found.acts]
    found.posts = [keep(one) for one in found.posts]
    if gone:
        value = (
            f"{len(gone):,} times before {since:%Y-%m-%d} or after the export are taken as "
            f"unknown, first: {'; '.join(gone[:3])}"
        )
        found.checks.append(
            Check("impossible times", value, "warn", "Their records stay, without a time.")
        )


# ------------------------------------------------------------------------------------------- files


def short_place(text: str, path: str) -> str:
    """Return a text in which a path is cut to its file and the folder around it.

    Folders further up are the user's own; a wrapper folder is named after the owner.

    Examples
    --------
    >>> path = "instagram-bo_77-2026-08-11-ab/connections/followers_and_following/following.json"
    >>> short_place(f"{path}: nothing in it", path)
    'followers_and_following/following.json: nothing in it'
    >>> short_place("facebook-bo/your_friends.json", "facebook-bo/your_friends.json")
    'your_friends.json'
    """
    if "/" not in path:
        return text
    folder, name = path.rsplit("/", 2)[-2:]
    return text.replace(path, name if _WRAPPER.match(folder) else f"{folder}/{name}")


def read_or_report(
    found: Found,
    member: Member,
    what: str,
    read: Callable[[Member], T],
    *,
    verdict: Verdict = "warn",
) -> T | None:
    """Return what `read` makes of a file; None, a count and a check if it cannot be read."""
    try:
        return read(member)
    except InputError as error:
        found.files.append(FileRead(member.path, what, 0, {"unreadable": 1}))
        value = short_place(str(error), member.path)
        found.checks.append(Check(f"{what} unreadable", value, verdict, _AGAIN))
        return None


def read_rows(member: Member) -> list[list[str]]:
    """Return the rows of a CSV file, every cell as text, blank lines left out.

    Raises
    ------
    InputError
        If a quoted cell is not closed (the file is cut off) or a cell is larger than 128 KB.
    """
    text = read_text(member)
    try:
        return _split_rows(text, strict=True)
    except csv.Error as error:
        # A quote in the middle of a cell is an odd habit; a quote without an end is a cut file.
        if "unexpected end" in str(error) or "limit" in str(error):
            raise InputError(
                f"{member.path}: the file ends within a cell or a cell is too long ({error}); "
                "the download looks incomplete; download it again"
            ) from None
    try:
        return _split_rows(text, strict=False)
    except csv.Error as error:
        raise InputError(f"{member.path}: not a CSV file ({error})") from None


def _split_rows(text: str, *, strict: bool) -> list[list[str]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=strict)
    return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]


# ------------------------------------------------------------------------------------------- lists


def add_lists(found: Found, states: Mapping[ListKind, tuple[ListState, Sequence[str]]]) -> None:
    """Add the state of each list, with its people counted once each from the ties.

    Parameters
    ----------
    found
        Changed in place; its `ego` and the times of its ties have to be settled.
    states
        For each list: its state, and the files that it came from.
    """
    for kind, (state, files) in states.items():
        people: dict[str, bool] = {}
        for tie in found.ties:
            if alter := _alter_on(kind, tie, found.ego):
                people[alter] = people.get(alter, False) or tie.at is not None
        found.lists.append(
            Listed(kind, state, len(people), sum(people.values()), tuple(dict.fromkeys(files)))
        )


def _alter_on(kind: ListKind, tie: Tie, ego: str) -> str:
    """Return the alter of a tie that belongs on a list, else ""."""
    wanted = {"requests_sent": "request", "requests_received": "request", "unfollowed": "unfollow"}
    if tie.kind != wanted.get(kind, "follow"):
        return ""
    inbound = kind in ("followers", "requests_received")
    own, other = (tie.target, tie.source) if inbound else (tie.source, tie.target)
    return other if own == ego else ""


def check_lists(found: Found, remedy: str) -> None:
    """Add a check on each of the two lists: without both, nobody can be said not to follow back.

    A following list that is cut accuses nobody, so that it only warns.
    """
    for kind in ("followers", "following"):
        one = found.listed(kind)
        name = f"{kind} list"
        if one.state == "whole":
            found.checks.append(Check(name, f"there, with {one.count:,} people", "ok"))
        elif kind == "following" and one.state == "cut":
            value = f"not complete: {one.count:,} people were read"
            found.checks.append(Check(name, value, "warn", remedy))
        else:
            words = {"cut": "not complete", "absent": "not in the export",
                     "unreadable": "there, but it cannot be read"}  # fmt: skip
            found.checks.append(Check(name, words[one.state], "refuse", remedy))
