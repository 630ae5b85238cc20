"""The data file of TikTok: followers and following with times to the second, and what goes along.

Likes and comments mostly do not say whose video it was; only links with an author become acts. The
followers list may be capped, so it is compared with the count in the profile.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from followkit.errors import InputError
from followkit.sources.exports.found import (
    Act,
    Check,
    FileRead,
    Found,
    ListKind,
    ListState,
    Mark,
    Person,
    Post,
    Tie,
)
from followkit.sources.exports.members import Member, Members
from followkit.sources.exports.reading import (
    add_lists,
    check_lists,
    day_in_names,
    number_of,
    read_or_report,
    settle_times,
    text_of,
    written_time,
)
from followkit.sources.exports.reading import field as value_of
from followkit.sources.exports.tiktok_json import TikTokData, read_leaves
from followkit.sources.exports.tiktok_text import find_texts, read_texts

__all__ = ["read_tiktok", "recognise"]

OPENED = datetime(2014, 1, 1, tzinfo=UTC)
ASK = (
    "Ask TikTok for your data again (look for Settings and privacy, Account, Download your data), "
    "with all data and, if you can choose, as JSON."
)
#: The count in the profile may be off by accounts that are gone; more than this is a capped list.
SPARE_COUNT, SPARE_SHARE = 5, 0.05
_FILE = re.compile(r"user_data(_tiktok)?\b.{0,40}\.json", re.IGNORECASE)
_AUTHOR = re.compile(r"/@([\w.]{1,64})/(?:video|photo)/(\d{1,25})")
_VIDEO = re.compile(r"/(?:video|photo)/(\d{1,25})")
_SNIFFED = (b'"fanslist"', b'"profilemap"', b'"follower list"', b'"following list"',
            b'"itemfavoritelist"', b'"favoritevideolist"', b'"chathistory"')  # fmt: skip
_COUNTS = {"followers": "followercount", "following": "followingcount"}
_WORDS = {"followers": "followers", "following": "following", "blocked": "blocked accounts"}


def recognise(members: Members) -> bool:
    """Return whether the files are TikTok's, by their names; a lone JSON file is looked into.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits, Member, Members
    >>> file = Member("TikTok_Data_1/user_data_tiktok.json", 2, "", lambda: b"{}")
    >>> recognise(Members((file,), ("TikTok_Data_1.zip",), Limits()))
    True
    """
    return bool(_json_files(members) or find_texts(members))


def _json_files(members: Members) -> list[Member]:
    """Return the data files by their names; a plain or foreign name is looked into."""
    # Many programs call a file `user_data.json`.
    named = [
        member
        for member in members
        if (match := _FILE.fullmatch(member.name))
        and (match[1] or _is_in_folder(member) or _is_tiktoks(member, 1))
    ]
    if named or len(members.files) != 1 or not members.files[0].name.lower().endswith(".json"):
        return named
    alone = members.files[0]
    return [alone] if _is_tiktoks(alone, 2) else []


def _is_in_folder(member: Member) -> bool:
    return "tiktok" in f"{member.origin}/{member.path}".lower()


def _is_tiktoks(member: Member, least: int) -> bool:
    """Tell whether so many names of TikTok's sections stand in a file."""
    try:
        content = member.read_bytes().lower()
    except InputError:
        # By its name it may well be; reading it says what is wrong.
        return bool(_FILE.fullmatch(member.name))
    return sum(word in content for word in _SNIFFED) >= least


def read_tiktok(
    members: Members, *, ego: str | None = None, exported_at: datetime | None = None
) -> Found:
    """Read TikTok's data: one JSON file of any of its three layouts, or the folders of text files.

    Parameters
    ----------
    members
        The files.
    ego
        User name of the owner; the one in the profile without it.
    exported_at
        When the file was made (UTC); the newest stamp without it.

    Returns
    -------
    Found
        Follows both ways with times (UTC, to the second), blocked accounts, messages, likes and
        saves of videos whose link names the author, own posts.

    Raises
    ------
    InputError
        If no file is TikTok's, or the JSON file cannot be read.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits, Member, Members
    >>> text = (b'{"Profile And Settings": {"Follower": {"FansList": ['
    ...         b'{"Date": "2024-01-02 10:00:00", "UserName": "Bo_77"}]}}}')
    >>> file = Member("user_data_tiktok.json", len(text), "", lambda: text)
    >>> found = read_tiktok(Members((file,), (file.name,), Limits()))
    >>> [(tie.source, tie.target, str(tie.at)) for tie in found.ties]
    [('bo_77', 'me', '2024-01-02 10:00:00+00:00')]
    """
    found, data = Found("tiktok"), TikTokData()
    _read_files(members, found, data)
    found.ego = _handle(ego) or _owner(data)
    states: dict[ListKind, tuple[ListState, list[str]]] = {
        "followers": _read_people(found, data, "followers"),
        "following": _read_people(found, data, "following"),
    }
    _read_people(found, data, "blocked")
    _read_links(found, data, "likes", "like")
    _read_links(found, data, "saves", "save")
    _count_comments(found, data)
    _read_posts(found, data)
    _read_chats(found, data)
    _add_owner(found, data)
    # What the ego did last is a guide to the day of the export, too.
    done = [one for what in ("likes", "saves", "comments") for one in data.lists.get(what, ())]
    stamps = [*data.stamps, *(value_of(one, "date") for one in done)]
    others = [at for stamp in stamps if (at := written_time(stamp))]
    settle_times(
        found, given=exported_at, told=day_in_names(members, "tiktok"), since=OPENED, is_day=True,
        others=others,
    )  # fmt: skip
    add_lists(found, states)
    check_lists(found, ASK)
    return found


def _read_files(members: Members, found: Found, data: TikTokData) -> None:
    files, texts = _json_files(members), find_texts(members)
    if not files and not texts:
        raise InputError(f"No file of a TikTok export. {ASK}")
    for member in files:
        read_leaves(member, data)
    for what, member in texts if not files else ():
        read_or_report(found, member, what, lambda one, what=what: read_texts(what, one, data))  # type: ignore[misc]


def _handle(value: Any) -> str:
    return text_of(value).removeprefix("@").strip().casefold()


def _owner(data: TikTokData) -> str:
    """Return the user name in the profile, else whoever writes in every chat beside the partner."""
    named = _handle(data.profile.get("username"))
    if named:
        return named
    writers = [
        {_handle(value_of(one, "from")) for one in messages} - {partner.casefold(), ""}
        for partner, messages, _ in data.chats
        if messages
    ]
    common = set.intersection(*[one for one in writers if one]) if any(writers) else set()
    return common.pop() if len(common) == 1 and len([one for one in writers if one]) > 1 else "me"


# --------------------------------------------------------------------------------------- the lists


def _read_people(found: Found, data: TikTokData, what: str) -> tuple[ListState, list[str]]:
    """Add the ties (or marks) of one list, and return how far it can be trusted."""
    files = data.files.get(what, [])
    records = data.lists.get(what, [])
    file = files[0] if files else ""
    kept = 0
    for record in records:
        alter = _handle(value_of(record, "userName", "user name"))
        if not alter:
            continue
        kept += 1
        at = written_time(value_of(record, "date"))
        if what == "blocked":
            found.marks.append(Mark(alter, "blocked", at, file))
        else:
            ends = (alter, found.ego) if what == "followers" else (found.ego, alter)
            found.ties.append(Tie(*ends, "follow", at, file))
    if files:
        left_out = {"no user name": len(records) - kept} if kept < len(records) else {}
        found.files.append(FileRead(file, _WORDS[what], kept, left_out))
    if what in data.unreadable or (records and not kept):
        return "unreadable", files
    return _compare_count(found, data, what, kept), files


def _compare_count(found: Found, data: TikTokData, what: str, kept: int) -> ListState:
    """Return whether a list is whole, by the count in the profile where there is one."""
    told = number_of(data.profile.get(_COUNTS.get(what, "")))
    if what not in data.lists:
        # Null may mean "none" or "not given"; only the profile can tell.
        return "whole" if what in data.null and told == 0 else "absent"
    if told is None:
        return "whole"
    is_cut = told - kept > max(SPARE_COUNT, SPARE_SHARE * told)
    value = f"{kept:,} on the list, {told:,} in the profile"
    if is_cut:
        found.checks.append(Check(f"{what} count", f"{value}: the list is capped", "warn", ASK))
    elif told != kept:
        remedy = "Accounts that are gone may be counted; up to that many may be missing."
        found.checks.append(
            Check(f"{what} count", value, "warn" if told > kept else "note", remedy)
        )
    else:
        found.checks.append(Check(f"{what} count", value, "ok"))
    return "cut" if is_cut else "whole"


# -------------------------------------------------------------------------------- acts and the rest


def _read_links(found: Found, data: TikTokData, what: str, kind: str) -> None:
    """Add an act for each link that names the author of the video."""
    records = data.lists.get(what, [])
    kept = 0
    file = next(iter(data.files.get(what, [])), "")
    for record in records:
        link = text_of(value_of(record, "link", "video link", "videolink"))[:2000]
        if match := _AUTHOR.search(link):
            kept += 1
            at = written_time(value_of(record, "date"))
            found.acts.append(Act(found.ego, _handle(match[1]), kind, at, file, match[2]))
    if records:
        left_out = {"no author in the link": len(records) - kept} if kept < len(records) else {}
        found.files.append(FileRead(file, what, kept, left_out))


def _count_comments(found: Found, data: TikTokData) -> None:
    if records := data.lists.get("comments"):
        out = {"no author of the video": len(records)}
        found.files.append(FileRead(data.files["comments"][0], "comments", 0, out))


def _read_posts(found: Found, data: TikTokData) -> None:
    records = data.lists.get("posts", [])
    file = next(iter(data.files.get("posts", [])), "")
    for position, record in enumerate(records):
        date = text_of(value_of(record, "date"))
        if not isinstance(record, dict) or not date:
            continue
        match = _VIDEO.search(text_of(value_of(record, "link"))[:2000])
        digits = "".join(letter for letter in date[:19] if letter.isdigit())
        post_id = match[1] if match else f"tiktok-{digits}-{position}"
        likes = number_of(value_of(record, "likes", "like(s)"))
        found.posts.append(
            Post(post_id, found.ego, written_time(date), file, format="video", like_count=likes)
        )
    if records:
        found.files.append(FileRead(file, "posts", len(found.posts)))


def _read_chats(found: Found, data: TikTokData) -> None:
    """Add a message act for each message of a chat of two; whoever is not the alter is the ego."""
    left_out: Counter[str] = Counter()
    before = len(found.acts)
    for partner, messages, file in data.chats:
        alter = _handle(partner)
        senders = {_handle(value_of(one, "from")) for one in messages} - {alter, found.ego, ""}
        if not alter or alter == found.ego:
            left_out["the chat does not say with whom"] += len(messages)
            continue
        if len(senders) > 1 or (senders and found.ego != "me"):
            left_out["more than two people"] += len(messages)
            continue
        for message in messages:
            sender = _handle(value_of(message, "from"))
            if not sender:
                left_out["no sender"] += 1
                continue
            ends = (alter, found.ego) if sender == alter else (found.ego, alter)
            at = written_time(value_of(message, "date"))
            found.acts.append(Act(*ends, "message", at, file))
    if data.chats:
        kept = len(found.acts) - before
        found.files.append(FileRead(data.chats[0][2], "messages", kept, dict(left_out)))


def _add_owner(found: Found, data: TikTokData) -> None:
    """Add the ego with the counts of its profile."""
    followers, following = (number_of(data.profile.get(name)) for name in _COUNTS.values())
    if data.profile and found.ego != "me":
        found.people.append(
            Person(found.ego, found.ego, follower_count=followers, followee_count=following)
        )
