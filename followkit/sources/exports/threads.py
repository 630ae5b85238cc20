"""Threads' lists inside an Instagram export → what followkit needs of them.

They have the names of Instagram's lists, in a folder `threads` or with keys that begin with
`text_post_app_`. Their titles are display names, so a user name comes from the value or the link.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from followkit.errors import InputError
from followkit.sources.exports.found import FileRead, Found
from followkit.sources.exports.instagram import add_rows, find_ego, finish
from followkit.sources.exports.instagram_activity import ACTS
from followkit.sources.exports.instagram_entries import listed_records
from followkit.sources.exports.instagram_files import LISTS, choose_files, is_page, origins_of
from followkit.sources.exports.instagram_own import posts_of
from followkit.sources.exports.instagram_reading import Reading, read_sheets
from followkit.sources.exports.instagram_relations import (
    find_labels,
    make_rows,
)
from followkit.sources.exports.members import Member, Members

__all__ = ["read_threads", "recognise"]

ACT_ROLES = [role for role in ACTS if role.startswith("threads_")]


def recognise(members: Members) -> bool:
    """Tell whether an export holds lists of Threads; an Instagram export may hold both.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits
    >>> path = "your_instagram_activity/threads/followers_1.json"
    >>> recognise(Members((Member(path, 2, "my.zip", lambda: b"[]"),), (), Limits()))
    True
    """
    chosen = choose_files(members, threads=True)
    return any(role in LISTS or role.startswith("threads_") for role in chosen)


def read_threads(
    members: Members, *, ego: str | None = None, exported_at: datetime | None = None
) -> Found:
    """Read the Threads part of an Instagram export; Instagram's own lists are left alone.

    Parameters
    ----------
    members
        The files of a folder, of one zip or of all zips of one export.
    ego
        The owner's user name; else what the export says, else the zip's name, else "me".
    exported_at
        When the export was made; else by the zip's name, the pages or the newest entry. UTC.

    Returns
    -------
    Found
        As `read_instagram` gives it, for the platform "threads".

    Raises
    ------
    InputError
        If `ego` is no user name, or a limit of reading is passed.

    Examples
    --------
    >>> import json
    >>> from followkit.sources.exports.members import Limits
    >>> item = {"title": "Bo B", "string_list_data": [
    ...     {"href": "https://www.threads.com/bo_77", "timestamp": 1700000000}]}
    >>> content = json.dumps({"text_post_app_text_post_app_following": [item]}).encode()
    >>> file = Member("threads/following.json", 99, "my.zip", lambda: content)
    >>> found = read_threads(Members((file,), ("my.zip",), Limits()))
    >>> [(tie.source, tie.target) for tie in found.ties]
    [('me', 'bo_77')]
    """
    files = choose_files(members, threads=True)
    own = choose_files(members, threads=False).get("personal", [])
    reading = Reading(Found("threads"), {**files, "personal": own})
    origins = origins_of(members)
    find_ego(reading, ego, origins)
    read_sheets(reading, [*LISTS, *ACT_ROLES], threads=True)
    find_labels(reading)
    make_rows(reading, [*LISTS, *ACT_ROLES], title_is_name=True)
    add_rows(reading)
    _add_posts(reading, files.get("threads_posts", []))
    return finish(reading, exported_at, origins, None)


def _add_posts(reading: Reading, files: list[Member]) -> None:
    """Add own posts; a reply is one too, but to whom is not written."""
    taken: Counter[str] = Counter()
    for member in files:
        if is_page(member):
            reading.counts["pages of posts"] += 1
            continue
        payload = reading.read_json(member, "threads_posts")
        try:
            records = [] if payload is None else listed_records(payload, member.path)
        except InputError as error:
            reading.fail("threads_posts", error, member.path)
            continue
        reading.found.posts.extend(
            posts_of(records, "thread", reading.found.ego, member.path, taken)
        )
        reading.found.files.append(FileRead(member.path, "own posts", len(records)))
