"""Relation lists of Instagram and Threads → ties and marks.

A user name comes from the value, the title or the link of a record; in lists of labels from the
label that holds user names. A list of which most records name nobody is unreadable, not short.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import get_args

from followkit.sources.exports.found import Mark, MarkKind, Person, Tie, TieKind
from followkit.sources.exports.instagram_entries import Entry, Sheet
from followkit.sources.exports.instagram_files import LISTS
from followkit.sources.exports.instagram_labels import Keys, Kind, find_username_keys, value_of
from followkit.sources.exports.instagram_reading import Reading, Row, is_deleted
from followkit.sources.exports.instagram_values import (
    clean_handle,
    pick_handle,
    story_owner_in_link,
)

__all__ = ["add_marks", "add_people", "add_ties", "find_labels", "make_rows"]

#: Its title is a display name.
TITLE_IS_NAME = {"blocked"}
#: Acts: the title is the owner, the value a text or an emoji, the link that of the post.
ACT_ROLES = {
    "liked_posts", "liked_comments", "comments", "story_comments", "story_acts", "saved", "viewed",
    "threads_liked", "threads_viewed",
}  # fmt: skip
#: Acts of which many records name nobody.
AUTHOR_ROLES: dict[str, Kind] = {"comments": "comment", "story_comments": "comment",
                                 "viewed": "author", "threads_viewed": "author"}  # fmt: skip
#: role → kind, and whether the ego is the source.
TIES: dict[str, tuple[TieKind, bool]] = {
    "following": ("follow", True), "followers": ("follow", False),
    "requests_sent": ("request", True), "requests_received": ("request", False),
    "unfollowed": ("unfollow", True),
}  # fmt: skip
NO_NAME = "no user name in it"
LABEL_UNSURE = "no label is sure to hold the user name"


def find_labels(reading: Reading) -> None:
    """Find the label of the user name for every list that has labels, all lists at once."""
    groups = {
        role: [entry for entry in reading.entries(role) if entry.pairs] for role in reading.sheets
    }
    with_pairs = {role: entries for role, entries in groups.items() if entries}
    if not with_pairs:
        return
    handles = {
        handle
        for role in ("followers", "following")
        for entry in reading.entries(role)
        # The link of a record with labels may be that of a bio.
        if not entry.pairs and (handle := pick_handle(entry.value, entry.title, entry.link))
    }
    reading.keys = find_username_keys(with_pairs, handles, AUTHOR_ROLES)


def make_rows(reading: Reading, roles: Iterable[str], *, title_is_name: bool = False) -> None:
    """Make one row a person and list in `reading.rows`; files of the list are noted.

    A file of records in which most name nobody is noted as unreadable, and gives no rows.

    Parameters
    ----------
    reading
        With its sheets read and its labels found.
    roles
        Which lists.
    title_is_name
        Whether all lists of the platform write display names into the title (Threads does).
    """
    for role in roles:
        for sheet in reading.sheets.get(role, ()):
            keys = reading.keys.get(role, frozenset())
            named = title_is_name or role in TITLE_IS_NAME
            rows, left_out = _rows_of_sheet(sheet, role, keys, title_is_name=named)
            missing = left_out[NO_NAME] + left_out[LABEL_UNSURE] + sheet.broken_count
            total = len(sheet.entries) + sheet.broken_count
            # Acts may well name nobody, as half the comments do; relations have to.
            if role in LISTS and total and 2 * missing > total:
                reason = _unreadable(sheet, missing, total, left_out)
                reading.fail(role, reason, sheet.file)
                continue
            reading.rows.setdefault(role, []).extend(rows)
            reading.note_file(sheet, role, left_out)


def _unreadable(sheet: Sheet, missing: int, total: int, left_out: Counter[str]) -> str:
    reason = LABEL_UNSURE if left_out[LABEL_UNSURE] else NO_NAME
    return (
        f"{sheet.file}: {missing:,} of {total:,} records could not be read ({reason}); the format "
        "has changed"
    )


def _rows_of_sheet(
    sheet: Sheet, role: str, keys: Keys, *, title_is_name: bool
) -> tuple[list[Row], Counter[str]]:
    rows = []
    left_out: Counter[str] = Counter()
    for entry in sheet.entries:
        if role in ACT_ROLES:
            handle = _owner_of_act(entry, keys)
        elif entry.pairs:
            handle = value_of(entry, keys)
        else:
            handle = pick_handle(entry.value, entry.title, entry.link, title_is_name=title_is_name)
        if handle:
            rows.append(Row(handle, entry.at, sheet.file, entry.precision_s, entry.link))
        else:
            left_out[LABEL_UNSURE if entry.pairs and not keys else NO_NAME] += 1
    return rows, left_out


def _owner_of_act(entry: Entry, keys: Keys) -> str:
    """Return whom an act was for: the title, a label, or the owner in a story's link.

    Never the value: it is a comment's text or an emoji.
    """
    handle = value_of(entry, keys) if entry.pairs and keys else ""
    return handle or clean_handle(entry.title) or story_owner_in_link(entry.link)


def add_ties(reading: Reading) -> None:
    """Turn the rows of relation lists into ties between the ego and the alters.

    Earlier requests (`recent_requests`) say something only of alters that are followed now: when
    they were asked. The others were refused, withdrawn or followed and left; which is not told.
    """
    found = reading.found
    for role, (kind, outgoing) in TIES.items():
        for row in reading.rows.get(role, ()):
            pair = (found.ego, row.handle) if outgoing else (row.handle, found.ego)
            found.ties.append(Tie(*pair, kind, row.at, row.file, row.precision_s))
    followed = {row.handle for row in reading.rows.get("following", ())}
    pending = {row.handle for row in reading.rows.get("requests_sent", ())}
    for row in reading.rows.get("recent_requests", ()):
        if row.handle in followed:
            found.ties.append(
                Tie(found.ego, row.handle, "request", row.at, row.file, row.precision_s)
            )
        elif row.handle not in pending:
            reading.counts["earlier requests without a follow"] += 1


def add_marks(reading: Reading) -> None:
    """Turn the ego's own lists of alters (close friends, blocked, …) into marks."""
    for kind in get_args(MarkKind):
        for row in reading.rows.get(kind, ()):
            reading.found.marks.append(Mark(row.handle, kind, row.at, row.file))


def add_people(reading: Reading) -> None:
    """Add a person for every account that is gone: it is not one that does not follow back."""
    handles = {row.handle for rows in reading.rows.values() for row in rows}
    for handle in sorted(filter(is_deleted, handles)):
        reading.found.people.append(Person(handle, state="deleted"))
