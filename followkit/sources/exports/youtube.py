"""Subscriptions of a YouTube Takeout: the channels that the ego follows, without times.

YouTube does not say who subscribed to the ego, so it cannot be told who follows back. Folder, file
and header are in the language of the account: the list is known by its channel ids.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

from followkit.errors import InputError
from followkit.sources.exports.found import Check, FileRead, Found, ListState, Person, Tie
from followkit.sources.exports.members import Member, Members
from followkit.sources.exports.reading import add_lists, read_or_report, read_rows, settle_times

__all__ = ["read_youtube", "recognise"]

OPENED = datetime(2005, 2, 14, tzinfo=UTC)
ASK = "Ask Google Takeout (look for takeout.google.com) for YouTube with subscriptions."
#: A list of subscriptions is small; larger files of a Takeout are something else.
MOST_BYTES = 20_000_000
_CHANNEL = re.compile(r"UC[\w-]{22}", re.ASCII)
_ADDRESS = re.compile(r"/channel/UC[\w-]{22}", re.ASCII)
_IN_NAME = re.compile(r"takeout-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.IGNORECASE)
#: Names of the file in some languages, by which even an empty list is known.
_NAMES = (
    "subscriptions", "suscripciones", "abonnementen", "abonnements", "abos", "iscrizioni",
    "inscrições", "subskrypcje", "abonelikler", "подписки", "登録チャンネル",
)  # fmt: skip


def recognise(members: Members) -> bool:
    """Return whether a list of subscriptions is among the files.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits, Member, Members
    >>> path = "Takeout/YouTube and YouTube Music/subscriptions/subscriptions.csv"
    >>> recognise(Members((Member(path, 0, "", lambda: b""),), ("takeout.zip",), Limits()))
    True
    """
    return bool(_candidates(members))


def _candidates(members: Members) -> list[Member]:
    """Return CSV files that are named like it, or lie in YouTube's folder and hold channel ids."""
    tables = [one for one in members if one.name.lower().endswith(".csv")]
    tables = [one for one in tables if one.size <= MOST_BYTES]
    named = [one for one in tables if _is_named(one)]
    if named:
        return named
    near = [one for one in tables if "youtube" in one.path.casefold() or len(tables) == 1]
    return [one for one in near if _ADDRESS.search(one.head(4000).decode("latin-1"))]


def _is_named(member: Member) -> bool:
    # Zips made on a Mac hold letters and their accents apart.
    stem = unicodedata.normalize("NFC", member.name).casefold().rpartition(".")[0]
    return any(stem == name or stem.startswith(f"{name} (") for name in _NAMES)


def read_youtube(
    members: Members, *, ego: str | None = None, exported_at: datetime | None = None
) -> Found:
    r"""Read the subscriptions of a Takeout.

    Parameters
    ----------
    members
        The files.
    ego
        Id of the owner's channel; "me" without it.
    exported_at
        When the Takeout was made (UTC); told by the name of its zip, else unknown.

    Returns
    -------
    Found
        A tie from the ego to each channel, without a time; channel titles. The followers list is
        absent, and a check says why nobody can be said not to follow back.

    Raises
    ------
    InputError
        If there is no list of subscriptions.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits, Member, Members
    >>> channel = "UC" + "a" * 22
    >>> text = f"ID,URL,T\n{channel},http://www.youtube.com/channel/{channel},Bo\n".encode()
    >>> file = Member("suscripciones.csv", len(text), "", lambda: text)
    >>> read_youtube(Members((file,), (file.name,), Limits())).ties[0].target == channel
    True
    """
    found = Found("youtube", ego=(ego or "").strip() or "me")
    files = _candidates(members)
    if not files:
        raise InputError(f"No list of subscriptions of a YouTube Takeout. {ASK}")
    state: ListState = "whole"
    for member in files:
        channels = read_or_report(found, member, "subscriptions", _channels, verdict="refuse")
        if channels is None:
            state = "unreadable"
            continue
        found.files.append(FileRead(member.path, "subscriptions", len(channels)))
        for channel, title in channels:
            found.ties.append(Tie(found.ego, channel, "follow", None, member.path))
            found.people.append(Person(channel, display_name=title or None))
    settle_times(found, given=exported_at, told=_moment_in_names(members), since=OPENED)
    paths = [member.path for member in files]
    add_lists(found, {"followers": ("absent", []), "following": (state, paths)})
    if state == "whole":
        value = f"there, with {found.listed('following').count:,} channels"
        found.checks.append(Check("following list", value, "ok"))
    found.checks.append(
        Check("followers list", "YouTube gives no subscribers", "refuse",
              "No file of YouTube says who follows back; nothing can be asked for.")
    )  # fmt: skip
    return found


def _moment_in_names(members: Members) -> datetime | None:
    moments = []
    for name in members.origins:
        if match := _IN_NAME.search(name):
            try:
                year, month, day, hour, minute, second = map(int, match.groups())
                moments.append(datetime(year, month, day, hour, minute, second, tzinfo=UTC))
            except ValueError:
                continue
    return max(moments, default=None)


def _channels(member: Member) -> list[tuple[str, str]]:
    """Return id and title of each channel; columns are found by what they hold.

    Raises
    ------
    InputError
        If there are rows below the header and none of them holds a channel id.
    """
    rows = read_rows(member)
    read = []
    for row in rows:
        ids = [cell for cell in row if _CHANNEL.fullmatch(cell)]
        if ids:
            rest = [cell for cell in row if cell != ids[0] and not _ADDRESS.search(cell)]
            read.append((ids[0], rest[-1] if rest else ""))
    if len(rows) > 1 and not read:
        raise InputError(
            f"{member.path}: {len(rows) - 1:,} rows, none with a channel id (UC and 22 letters); "
            "the format has changed"
        )
    return read
