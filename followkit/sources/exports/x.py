"""The archive of X (Twitter): who follows whom by account id, and what the ego did and wrote.

Follow lists hold numeric ids, without names and without times: who follows back is exact, how long
it took is unknown. Handles come from the ego's own mentions and replies. Likes name neither the
author of the post nor the moment of the like, so they are counted and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from followkit.errors import InputError
from followkit.sources.exports.found import (
    Check,
    FileRead,
    Found,
    ListKind,
    ListState,
    Mark,
    MarkKind,
    Person,
    Tie,
    Verdict,
)
from followkit.sources.exports.members import Member, Members
from followkit.sources.exports.reading import (
    add_lists,
    check_lists,
    day_in_names,
    read_or_report,
    settle_times,
    text_of,
)
from followkit.sources.exports.reading import field as value_of
from followkit.sources.exports.x_files import XFiles, find_files, moment_of, read_js, unwrap
from followkit.sources.exports.x_messages import read_messages
from followkit.sources.exports.x_posts import Names, read_posts

__all__ = ["read_x", "recognise"]

OPENED = datetime(2006, 3, 21, tzinfo=UTC)
ASK = (
    "Ask X for a new archive (look for Settings, Your account, Download an archive of your data) "
    "and give the zip as it is, with all its parts."
)
TOO_OLD = (
    "This is the Twitter archive of before 2018: it holds posts only, not who follows whom. " + ASK
)
_FOLLOWS = ("follower", "following")
_OLD_MONTH = re.compile(r"(?:^|/)data/js/tweets/\d{4}_\d\d\.js$", re.IGNORECASE)


def recognise(members: Members) -> bool:
    """Return whether the files are an X archive, by their names.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from followkit.sources.exports.members import open_members
    >>> path = Path(tempfile.mkdtemp()) / "following.js"
    >>> _ = path.write_text('window.YTD.following.part0 = []')
    >>> with open_members(path) as members:
    ...     recognise(members)
    True
    """
    kinds = set(find_files(members).by_kind)
    return bool(kinds & set(_FOLLOWS)) or len(kinds) > 1 or _is_old(members)


def read_x(
    members: Members, *, ego: str | None = None, exported_at: datetime | None = None
) -> Found:
    """Read an X archive: with or without a manifest, in folder `data` or at the top.

    Parameters
    ----------
    members
        The files of the archive; all parts of it.
    ego
        Account id of the owner; the one in `account.js` or the manifest without it.
    exported_at
        When the archive was made (UTC); told by the manifest or the name of the zip, else the
        newest stamp.

    Returns
    -------
    Found
        Ties without times (`at` None), blocked and muted accounts, replies, mentions, shares,
        messages of two with their times (UTC, to the second), the ego's posts, and handles.

    Raises
    ------
    InputError
        If it is the layout of before 2018, which has no follows, or no X archive at all.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from followkit.sources.exports.members import open_members
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, key in (("follower", "follower"), ("following", "following")):
    ...     _ = (folder / f"{name}.js").write_text(
    ...         f'window.YTD.{name}.part0 = [{{"{key}": {{"accountId": "55"}}}}]')
    >>> with open_members(folder) as members:
    ...     [(tie.source, tie.target) for tie in read_x(members, ego="7").ties]
    [('55', '7'), ('7', '55')]
    """
    files = find_files(members)
    found = Found("x")
    if not files.by_kind:
        raise InputError(TOO_OLD if _is_old(members) else f"No file of an X archive. {ASK}")
    owner = _read_owner(found, files, ego)
    states: dict[ListKind, tuple[ListState, tuple[str, ...]]] = {}
    states["followers"] = _read_follows(found, files, "follower")
    states["following"] = _read_follows(found, files, "following")
    found.checks += files.checks
    _read_marks(found, files)
    _count_likes(found, files)
    names = Names()
    read_posts(found, files, names)
    read_messages(found, files)
    found.people += [*owner, *names.people(found.ego)]
    day = day_in_names(members, "twitter")
    settle_times(
        found, given=exported_at, told=files.made_at or day, since=OPENED,
        is_day=files.made_at is None,
    )  # fmt: skip
    add_lists(found, states)
    check_lists(found, ASK)
    _check_names(found)
    return found


def _is_old(members: Members) -> bool:
    return any(_OLD_MONTH.search(member.path) for member in members) or any(
        member.name.casefold() == "tweets.csv" for member in members
    )


# ----------------------------------------------------------------------------------------- the ego


def _read_owner(found: Found, files: XFiles, given: str | None) -> list[Person]:
    """Set the ego; of `account.js` only id, handle, name and the day it was opened are read."""
    account: Any = {}
    for member in files.by_kind.get("account", []):
        records = read_or_report(found, member, "account", read_js)
        if records:
            account = unwrap(records[0])
            found.files.append(FileRead(member.path, "account", 1))
    owner = _Owner(
        text_of(value_of(account, "accountId")) or files.owner_id,
        text_of(value_of(account, "username")) or files.owner_handle,
        text_of(value_of(account, "accountDisplayName")) or files.owner_name,
        moment_of(value_of(account, "createdAt")),
    )
    found.ego = owner.settle(given)
    if found.ego == "me":
        remedy = "Give your numeric account id, so that messages can be told apart."
        found.checks.append(Check("owner", "the archive does not name its owner", "note", remedy))
    if not owner.handle and not owner.name:
        return []
    return [Person(found.ego, owner.handle or None, owner.name or None, created_at=owner.opened)]


@dataclass(frozen=True)
class _Owner:
    account: str
    handle: str
    name: str
    opened: datetime | None

    def settle(self, given: str | None) -> str:
        """Return the id to use: a given handle of the same account stands for its id."""
        said = (given or "").strip().removeprefix("@")
        is_same = bool(said) and said.casefold() == self.handle.casefold()
        return (self.account if is_same or not said else said) or said or "me"


# --------------------------------------------------------------------------------------- the lists


@dataclass
class _Ids:
    """What a list of accounts holds: ids in order, and how many records have none."""

    ids: list[str] = field(default_factory=list)
    bad_count: int = 0


def _read_ids(member: Member) -> _Ids:
    """Return the account ids of a file.

    Raises
    ------
    InputError
        If there are records, and none of them has an id.
    """
    read = _Ids()
    for record in read_js(member):
        account = text_of(value_of(unwrap(record), "accountId"))
        if account.isascii() and account.isdigit() and len(account) <= 20:
            read.ids.append(account)
        else:
            read.bad_count += 1
    if read.bad_count and not read.ids:
        raise InputError(
            f"{member.path}: {read.bad_count:,} records, none with an accountId; "
            "the format has changed"
        )
    return read


def _lists(found: Found, files: XFiles, kind: str, what: str) -> Iterator[tuple[Member, _Ids]]:
    for member in files.by_kind.get(kind, []):
        verdict: Verdict = "refuse" if kind in _FOLLOWS else "warn"
        ids = read_or_report(found, member, what, _read_ids, verdict=verdict)
        if ids is not None:
            left_out = {"no account id": ids.bad_count} if ids.bad_count else {}
            found.files.append(FileRead(member.path, what, len(ids.ids), left_out))
            yield member, ids


def _read_follows(found: Found, files: XFiles, kind: str) -> tuple[ListState, tuple[str, ...]]:
    """Add the ties of one list; it is cut if a part is missing or shorter than announced."""
    members = files.by_kind.get(kind, [])
    read = list(_lists(found, files, kind, "followers" if kind == "follower" else "following"))
    for member, ids in read:
        for account in ids.ids:
            ends = (account, found.ego) if kind == "follower" else (found.ego, account)
            found.ties.append(Tie(*ends, "follow", None, member.path))
    names = tuple(member.path for member in members)
    if len(read) < len(members):
        return "unreadable", names
    short = files.is_short(kind, {m.path: len(ids.ids) + ids.bad_count for m, ids in read})
    if read and (short or any(ids.bad_count for _, ids in read)):
        return "cut", names
    return ("whole" if read else "absent"), names


def _read_marks(found: Found, files: XFiles) -> None:
    kinds: dict[str, MarkKind] = {"block": "blocked", "mute": "muted"}
    for kind, mark in kinds.items():
        for member, ids in _lists(found, files, kind, mark):
            found.marks += [Mark(account, mark, None, member.path) for account in ids.ids]


def _count_likes(found: Found, files: XFiles) -> None:
    for member in files.by_kind.get("like", []):
        records = read_or_report(found, member, "likes", read_js)
        if records is not None:
            out = {"X names neither the author nor the moment of a like": len(records)}
            found.files.append(FileRead(member.path, "likes", len(records), out))


def _check_names(found: Found) -> None:
    """Say for how many people a handle is known; the lists themselves have none."""
    alters = {end for tie in found.ties for end in (tie.source, tie.target)} - {found.ego}
    named = alters & {one.account for one in found.people if one.handle}
    if alters:
        value = f"{len(named):,} of {len(alters):,} accounts have a handle; the others are numbers"
        remedy = "x.com/intent/user?user_id= and the number opens a profile."
        found.checks.append(Check("handles", value, "note", remedy))
