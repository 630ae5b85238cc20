"""Instagram's export, from 2018 to 2026, JSON or pages → what followkit needs of it.

Read are: relation lists, own acts towards others, times of messages, own posts, and of the owner
the user name, the name and whether the account is private. No other file is opened.
"""

from __future__ import annotations

import re
from datetime import datetime

from followkit.errors import InputError
from followkit.sources.exports.found import Found, Person
from followkit.sources.exports.instagram_activity import ACTS, add_acts, add_era_a_acts
from followkit.sources.exports.instagram_checks import add_checks, add_lists
from followkit.sources.exports.instagram_entries import entries_of_map
from followkit.sources.exports.instagram_files import (
    LISTS,
    Origin,
    choose_files,
    in_facebook_folder,
    in_threads_folder,
    origins_of,
    plain_stem,
)
from followkit.sources.exports.instagram_messages import Matched, add_messages
from followkit.sources.exports.instagram_own import (
    Owner,
    add_era_a_posts,
    add_posts,
    join_insights,
    read_owner,
)
from followkit.sources.exports.instagram_reading import Reading, read_sheets
from followkit.sources.exports.instagram_relations import (
    add_marks,
    add_people,
    add_ties,
    find_labels,
    make_rows,
)
from followkit.sources.exports.instagram_times import find_export_time, settle_times
from followkit.sources.exports.instagram_values import clean_handle
from followkit.sources.exports.members import Member, Members

__all__ = ["find_ego", "read_instagram", "recognise"]

UNKNOWN_EGO = "me"
#: Era A: key of `connections.json` → list.
ERA_A_LISTS = {
    "followers": "followers", "following": "following", "follow_requests_sent": "requests_sent",
    "permanent_follow_requests": "recent_requests", "blocked_users": "blocked",
    "restricted_users": "restricted", "close_friends": "close_friend",
    "dismissed_suggested_users": "dismissed",
}  # fmt: skip
#: Names that no other platform has.
SURE_STEM = re.compile(r"followers_[0-9]{1,4}|pending_follow_requests|recent_follow_requests|"
                       r"recently_unfollowed_\w+|profiles_you_?ve_favorited")  # fmt: skip
#: Others have lists of these names too; their first bytes decide.
UNSURE_STEMS = {"followers", "following", "connections", "close_friends", "blocked_profiles"}
#: `_a6-g`, in 2021 `_2lej`, marks a record of a page; `"followers": {` a map of the oldest exports.
SIGNS = re.compile(
    rb'string_list_data|relationships_|_a6-g|_2lej|"follow(?:ers|ing)"\s{0,20}:\s{0,20}\{'
)
PEEK = 200_000


def recognise(members: Members) -> bool:
    """Tell whether an export is one of Instagram: by names of files, a few first bytes at most.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits
    >>> path = "connections/followers_and_following/following.json"
    >>> recognise(Members((Member(path, 2, "my.zip", lambda: b"[]"),), (), Limits()))
    True
    """
    named = any(one.is_sure and one.ego for one in origins_of(members))
    return (named and bool(choose_files(members, threads=False))) or any(map(_is_sign, members))


def _is_sign(member: Member) -> bool:
    if not member.name.lower().endswith((".json", ".html")) or in_threads_folder(member):
        return False
    if in_facebook_folder(member):
        return False
    folders = member.folder.lower().split("/")
    stem = plain_stem(member)
    if "followers_and_following" in folders or SURE_STEM.fullmatch(stem):
        return True
    if stem == "personal_information":
        return folders[-1] in ("personal_information", "account_information")
    if stem not in UNSURE_STEMS:
        return False
    try:
        return bool(SIGNS.search(member.head(PEEK)))
    except InputError:
        return False


def read_instagram(
    members: Members, *, ego: str | None = None, exported_at: datetime | None = None
) -> Found:
    """Read an Instagram export.

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
        Ties between the ego and others by user name in lower case; times in UTC, to the second in
        JSON and to the minute in pages. `checks` says what is wrong; a list that is missing, cut
        or unreadable has a check with the verdict refuse, and is never an empty list.

    Raises
    ------
    InputError
        If `ego` is no user name, or a limit of reading is passed.

    Examples
    --------
    >>> import json
    >>> from followkit.sources.exports.members import Limits
    >>> item = {"title": "", "string_list_data": [{"value": "Ana.Lu", "timestamp": 1700000000}]}
    >>> content = json.dumps([item]).encode()
    >>> file = Member("followers_and_following/followers_1.json", 99, "my.zip", lambda: content)
    >>> found = read_instagram(Members((file,), ("my.zip",), Limits()), ego="me_myself")
    >>> [(tie.source, tie.target, tie.kind) for tie in found.ties]
    [('ana.lu', 'me_myself', 'follow')]
    >>> [check.value for check in found.checks if check.verdict == "refuse"]
    ['The list of followers is whole (1) and that of following is absent.']
    """
    reading = Reading(Found("instagram"), choose_files(members, threads=False))
    origins = origins_of(members)
    owner = find_ego(reading, ego, origins)
    reading.counts["threads files"] = sum(map(in_threads_folder, members))
    read_sheets(reading, [*LISTS, *ACTS])
    _read_connections(reading)
    find_labels(reading)
    make_rows(reading, [*LISTS, *ACTS])
    add_rows(reading)
    add_era_a_acts(reading)
    add_posts(reading)
    add_era_a_posts(reading)
    matched = add_messages(reading, owner.name)
    return finish(reading, exported_at, origins, matched)


def add_rows(reading: Reading) -> None:
    """Add what the rows of lists and activity tell, of Instagram or of Threads."""
    add_ties(reading)
    add_marks(reading)
    add_people(reading)
    add_acts(reading)


def finish(
    reading: Reading,
    exported_at: datetime | None,
    origins: list[Origin],
    matched: Matched | None,
) -> Found:
    """Settle when the export was made and which times are possible, and add lists and checks."""
    found = reading.found
    export_time = find_export_time(found, exported_at, origins, reading.page_times)
    found.exported_at = export_time.at
    settled = settle_times(found, export_time.at)
    # Posts are told apart by their times, so that those must be settled.
    join_insights(reading)
    add_lists(reading)
    add_checks(reading, export_time, settled, origins, matched)
    return found


def find_ego(reading: Reading, given: str | None, origins: list[Origin]) -> Owner:
    """Set the ego: as given, as the export says, as the zip is called, else "me".

    Returns
    -------
    Owner
        What the export says of its owner.

    Raises
    ------
    InputError
        If the name given is no user name.
    """
    owner = read_owner(reading)
    named = sorted(((one.is_sure, one.ego) for one in origins if one.ego), reverse=True)
    said = owner.handle or (named[0][1] if named else "")
    if given is not None:
        if not clean_handle(given):
            raise InputError(
                f"ego: {given!r} is no user name; up to 30 letters, digits, points and underscores"
            )
        reading.counts["other owner"] = int(owner.handle not in ("", clean_handle(given)))
        said = clean_handle(given)
    reading.found.ego = said or UNKNOWN_EGO
    handle = reading.found.ego if said else None
    reading.found.people.append(
        Person(reading.found.ego, handle, owner.name or None, is_private=owner.is_private)
    )
    return owner


def _read_connections(reading: Reading) -> None:
    """Read the relation lists of the oldest exports, all in one file."""
    for member in reading.files.get("connections", ()):
        payload = reading.read_json(member, "followers")
        known = payload.keys() & ERA_A_LISTS.keys() if isinstance(payload, dict) else set()
        if not known:
            if payload is not None:
                reason = f"{member.path}: no list of people that is known in it"
                reading.fail("followers", reason, member.path)
            reason = f"{member.path}: nothing could be read from it"
            reading.fail("following", reason, member.path)
            continue
        for key in sorted(known):
            role = ERA_A_LISTS[key]
            try:
                sheet = entries_of_map(payload[key], member.path)
            except InputError as error:
                reading.fail(role, error, member.path)
                continue
            reading.sheets.setdefault(role, []).append(sheet)
            reading.counts["era A times without a zone"] += sheet.zone_assumed_count
