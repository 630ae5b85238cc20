"""A simulated life → the rows of Instagram's lists, before any file format."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from followkit.simulate.exports.life import EGO, Account, Alter, Life

__all__ = ["MARK_LISTS", "OPTIONAL_PEOPLE", "Row", "Talk", "draw_sheets", "draw_talks",
           "find_pairs", "written_handle"]  # fmt: skip

#: List → kind of mark.
MARK_LISTS = {
    "close_friends": "close_friend",
    "favorites": "favorite",
    "dismissed": "dismissed",
    "restricted": "restricted",
    "blocked": "blocked",
    "hidden": "hidden_from",
}
#: Lists of people beside followers and following.
OPTIONAL_PEOPLE = ("pending", "recent", "received", "unfollowed", *MARK_LISTS)
#: (kind, where) of a deed → the list it stands in.
_DEED_LISTS = {
    ("like", "post"): "liked_posts",
    ("like", "comment"): "liked_comments",
    ("comment", "post"): "post_comments",
    ("comment", "reel"): "reels_comments",
    ("story", "like"): "story_likes",
    ("story", "quick_reaction"): "emoji_quick_reactions",
    ("story", "poll"): "polls",
    ("story", "answer"): "hype",
    ("save", "post"): "saved_posts",
    ("view", "post"): "posts_viewed",
}
CUT_DAYS = 365


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a list: a person, when (None: not written), and the number of a post.

    `stamp` is what stands in the file instead of the time of `at` (seconds), where a fault wants
    a time that cannot be. `is_bare` is a record without link and time.
    """

    who: Account
    at: datetime | None
    number: int = 0
    stamp: int | None = None
    is_bare: bool = False
    has_owner: bool = True


@dataclass(frozen=True, slots=True)
class Talk:
    """One thread: its title, the names of those in it, and (sender's name, time, reactors)."""

    folder: str
    title: str
    names: tuple[str, ...]
    handles: tuple[str, ...]
    said: tuple[tuple[str, str, datetime, tuple[str, ...]], ...]


def written_handle(who: Account, faults: Collection[str] = ()) -> str:
    """Return the handle as Instagram writes it: lower case, unless a fault says otherwise."""
    return who.handle.upper() if "upper_case" in faults else who.account


def draw_sheets(life: Life, faults: Collection[str]) -> dict[str, list[Row]]:
    """Return the rows of every list, newest first."""
    kept = [one for one in life.following() if "deleted" in faults or not one.is_deleted]
    sheets: dict[str, list[Row]] = {
        "followers": [Row(one, one.follower_at) for one in life.followers()],
        "following": [Row(one, one.following_at) for one in kept],
        "pending": _people(life, "request_at", pending_only=True),
        "recent": _people(life, "request_at"),
        "received": _people(life, "received_at"),
        "unfollowed": _people(life, "unfollowed_at"),
    }
    for name, mark in MARK_LISTS.items():
        sheets[name] = [Row(one, at) for one, at in life.marked(mark)]
    sheets.update(_deed_rows(life))
    return _break_rows(life, sheets, faults)


def _people(life: Life, name: str, *, pending_only: bool = False) -> list[Row]:
    found: list[Alter] = [one for one in life.alters if getattr(one, name)]
    if pending_only:
        found = [one for one in found if one.is_pending]
    rows = [Row(one, getattr(one, name)) for one in found]
    return sorted(rows, key=_newest, reverse=True)


def _newest(row: Row) -> datetime:
    return row.at or datetime.min.replace(tzinfo=UTC)


def _deed_rows(life: Life) -> dict[str, list[Row]]:
    people = life.by_number()
    sheets: dict[str, list[Row]] = {name: [] for name in _DEED_LISTS.values()}
    for deed in life.deeds:
        name = _DEED_LISTS.get((deed.kind, deed.where))
        if deed.actor == EGO and name:
            has_owner = name not in ("post_comments", "reels_comments") or deed.number % 3 != 0
            row = Row(people[deed.target], deed.at, deed.number, has_owner=has_owner)
            sheets[name].append(row)
    return {name: sorted(rows, key=_newest, reverse=True) for name, rows in sheets.items()}


def _break_rows(
    life: Life, sheets: dict[str, list[Row]], faults: Collection[str]
) -> dict[str, list[Row]]:
    """Apply the faults that change which records a list holds."""
    if "empty" in faults:
        sheets = {name: [] for name in sheets}
    if "single_object" in faults:
        sheets = {name: rows[:1] for name, rows in sheets.items()}
    if "date_cut" in faults:
        edge = life.exported_at - timedelta(days=CUT_DAYS)
        sheets["followers"] = [row for row in sheets["followers"] if row.at and row.at >= edge]
    if "impossible_times" in faults:
        for name in ("followers", "following"):
            sheets[name] = list(_spoil_times(sheets[name], life))
    if "duplicates" in faults:
        for name in ("followers", "following", "close_friends", "liked_posts"):
            sheets[name] = [*sheets[name], *sheets[name][::3]]
    return sheets


def _spoil_times(rows: Iterable[Row], life: Life) -> Iterable[Row]:
    """Yield rows of which some have a time that cannot be: cut short, none, or in the future."""
    future = int((life.exported_at + timedelta(days=900)).timestamp())
    stamps = {2: 17_000_000, 5: 170_000_000, 8: 0, 11: future}
    for place, row in enumerate(rows):
        stamp = stamps.get(place)
        yield row if stamp is None else replace(row, at=None, stamp=stamp)


def find_pairs(sheets: Mapping[str, Sequence[Row]], *, of_acts: bool) -> dict[str, set[str]]:
    """Return display name → accounts, from the lists that hold both (2026 on).

    With `of_acts` the owners of liked posts, stories and the like count too.
    """
    pairs: dict[str, set[str]] = {}
    held = ("liked_posts", "story_likes", "emoji_quick_reactions", "polls", "saved_posts")
    for name in (*OPTIONAL_PEOPLE, *(held if of_acts else ())):
        for row in sheets[name]:
            pairs.setdefault(row.who.name, set()).add(row.who.account)
    return pairs


def draw_talks(life: Life) -> list[Talk]:
    """Return the threads: one an alter, the groups, and one with an account that is gone."""
    people = life.by_number()
    reactors: dict[int, list[str]] = {}
    said: dict[int, list[tuple[str, str, datetime, int]]] = {}
    for deed in life.deeds:
        who = people[deed.actor]
        if deed.kind == "reaction" and deed.answers is not None:
            reactors.setdefault(deed.answers, []).append(who.name)
        elif deed.kind == "message":
            other = deed.target if deed.actor == EGO else deed.actor
            said.setdefault(other, []).append((who.name, who.account, deed.at, deed.number))
    talks = []
    for number, lines in sorted(said.items()):
        who = people[number]
        spoken = tuple(
            (name, account, at, tuple(reactors.get(message, ())))
            for name, account, at, message in sorted(lines, key=lambda line: line[2], reverse=True)
        )
        talks.append(Talk(_folder(who.name, number), who.name, (who.name, life.ego.name),
                          (who.account, life.ego.account), spoken))  # fmt: skip
    return [*talks, *_group_talks(life)]


def _group_talks(life: Life) -> Iterable[Talk]:
    people = life.by_number()
    for group in life.groups:
        inside = [*(people[number] for number in group.members), life.ego]
        spoken = tuple(
            (people[number].name, people[number].account, at, ())
            for number, at in sorted(group.messages, key=lambda line: line[1], reverse=True)
        )
        yield Talk(_folder(group.title, 900 + group.number), group.title,
                   tuple(who.name for who in inside), tuple(who.account for who in inside),
                   spoken)  # fmt: skip


def _folder(title: str, number: int) -> str:
    plain = "".join(letter for letter in title.lower() if letter.isascii() and letter.isalnum())
    return f"{plain}_{10_000_000_000 + number}"
