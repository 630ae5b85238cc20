"""TikTok's one JSON file: its lists are found by the names of the leaves, wherever they lie.

Sections were moved twice (until 2024, 2025, 2026), capital and small letters mix within one file,
and any object may be null.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from followkit.sources.exports.careful_json import read_json
from followkit.sources.exports.members import Member
from followkit.sources.exports.reading import records_of, text_of

__all__ = ["TikTokData", "read_leaves"]

#: Sections lie three deep; the rest is for what may come.
MOST_DEPTH = 8
#: Names of leaves in small letters → what they hold.
_LEAVES = {
    "fanslist": "followers", "blocklist": "blocked", "itemfavoritelist": "likes",
    "favoritevideolist": "saves", "commentslist": "comments",
}  # fmt: skip
#: Sections that are null where the list within them should be.
_SECTIONS = {
    "follower": "followers", "follower list": "followers",
    "following": "following", "following list": "following",
}  # fmt: skip
_PROFILE = frozenset({"username", "followercount", "followingcount"})
_POSTS = frozenset({"videos", "posts"})


@dataclass
class TikTokData:
    """The lists of one export: records as they stand, and which lists cannot be read.

    A list that is null is in `null`: it may be empty or left out.
    """

    lists: dict[str, list[Any]] = field(default_factory=dict)
    chats: list[tuple[str, list[Any], str]] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    null: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    #: Times of things that are not kept, such as what was watched.
    stamps: list[Any] = field(default_factory=list)

    def add(self, what: str, value: Any, file: str) -> None:
        """Add what stands for a list; text and numbers are no list."""
        self.files.setdefault(what, []).append(file)
        records = records_of(value)
        if records is not None:
            self.lists.setdefault(what, []).extend(records)
        elif value == {} or _is_null(value):
            self.null.add(what)
        else:
            self.unreadable.add(what)

    def add_profile(self, record: dict[str, Any]) -> None:
        """Keep the user name and the two counts of a profile, and nothing else of it."""
        for key, value in record.items():
            name = key.casefold().replace(" ", "")
            # The first counts: a bio may hold lines that look like fields.
            if name in _PROFILE and not text_of(self.profile.get(name)):
                self.profile[name] = value


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not text_of(value))


def read_leaves(member: Member, data: TikTokData) -> None:
    """Add the lists of one JSON file to `data`.

    Raises
    ------
    InputError
        If it is no JSON.

    Examples
    --------
    >>> from followkit.sources.exports.members import Member
    >>> text = b'{"Your Activity": {"Follower": {"FansList": [{"UserName": "bo"}]}}}'
    >>> data = TikTokData()
    >>> read_leaves(Member("user_data.json", len(text), "", lambda: text), data)
    >>> data.lists
    {'followers': [{'UserName': 'bo'}]}
    """
    for parent, name, value in _leaves(read_json(member)):
        if name in _LEAVES:
            data.add(_LEAVES[name], value, member.path)
        elif name == "following" and (isinstance(value, list) or parent in _SECTIONS):
            data.add("following", value, member.path)
        elif name in _SECTIONS and _is_null(value):
            data.add(_SECTIONS[name], value, member.path)
        elif name == "videolist" and parent in _POSTS:
            data.add("posts", value, member.path)
        elif name in ("videolist", "loginhistorylist") and isinstance(value, list):
            data.stamps += [_date_of(one) for one in value]
        elif name == "chathistory" and isinstance(value, dict):
            _add_chats(data, value, member.path)
        elif name == "profilemap" and isinstance(value, dict):
            data.add_profile(value)


def _leaves(tree: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield (parent, name, value) of all keys of nested objects; lists are not entered."""
    waiting: list[tuple[int, str, Any]] = [(0, "", tree)]
    while waiting:
        depth, parent, node = waiting.pop()
        if not isinstance(node, dict) or depth > MOST_DEPTH:
            continue
        for key, value in node.items():
            name = key.casefold().strip()
            yield parent, name, value
            if name != "chathistory":
                waiting.append((depth + 1, name, value))


def _date_of(record: Any) -> Any:
    if not isinstance(record, dict):
        return None
    return record.get("Date", record.get("date"))


def _add_chats(data: TikTokData, chats: dict[str, Any], file: str) -> None:
    for title, messages in chats.items():
        partner = title.strip().rstrip(":").strip()
        head = "chat history with"
        if partner.casefold().startswith(head):
            partner = partner[len(head) :].strip()
        data.chats.append((partner, records_of(messages) or [], file))
