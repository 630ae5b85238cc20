"""The connections of a Facebook export: friends, followers, following and friend requests.

Facebook gives display names and nothing else, so that two people of one name cannot be told apart:
the names are the account ids, and equal ones are counted. A friendship has no direction: it becomes
two ties with one stamp, and nobody is said to have been first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from followkit.errors import InputError
from followkit.sources.exports.careful_json import read_json
from followkit.sources.exports.facebook_html import DAY_S, is_page, read_names
from followkit.sources.exports.found import (
    Check,
    FileRead,
    Found,
    ListKind,
    ListState,
    Mark,
    Person,
    Tie,
    Verdict,
)
from followkit.sources.exports.members import Member, Members
from followkit.sources.exports.reading import (
    add_lists,
    check_lists,
    day_in_names,
    epoch_time,
    read_or_report,
    records_of,
    settle_times,
    text_of,
)
from followkit.sources.exports.reading import field as value_of

__all__ = ["read_facebook", "recognise"]

OPENED = datetime(2004, 2, 4, tzinfo=UTC)
EGO = "me"
ASK = (
    "Ask Facebook again (look for Download your information) for Connections (friends and "
    "followers), as JSON and for all time."
)
#: Words of a file name → what it lists; apostrophes and blanks are written in many ways.
_NAMES = {
    "yourfriends": "friends", "peoplewhofollowedyou": "followers", "whoyouvefollowed": "following",
    "whoyoufollow": "following", "sentfriendrequests": "sent", "friendrequestssent": "sent",
    "receivedfriendrequests": "received", "friendrequestsreceived": "received",
    "rejectedfriendrequests": "rejected", "removedfriends": "removed",
}  # fmt: skip
#: These names say little, so they count only in a folder of Facebook's.
_PLAIN_NAMES = {"friends": "friends", "followers": "followers", "following": "following"}
_FOLDERS = ("friends_and_followers", "friends", "followers", "following_and_followers")
_KEYS = {
    "friends": "friends", "followers": "followers", "following": "following",
    "sent_requests": "sent", "received_requests": "received", "rejected_requests": "rejected",
    "deleted_friends": "removed",
}  # fmt: skip
_WORDS = {
    "friends": "friends", "followers": "followers", "following": "following",
    "sent": "friend requests sent", "received": "friend requests received",
    "rejected": "friend requests rejected", "removed": "removed friends",
}  # fmt: skip
#: What stands in place of the name of somebody who left.
_NOBODY = frozenset({"facebook user", "facebook member"})


@dataclass
class _Entries:
    """The people of one file: name and time, and how many records have no name.

    `made_at`, `precision_s` and `is_ranged` differ on pages; see `NamedPage`.
    """

    people: list[tuple[str, datetime | None]] = field(default_factory=list)
    nameless_count: int = 0
    precision_s: int = 1
    is_ranged: bool = False
    made_at: datetime | None = None


def recognise(members: Members) -> bool:
    """Return whether the files are Facebook's, by their names.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits, Member, Members
    >>> path = "connections/followers/who_you've_followed.json"
    >>> recognise(Members((Member(path, 2, "", lambda: b"{}"),), ("facebook.zip",), Limits()))
    True
    """
    return any(_kind_of(member) for member in members)


def _kind_of(member: Member) -> str:
    stem, _, suffix = member.name.casefold().rpartition(".")
    if suffix not in ("json", "html"):
        return ""
    word = "".join(letter for letter in stem if letter.isalpha())
    if word in _NAMES:
        return _NAMES[word]
    folder = member.folder.rpartition("/")[2].casefold()
    return _PLAIN_NAMES.get(stem, "") if folder in _FOLDERS else ""


def read_facebook(
    members: Members, *, ego: str | None = None, exported_at: datetime | None = None
) -> Found:
    r"""Read who is connected to the owner of a Facebook export.

    Parameters
    ----------
    members
        The files; a page only where its JSON is not there.
    ego
        What to call the owner; "me" without it.
    exported_at
        When the export was made (UTC); told by the name of the zip, else the newest stamp.

    Returns
    -------
    Found
        Friendships as two ties of one stamp, follows, requests, removed friends; times in UTC, to
        the second in JSON, to an hour or a day in pages. Requests that the owner rejected are
        marked as dismissed.

    Raises
    ------
    InputError
        If no list of people is there.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits, Member, Members
    >>> text = rb'{"friends_v2": [{"name": "Zo\u00c3\u00ab", "timestamp": 1700000000}]}'
    >>> file = Member("connections/friends/your_friends.json", len(text), "", lambda: text)
    >>> found = read_facebook(Members((file,), ("facebook.zip",), Limits()))
    >>> [(tie.source, tie.target) for tie in found.ties]
    [('me', 'Zoë'), ('Zoë', 'me')]
    """
    found = Found("facebook", ego=(ego or "").strip() or EGO)
    files = _find_files(members)
    entries: dict[str, _Entries] = {}
    unreadable = set()
    for kind, member in files:
        verdict: Verdict = "refuse" if kind in ("friends", "followers", "following") else "warn"
        read = read_or_report(
            found, member, _WORDS[kind], lambda one, kind=kind: _read_entries(one, kind),  # type: ignore[misc]
            verdict=verdict,
        )  # fmt: skip
        if read is None:
            unreadable.add(kind)
            continue
        out = {"no name": read.nameless_count} if read.nameless_count else {}
        found.files.append(FileRead(member.path, _WORDS[kind], len(read.people), out))
        _add_ties(found, kind, read, member.path)
        _merge(entries.setdefault(kind, _Entries()), read)
    _check_names(found, entries)
    _check_pages(found, entries)
    day = day_in_names(members, "facebook")
    made_at = max((one.made_at for one in entries.values() if one.made_at), default=None)
    settle_times(found, given=exported_at, told=day or made_at, since=OPENED, is_day=bool(day))
    add_lists(found, _states(files, entries, unreadable))
    _check_states(found, set(entries))
    return found


def _find_files(members: Members) -> list[tuple[str, Member]]:
    named = [(kind, member) for member in members if (kind := _kind_of(member))]
    in_json = {kind for kind, member in named if not is_page(member)}
    # JSON has exact times, so a page whose list is there in JSON too is left out.
    files = [(kind, member) for kind, member in named if not is_page(member) or kind not in in_json]
    if not files:
        raise InputError(f"No list of people of a Facebook export. {ASK}")
    return files


# --------------------------------------------------------------------------------------- one file


def _read_entries(member: Member, kind: str) -> _Entries:
    """Return the people of one file, whatever its version.

    Raises
    ------
    InputError
        If it holds no list of the kind, or records without a single name.
    """
    read = _Entries()
    if is_page(member):
        page = read_names(member)
        rows = page.rows
        read = _Entries([], 0, page.precision_s, page.is_ranged, page.made_at)
    else:
        records = _records(read_json(member, mojibake=True), kind)
        if records is None:
            raise InputError(f"{member.path}: no list of {_WORDS[kind]}; the format has changed")
        rows = [(_name_of(one), epoch_time(value_of(one, "timestamp"))) for one in records]
    for name, at in rows:
        if not name or name.casefold() in _NOBODY:
            read.nameless_count += 1
        else:
            read.people.append((name, at))
    if read.nameless_count and not read.people:
        raise InputError(
            f"{member.path}: {read.nameless_count:,} records, none with a name; "
            "the format has changed"
        )
    return read


def _merge(every: _Entries, read: _Entries) -> None:
    """Add what one file holds to what the others of its kind do."""
    every.people += read.people
    every.nameless_count += read.nameless_count
    every.precision_s = max(every.precision_s, read.precision_s)
    every.is_ranged = every.is_ranged or read.is_ranged
    every.made_at = max(filter(None, (every.made_at, read.made_at)), default=None)


def _records(content: Any, kind: str) -> list[Any] | None:
    """Return the list under a key such as `friends_v2`, or a bare list, else None."""
    if isinstance(content, list):
        return content
    if not isinstance(content, dict):
        return None
    for key, value in content.items():
        stem = key.casefold().rpartition("_v")[0] or key.casefold()
        if _KEYS.get(stem) == kind:
            return records_of(value) if value != {} else []
    return [content] if _name_of(content) else None


def _name_of(record: Any) -> str:
    """Return the display name of a record; newer exports have it among labels."""
    if name := text_of(value_of(record, "name")):
        return " ".join(name.split())
    labels = value_of(record, "label_values")
    for label in labels if isinstance(labels, list) else ():
        if text_of(value_of(label, "label")).casefold() == "name":
            return " ".join(text_of(value_of(label, "value")).split())
    return ""


def _add_ties(found: Found, kind: str, read: _Entries, file: str) -> None:
    for name, at in read.people:
        ties = _ties(found.ego, kind, name, at, file)
        found.ties += [replace(tie, precision_s=read.precision_s) for tie in ties]
        if kind == "rejected":
            found.marks.append(Mark(name, "dismissed", at, file))
        found.people.append(Person(name, display_name=name))


def _ties(ego: str, kind: str, name: str, at: datetime | None, file: str) -> Iterator[Tie]:
    if kind in ("friends", "following"):
        yield Tie(ego, name, "follow", at, file)
    if kind in ("friends", "followers"):
        yield Tie(name, ego, "follow", at, file)
    if kind == "sent":
        yield Tie(ego, name, "request", at, file)
    if kind == "received":
        yield Tie(name, ego, "request", at, file)
    if kind == "removed":
        yield Tie(ego, name, "unfollow", at, file)


# ----------------------------------------------------------------------------------------- checks


def _check_names(found: Found, entries: dict[str, _Entries]) -> None:
    """Count names that stand for several people; nobody can say who of them did what."""
    equal: set[str] = set()
    for read in entries.values():
        often = Counter(name for name, _ in set(read.people))
        equal |= {name for name, count in often.items() if count > 1}
    if equal:
        value = f"{len(equal):,} names come more than once in a list, with different times"
        remedy = "They may be several people, so their answers are taken as unknown."
        found.checks.append(Check("equal names", value, "warn", remedy))
        found.people += [Person(name, display_name=name, state="unknown") for name in sorted(equal)]
    both = _names(entries, "following") & _names(entries, "followers")
    if both:
        value = (
            f"{len(both):,} names are in following and in followers, and are taken as one person"
        )
        remedy = "Facebook gives names only; two people of one name look like one."
        found.checks.append(Check("paired by name", value, "note", remedy))


def _check_pages(found: Found, entries: dict[str, _Entries]) -> None:
    """Tell of pages: how far their times can be trusted, and whether they are of all time."""
    pages = {kind: one for kind, one in entries.items() if one.precision_s > 1}
    if pages:
        is_told = all(one.precision_s < DAY_S for one in pages.values())
        value = (
            "Times on pages are written in your own zone: they are good to an hour."
            if is_told
            else "Times on pages are written in a zone that is not told: they are good to a day."
        )
        found.checks.append(Check("time zone", value, "note", "JSON has exact times."))
    if ranged := [_WORDS[kind] for kind, one in pages.items() if one.is_ranged]:
        value = f"The pages say that they hold a range of dates only: {', '.join(ranged)}."
        found.checks.append(Check("date range", value, "warn", ASK))


def _names(entries: dict[str, _Entries], kind: str) -> set[str]:
    return {name for name, _ in entries[kind].people} if kind in entries else set()


def _states(
    files: list[tuple[str, Member]], entries: dict[str, _Entries], unreadable: set[str]
) -> dict[ListKind, tuple[ListState, list[str]]]:
    """Return how far each list can be trusted; friends stand in both follow lists."""
    sources: dict[ListKind, tuple[str, ...]] = {
        "followers": ("followers", "friends"), "following": ("following", "friends"),
        "requests_sent": ("sent",), "requests_received": ("received",), "unfollowed": ("removed",),
    }  # fmt: skip
    states: dict[ListKind, tuple[ListState, list[str]]] = {}
    for kind, parts in sources.items():
        state: ListState = "whole" if parts[0] in entries else "absent"
        if unreadable & set(parts):
            state = "unreadable"
        elif state == "whole" and any(entries[part].is_ranged for part in parts if part in entries):
            state = "cut"
        states[kind] = (state, [member.path for part, member in files if part in parts])
    return states


def _check_states(found: Found, read: set[str]) -> None:
    """Refuse without both follow lists; friends alone are mutual, which needs no second list."""
    has_follows = bool(read & {"followers", "following"})
    is_unreadable = any(one.state == "unreadable" for one in found.lists[:2])
    if "friends" in read and not has_follows and not is_unreadable:
        value = "friends only, who are mutual; follows are not in the export"
        found.checks.append(Check("followers list", value, "warn", ASK))
    else:
        check_lists(found, ASK)
