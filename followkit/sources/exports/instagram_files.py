"""Which file of an Instagram export is which: by its own name and its folder's, wherever it lies.

The tree changed many times, the names of the files hardly. Threads' own lists have the names of
Instagram's; they lie in a folder `threads`, or have a key that begins with `text_post_app_`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from followkit.errors import InputError
from followkit.sources.exports.instagram_entries import THREADS_PREFIX
from followkit.sources.exports.members import Member, Members

__all__ = ["LISTS", "Origin", "choose_files", "has_copies", "in_facebook_folder",
           "in_threads_folder", "is_page", "missing_numbers",
           "origins_of", "plain_stem"]  # fmt: skip

#: Relation lists: role → the stem of its file, apostrophes and blanks as one underscore.
LISTS = {
    "followers": r"followers(?:_[0-9]{1,4})?",
    "following": r"following(?:_[0-9]{1,4})?",
    "requests_sent": r"pending_follow_requests(?:_[0-9]{1,4})?",
    "recent_requests": r"recent_follow_requests(?:_[0-9]{1,4})?",
    "requests_received": r"follow_requests_you_?(?:ve_)?received(?:_[0-9]{1,4})?",
    "unfollowed": r"(?:recently_)?unfollowed(?:_profiles|_accounts)?(?:_[0-9]{1,4})?",
    "close_friend": r"close_friends",
    "favorite": r"profiles_you_?(?:ve_)?favou?rited",
    "dismissed": r"removed_suggestions",
    "restricted": r"restricted_(?:profiles|accounts)",
    "blocked": r"blocked_(?:profiles|accounts)",
    "hidden_from": r"hide_story_from",
}
STORY_STEMS = (
    r"(?:story_)?(?:polls|quizzes|questions|emoji_sliders|story_likes|emoji_quick_reactions|"
    r"reaction_sticker_reactions|countdowns)"
)
#: Other files: role → the stem, and the folder it lies in ("" for any).
OTHERS = {
    "personal": (r"personal_information", ""),
    "posts": (r"posts(?:_[0-9]{1,4})?", "content|media"),
    "reels": (r"reels(?:_[0-9]{1,4})?", "content|media"),
    "stories": (r"stories(?:_[0-9]{1,4})?", "content|media"),
    "insights": (r"posts", "past_instagram_insights"),
    "liked_posts": (r"liked_posts(?:_[0-9]{1,4})?", ""),
    "liked_comments": (r"liked_comments(?:_[0-9]{1,4})?", ""),
    "comments": (r"(?:post_comments|reels_comments)(?:_[0-9]{1,4})?", ""),
    "story_comments": (r"hype(?:_[0-9]{1,4})?", "comments"),
    "story_acts": (STORY_STEMS, "story_interactions|story_sticker_interactions"),
    "saved": (r"saved_posts(?:_[0-9]{1,4})?", ""),
    "viewed": (r"posts_viewed|videos_watched|stories_viewed", ""),
    "threads_posts": (r"threads_and_replies(?:_[0-9]{1,4})?", ""),
    "threads_liked": (r"liked_threads(?:_[0-9]{1,4})?", ""),
    "threads_viewed": (r"threads_viewed(?:_[0-9]{1,4})?", ""),
}
#: Era A, files at the top; they count only beside `connections.json`.
ERA_A = {
    "connections": "connections", "likes": "a_likes", "comments": "a_comments",
    "saved": "a_saved", "messages": "a_messages", "media": "a_media", "profile": "a_profile",
    "stories_activities": "a_stories", "seen_content": "a_seen",
}  # fmt: skip
THREAD = re.compile(
    r"(?:^|/)(?:inbox|message_requests|archived_threads|filtered_threads)/[^/]+/message_[0-9]{1,5}"
    r"\.(?:json|html)$",
    re.IGNORECASE,
)
_ROLES = [(role, re.compile(stem), "") for role, stem in LISTS.items()]
_ROLES += [(role, re.compile(stem), folder) for role, (stem, folder) in OTHERS.items()]
#: What a browser adds to the name of a second download.
COPY = re.compile(r"\([0-9]{1,3}\)\.[a-z]{3,4}$")
#: The first characters of a list; the key that says Threads stands there.
PEEK = 4_096

NEW_NAME = re.compile(r"instagram-([a-z0-9._]{1,30})-([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])")
OLD_NAME = re.compile(r"([a-z0-9._]{1,30})_([0-9]{4})([0-9]{2})([0-9]{2})(?:_part_([0-9]{1,3}))?")
META_NAME = re.compile(r"meta-([0-9]{4})-([a-z]{3})-([0-9]{2})(?![0-9])")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Origin:
    """What the name of a zip or of a wrapper folder tells: owner, day, number of the part.

    `is_sure`: the platform writes such names; `export_20240102.zip` may be anybody's.
    """

    ego: str = ""
    day: datetime | None = None
    part: int | None = None
    is_sure: bool = True


def plain_stem(member: Member) -> str:
    """Return a file's name without ending, in lower case, all but letters and digits as `_`.

    Examples
    --------
    >>> plain_stem(Member("a/Follow_requests_you’ve_received (1).json", 0, "", bytes))
    'follow_requests_you_ve_received'
    """
    stem = re.sub(r"\s{0,3}\([0-9]{1,3}\)$", "", member.name.rpartition(".")[0].lower())
    return re.sub(r"[^a-z0-9]+", "_", stem).strip("_")


def is_page(member: Member) -> bool:
    """Tell whether a file is a page by its ending."""
    return member.name.lower().endswith((".html", ".htm"))


def in_threads_folder(member: Member) -> bool:
    """Tell whether a file lies in Threads' folder.

    Examples
    --------
    >>> path = "your_instagram_activity/threads/followers_1.json"
    >>> in_threads_folder(Member(path, 0, "", bytes))
    True
    """
    return "threads" in member.folder.lower().split("/")


def in_facebook_folder(member: Member) -> bool:
    """Tell whether a file is of Facebook's part of an export of both.

    Examples
    --------
    >>> in_facebook_folder(Member("your_facebook_activity/messages/a.json", 0, "", bytes))
    True
    """
    return any(
        folder == "your_facebook_activity" or folder.startswith("facebook-")
        for folder in member.folder.lower().split("/")
    )


def has_copies(files: Iterable[Member]) -> bool:
    """Tell whether one file came in two versions, as a browser names them: `a.json`, `a (1).json`.

    Examples
    --------
    >>> has_copies([Member(name, 0, "", bytes) for name in ("a.json", "a (1).json")])
    True
    """
    files = list(files)
    stems = Counter(plain_stem(one) for one in files)
    return any(COPY.search(one.name) and stems[plain_stem(one)] > 1 for one in files)


def choose_files(members: Members, *, threads: bool) -> dict[str, list[Member]]:
    """Return the files to read, by role; no file but these is ever opened.

    Parameters
    ----------
    members
        All files of the export.
    threads
        Whether Threads' files are wanted, or Instagram's.

    Returns
    -------
    dict
        Role → files in order of their paths. A page whose JSON twin is there is left out, and so
        is a file that came twice with the same bytes.

    Examples
    --------
    >>> files = tuple(Member(f"x/followers_and_following/{name}", 0, "my.zip", bytes) for name in
    ...               ("following.json", "following.html", "following_hashtags.json"))
    >>> from followkit.sources.exports.members import Limits
    >>> [one.name for one in choose_files(Members(files, (), Limits()), threads=False)["following"]]
    ['following.json']
    """
    era_a = {one.folder for one in members if one.name.lower() == "connections.json"}
    by_role: dict[str, list[Member]] = {}
    for member in members:
        role = _role_of(member, era_a)
        if role and (_is_threads(member, role) if threads else not _lies_in_threads(member, role)):
            by_role.setdefault(role, []).append(member)
    return {role: _without_twins(files) for role, files in by_role.items()}


def _role_of(member: Member, era_a: set[str]) -> str:
    folders = member.folder.lower().split("/")
    if not member.name.lower().endswith((".json", ".html", ".htm")):
        return ""
    if in_facebook_folder(member):
        return ""
    if THREAD.search(member.path):
        return "messages"
    stem, parent = plain_stem(member), folders[-1]
    if member.folder in era_a and stem in ERA_A and not is_page(member):
        return ERA_A[stem]
    for role, pattern, folder in _ROLES:
        if pattern.fullmatch(stem) and (not folder or parent in folder.split("|")):
            return role
    return ""


def _lies_in_threads(member: Member, role: str) -> bool:
    return role.startswith("threads_") or in_threads_folder(member)


def _is_threads(member: Member, role: str) -> bool:
    """Tell Threads' lists from Instagram's by folder, else by the first key of the file.

    An Instagram list is not looked into here: its keys are seen when it is read.
    """
    if _lies_in_threads(member, role):
        return True
    if role not in LISTS or is_page(member):
        return False
    try:
        return THREADS_PREFIX.encode() in member.head(PEEK)
    except InputError:
        # It is reported as unreadable when it is read.
        return False


def _without_twins(files: Iterable[Member]) -> list[Member]:
    """Leave out pages whose JSON is there, and files that came twice."""
    files = list(files)
    as_json = {_place(one) for one in files if not is_page(one)}
    kept = [one for one in files if not is_page(one) or _place(one) not in as_json]
    return list(_without_copies(kept))


def _place(member: Member) -> tuple[str, str]:
    return member.folder.rpartition("/")[2].lower(), plain_stem(member)


def _without_copies(files: Iterable[Member]) -> Iterator[Member]:
    """Leave out files that came twice; bytes are compared only where place and size agree."""
    first: dict[tuple[tuple[str, str], int], Member | None] = {}
    seen: set[tuple[tuple[tuple[str, str], int], str]] = set()
    for member in files:
        key = (_place(member), member.size)
        if key not in first:
            first[key] = member
            yield member
            continue
        if (earlier := first[key]) is not None:
            seen.add((key, _digest(earlier)))
            first[key] = None
        mark = (key, _digest(member))
        if mark not in seen:
            seen.add(mark)
            yield member


def _digest(member: Member) -> str:
    try:
        return hashlib.sha256(member.read_bytes()).hexdigest()
    except InputError:
        return f"unreadable in {member.origin}"


# ----------------------------------------------------------------------------------------- names


def origins_of(members: Members) -> list[Origin]:
    """Return what the names of zips and of the folders at the top tell, each once.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits
    >>> origins_of(Members((), ("instagram-ana.lu-2026-08-11-Xy12.zip",), Limits()))[0].ego
    'ana.lu'
    """
    folders = {part for one in members for part in one.folder.lower().split("/")[:3]}
    named = [_read_name(name.lower()) or _read_old_name(name.lower()) for name in members.origins]
    named += [_read_name(name) for name in sorted(folders)]
    return list(dict.fromkeys(one for one in named if one))


def _read_name(name: str) -> Origin | None:
    if match := NEW_NAME.match(name):
        return Origin(match[1], _day(match[2], match[3], match[4]))
    if match := META_NAME.match(name):
        month = MONTHS.index(match[2]) + 1 if match[2] in MONTHS else 0
        return Origin("", _day(match[1], str(month), match[3]))
    return None


def _read_old_name(name: str) -> Origin | None:
    stem = re.sub(r"\s{0,3}\([0-9]{1,3}\)$", "", name.removesuffix(".zip"))
    if (match := OLD_NAME.fullmatch(stem)) and (day := _day(match[2], match[3], match[4])):
        return Origin(match[1], day, int(match[5]) if match[5] else None, is_sure=False)
    return None


def _day(year: str, month: str, day: str) -> datetime | None:
    try:
        moment = datetime(int(year), int(month), int(day), tzinfo=UTC)
    except ValueError:
        return None
    return moment if 2010 <= moment.year <= 2100 else None


def missing_numbers(files: Iterable[Member]) -> list[int]:
    """Return which parts of a numbered list are not there: 1 and 3 without 2.

    Examples
    --------
    >>> missing_numbers([Member(f"followers_{n}.json", 0, "", bytes) for n in (2, 4)])
    [1, 3]
    """
    numbers = set()
    for member in files:
        tail = re.fullmatch(r".*_([0-9]{1,4})", plain_stem(member))
        numbers.add(int(tail[1]) if tail else 1)
    # Only a few are named: a part number of 9999 is no gap of 9,998 files.
    top = max(numbers, default=0)
    return [number for number in range(1, top) if number not in numbers][:20]
