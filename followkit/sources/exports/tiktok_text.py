"""TikTok's TXT variant: folders of text files with blocks of `Date: …` and `Username: …`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from followkit.errors import InputError
from followkit.sources.exports.careful_json import read_text
from followkit.sources.exports.members import Member, Members
from followkit.sources.exports.tiktok_json import TikTokData

__all__ = ["find_texts", "read_texts"]

_FILES = {
    "follower.txt": "followers", "followers.txt": "followers", "follower list.txt": "followers",
    "following.txt": "following", "following list.txt": "following",
    "block list.txt": "blocked", "blocklist.txt": "blocked", "block.txt": "blocked",
    "like list.txt": "likes", "likes.txt": "likes",
    "favorite videos.txt": "saves",
    "post.txt": "posts", "posts.txt": "posts", "videos.txt": "posts",
    "comments.txt": "comments", "comment.txt": "comments",
    "direct messages.txt": "messages", "direct message.txt": "messages",
    "profile info.txt": "profile", "profile information.txt": "profile",
}  # fmt: skip
_LISTS = frozenset({"followers", "following"})
_FIELD = re.compile(r"([^:\n]{1,60}?)\s*:(?:\s+|$)(.*)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: UTC)?")
_CHAT = re.compile(r">>> ?Chat History with (.{1,100}?):{1,2}\s*", re.IGNORECASE)
_MESSAGE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: UTC)? ([^:\n]{1,60}): ?")


def find_texts(members: Members) -> list[tuple[str, Member]]:
    """Return the text files worth reading and what each holds, if follow lists are among them."""
    named = [
        (_FILES[member.name.casefold()], member)
        for member in members
        if member.name.casefold() in _FILES
    ]
    return named if {what for what, _ in named} & _LISTS else []


def read_texts(what: str, member: Member, data: TikTokData) -> None:
    r"""Add the records of one text file to `data`.

    Raises
    ------
    InputError
        If a file is there, and longer than a remark that there are no data, yet has no record.

    Examples
    --------
    >>> from followkit.sources.exports.members import Member
    >>> text = b"Date: 2024-01-02 10:00:00\nUsername: bo_77\n\n"
    >>> data = TikTokData()
    >>> read_texts("followers", Member("Follower.txt", len(text), "", lambda: text), data)
    >>> data.lists["followers"]
    [{'date': '2024-01-02 10:00:00', 'username': 'bo_77'}]
    """
    text = read_text(member).replace("\r\n", "\n").replace("\r", "\n")
    if what == "messages":
        _add_messages(text, member.path, data)
        return
    records = list(_records(text))
    if what == "profile":
        for record in records:
            data.add_profile(record)
        return
    timed = [record for record in records if "date" in record or "username" in record]
    if not timed and not _is_remark(text):
        data.files.setdefault(what, []).append(member.path)
        data.unreadable.add(what)
        raise InputError(
            f"{member.path}: no record of the form `Date: …`, `Username: …`; the format has changed"
        )
    data.add(what, timed, member.path)


def _is_remark(text: str) -> bool:
    """Return whether a text is empty or one sentence without a number: "no data here"."""
    lines = [line for line in text.split("\n") if line.strip()]
    return len(lines) <= 2 and not any(letter.isdigit() for line in lines for letter in line)


def _records(text: str) -> Iterator[dict[str, str]]:
    """Yield a record for each block of lines; a blank line or a repeated name ends a block.

    Names of fields may be in the language of the account: a block of a date and one more value is
    a date and a user name.
    """
    record: dict[str, str] = {}
    for line in [*text.split("\n"), ""]:
        match = _FIELD.match(line.strip())
        name = match[1].casefold().strip() if match else ""
        if record and (not name or name in record):
            yield _translated(record)
            record = {}
        if match:
            record[name] = match[2].strip()
    if record:
        yield _translated(record)


def _translated(record: dict[str, str]) -> dict[str, str]:
    dates = [name for name, value in record.items() if _DATE.fullmatch(value)]
    if "date" not in record and len(dates) == 1:
        record["date"] = record.pop(dates[0])
        others = [name for name in record if name != "date"]
        if len(others) == 1 and not record[others[0]].startswith("http"):
            record["username"] = record.pop(others[0])
    return record


def _add_messages(text: str, file: str, data: TikTokData) -> None:
    """Add who wrote when in each chat; a line that does not begin with a time continues a text."""
    chat: list[dict[str, str]] | None = None
    for line in text.split("\n"):
        if head := _CHAT.fullmatch(line):
            chat = []
            data.chats.append((head[1].strip(), chat, file))
        elif chat is not None and (match := _MESSAGE.match(line)):
            chat.append({"date": match[1], "from": match[2].strip()})
