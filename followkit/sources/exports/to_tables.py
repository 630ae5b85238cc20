"""What a reader found → canonical tables: one row a follow, and who could be seen answering.

An export shows one account, the ego, and its own ties only. An alter counts as watched if the
followers list is whole: then an absent follow of the ego means "not (any more)". A deleted account
is not watched, so that it never counts as a refusal; nor is anybody where the list was cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import pandas as pd

from followkit.errors import InputError
from followkit.sources.exports.found import Act, Found, Mark, Person, Tie
from followkit.tables import Dataset, make_dataset

__all__ = ["TITLES", "make_export_dataset"]

TITLES = {
    "instagram": "Instagram", "threads": "Threads", "x": "X", "tiktok": "TikTok",
    "mastodon": "Mastodon", "bluesky": "Bluesky", "linkedin": "LinkedIn", "facebook": "Facebook",
    "youtube": "YouTube", "github": "GitHub",
}  # fmt: skip
#: Accounts that are gone keep a handle that begins like this.
DELETED = "__deleted__"
#: Lists of the ego's own that become columns of accounts; the other two are acts towards an alter.
MARK_COLUMNS = {
    "close_friend": "is_close_friend", "favorite": "is_favorite", "restricted": "is_restricted",
    "hidden_from": "is_hidden_from", "dismissed": "is_dismissed",
}  # fmt: skip
MARK_ACTS = {"blocked": "block", "muted": "mute"}
FOLLOW_COLUMNS = ("followed_at", "unfollowed_at", "requested_at", "status")

Row = dict[str, Any]


def make_export_dataset(found: Found, *, name: str = "") -> Dataset:
    """Return what a reader found as a `Dataset`.

    Parameters
    ----------
    found
        Ties, acts and the rest, duplicates included.
    name
        Of the data set; the platform without it.

    Returns
    -------
    Dataset
        follows: one row an ordered pair, times in UTC; a request that led to a follow is its
        requested_at, one that did not is a row with status pending. observation: the ego, and
        every alter that could be seen answering. accounts: further columns state (ok, deleted,
        unknown), is_close_friend, is_favorite, is_restricted, is_hidden_from, is_dismissed.
        about["export"]: platform, ego, exported_at (ISO, "" if unknown), lists, checks, files.

    Raises
    ------
    InputError
        If there is no tie at all; the message says which lists were looked for.

    Examples
    --------
    >>> found = Found("instagram", ego="me", ties=[
    ...     Tie("me", "bo", "follow", None, "following.json"),
    ...     Tie("me", "bo", "follow", None, "following.json"),
    ...     Tie("me", "cy", "request", None, "pending_follow_requests.json")])
    >>> make_export_dataset(found).follows[["followee_id", "status"]].values.tolist()
    [['bo', 'active'], ['cy', 'pending']]
    """
    rows, notes = _merge_ties(found.ties)
    if not rows:
        raise InputError(_nobody(found))
    acts = [*found.acts, *_mark_acts(found)]
    tables = {
        "follows": _make_follows(found, rows),
        "accounts": _make_accounts(found, rows),
        "posts": _make_posts(found),
        "interactions": _make_interactions(acts),
        "observation": _make_observation(found, rows),
    }
    kept = {table: frame for table, frame in tables.items() if len(frame)}
    title = f"{TITLES.get(found.platform, found.platform)} export"
    return make_dataset(
        kept, name=name or found.platform, about={"title": title, "export": _describe(found)},
        quality=_make_quality(found, kept, notes),
    )  # fmt: skip


def _nobody(found: Found) -> str:
    states = ", ".join(f"{one.kind.replace('_', ' ')} {one.state}" for one in found.lists)
    if {found.listed(kind).state for kind in ("followers", "following")} == {"whole"}:
        return "The export's lists of followers and of follows are there and empty: nobody yet."
    asked = [f"{check.name}: {check.remedy}" for check in found.checks if check.verdict == "refuse"]
    hint = " ".join(asked) or "Ask the platform for your followers and following lists."
    return f"The export holds nobody who follows anybody (lists: {states or 'none'}). {hint}"


# ----------------------------------------------------------------------------------------- follows


def _merge_ties(ties: Iterable[Tie]) -> tuple[list[Row], list[str]]:
    """Return one row an ordered pair, in order of the pairs, and what was merged."""
    by_pair: dict[tuple[str, str], list[Tie]] = {}
    counts: Counter[str] = Counter()
    for tie in ties:
        if tie.source == tie.target:
            counts["entries of the ego itself were left out"] += 1
        else:
            by_pair.setdefault((tie.source, tie.target), []).append(tie)
    rows = []
    for (source, target), same in sorted(by_pair.items()):
        row, merged = _merge_pair(same)
        counts.update(merged)
        if row:
            rows.append({"follower_id": source, "followee_id": target, **row})
    return rows, [f"{count:,} {what}" for what, count in sorted(counts.items())]


def _merge_pair(same: Sequence[Tie]) -> tuple[Row, Counter[str]]:
    follows = [tie for tie in same if tie.kind == "follow"]
    requests = [tie for tie in same if tie.kind == "request"]
    ends = [tie for tie in same if tie.kind == "unfollow"]
    merged: Counter[str] = Counter()
    again = sum(max(len(kind) - 1, 0) for kind in (follows, requests, ends))
    if again:
        merged["repeated entries of a list were merged"] += again
    row: Row = dict.fromkeys(FOLLOW_COLUMNS)
    row["requested_at"] = _earliest(requests)
    if follows:
        row |= {"followed_at": _earliest(follows), "status": "active"}
        if ends:
            merged["withdrawals before a follow that stands were left out"] += 1
    elif ended := max((tie.at for tie in ends if tie.at), default=None):
        row |= {"unfollowed_at": ended, "status": "active"}
    elif requests:
        row["status"] = "pending"
    if not follows and ends and not row["unfollowed_at"]:
        merged["withdrawals without a time were left out"] += 1
    if follows and requests:
        merged["requests that led to a follow became its requested_at"] += 1
    return row if row["status"] else {}, merged


def _make_follows(found: Found, rows: Sequence[Row]) -> pd.DataFrame:
    """Return the follows; one without a time was at least seen standing at the export."""
    table = pd.DataFrame(rows)
    undated = table["followed_at"].isna() & table["unfollowed_at"].isna()
    seen = undated & (table["status"] == "active")
    if found.exported_at is not None and seen.any():
        table["followed_before_at"] = [found.exported_at if one else None for one in seen]
    return table.dropna(axis="columns", how="all")


def _earliest(ties: Sequence[Tie]) -> datetime | None:
    """Return the first known time; among equal entries the finest one counts."""
    timed = [tie for tie in ties if tie.at is not None]
    finest = min((tie.precision_s for tie in timed), default=0)
    return min((tie.at for tie in timed if tie.at and tie.precision_s == finest), default=None)


# -------------------------------------------------------------------------------- the other tables


def _make_accounts(found: Found, rows: Sequence[Row]) -> pd.DataFrame:
    ids = {found.ego} if found.ego else set()
    ids |= {row[side] for row in rows for side in ("follower_id", "followee_id")}
    told: dict[str, Row] = {one: {} for one in ids}
    for one in ids:
        if one.startswith(DELETED):
            told[one]["state"] = "deleted"
    for person in found.people:
        if person.account in told:
            _add_told(told[person.account], person)
    for mark in found.marks:
        if mark.kind in MARK_COLUMNS and mark.alter in told:
            told[mark.alter][MARK_COLUMNS[mark.kind]] = True
    table = pd.DataFrame([{"account_id": one, **told[one]} for one in sorted(told)])
    for column in set(MARK_COLUMNS.values()) & set(table):
        # A list that exists names everybody on it, so that others are known not to be.
        table[column] = table[column].eq(True).map({True: "true", False: "false"})
    table["state"] = table["state"].fillna("ok") if "state" in table else "ok"
    return table


def _add_told(row: Row, person: Person) -> None:
    """Add what one entry tells; the first word counts, but for a deletion, which stays."""
    for field in fields(person):
        value = getattr(person, field.name)
        if field.name == "state":
            if value != "ok":
                row["state"] = "deleted" if "deleted" in (value, row.get("state")) else value
        elif field.name != "account" and value is not None:
            row.setdefault(field.name, value)


def _mark_acts(found: Found) -> list[Act]:
    def act(mark: Mark) -> Act:
        return Act(found.ego, mark.alter, MARK_ACTS[mark.kind], mark.at, mark.file)

    return [act(mark) for mark in found.marks if mark.kind in MARK_ACTS and found.ego]


def _make_interactions(acts: Sequence[Act]) -> pd.DataFrame:
    rows = [
        {"actor_id": act.actor, "target_id": act.target, "kind": act.kind, "at": act.at,
         "post_id": act.post_id}
        for act in acts
        if act.actor != act.target
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _make_posts(found: Found) -> pd.DataFrame:
    first = {post.post_id: post for post in reversed(found.posts)}
    names = {"account": "account_id", "at": "posted_at", "original_account": "original_account_id"}
    rows = [asdict(first[one]) for one in sorted(first)]
    return pd.DataFrame(rows).rename(columns=names).drop(columns="file", errors="ignore")


def _make_observation(found: Found, rows: Sequence[Row]) -> pd.DataFrame:
    """Return since when and until when follows of the ego, and towards it, could be seen."""
    stamps = [row[name] for row in rows for name in ("followed_at", "unfollowed_at") if row[name]]
    until = max([*stamps, *([found.exported_at] if found.exported_at else [])], default=None)
    if until is None:
        return pd.DataFrame()
    since = min(stamps, default=until)
    gone = {one.account for one in found.people if one.state != "ok"}
    ends = {row[side] for row in rows for side in ("follower_id", "followee_id")}
    sides = {one for one in ends - gone if not one.startswith(DELETED)}
    whole = {True: found.listed("following").state, False: found.listed("followers").state}
    return pd.DataFrame(
        {"account_id": one, "table_name": "follows", "observed_from_at": since,
         "observed_until_at": until, "list_is_complete": whole[one == found.ego] == "whole",
         "sees_unfollows": False}
        for one in sorted(sides)
    )  # fmt: skip


# ------------------------------------------------------------------------------ what is said of it


def _describe(found: Found) -> dict[str, Any]:
    """Return the facts about the export as plain values; files by their last part only.

    Folders of message threads are named after people.
    """
    return {
        "platform": found.platform,
        "ego": found.ego,
        "exported_at": found.exported_at.isoformat() if found.exported_at else "",
        "lists": {
            one.kind: {"state": one.state, "count": one.count, "timed_count": one.timed_count,
                       "files": [_base_name(file) for file in one.files]}
            for one in found.lists
        },
        "checks": [asdict(check) for check in found.checks],
        "files": [{**asdict(one), "file": _base_name(one.file)} for one in found.files],
    }  # fmt: skip


def _base_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _make_quality(
    found: Found, tables: dict[str, pd.DataFrame], notes: Sequence[str]
) -> pd.DataFrame:
    steps: list[tuple[str, str, int, str]] = []
    for table, frame in tables.items():
        steps.append((table, "read", len(frame), "from the export"))
    steps += [("follows", "noted", 0, note) for note in notes]
    homes = _find_homes(found)
    for file in found.files:
        out = "".join(f"; left out: {count:,} {why}" for why, count in file.left_out.items())
        note = f"{_base_name(file.file)}: {file.record_count:,} {file.what}{out}"
        steps.append((homes.get(file.file, "follows"), "noted", 0, note))
    return pd.DataFrame(steps, columns=["table", "step", "rows", "note"])


def _find_homes(found: Found) -> dict[str, str]:
    """Return into which table each file went; its follows come first."""
    homes: dict[str, str] = {}
    for table, records in (
        ("follows", found.ties), ("interactions", found.acts), ("posts", found.posts),
        ("accounts", found.marks),
    ):  # fmt: skip
        for record in records:
            homes.setdefault(record.file, table)
    return homes
